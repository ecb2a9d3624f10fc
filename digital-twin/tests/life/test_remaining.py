import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from battery_contracts.enums import Provenance
from battery_twin.life.ageing import acceleration, cycle_damage, health, life_at_end
from battery_twin.life.remaining import (
    ACTIVATION_ENERGIES_EV,
    FUTURE_TEMPERATURES,
    INITIAL_CAPACITIES,
    KNEE_EXPONENTS,
    LIFE_LOG_SD,
    LIFE_NODES,
    LIFE_SPAN_SD,
    CapacityObservation,
    OperatingHistory,
    Remaining,
    remaining_life,
    weighted_quantiles,
)

YEAR = 365.25


def measured(soh: float, sd: float = 0.02) -> tuple[CapacityObservation, ...]:
    return (CapacityObservation(soh, sd, Provenance.MEASURED),)


def at_30_degrees(years: float, **more: object) -> OperatingHistory:
    return OperatingHistory(years * YEAR, (30.0,), (years * YEAR,), expected_temperature_c=30.0, **more)  # type: ignore[arg-type]


def test_acceleration_has_the_published_values_of_060_ev() -> None:
    factors = acceleration(np.array([22.0, 25.0, 27.0, 30.0, 33.0, 35.0, 40.0]), np.array(0.60))
    assert factors == pytest.approx([0.79, 1.0, 1.17, 1.47, 1.84, 2.13, 3.06], abs=0.012)


def test_a_full_cycle_costs_about_a_percent_and_a_minute_a_millionth() -> None:
    assert cycle_damage(np.array([1.0, 0.5, 0.01])) == pytest.approx([1 / 112, 1 / 418, 1.4e-6], rel=0.02)


@given(st.floats(1.5, 5.0), st.floats(0.85, 1.1))
def test_life_ends_where_capacity_is_eighty_percent(knee: float, initial: float) -> None:
    used = life_at_end(np.array(knee), np.array(initial))
    assert float(health(used, np.array(knee), np.array(initial))) == pytest.approx(0.80)


@pytest.mark.parametrize(
    ("temperature_c", "low", "high"), [(25, 6.0, 7.5), (27, 5.2, 6.5), (30, 4.2, 5.3), (33, 3.4, 4.3), (35, 2.8, 3.8)]
)
def test_a_new_ten_year_block_lives_as_long_as_in_practice(temperature_c: float, low: float, high: float) -> None:
    new = remaining_life(OperatingHistory(0.0, expected_temperature_c=temperature_c))
    assert low <= new.p50_days / YEAR <= high
    assert new.provenance is Provenance.PRIOR_ONLY


def test_posterior_equals_seeded_sampling_of_the_same_law() -> None:
    """The grid against an importance-weighted sample, a second implementation with continuous priors."""
    rng = np.random.default_rng(5)
    n = 400_000
    life = 6.7 * YEAR * np.exp(0.28 * rng.standard_normal(n))
    knee = rng.choice([2.0, 2.5, 3.0, 3.75, 4.5], n, p=[0.15, 0.22, 0.28, 0.22, 0.13])
    energy = rng.choice([0.50, 0.60, 0.68], n, p=[0.25, 0.5, 0.25])
    initial = 1.0 + 0.025 * rng.standard_normal(n)
    used = 4 * YEAR * acceleration(np.array(30.0), energy) / life
    weight = np.exp(-0.5 * (0.93 - initial * (1 - 0.2 * used**knee)) ** 2 / (0.03**2 + 0.02**2))
    rate = acceleration(30.0 + 1.5 * rng.standard_normal(n), energy) / life
    end = (np.maximum(1 - 0.8 / initial, 0.0) / 0.2) ** (1 / knee)
    expected = weighted_quantiles(np.maximum(end - used, 0) / rate, weight, (0.1, 0.5, 0.9))
    remaining = remaining_life(at_30_degrees(4), measured(0.93, 0.03))
    assert (remaining.p10_days, remaining.p50_days, remaining.p90_days) == pytest.approx(
        expected, rel=0.05, abs=0.05 * YEAR
    )


def test_an_observation_narrows_and_moves_the_forecast() -> None:
    prior = remaining_life(at_30_degrees(4))
    good = remaining_life(at_30_degrees(4), measured(0.97))
    poor = remaining_life(at_30_degrees(4), measured(0.84))
    assert poor.p50_days < prior.p50_days < good.p50_days
    assert poor.soh < good.soh
    assert good.soh_sd < prior.soh_sd
    assert good.provenance is Provenance.MEASURED


def test_a_weak_observation_leaves_the_prior() -> None:
    prior, weak = remaining_life(at_30_degrees(4)), remaining_life(at_30_degrees(4), measured(0.95, sd=3.0))
    assert weak.p50_days == pytest.approx(prior.p50_days, rel=0.01)


