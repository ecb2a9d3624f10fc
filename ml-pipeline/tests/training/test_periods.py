"""Battery-periods against a plain loop, and the hazard that they give back."""

import numpy as np
import pytest

from battery_ml.arrays import BoolArray, FloatArray
from battery_ml.datasets.snapshots import Snapshots
from battery_ml.models.hazard import PERIOD_EDGES_DAYS
from battery_ml.training.fits.hazard import battery_periods, fit_hazard, supported_edges_days

EDGES = np.array([0.0, 90.0, 365.0, 1095.0])


def lives(
    days: FloatArray, is_censored: BoolArray, follow_up: FloatArray, feature: FloatArray | None = None
) -> Snapshots:
    count = len(days)
    return Snapshots(
        features=(np.zeros(count) if feature is None else feature).astype(np.float32)[:, None],
        battery_slot=np.arange(count),
        generation=np.zeros(count, np.int64),
        day=np.zeros(count, np.int64),
        days_to_end=days,
        is_censored=is_censored,
        follow_up_days=follow_up,
    )


def observed(total: FloatArray, follow_up: FloatArray, feature: FloatArray | None = None) -> Snapshots:
    return lives(np.minimum(total, follow_up), total > follow_up, follow_up, feature)


def test_rows_are_those_of_a_plain_loop() -> None:
    rng = np.random.default_rng(1)
    snapshots = observed(rng.exponential(600.0, 300), rng.uniform(50.0, 1500.0, 300))
    expected = set()
    for row in range(300):
        end, follow_up = snapshots.days_to_end[row], snapshots.follow_up_days[row]
        for period in range(3):
            begin, until = EDGES[period], EDGES[period + 1]
            if end > begin and follow_up >= until:
                expected.add((row, period, bool(not snapshots.is_censored[row] and end <= until)))
    rows = battery_periods(snapshots, EDGES)
    found = zip(rows.snapshot.tolist(), rows.period.tolist(), rows.has_failed.tolist(), strict=True)
    assert set(found) == expected
    assert rows.count == len(expected)
    assert (rows.weight == 1.0).all()


def test_a_battery_that_was_taken_away_counts_until_the_last_whole_period() -> None:
    removed = lives(np.array([200.0]), np.array([True]), np.array([5000.0]))
    rows = battery_periods(removed, EDGES)
    assert (rows.period.tolist(), rows.has_failed.tolist()) == ([0], [False])


def test_sampling_keeps_every_failure_and_the_total_weight() -> None:
    rng = np.random.default_rng(2)
    snapshots = observed(rng.exponential(2000.0, 20_000), np.full(20_000, 2000.0))
    whole, sampled = battery_periods(snapshots, EDGES), battery_periods(snapshots, EDGES, max_rows=25_000)
    assert sampled.count < 0.6 * whole.count
    assert sampled.has_failed.sum() == whole.has_failed.sum()
    assert sampled.weight.sum() == pytest.approx(whole.count, rel=0.02)


def test_periods_end_where_too_few_lives_failed() -> None:
    rng = np.random.default_rng(3)
    snapshots = observed(rng.exponential(800.0, 4000), np.full(4000, 1100.0))
    edges = supported_edges_days(snapshots)
    assert edges[-1] == 1095.0
    assert edges.tolist() == list(PERIOD_EDGES_DAYS[: len(edges)])


def test_censored_lives_do_not_bias_the_fitted_hazard() -> None:
    # Two kinds of batteries with known exponential lives; late entries are nearly all censored, as in a growing fleet.
    rng = np.random.default_rng(4)
    kind = rng.integers(0, 2, 40_000).astype(np.float64)
    snapshots = observed(rng.exponential(np.where(kind > 0.0, 700.0, 1800.0)), rng.uniform(30.0, 1500.0, 40_000), kind)
    model = fit_hazard(snapshots, snapshots, ("kind",), EDGES, seed=1, trees=100)
    curves = model.curves(np.array([[0.0], [1.0]]))
    for days in (90.0, 365.0, 1095.0):
        expected = 1.0 - np.exp(-days / np.array([1800.0, 700.0]))
        np.testing.assert_allclose(curves.failure_probability(days), expected, rtol=0.05)
