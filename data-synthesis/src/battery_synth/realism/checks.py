"""Named checks of generated data against published ranges; each reports the value it measured.

A check that the data cannot answer is omitted and listed as not checked; it never passes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np

from battery_synth.block import charger, electrics
from battery_synth.outside.climate import MONTHLY_MEAN_C, Climate
from battery_synth.outside.grid import Grid
from battery_synth.outside.locations import LOCATIONS
from battery_synth.realism.survival import SurvivalTimes, lives_of, median_age_days, rate_per_year
from battery_synth.realism.tables import (
    DatasetTables,
    FloatArray,
    Population,
    instants_us,
    numbers,
    population,
    strings_of,
    words,
)

_YEAR: Final = 365.25


@dataclass(frozen=True, slots=True)
class RealismCheck:
    """A check: its limit, the measured value, and the source of the limit."""

    name: str
    limit: str
    measured: str
    passed: bool
    source: str


def between(name: str, low: float, high: float, value: float, source: str, *, unit: str = "") -> RealismCheck:
    """Return a check that a value lies in a range; NaN fails."""
    return RealismCheck(name, f"{low:g} to {high:g}{unit}", f"{value:.4g}{unit}", bool(low <= value <= high), source)


# -- physics and climate: no data needed ------------------------------------------------------------------------------


def physics_checks() -> Iterator[RealismCheck]:
    """Check the law of the float current and its temperature compensation."""
    base = electrics.float_current_a(2.275, 20.0, 25.0, 120.0)
    doubling_k = 11.6 * np.log(2.0) / np.log(electrics.float_current_a(2.275, 20.0, 36.6, 120.0) / base)
    yield between(
        "float current doubles at constant cell voltage",
        11.3,
        11.9,
        doubling_k,
        "Schiffer et al. 2007: 0.06 /K",
        unit=" K",
    )

    def compensated(celsius: float) -> float:
        return electrics.float_current_a(charger.set_point_v(1.0, celsius, 0.0), 20.0, celsius, 120.0)

    doubling_k = 20.0 * np.log(2.0) / np.log(compensated(35.0) / compensated(15.0))
    yield between("float current doubles under compensation", 27.0, 31.0, doubling_k, "-3.3 mV/K per cell", unit=" K")


def climate_checks(seed: int, *, years: int = 10) -> Iterator[RealismCheck]:
    """Check each location's yearly mean outdoor temperature against the sourced mean of its zone."""
    first = datetime(2015, 1, 1, tzinfo=UTC).timestamp()
    hours: FloatArray = first + 3600.0 * np.arange(round(years * _YEAR * 24), dtype=np.float64)
    for location in LOCATIONS:
        mean_c = float(Climate.of_location(seed, location.code, location.climate_zone).outdoor_c(hours).mean())
        usual_c = float(np.mean(MONTHLY_MEAN_C[location.climate_zone]))
        yield between(
            f"yearly mean outdoors, {location.code}",
            usual_c - 1.0,
            usual_c + 1.0,
            mean_c,
            "Thai Met Dept 1981-2010",
            unit=" °C",
        )


def grid_checks(seed: int, *, years: int = 10) -> Iterator[RealismCheck]:
    """Check that no mains failure with a successful generator start takes more than a few per cent of a charge."""
    longest_s = 0.0
    for location in LOCATIONS:
        start = datetime(2015, 1, 1, tzinfo=UTC).timestamp()
        for event in Grid(seed, location, 9, 120.0).discharges(start, start + years * _YEAR * 86_400.0):
            if event.kind != "capacity_test" and not event.genset_failed and event.string is None:
                longest_s = max(longest_s, event.end_s - event.start_s)
    yield between(
        "longest discharge with a successful generator start",
        1.0,
        60.0,
        longest_s,
        "takes the load in 10 to 30 s",
        unit=" s",
    )


# -- readings ---------------------------------------------------------------------------------------------------------


