"""Widening and withholding, one cause at a time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from battery_contracts.ml import FeatureNorm
from battery_ml.arrays import FloatArray
from battery_ml.features.history import DailyHistory
from battery_ml.serving.trust import MIN_DAYS_READ, STALE_DAYS, Norms, Trust, assess

FEATURES = 12
DAYS = 90
MIDDLE = np.linspace(-3.0, 8.0, FEATURES)


def norms(known: float = 1.0) -> Norms:
    return Norms.of(
        [
            FeatureNorm(name=f"feature_{index}", median=middle, p5=middle - 1.0, p95=middle + 1.0, known=known)
            for index, middle in enumerate(MIDDLE)
        ]
    )


def history(days_read: int = DAYS, days_old: int = 0, column: str = "voltage_mean_v") -> DailyHistory:
    values = np.full((1, DAYS), np.nan)
    last = DAYS - days_old
    first = max(last - days_read, 0)
    values[0, first:last] = 13.6 + 0.001 * np.arange(last - first)
    one = np.ones(1)
    return DailyHistory(("B",), ("S",), {column: values}, 1000.0 * one, one, one, one)


def assess_one(features: FloatArray = MIDDLE, known: float = 1.0, *, days_read: int = DAYS, days_old: int = 0) -> Trust:
    return assess(history(days_read, days_old), features[None, :], norms(known))[0]


def with_values(value: float, count: int) -> FloatArray:
    features = MIDDLE.copy()
    features[:count] = value
    return features


def test_fresh_familiar_input_is_not_widened() -> None:
    assert assess_one() == Trust(1.0, [], None)


@pytest.mark.parametrize(("days_old", "widening"), [(3, 1.0), (4, 1.0 + 4 / 30), (15, 1.5), (30, 2.0)])
def test_age_of_the_last_reading_widens_in_proportion(days_old: int, widening: float) -> None:
    trust = assess_one(days_old=days_old)
    assert trust.withheld_because is None
    assert trust.widening == pytest.approx(widening)
    assert bool(trust.widened_because) is (widening > 1.0)


@given(days_read=st.integers(0, DAYS), days_old=st.integers(0, DAYS))
def test_old_or_few_readings_withhold_at_their_limits(days_read: int, days_old: int) -> None:
    trust = assess_one(days_read=days_read, days_old=days_old)
    read = min(days_read, DAYS - days_old)
    is_withheld = read == 0 or days_old > STALE_DAYS or read < MIN_DAYS_READ
    assert (trust.withheld_because is not None) is is_withheld
    if is_withheld:
        assert (trust.widening, trust.widened_because) == (1.0, [])


@pytest.mark.parametrize("count", range(FEATURES + 1))
def test_missing_inputs_widen_by_their_share_until_over_half(count: int) -> None:
    trust = assess_one(with_values(np.nan, count))
    if count > FEATURES / 2:
        assert "inputs are unknown" in (trust.withheld_because or "")
        return
    assert trust.withheld_because is None
    assert trust.widening == pytest.approx(1.0 + count / FEATURES)


def test_inputs_that_the_training_fleet_lacked_too_are_not_missing() -> None:
    assert assess_one(with_values(np.nan, FEATURES), known=0.89) == Trust(1.0, [], None)


@pytest.mark.parametrize("count", range(FEATURES + 1))
def test_each_unfamiliar_input_widens_by_a_quarter_until_over_a_third(count: int) -> None:
    trust = assess_one(with_values(100.0, count))
    if count > FEATURES / 3:
        assert "unlike the training fleet" in (trust.withheld_because or "")
        return
    assert trust.withheld_because is None
    assert trust.widening == pytest.approx(1.0 + 0.25 * count)
    assert len(trust.widened_because) == count
    assert all(f"feature_{index} is 100;" in trust.widened_because[index] for index in range(count))


@pytest.mark.parametrize(("beyond", "is_unfamiliar"), [(2.9, False), (3.1, True), (-2.9, False), (-3.1, True)])
def test_unfamiliar_is_outside_the_middle_by_more_than_its_width(beyond: float, is_unfamiliar: bool) -> None:
    # P5 and P95 lie 1 beside the median: the middle is 2 wide, so the limit is 3.
    features = MIDDLE.copy()
    features[4] += beyond
    assert bool(assess_one(features).widened_because) is is_unfamiliar


def test_a_feature_that_never_varied_has_a_margin_for_rounding() -> None:
    constant = Norms.of([FeatureNorm(name="x", median=5.0, p5=5.0, p95=5.0)])
    marked = constant.unfamiliar(np.array([[5.0], [5.0 + 1e-9], [5.1]]))
    assert marked.ravel().tolist() == [False, False, True]


@pytest.mark.parametrize("column", ["float_current_ma", "string_spread_v", "discharge_count"])
def test_readings_of_the_string_alone_do_not_count(column: str) -> None:
    trust = assess(history(column=column), MIDDLE[None, :], norms())[0]
    assert trust.withheld_because == "the history holds no reading of the battery"


@settings(max_examples=50)
@given(
    old=st.integers(0, STALE_DAYS),
    missing=st.integers(0, 6),
    unfamiliar=st.integers(0, 4),
)
def test_causes_add_up_and_each_is_named(old: int, missing: int, unfamiliar: int) -> None:
    features = MIDDLE.copy()
    features[:missing] = np.nan
    features[FEATURES - unfamiliar :] = 100.0
    trust = assess_one(features, days_old=old)
    age = old / STALE_DAYS if old > 3 else 0.0
    assert trust.widening == pytest.approx(1.0 + age + missing / FEATURES + 0.25 * unfamiliar)
    assert len(trust.widened_because) == (old > 3) + (missing > 0) + unfamiliar


def test_batteries_are_assessed_one_by_one() -> None:
    values = np.tile(13.6 + 0.001 * np.arange(DAYS), (3, 1))
    values[1] = np.nan
    facts = np.full(3, 1000.0)
    three = DailyHistory(("A", "B", "C"), ("S",) * 3, {"voltage_mean_v": values}, facts, facts, facts, facts)
    features = np.tile(MIDDLE, (3, 1))
    features[2, 0] = 50.0
    trusts = assess(three, features, norms())
    assert [trust.withheld_because is None for trust in trusts] == [True, False, True]
    assert [trust.widening for trust in trusts] == [1.0, 1.0, 1.25]
