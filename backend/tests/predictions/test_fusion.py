from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from battery_api.predictions.fusion import (
    ASSUMED_TRUST,
    LEAST_IN_CONFLICT,
    LEAST_OUTCOMES,
    FloatArray,
    RulSource,
    SourceTrust,
    advice_for,
    fuse,
    longer_than,
    trust_of,
)

quantiles = st.lists(st.floats(0, 1e5), min_size=3, max_size=3).map(sorted)
trusts = st.builds(SourceTrust, st.floats(1e-3, 1e3), st.floats(1e-3, 1e3))
NOTHING = [np.nan] * 3


def table(*rows: list[float]) -> FloatArray:
    return np.array(rows, np.float64)


@given(quantiles, quantiles, trusts)
def test_fused_quantiles_are_ordered_and_between_the_sources(
    twin: list[float], ml: list[float], trust: SourceTrust
) -> None:
    fused = fuse(table(twin), table(ml), trust)
    (days,) = fused.days
    assert not np.isnan(days).any()
    assert days[0] <= days[1] <= days[2]
    assert 0 <= fused.twin_weight[0] <= 1
    lowest, highest = np.minimum(twin, ml), np.maximum(twin, ml)
    assert (lowest <= days).all()
    assert (days <= highest).all()
    assert fused.source == [RulSource.FUSED]


@given(quantiles, quantiles, trusts, st.floats(1e-3, 1e3))
def test_only_the_ratio_of_the_trust_counts(
    twin: list[float], ml: list[float], trust: SourceTrust, factor: float
) -> None:
    one = fuse(table(twin), table(ml), trust)
    other = fuse(table(twin), table(ml), SourceTrust(trust.twin * factor, trust.ml * factor))
    assert other.twin_weight == pytest.approx(one.twin_weight, rel=1e-9)
    assert (one.is_conflict == other.is_conflict).all()


@given(quantiles, quantiles)
def test_which_source_is_called_which_matters_only_through_the_trust(one: list[float], other: list[float]) -> None:
    even = SourceTrust(1.0, 1.0)
    there, back = fuse(table(one), table(other), even), fuse(table(other), table(one), even)
    assert there.days == pytest.approx(back.days, rel=1e-9, abs=1e-9)
    assert there.twin_weight == pytest.approx(1 - back.twin_weight, abs=1e-9)


def test_weights_are_those_of_the_formula() -> None:
    twin, ml = [500.0, 1000.0, 1500.0], [600.0, 900.0, 1200.0]
    fused = fuse(table(twin), table(ml))
    by_twin = 0.6 / np.log(1501 / 501) ** 2
    by_ml = 0.4 / np.log(1201 / 601) ** 2
    weight = by_twin / (by_twin + by_ml)
    assert fused.twin_weight == pytest.approx([weight])
    for level, days in zip((0.1, 0.5, 0.9), fused.days[0], strict=True):
        assert weight * share_before(days, twin) + (1 - weight) * share_before(days, ml) == pytest.approx(
            level, abs=1e-6
        )
    assert fused.difference_pct == pytest.approx([10.0])
    assert not fused.is_conflict[0]


def share_before(days: float, quantiles: list[float]) -> float:
    """Return the share of lives that end before a day by a log-logistic law on each side of the median."""
    p10, p50, p90 = np.log1p(quantiles)
    position = (np.log1p(days) - p50) / (p90 - p50 if np.log1p(days) > p50 else p50 - p10)
    return float(1.0 / (1.0 + 9.0**-position))


def test_a_source_without_evidence_does_not_make_a_battery_due() -> None:
    # The law alone of an old battery, as wide as its prior, against a model that has seen its history.
    fused = fuse(table([0.0, 544.0, 1486.0]), table([457.0, 957.0, 1838.0]))
    assert fused.is_conflict[0]
    assert fused.twin_weight[0] == LEAST_IN_CONFLICT
    assert 180.0 < fused.days[0, 0] < 457.0


def test_a_narrow_forecast_does_not_silence_a_warning() -> None:
    fused = fuse(table([900.0, 1100.0, 1300.0]), table([100.0, 200.0, 300.0]))
    assert fused.is_conflict[0]
    assert fused.twin_weight[0] == 1.0 - LEAST_IN_CONFLICT
    assert fused.days[0, 0] < 220.0


def test_sources_of_equal_weight_that_contradict_each_other_widen_the_interval() -> None:
    short, long = [90.0, 120.0, 160.0], [900.0, 1200.0, 1600.0]
    (days,) = fuse(table(short), table(long), SourceTrust(1.0, 1.0)).days
    assert days[0] < 125.0
    assert days[2] > 1180.0
    again = fuse(table(short), table(short), SourceTrust(1.0, 1.0)).days
    assert again[0] == pytest.approx(short, rel=1e-6)


@pytest.mark.parametrize(("p50", "is_conflict"), [(701.0, False), (699.0, True)])
def test_medians_more_than_30_pct_apart_contradict_each_other(p50: float, is_conflict: bool) -> None:
    fused = fuse(table([300.0, p50, 800.0]), table([900.0, 1000.0, 1100.0]))
    assert fused.is_conflict.tolist() == [is_conflict]


def test_a_missing_source_leaves_the_other_alone() -> None:
    known = [1.0, 2.0, 3.0]
    fused = fuse(table(known, NOTHING, NOTHING), table(NOTHING, known, NOTHING))
    assert fused.source == [RulSource.TWIN, RulSource.ML, RulSource.NONE]
    assert fused.days[:2].tolist() == [known, known]
    assert np.isnan(fused.days[2]).all()
    assert np.isnan(fused.twin_weight).all()
    assert not fused.is_conflict.any()


def test_trust_comes_from_errors_once_both_sources_have_enough() -> None:
    good, bad = np.full(LEAST_OUTCOMES, 0.1), np.full(LEAST_OUTCOMES, -0.3)
    assert trust_of(good[1:], bad) is ASSUMED_TRUST
    trust = trust_of(good, bad)
    assert trust.twin / trust.ml == pytest.approx(9.0)
    assert trust_of(np.append(good[1:], np.nan), bad) is ASSUMED_TRUST
    # Without any error the weight stays finite.
    assert trust_of(np.zeros(LEAST_OUTCOMES), bad).ml > 0


def test_a_quantile_at_the_end_of_follow_up_is_a_lower_bound() -> None:
    ml, fused = np.array([800.0, 1400.0, 1500.0]), np.array([700.0, 1200.0, 1300.0])
    assert longer_than(RulSource.ML, ml, ml, 1500.0) == 1500.0
    assert longer_than(RulSource.FUSED, fused, ml, 1400.0) == 1200.0
    assert longer_than(RulSource.FUSED, fused, ml, 1501.0) is None
    assert longer_than(RulSource.FUSED, fused, ml, None) is None
    assert longer_than(RulSource.TWIN, fused, ml, 1.0) is None


@pytest.mark.parametrize(
    ("ohmic_days", "capacity_days", "advice"),
    [
        (None, None, "ohmic_measurement"),
        (31, 1, "ohmic_measurement"),
        (30, None, "partial_discharge_test"),
        (1, 401, "partial_discharge_test"),
        (1, 400, "capacity_test"),
    ],
)
def test_the_cheapest_test_that_is_missing_is_advised(
    ohmic_days: int | None, capacity_days: int | None, advice: str
) -> None:
    ages = [None if days is None else timedelta(days=days) for days in (ohmic_days, capacity_days)]
    assert advice_for(*ages) == advice