def test_a_battery_measured_below_the_end_has_no_life_left() -> None:
    assert remaining_life(at_30_degrees(4), measured(0.65)).p90_days < 0.2 * YEAR


def test_hot_past_hot_future_and_deep_cycles_shorten_life() -> None:
    base = remaining_life(at_30_degrees(3), measured(0.97))
    hot_future = remaining_life(
        OperatingHistory(3 * YEAR, (30.0,), (3 * YEAR,), expected_temperature_c=38.0), measured(0.97)
    )
    hot_past = remaining_life(OperatingHistory(3 * YEAR, (36.0,), (3 * YEAR,), expected_temperature_c=30.0))
    cycled = remaining_life(at_30_degrees(3, expected_cycles_per_year=50.0, expected_depth=0.8), measured(0.97))
    assert hot_future.p50_days < 0.75 * base.p50_days
    assert hot_past.p50_days < remaining_life(at_30_degrees(3)).p50_days
    assert cycled.p50_days < base.p50_days


def test_a_hot_month_costs_more_life_than_a_cool_one_saves() -> None:
    mixed = remaining_life(OperatingHistory(2 * YEAR, (20.0, 40.0), (YEAR, YEAR), expected_temperature_c=30.0))
    even = remaining_life(at_30_degrees(2))
    assert mixed.acceleration > even.acceleration


def test_an_old_observation_weighs_less_than_a_recent_one() -> None:
    stale = remaining_life(at_30_degrees(5), (CapacityObservation(0.99, 0.02, Provenance.MEASURED, age_days=4 * YEAR),))
    fresh = remaining_life(at_30_degrees(5), (CapacityObservation(0.99, 0.02, Provenance.MEASURED),))
    assert stale.p90_days - stale.p10_days > fresh.p90_days - fresh.p10_days or stale.p50_days < fresh.p50_days


@given(
    age=st.floats(0, 40),
    temperature=st.floats(-10, 55),
    soh=st.one_of(st.none(), st.floats(0.0, 1.2)),
    depth=st.floats(0, 1),
)
def test_any_history_gives_ordered_finite_days(age: float, temperature: float, soh: float | None, depth: float) -> None:
    history = OperatingHistory(age * YEAR, (temperature,), (max(age, 0.1) * YEAR,), depths=(depth,) * 5)
    remaining: Remaining = remaining_life(history, () if soh is None else measured(soh))
    days = (remaining.p10_days, remaining.p50_days, remaining.p90_days)
    assert all(math.isfinite(day) and day >= 0 for day in days)
    assert list(days) == sorted(days)
    assert 0 <= remaining.soh <= 1.2


def test_broadcast_axes_equal_every_node_by_itself() -> None:
    """Each combination of the unknowns by itself, in plain Python, with the same weights."""
    nodes = itertools.product(
        np.linspace(-LIFE_SPAN_SD, LIFE_SPAN_SD, LIFE_NODES),
        KNEE_EXPONENTS,
        ACTIVATION_ENERGIES_EV,
        INITIAL_CAPACITIES,
        FUTURE_TEMPERATURES,
    )
    age, damage = 4 * YEAR, (0.3**1.9 + 0.6**1.9) / 112
    spans, shares = np.array([24.0, 33.0]), np.array([0.75, 0.25])
    days, weights, capacities = [], [], []
    for z, (knee, p_knee), (energy, p_energy), (initial, p_initial), (future, p_future) in nodes:
        life = 6.7 * YEAR * math.exp(LIFE_LOG_SD * z)
        used = age * float(acceleration(spans, np.array(energy)) @ shares) / life + damage
        capacity = initial * max(1 - 0.2 * used**knee, 0.0)
        rate = float(acceleration(np.array(28.0 + 1.5 * future), np.array(energy))) / life + damage / age
        end = (max(1 - 0.8 / initial, 0.0) / 0.2) ** (1 / knee)
        days.append(min(max((end - used) / rate, 0.0), 25 * YEAR))
        prior = math.exp(-0.5 * z * z) * p_knee * p_energy * p_initial * p_future
        weights.append(prior * math.exp(-0.5 * (0.9 - capacity) ** 2 / (0.03**2 + 0.02**2)))
        capacities.append(capacity)
    expected = weighted_quantiles(np.array(days), np.array(weights), (0.1, 0.5, 0.9))
    history = OperatingHistory(age, (24.0, 33.0), (900.0, 300.0), (0.3, 0.6), expected_temperature_c=28.0)
    remaining = remaining_life(history, measured(0.9, 0.03))
    assert (remaining.p10_days, remaining.p50_days, remaining.p90_days) == pytest.approx(expected, rel=1e-9)
    assert remaining.soh == pytest.approx(np.average(capacities, weights=weights), rel=1e-9)
