"""Survival curves against the exponential law and their invariants."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from battery_ml.survival.curves import SurvivalCurves

DAYS = np.array([0.0, 30.0, 90.0, 365.0, 1461.0])
RATES = st.lists(st.floats(1e-6, 0.05), min_size=4, max_size=4)


def constant_rate(rate_per_day: float) -> SurvivalCurves:
    return SurvivalCurves(DAYS, rate_per_day * DAYS[None, :])


@pytest.mark.parametrize("at_days", [0.0, 10.0, 90.0, 200.0, 1461.0])
def test_a_constant_hazard_is_the_exponential_law(at_days: float) -> None:
    expected = 1.0 - np.exp(-0.002 * at_days)
    assert constant_rate(0.002).failure_probability(at_days)[0] == pytest.approx(expected)


@given(RATES, st.floats(0.01, 0.99))
def test_quantiles_undo_probabilities_up_to_the_follow_up(rates: list[float], level: float) -> None:
    hazard = np.concatenate([[0.0], np.cumsum(np.array(rates) * np.diff(DAYS))])[None, :]
    curves = SurvivalCurves(DAYS, hazard)
    days = curves.quantile_days(level)
    if days[0] < DAYS[-1]:
        assert curves.failure_probability(days)[0] == pytest.approx(level, abs=1e-6)
    else:
        assert curves.failure_probability(DAYS[-1])[0] <= level + 1e-9
    low, middle, high = curves.quantiles_days((0.1, 0.5, 0.9))[0]
    assert 0.0 <= low <= middle <= high <= DAYS[-1]


def test_each_battery_may_have_days_of_its_own() -> None:
    days = np.array([[0.0, 100.0, 200.0], [0.0, 10.0, 20.0]])
    curves = SurvivalCurves(days, np.tile([0.0, np.log(2.0), 2.0], (2, 1)))
    np.testing.assert_allclose(curves.quantile_days(0.5), [100.0, 10.0])
    np.testing.assert_allclose(curves.follow_up_days, [200.0, 20.0])


def test_beyond_the_follow_up_probabilities_stay() -> None:
    curves = constant_rate(1e-5)
    assert curves.quantile_days(0.5).tolist() == [1461.0]
    assert curves.failure_probability(9999.0)[0] == curves.failure_probability(1461.0)[0]
