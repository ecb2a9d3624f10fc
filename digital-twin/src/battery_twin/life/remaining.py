"""Remaining life of one battery: a prior from its class and age, updated by what was seen of its capacity.

The unknowns are the battery's life at 25 degC, the sharpness of its knee, the activation energy and the capacity it was
delivered with. They are few and bounded, so the posterior is summed over a fixed grid: no sampling, the same answer
each time, and multimodal posteriors (healthy so far, or just before its knee) are kept as they are.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from battery_contracts.enums import Provenance
from battery_twin.life.ageing import (
    DAYS_PER_YEAR,
    PRACTICE_OVER_DESIGN_LIFE,
    FloatArray,
    acceleration,
    cycle_damage,
    health,
    life_at_end,
)

# Spread of life between blocks of one class under the same history: lot 0.10, block 0.15, class median 0.09,
# mechanisms that the law leaves out 0.20 (engineering judgement); together 0.28.
LIFE_LOG_SD = 0.28
KNEE_EXPONENTS = ((2.0, 0.15), (2.5, 0.22), (3.0, 0.28), (3.75, 0.22), (4.5, 0.13))
ACTIVATION_ENERGIES_EV = ((0.50, 0.25), (0.60, 0.50), (0.68, 0.25))
INITIAL_CAPACITIES = ((0.957, 1 / 6), (1.0, 2 / 3), (1.043, 1 / 6))  # Gauss-Hermite nodes of N(1, 0.025)
LIFE_NODES = 61
LIFE_SPAN_SD = 3.5
# What the law itself misses of one battery's capacity at one instant.
LAW_SD = 0.02
FUTURE_TEMPERATURE_SD_C = 1.5
FUTURE_TEMPERATURES = ((-np.sqrt(3.0), 1 / 6), (0.0, 2 / 3), (np.sqrt(3.0), 1 / 6))
HORIZON_DAYS = 25.0 * DAYS_PER_YEAR
DESIGN_LIFE_YEARS = 10.0
PRIOR_YEARS_AT_MOST = 15.0
IN_SERVICE_SOH = 0.55
# When nothing is known of the room: warm air-conditioned rooms of this fleet.
ASSUMED_TEMPERATURE_C = 27.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """A capacity seen: fraction of rated, its standard deviation and how old it is."""

    soh: float
    soh_sd: float
    provenance: Provenance
    age_days: float = 0.0


@dataclass(frozen=True, slots=True)
class History:
    """What a battery went through since it was installed, and what it is to expect.

    ``temperature_c`` and ``days`` are spans of the battery's own temperature, oldest first; days of its age
    that they do not cover are taken at their mean. ``depths`` are its discharges as fractions of rated capacity.
    """

    age_days: float
    temperature_c: tuple[float, ...] = ()
    days: tuple[float, ...] = ()
    depths: tuple[float, ...] = ()
    expected_temperature_c: float | None = None
    expected_cycles_per_year: float | None = None
    expected_depth: float | None = None
    design_life_years: float = DESIGN_LIFE_YEARS


@dataclass(frozen=True, slots=True)
class Remaining:
    """Days until 80 % of rated capacity, with what the law says of the capacity now."""

    p10_days: float
    p50_days: float
    p90_days: float
    soh: float
    soh_sd: float
    acceleration: float
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class _Grid:
    """The unknowns, an axis each, so that what depends on a few of them is computed for those alone."""

    life_z: FloatArray
    knee: FloatArray
    energy_ev: FloatArray
    initial: FloatArray
    future_z: FloatArray
    weight: FloatArray
    """(life, knee, energy, initial, future), the prior; sums to 1."""


@cache
def _grid() -> _Grid:
    z = np.linspace(-LIFE_SPAN_SD, LIFE_SPAN_SD, LIFE_NODES)
    axes = [np.column_stack([z, np.exp(-0.5 * z**2)])]
    axes += [
        np.asarray(axis) for axis in (KNEE_EXPONENTS, ACTIVATION_ENERGIES_EV, INITIAL_CAPACITIES, FUTURE_TEMPERATURES)
    ]
    life_z, knee, energy_ev, initial, future_z = np.meshgrid(*(axis[:, 0] for axis in axes), indexing="ij", sparse=True)
    weight = np.prod(np.meshgrid(*(axis[:, 1] for axis in axes), indexing="ij"), axis=0)
    return _Grid(life_z, knee, energy_ev, initial, future_z, weight / weight.sum())


def remaining_life(history: History, evidence: tuple[Evidence, ...] = ()) -> Remaining:
    """Forecast when the battery reaches 80 % of its rated capacity."""
    grid = _grid()
    life_days = (
        history.design_life_years * PRACTICE_OVER_DESIGN_LIFE * DAYS_PER_YEAR * np.exp(LIFE_LOG_SD * grid.life_z)
    )
    past_rate = _past_acceleration(history, grid.energy_ev)
    used_by_cycles = float(cycle_damage(np.asarray(history.depths, dtype=np.float64)).sum())
    age_days = max(history.age_days, 0.0)
    used = age_days * past_rate / life_days + used_by_cycles

    soh_now = health(used, grid.knee, grid.initial)
    log_likelihood = np.zeros_like(soh_now)
    for seen in evidence:
        # Damage is spread evenly over the age for the little that evidence is old.
        share = max(age_days - seen.age_days, 0.0) / age_days if age_days > 0 else 1.0
        residual = seen.soh - health(used * share, grid.knee, grid.initial)
        log_likelihood -= 0.5 * residual**2 / (seen.soh_sd**2 + LAW_SD**2)
    weight = grid.weight * np.exp(log_likelihood - log_likelihood.max())
    weight /= weight.sum()

    future_per_day = _future_rate(history, grid, past_rate, life_days, used_by_cycles)
    days = np.clip((life_at_end(grid.knee, grid.initial) - used) / future_per_day, 0.0, HORIZON_DAYS)
    p10, p50, p90 = weighted_quantiles(days.ravel(), weight.ravel(), (0.1, 0.5, 0.9))
    soh = float(np.sum(weight * soh_now))
    soh_sd = float(np.sqrt(np.sum(weight * (soh_now - soh) ** 2) + LAW_SD**2))
    strongest = min((seen.provenance for seen in evidence), key=list(Provenance).index, default=Provenance.PRIOR_ONLY)
    mean_rate = float(np.sum(weight * past_rate))
    return Remaining(p10, p50, p90, soh, soh_sd, mean_rate, strongest)


def capacity_by_age(age_days: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return mean and deviation of capacity over rated (n,) that the law expects of blocks still in service (n,).

    The deviation never falls with age: a block that outlived its class is not better known for it.
    """
    ages, means, deviations = _capacity_table()
    years = np.clip(age_days / DAYS_PER_YEAR, 0.0, ages[-1])
    return np.interp(years, ages, means), np.interp(years, ages, deviations)


