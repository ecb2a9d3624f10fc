"""Survival against scipy's Kaplan-Meier estimator and against closed forms of constant rates."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from battery_synth.realism.survival import SurvivalTimes, median_age_days, rate_per_year, survival

ages = st.integers(1, 4000)


def lives_from_birth(exits: list[tuple[int, bool]]) -> SurvivalTimes:
    """Return lives seen from their first day, each with its last age and whether it failed then."""
    count = len(exits)
    return SurvivalTimes(
        np.zeros(count),
        np.array([float(age) for age, _ in exits]),
        np.array([failed for _, failed in exits]),
        np.full(count, "DC-CNX-01"),
    )


@given(st.lists(st.tuples(ages, st.booleans()), min_size=1, max_size=40).filter(lambda e: any(f for _, f in e)))
def test_survival_equals_the_estimator_of_scipy(exits: list[tuple[int, bool]]) -> None:
    own_ages, curve = survival(lives_from_birth(exits))
    failed = [age for age, has_failed in exits if has_failed]
    censored = [age for age, has_failed in exits if not has_failed]
    reference = stats.ecdf(stats.CensoredData(uncensored=failed, right=censored)).sf
    np.testing.assert_allclose(curve, reference.evaluate(own_ages), atol=1e-12)
    assert own_ages.tolist() == sorted(set(failed))


@given(st.lists(st.tuples(ages, st.booleans()), min_size=1, max_size=40))
def test_the_share_that_survives_only_falls_and_stays_a_share(exits: list[tuple[int, bool]]) -> None:
    _, curve = survival(lives_from_birth(exits))
    assert (np.diff(curve) <= 0.0).all()
    assert ((curve >= 0.0) & (curve < 1.0)).all()


@given(st.lists(ages, min_size=1, max_size=41).filter(lambda exits: len(exits) % 2 == 1))
def test_without_censoring_the_median_of_an_odd_number_is_that_of_the_ages(exits: list[int]) -> None:
    lives = lives_from_birth([(age, True) for age in exits])
    assert median_age_days(lives) == np.median(exits)


@given(st.lists(ages, min_size=1, max_size=20))
def test_a_record_without_failures_has_no_median_and_no_rate(exits: list[int]) -> None:
    lives = lives_from_birth([(age, False) for age in exits])
    assert median_age_days(lives) == np.inf
    assert rate_per_year(lives, 0.0, max(exits) + 1.0) == 0.0
    assert np.isnan(rate_per_year(lives, max(exits) + 1.0, max(exits) + 2.0))


@given(entry=st.floats(0.0, 1000.0), lasted=st.floats(1.0, 1000.0))
def test_exposure_begins_at_the_age_at_entry(entry: float, lasted: float) -> None:
    one = SurvivalTimes(np.array([entry]), np.array([entry + lasted]), np.array([True]), np.array(["X"]))
    assert rate_per_year(one, 0.0, 5000.0) == pytest.approx(365.25 / lasted)
    assert np.isnan(rate_per_year(one, 2001.0, 5000.0))


def test_a_constant_rate_is_found_in_every_range_of_ages() -> None:
    age = np.random.default_rng(5).exponential(1000.0, 20_000)
    lives = SurvivalTimes(np.zeros(len(age)), age, np.ones(len(age), bool), np.full(len(age), "X"))
    for first, last in ((0.0, 300.0), (300.0, 900.0), (900.0, 2000.0)):
        assert rate_per_year(lives, first, last) == pytest.approx(365.25 / 1000.0, rel=0.05)


def test_lives_of_a_location_are_its_own() -> None:
    both = SurvivalTimes(
        np.zeros(3), np.array([1.0, 2.0, 3.0]), np.array([True, False, True]), np.array(["A", "B", "A"])
    )
    assert both.of_location("A").exit_days.tolist() == [1.0, 3.0]
    assert both.of_location("B").failed.tolist() == [False]
    assert len(both.of_location("C").exit_days) == 0