def reading_checks(data: DatasetTables) -> Iterator[RealismCheck]:
    """Check readings of blocks and strings against each other and against float, discharge and recharge."""
    rows = data.read("telemetry", ["time", "battery_id", "voltage_v", "current_a"])
    strings = data.read("string_telemetry", ["time", "string_id", "voltage_v", "current_a", "float_current_ma", "mode"])
    at_us, volts = instants_us(rows), numbers(rows, "voltage_v")
    key, block_v = _by_sample(at_us, strings_of(rows), volts)
    order = np.lexsort((instants_us(strings), words(strings, "string_id")))
    mode = words(strings, "mode")[order]
    total_v, string_a = numbers(strings, "voltage_v")[order], numbers(strings, "current_a")[order]
    is_complete = len(key) == len(order)
    resting = mode == "float"
    if is_complete:
        good = np.isfinite(block_v).all(axis=1) & np.isfinite(total_v)
        error = np.abs(block_v.sum(axis=1) / total_v - 1.0)[good]
        yield between(
            "sum of blocks against string voltage, 99th percentile",
            0.0,
            0.01,
            float(np.quantile(error, 0.99)),
            "monitor classes 0.5 %",
        )
        floating = block_v[resting & good]
        share = float(((floating > 13.4) & (floating < 13.9)).mean())
        yield between(
            "share of float readings from 13.4 to 13.9 V",
            0.97,
            1.0,
            share,
            "2.25 to 2.30 V per cell, spread 30 to 60 mV",
        )
        if (mode == "discharge").any() and (mode == "recharge").any():
            fall_v = float(np.nanmean(block_v[mode == "discharge"]) - np.nanmean(floating))
            yield between(
                "block voltage in discharge relative to float", -3.0, -0.3, fall_v, "V = OCV + I R, I < 0", unit=" V"
            )
            recharge_a = float(np.nanmean(string_a[mode == "recharge"]))
            yield between("current in recharge", 0.0, 36.0, recharge_a, "positive while charging", unit=" A")
    probe = numbers(strings, "float_current_ma")[order][resting]
    share = float(((probe > 20.0) & (probe < 150.0)).mean())
    yield between(
        "share of float currents from 20 to 150 mA",
        0.97,
        1.0,
        share,
        "0.2 to 0.5 mA/Ah new, up to 3 times that when aged",
    )


def _by_sample(at_us: np.ndarray, owner: np.ndarray, volts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return strings (samples,) in the order of string and time, and their block voltages (samples, blocks)."""
    order = np.lexsort((at_us, owner))
    width = int(np.argmax((at_us[order][1:] != at_us[order][:-1]) | (owner[order][1:] != owner[order][:-1]))) + 1
    if len(order) % width:
        return np.empty(0), np.empty((0, 1))
    return owner[order][::width], volts[order].reshape(-1, width)


# -- lives ------------------------------------------------------------------------------------------------------------


def population_checks(sample: Population) -> Iterator[RealismCheck]:
    """Check how closely resistance follows capacity, over lives run to failure."""
    correlation = float(np.corrcoef(sample.growth, sample.health)[0, 1])
    yield between(
        "correlation of resistance and capacity",
        -0.8,
        -0.5,
        correlation,
        "it bounds the capacity, it does not reveal it",
    )
    worn, sound = sample.health < 0.8, sample.health > 0.9
    missed = float((sample.growth[worn] < 0.2).mean()) if worn.any() else float("nan")
    yield between(
        "share below 80 % capacity with R below +20 %", 0.15, 0.25, missed, "ohmic readings do not show sulfation"
    )
    alarms = float((sample.growth[sound] > 0.2).mean()) if sound.any() else float("nan")
    yield between("share above 90 % capacity with R above +20 %", 0.05, 0.13, alarms, "scatter 8 to 12 %")


def life_checks(lives: SurvivalTimes) -> Iterator[RealismCheck]:
    """Check the failure rate of batteries by age."""
    young = rate_per_year(lives, 0.0, 2.0 * _YEAR)
    yield between(
        "failures per year in the first two years", 0.005, 0.02, young, "infant 0.5 to 1.5 %, random 0.2 to 0.4 %/yr"
    )
    median_days = median_age_days(lives)
    late = rate_per_year(lives, median_days, median_days + 2.0 * _YEAR)
    yield between("failures per year beyond the median life", 0.10, 3.0, late, "wear-out, Weibull beta 3.5")
    yield between("median life", 3.0, 8.0, median_days / _YEAR, "expected in Thai rooms: 3.0 to 7.5 yr", unit=" yr")


NOT_HERE: Final = ("the twin's state of charge and capacity: see the twin's own report",)


def all_checks(
    data: DatasetTables | None, training: DatasetTables | None, *, seed: int
) -> tuple[list[RealismCheck], list[str]]:
    """Return the results of all checks that the folders can answer, and what was not checked."""
    results = [*physics_checks(), *climate_checks(seed), *grid_checks(seed)]
    missing = list(NOT_HERE)
    if data is not None and data.has("telemetry"):
        results += reading_checks(data)
    else:
        missing.append("voltages and currents: no set of readings was given")
    if training is not None and training.has("telemetry_daily"):
        results += [*population_checks(population(training)), *life_checks(lives_of(training))]
    else:
        missing.append("service lives: no training set was given")
    return results, missing
