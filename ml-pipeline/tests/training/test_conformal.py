"""Conformal offsets against their definition and their promise on data of the same distribution."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from battery_ml.arrays import FloatArray
from battery_ml.datasets.snapshots import Snapshots
from battery_ml.training.conformal import calibrate


def truth(days: FloatArray, is_censored: np.ndarray | None = None, lives: int | None = None) -> Snapshots:
    count = len(days)
    return Snapshots(
        features=np.zeros((count, 1), np.float32),
        battery_slot=np.arange(count) % (lives or count),
        generation=np.zeros(count, np.int64),
        day=np.zeros(count, np.int64),
        days_to_end=days,
        is_censored=np.zeros(count, np.bool_) if is_censored is None else is_censored,
    )


def constant(low: float, high: float, count: int) -> FloatArray:
    return np.tile([low, 0.5 * (low + high), high], (count, 1))


@pytest.mark.parametrize("width", [0.0, 0.2, 3.0])
def test_each_side_misses_a_tenth_whatever_the_model(width: float) -> None:
    rng = np.random.default_rng(1)
    days = np.expm1(rng.normal(6.0, 0.5, 4000))
    quantiles = constant(6.0 - width, 6.0 + width, 2000)
    conformal = calibrate(quantiles, truth(days[:2000]))
    unseen = np.log1p(days[2000:])
    assert abs((unseen < 6.0 - width - conformal.below).mean() - 0.1) < 0.025
    assert abs((unseen > 6.0 + width + conformal.above).mean() - 0.1) < 0.025


@given(st.lists(st.floats(1.0, 5000.0), min_size=20, max_size=60))
def test_offsets_are_plain_quantiles_of_the_errors_without_censoring(days: list[float]) -> None:
    target = np.log1p(np.array(days))
    conformal = calibrate(constant(5.0, 7.0, len(days)), truth(np.array(days)))
    # The ceil(0.9 (n + 1))-th smallest error, the usual split-conformal offset; where 0.9 (n + 1) is whole, rounding
    # may take the next one, which is the cautious side.
    last = len(days) - 1
    rank = min(int(np.ceil(0.9 * (len(days) + 1) - 1e-9)) - 1, last)
    ranks = {rank, min(rank + 1, last)} if (len(days) + 1) % 10 == 0 else {rank}
    assert conformal.below in {np.sort(5.0 - target)[index] for index in ranks}
    assert conformal.above in {np.sort(target - 7.0)[index] for index in ranks}


def test_snapshots_of_few_lives_count_as_few() -> None:
    days = np.expm1(np.linspace(4.0, 8.0, 200))
    quantiles = constant(6.0, 6.0, 200)
    many, few = calibrate(quantiles, truth(days)), calibrate(quantiles, truth(days, lives=9))
    assert few.below > many.below
    assert few.above > many.above
    # 9 lives: 0.9 (1 + 1/9) = 1, the largest error.
    assert few.above == pytest.approx(np.log1p(days).max() - 6.0)


def test_censored_lives_do_not_shorten_the_interval() -> None:
    rng = np.random.default_rng(2)
    lives, observed = rng.gamma(4.0, 300.0, 20_000), rng.uniform(100.0, 6000.0, 20_000)
    days, is_censored = np.minimum(lives, observed), lives > observed
    quantiles = constant(6.5, 6.5, len(days))
    conformal = calibrate(quantiles, truth(days, is_censored))
    ignoring = calibrate(quantiles[~is_censored], truth(days[~is_censored]))
    full = calibrate(quantiles, truth(lives))
    assert conformal.above == pytest.approx(full.above, abs=0.03)
    assert conformal.below == pytest.approx(full.below, abs=0.06)
    assert ignoring.above < full.above - 0.03
