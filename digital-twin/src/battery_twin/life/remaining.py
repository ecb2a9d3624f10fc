"""Remaining life of one battery: a prior from its class and age, updated by observations of its capacity.

The unknowns are the battery's life at 25 degC, the sharpness of its knee, the activation energy, the capacity it was
delivered with and the future temperature. They are few and bounded, so the posterior is summed over a fixed grid: the
result is deterministic, and multimodal posteriors (still healthy, or just before the knee) are represented.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from battery_contracts.enums import Provenance
from battery_twin.arrays import FloatArray
from battery_twin.life.ageing import (
    DAYS_PER_YEAR,
    PRACTICE_OVER_DESIGN_LIFE,
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
# Error of the law itself in the capacity of one battery at one instant.
LAW_SD = 0.02
FUTURE_TEMPERATURE_SD_C = 1.5
FUTURE_TEMPERATURES = ((-np.sqrt(3.0), 1 / 6), (0.0, 2 / 3), (np.sqrt(3.0), 1 / 6))
HORIZON_DAYS = 25.0 * DAYS_PER_YEAR
DESIGN_LIFE_YEARS = 10.0
MAX_PRIOR_YEARS = 15.0
IN_SERVICE_SOH = 0.55
# Assumed where the room temperature is unknown: warm air-conditioned rooms of this fleet.
ASSUMED_TEMPERATURE_C = 27.0
ASSUMED_DEPTH = 0.3
MIN_CYCLE_DAYS = 0.5 * DAYS_PER_YEAR


@dataclass(frozen=True, slots=True)
class CapacityObservation:
    """An observed capacity as a fraction of rated, with its standard deviation and age."""

    soh: float
    soh_sd: float
    provenance: Provenance
    age_days: float = 0.0


@dataclass(frozen=True, slots=True)
class OperatingHistory:
    """Past and expected operation of a battery.

    Parameters
    ----------
    temperature_c, days
        Spans of the battery's own temperature since its installation, oldest first; days of its age that they do not
        cover are taken at their mean ageing rate.
    depths, expected_depth
        Depths of past discharges and of a future one, as fractions of rated capacity.
    expected_temperature_c, expected_cycles_per_year
        Future operation; derived from the past where unknown.
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
    """Quantiles of the days until 80 % of rated capacity, and the posterior of present over rated capacity.

    ``acceleration`` is the posterior mean of the past ageing rate over that at 25 degC.
    """

    p10_days: float
    p50_days: float
    p90_days: float
    soh: float
    soh_sd: float
    acceleration: float
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class _Grid:
    """The unknowns, one axis each, so that what depends on few of them is computed for those alone.

    ``weight`` (life, knee, energy, initial, future) is the prior and sums to 1.
    """

    life_z: FloatArray
    knee: FloatArray
    energy_ev: FloatArray
    initial: FloatArray
    future_z: FloatArray
    weight: FloatArray


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


def remaining_life(history: OperatingHistory, observations: tuple[CapacityObservation, ...] = ()) -> Remaining:
    """Forecast when the battery reaches 80 % of its rated capacity; observations are taken as independent."""
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
    for observed in observations:
        # Damage is spread evenly over the age; observations are recent compared with it.
        share = max(age_days - observed.age_days, 0.0) / age_days if age_days > 0 else 1.0
        residual = observed.soh - health(used * share, grid.knee, grid.initial)
        log_likelihood -= 0.5 * residual**2 / (observed.soh_sd**2 + LAW_SD**2)
    weight = grid.weight * np.exp(log_likelihood - log_likelihood.max())
    weight /= weight.sum()

    future_per_day = _future_rate(history, grid, past_rate, life_days, used_by_cycles)
    days = np.clip((life_at_end(grid.knee, grid.initial) - used) / future_per_day, 0.0, HORIZON_DAYS)
    p10, p50, p90 = weighted_quantiles(days.ravel(), weight.ravel(), (0.1, 0.5, 0.9))
    soh = float(np.sum(weight * soh_now))
    soh_sd = float(np.sqrt(np.sum(weight * (soh_now - soh) ** 2) + LAW_SD**2))
    provenances = [observed.provenance for observed in observations]
    strongest = min(provenances, key=list(Provenance).index, default=Provenance.PRIOR_ONLY)
    mean_rate = float(np.sum(weight * past_rate))
    return Remaining(p10, p50, p90, soh, soh_sd, mean_rate, strongest)


