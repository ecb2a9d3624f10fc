"""Named checks of generated data against the published ranges of the field; each says what it found.

A check that the data cannot answer is left out and listed as not checked; it is never passed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np

from battery_synth.block import charger, electrics
from battery_synth.outside.climate import MONTHLY_MEAN_C, Climate
from battery_synth.outside.grid import Grid
from battery_synth.outside.sites import SITES
from battery_synth.realism.survival import Lives, lives_of, median_age_days, rate_per_year
from battery_synth.realism.tables import Dataset, FloatArray, Population, instants_us, numbers, population, words

_YEAR: Final = 365.25


@dataclass(frozen=True, slots=True)
class Check:
    """What was asked, what was found, and where the limit comes from."""

    name: str
    limit: str
    found: str
    passed: bool
    source: str


def between(name: str, low: float, high: float, value: float, source: str, *, unit: str = "") -> Check:
    """Return a check that a figure lies in a range; a figure that is none does not."""
    return Check(name, f"{low:g} to {high:g}{unit}", f"{value:.4g}{unit}", bool(low <= value <= high), source)


# -- physics and climate: no data needed ------------------------------------------------------------------------------


def physics_checks() -> Iterator[Check]:
    """Check the float kernel and its compensation."""
    base = electrics.float_current_a(2.275, 20.0, 25.0, 120.0)
    doubling_k = 11.6 * np.log(2.0) / np.log(electrics.float_current_a(2.275, 20.0, 36.6, 120.0) / base)
    yield between(
        "float current doubles at one cell voltage", 11.3, 11.9, doubling_k, "Schiffer et al. 2007: 0.06 /K", unit=" K"
    )

    def compensated(celsius: float) -> float:
        return electrics.float_current_a(charger.set_point_v(1.0, celsius, 0.0), 20.0, celsius, 120.0)

    doubling_k = 20.0 * np.log(2.0) / np.log(compensated(35.0) / compensated(15.0))
    yield between("float current doubles under compensation", 27.0, 31.0, doubling_k, "-3.3 mV/K a cell", unit=" K")


def climate_checks(seed: int, *, years: int = 10) -> Iterator[Check]:
    """Check each site's outdoor yearly mean against its zone's sourced one."""
    first = datetime(2015, 1, 1, tzinfo=UTC).timestamp()
    hours: FloatArray = first + 3600.0 * np.arange(round(years * _YEAR * 24), dtype=np.float64)
    for site in SITES:
        mean_c = float(Climate.of_site(seed, site.code, site.climate_zone).outdoor_c(hours).mean())
        usual_c = float(np.mean(MONTHLY_MEAN_C[site.climate_zone]))
        yield between(
            f"outdoor yearly mean, {site.code}",
            usual_c - 1.0,
            usual_c + 1.0,
            mean_c,
            "Thai Met Dept 1981-2010",
            unit=" °C",
        )


def grid_checks(seed: int, *, years: int = 10) -> Iterator[Check]:
    """Check that with generators that start no mains failure takes more than a few per cent of a charge."""
    longest_s = 0.0
    for site in SITES:
        start = datetime(2015, 1, 1, tzinfo=UTC).timestamp()
        for event in Grid(seed, site, 9, 120.0).discharges(start, start + years * _YEAR * 86_400.0):
            if event.kind != "capacity_test" and not event.genset_failed and event.string is None:
                longest_s = max(longest_s, event.end_s - event.start_s)
    yield between(
        "longest discharge with a generator that starts",
        1.0,
        60.0,
        longest_s,
        "takes the load in 10 to 30 s",
        unit=" s",
    )


# -- readings ---------------------------------------------------------------------------------------------------------


def reading_checks(data: Dataset) -> Iterator[Check]:
    """Check readings of blocks and strings."""
    rows = data.read("telemetry", ["time", "battery_id", "voltage_v", "current_a"])
    strings = data.read("string_telemetry", ["time", "string_id", "voltage_v", "current_a", "float_current_ma", "mode"])
    at, volts = instants_us(rows), numbers(rows, "voltage_v")
    owner = np.array([name[4:-4] for name in rows["battery_id"].to_pylist()])
    key, held = _by_look(at, owner, volts)
    order = np.lexsort((instants_us(strings), words(strings, "string_id")))
    mode = words(strings, "mode")[order]
    total_v, string_a = numbers(strings, "voltage_v")[order], numbers(strings, "current_a")[order]
    same = len(key) == len(order)
    resting = mode == "float"
    if same:
        good = np.isfinite(held).all(axis=1) & np.isfinite(total_v)
        error = np.abs(held.sum(axis=1) / total_v - 1.0)[good]
        yield between(
            "sum of blocks against string voltage, 99th percentile",
            0.0,
            0.01,
            float(np.quantile(error, 0.99)),
            "monitor classes 0.5 %",
        )
        floating = held[resting & good]
        share = float(((floating > 13.4) & (floating < 13.9)).mean())
        yield between(
            "share of float readings from 13.4 to 13.9 V", 0.97, 1.0, share, "2.25 to 2.30 V a cell, spread 30 to 60 mV"
        )
        if (mode == "discharge").any() and (mode == "recharge").any():
            falls = float(np.nanmean(held[mode == "discharge"]) - np.nanmean(floating))
            yield between("blocks in discharge against float", -3.0, -0.3, falls, "V = OCV + I R, I < 0", unit=" V")
            rises = float(np.nanmean(string_a[mode == "recharge"]))
            yield between("current in recharge", 0.0, 36.0, rises, "positive while charging", unit=" A")
    probe = numbers(strings, "float_current_ma")[order][resting]
    share = float(((probe > 20.0) & (probe < 150.0)).mean())
    yield between(
        "share of float currents from 20 to 150 mA", 0.97, 1.0, share, "0.2 to 0.5 mA/Ah new, up to 3 times aged"
    )


def _by_look(at: np.ndarray, owner: np.ndarray, volts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (looks,) strings in the order of string and time, and (looks, blocks) voltages."""
    order = np.lexsort((at, owner))
    width = int(np.argmax((at[order][1:] != at[order][:-1]) | (owner[order][1:] != owner[order][:-1]))) + 1
    if len(order) % width:
        return np.empty(0), np.empty((0, 1))
    return owner[order][::width], volts[order].reshape(-1, width)