@cache
def _capacity_table() -> tuple[FloatArray, FloatArray, FloatArray]:
    grid = _grid()
    ages = np.arange(0.0, PRIOR_YEARS_AT_MOST + 0.25, 0.25)
    rate = acceleration(np.asarray(ASSUMED_TEMPERATURE_C), grid.energy_ev)
    life_days = DESIGN_LIFE_YEARS * PRACTICE_OVER_DESIGN_LIFE * DAYS_PER_YEAR * np.exp(LIFE_LOG_SD * grid.life_z)
    means, deviations = [], []
    for age in ages:
        seen = health(age * DAYS_PER_YEAR * rate / life_days, grid.knee, grid.initial)
        # A block that has lost nearly half is found out by its string and replaced.
        weight = np.where(seen >= IN_SERVICE_SOH, grid.weight, 0.0)
        mean = float(np.sum(weight * seen) / weight.sum())
        means.append(mean)
        deviations.append(np.sqrt(np.sum(weight * (seen - mean) ** 2) / weight.sum() + LAW_SD**2))
    return ages, np.array(means), np.maximum.accumulate(deviations)


def weighted_quantiles(values: FloatArray, weights: FloatArray, levels: tuple[float, ...]) -> tuple[float, ...]:
    """Return quantiles of weighted values, interpolated between the middles of their weights."""
    order = np.argsort(values, kind="stable")
    ordered, mass = values[order], weights[order]
    middles = np.cumsum(mass) - 0.5 * mass
    return tuple(float(value) for value in np.interp(levels, middles / mass.sum(), ordered))


def _past_acceleration(history: History, energy_ev: FloatArray) -> FloatArray:
    """Return the mean ageing rate of the past over 25 degC's; a hot month counts more than a cool one spares."""
    days = np.asarray(history.days, dtype=np.float64)
    if days.sum() <= 0:
        known = history.expected_temperature_c
        return acceleration(np.asarray(ASSUMED_TEMPERATURE_C if known is None else known), energy_ev)
    temperature_c = np.asarray(history.temperature_c, dtype=np.float64)
    rates = acceleration(temperature_c, energy_ev.reshape(-1, 1)) @ (days / days.sum())
    return np.asarray(rates.reshape(energy_ev.shape))


def _future_rate(
    history: History, grid: _Grid, past_rate: FloatArray, life_days: FloatArray, used_by_cycles: float
) -> FloatArray:
    """Return used life a day from now on: calendar under the expected temperature, and cycles."""
    shift_c = FUTURE_TEMPERATURE_SD_C * grid.future_z
    if history.expected_temperature_c is None:
        calendar = past_rate * acceleration(ASSUMED_TEMPERATURE_C + shift_c, grid.energy_ev)
        calendar /= acceleration(np.asarray(ASSUMED_TEMPERATURE_C), grid.energy_ev)
    else:
        calendar = acceleration(history.expected_temperature_c + shift_c, grid.energy_ev)
    if history.expected_cycles_per_year is None:
        # A week of age says nothing of the discharges of a year.
        cycles_per_day = used_by_cycles / max(history.age_days, 0.5 * DAYS_PER_YEAR)
    else:
        depth = 0.3 if history.expected_depth is None else history.expected_depth
        cycles_per_day = history.expected_cycles_per_year / DAYS_PER_YEAR * float(cycle_damage(np.asarray(depth)))
    return np.asarray(calendar / life_days + cycles_per_day)