def capacity_by_age(age_days: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return mean and standard deviation of capacity over rated (n,) expected of blocks in service at an age (n,).

    The deviation never falls with age: outliving its class does not make the capacity of a block more certain.
    """
    ages, means, deviations = _capacity_table()
    years = np.clip(age_days / DAYS_PER_YEAR, 0.0, ages[-1])
    return np.interp(years, ages, means), np.interp(years, ages, deviations)


@cache
def _capacity_table() -> tuple[FloatArray, FloatArray, FloatArray]:
    grid = _grid()
    ages = np.arange(0.0, MAX_PRIOR_YEARS + 0.25, 0.25)
    rate = acceleration(np.asarray(ASSUMED_TEMPERATURE_C), grid.energy_ev)
    life_days = DESIGN_LIFE_YEARS * PRACTICE_OVER_DESIGN_LIFE * DAYS_PER_YEAR * np.exp(LIFE_LOG_SD * grid.life_z)
    means, deviations = [], []
    for age in ages:
        soh = health(age * DAYS_PER_YEAR * rate / life_days, grid.knee, grid.initial)
        # A block that has lost nearly half of its capacity fails its string and is replaced.
        weight = np.where(soh >= IN_SERVICE_SOH, grid.weight, 0.0)
        mean = float(np.sum(weight * soh) / weight.sum())
        means.append(mean)
        deviations.append(np.sqrt(np.sum(weight * (soh - mean) ** 2) / weight.sum() + LAW_SD**2))
    return ages, np.array(means), np.maximum.accumulate(deviations)


def weighted_quantiles(values: FloatArray, weights: FloatArray, levels: tuple[float, ...]) -> tuple[float, ...]:
    """Return quantiles of weighted values, interpolated between the midpoints of their cumulative weights."""
    order = np.argsort(values, kind="stable")
    ordered, mass = values[order], weights[order]
    midpoints = np.cumsum(mass) - 0.5 * mass
    return tuple(float(value) for value in np.interp(levels, midpoints / mass.sum(), ordered))


def _past_acceleration(history: OperatingHistory, energy_ev: FloatArray) -> FloatArray:
    """Return the mean past ageing rate over that at 25 degC, averaged as a rate: it is convex in temperature."""
    days = np.asarray(history.days, dtype=np.float64)
    if days.sum() <= 0:
        expected_c = history.expected_temperature_c
        return acceleration(np.asarray(ASSUMED_TEMPERATURE_C if expected_c is None else expected_c), energy_ev)
    temperature_c = np.asarray(history.temperature_c, dtype=np.float64)
    rates = acceleration(temperature_c, energy_ev.reshape(-1, 1)) @ (days / days.sum())
    return np.asarray(rates.reshape(energy_ev.shape))


def _future_rate(
    history: OperatingHistory, grid: _Grid, past_rate: FloatArray, life_days: FloatArray, used_by_cycles: float
) -> FloatArray:
    """Return the used life per day from now on: calendar ageing at the expected temperature, and cycles."""
    shift_c = FUTURE_TEMPERATURE_SD_C * grid.future_z
    if history.expected_temperature_c is None:
        calendar = past_rate * acceleration(ASSUMED_TEMPERATURE_C + shift_c, grid.energy_ev)
        calendar /= acceleration(np.asarray(ASSUMED_TEMPERATURE_C), grid.energy_ev)
    else:
        calendar = acceleration(history.expected_temperature_c + shift_c, grid.energy_ev)
    if history.expected_cycles_per_year is None:
        # The discharges of a new battery's first week are not typical of a year.
        cycle_damage_per_day = used_by_cycles / max(history.age_days, MIN_CYCLE_DAYS)
    else:
        depth = ASSUMED_DEPTH if history.expected_depth is None else history.expected_depth
        cycles_per_day = history.expected_cycles_per_year / DAYS_PER_YEAR
        cycle_damage_per_day = cycles_per_day * float(cycle_damage(np.asarray(depth)))
    return np.asarray(calendar / life_days + cycle_damage_per_day)
