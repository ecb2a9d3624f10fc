"""What a whole population shows, against the field's figures: fifteen years to failure at the locations' warmth."""

import numpy as np
import pytest
from scipy.optimize import minimize

from battery_synth.life.designs import DESIGNS_PER_WORLD, design
from battery_synth.life.traits import MECHANISMS, SULFATION, Traits
from tests.life.population import YEAR_DAYS, FloatArray, ObservedLives, Population, drawn, lives_at, run_to_failure


@pytest.fixture(scope="module", params=[1, 2])
def population(request: pytest.FixtureRequest) -> Population:
    return run_to_failure(int(request.param))


@pytest.fixture(scope="module")
def traits() -> Traits:
    return drawn(3, 2_400)


def _rate_per_year(lives: ObservedLives, first_year: float, last_year: float) -> float:
    """Return failures per battery and year among those that reach an age."""
    years = lives.age_days / YEAR_DAYS
    failures = ((years >= first_year) & (years < last_year) & lives.failed).sum()
    return float(failures / np.clip(years - first_year, 0.0, last_year - first_year).sum())


def _weibull(lives: ObservedLives) -> tuple[float, float]:
    """Return shape and scale in years by maximum likelihood; what had not failed is censored."""
    years = np.maximum(lives.age_days / YEAR_DAYS, 0.03)

    def cost(logs: FloatArray) -> float:
        shape, scale = np.exp(logs)
        hazard = np.log(shape / scale) + (shape - 1.0) * np.log(years / scale)
        return float(-(lives.failed * hazard - (years / scale) ** shape).sum())

    found = minimize(cost, np.log([3.0, 7.0]), method="Nelder-Mead")
    return float(np.exp(found.x[0])), float(np.exp(found.x[1]))


@pytest.mark.parametrize(
    ("celsius", "shortest", "longest"), [(25, 6.0, 7.5), (27, 5.2, 6.5), (30, 4.2, 5.3), (33, 3.4, 4.3), (35, 3.0, 3.8)]
)
def test_median_life_is_what_thai_rooms_allow(celsius: float, shortest: float, longest: float, traits: Traits) -> None:
    assert shortest < np.median(lives_at(celsius, traits)) < longest


def test_resistance_bounds_capacity_and_does_not_reveal_it(population: Population) -> None:
    sights = population.sights
    assert -0.8 < np.corrcoef(sights.ratio, sights.health)[0, 1] < -0.5


def test_a_fifth_of_the_spent_batteries_hide_in_their_resistance(population: Population) -> None:
    sights = population.sights
    spent = sights.health < 0.8
    assert 0.15 < (sights.ratio[spent] < 1.2).mean() < 0.28
    sulfated = spent & (sights.mechanism == SULFATION)
    assert (sights.ratio[sulfated] < 1.2).mean() > 0.9


def test_some_sound_batteries_alarm_falsely(population: Population) -> None:
    sights = population.sights
    assert 0.05 < (sights.ratio[sights.health > 0.9] > 1.2).mean() < 0.13


def test_young_batteries_fail_rarely_and_old_ones_often(population: Population) -> None:
    lives = population.lives
    assert 0.005 < _rate_per_year(lives, 0.0, 3.0) < 0.02
    assert 0.005 < _rate_per_year(lives, 0.0, 1.0) < 0.02
    median = float(np.median(lives.age_days[lives.failed])) / YEAR_DAYS
    assert _rate_per_year(lives, median, median + 1.0) > 0.1
    # The years between are neither: most of a life, failures are few and grow.
    assert _rate_per_year(lives, 1.0, 3.0) < _rate_per_year(lives, 3.0, 4.5) < _rate_per_year(lives, 4.5, 6.0)


def test_the_mixture_is_a_weibull_of_two_and_a_half_to_five(population: Population) -> None:
    shape, scale = _weibull(population.lives)
    assert 2.5 < shape < 5.0
    median = float(np.median(population.lives.age_days[population.lives.failed])) / YEAR_DAYS
    assert scale == pytest.approx(median / 0.90, rel=0.1)


def test_failures_have_the_shares_of_their_mechanisms(population: Population) -> None:
    lives = population.lives
    shares = np.mean([design(population.seed, number).shares for number in range(DESIGNS_PER_WORLD)], axis=0)
    announced = lives.cause[lives.failed & (lives.cause >= 0)]
    found = np.bincount(announced, minlength=len(MECHANISMS)) / len(announced)
    assert found == pytest.approx(shares, abs=0.035)
    assert 0.02 < (lives.cause[lives.failed] < 0).mean() < 0.10


def test_lives_of_a_lot_are_alike(population: Population) -> None:
    lives = population.lives
    # The first deliveries: whole strings of one lot each. What wear brought, not what chance did.
    worn = lives.failed & (lives.cause >= 0) & (lives.age_days > 1_000.0)
    logs = np.log(lives.age_days[worn])
    lots = lives.lot[worn]
    first = np.unique(lots)
    means = np.array([logs[lots == lot].mean() for lot in first])
    spread_by_chance = logs.std() / np.sqrt(np.bincount(lots)[first].mean())
    assert means.std() > 1.5 * spread_by_chance


def test_lives_that_did_not_end_are_kept(population: Population) -> None:
    lives = population.lives
    assert 0.2 < (~lives.failed).mean() < 0.6
    # Among them are the young that came late and the old that outlived their time.
    assert lives.age_days[~lives.failed].min() < 365.0
    assert lives.age_days[~lives.failed].max() > 9.0 * YEAR_DAYS


def test_the_same_seed_is_the_same_population() -> None:
    one, other = (run_to_failure(4, count=480, years=8.0) for _ in range(2))
    np.testing.assert_array_equal(one.lives.age_days, other.lives.age_days)
    np.testing.assert_array_equal(one.sights.ratio, other.sights.ratio)
