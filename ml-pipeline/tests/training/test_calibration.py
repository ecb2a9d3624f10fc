"""Calibrated levels against their promise on data of the same distribution, censored ones included."""

import numpy as np
import pytest

from battery_ml.arrays import BoolArray, FloatArray
from battery_ml.datasets.snapshots import Snapshots
from battery_ml.survival.curves import SurvivalCurves
from battery_ml.training.calibration import calibrated_levels

EDGES_DAYS = np.linspace(0.0, 20_000.0, 2001)


def truth(days: FloatArray, is_censored: BoolArray | None = None, lives: int | None = None) -> Snapshots:
    count = len(days)
    return Snapshots(
        features=np.zeros((count, 1), np.float32),
        battery_slot=np.arange(count) % (lives or count),
        generation=np.zeros(count, np.int64),
        day=np.zeros(count, np.int64),
        days_to_end=days,
        is_censored=np.zeros(count, np.bool_) if is_censored is None else is_censored,
        follow_up_days=np.full(count, 1e5),
    )


def exponential(mean_days: float, count: int) -> SurvivalCurves:
    return SurvivalCurves(EDGES_DAYS, np.tile(EDGES_DAYS / mean_days, (count, 1)))


@pytest.mark.parametrize("mean_days", [500.0, 1000.0, 3000.0])
def test_each_side_misses_a_tenth_whatever_the_model(mean_days: float) -> None:
    rng = np.random.default_rng(1)
    days = rng.exponential(1000.0, 8000)
    curves = exponential(mean_days, 4000)
    low, middle, high = curves.quantiles_days(calibrated_levels(curves, truth(days[:4000])).ascending).T
    unseen = days[4000:]
    assert abs((unseen < low).mean() - 0.1) < 0.02
    assert abs((unseen < middle).mean() - 0.5) < 0.03
    assert abs((unseen > high).mean() - 0.1) < 0.02


def test_a_right_model_keeps_its_levels() -> None:
    days = np.random.default_rng(2).exponential(1000.0, 20_000)
    assert calibrated_levels(exponential(1000.0, 20_000), truth(days)).ascending == pytest.approx(
        (0.1, 0.5, 0.9), abs=0.01
    )


def test_censored_lives_change_nothing_of_a_right_model() -> None:
    rng = np.random.default_rng(3)
    lives, observed = rng.exponential(1000.0, 40_000), rng.uniform(100.0, 6000.0, 40_000)
    days, is_censored = np.minimum(lives, observed), lives > observed
    curves = exponential(1000.0, len(days))
    assert calibrated_levels(curves, truth(days, is_censored)).ascending == pytest.approx((0.1, 0.5, 0.9), abs=0.015)
    failures = truth(days[~is_censored])
    ignoring = calibrated_levels(exponential(1000.0, len(failures)), failures)
    assert ignoring.p90 < 0.88


def test_snapshots_of_few_lives_widen_the_interval() -> None:
    days = np.linspace(10.0, 5000.0, 200)
    curves = exponential(1000.0, 200)
    many, few = calibrated_levels(curves, truth(days)), calibrated_levels(curves, truth(days, lives=9))
    assert few.p10 < many.p10
    assert few.p90 >= many.p90
    assert few.p50 == many.p50