# -- lives ------------------------------------------------------------------------------------------------------------


def population_checks(seen: Population) -> Iterator[Check]:
    """Check how far resistance tells capacity, over lives run to their end."""
    correlation = float(np.corrcoef(seen.growth, seen.health)[0, 1])
    yield between(
        "correlation of resistance and capacity", -0.8, -0.5, correlation, "bounds the capacity, does not reveal it"
    )
    worn, sound = seen.health < 0.8, seen.health > 0.9
    missed = float((seen.growth[worn] < 0.2).mean()) if worn.any() else float("nan")
    yield between("share below 80 % capacity with R below +20 %", 0.15, 0.25, missed, "sulfation is invisible to ohmic")
    false = float((seen.growth[sound] > 0.2).mean()) if sound.any() else float("nan")
    yield between("share above 90 % capacity with R above +20 %", 0.05, 0.13, false, "scatter 8 to 12 %")


def life_checks(lives: Lives) -> Iterator[Check]:
    """Check how often jars fail at which age."""
    young = rate_per_year(lives, 0.0, 2.0 * _YEAR)
    yield between(
        "failures a year in the first two years", 0.005, 0.02, young, "infant 0.5 to 1.5 %, random 0.2 to 0.4 %/yr"
    )
    median_days = median_age_days(lives)
    late = rate_per_year(lives, median_days, median_days + 2.0 * _YEAR)
    yield between("failures a year past the median life", 0.10, 3.0, late, "wear-out, Weibull beta 3.5")
    yield between("median life", 3.0, 8.0, median_days / _YEAR, "Thai expectation by room: 3.0 to 7.5 yr", unit=" yr")


NOT_HERE: Final = ("state of charge and capacity by the twin: see the twin's own report",)


def all_checks(data: Dataset | None, training: Dataset | None, *, seed: int) -> tuple[list[Check], list[str]]:
    """Return every check that the folders can answer, and what was not checked."""
    found = [*physics_checks(), *climate_checks(seed), *grid_checks(seed)]
    missing = list(NOT_HERE)
    if data is not None and data.has("telemetry"):
        found += reading_checks(data)
    else:
        missing.append("voltages and currents: no set of readings was given")
    if training is not None and training.has("telemetry_daily"):
        found += [*population_checks(population(training)), *life_checks(lives_of(training))]
    else:
        missing.append("lives: no training set was given")
    return found, missing
