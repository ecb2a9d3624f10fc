"""Batteries that live and are replaced at constant temperatures, seen once a month as a monitor would see them."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from battery_synth.block.wear import BOLTZMANN_EV, REFERENCE_K
from battery_synth.life.condition import Condition, Wear, condition
from battery_synth.life.events import battery_name
from battery_synth.life.traits import Traits

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

DAY_S = 86_400.0
YEAR_DAYS = 365.25
STEP_DAYS = 30.0
LOCATION_TEMPERATURES_C = (24.2, 24.5, 24.8, 25.0, 25.3, 25.8, 26.4, 26.9, 27.6)
"""What blocks of the nine locations live in, on average over a year."""


@dataclass(slots=True)
class ObservedLives:
    """One row a battery: its age at failure or, if it had not failed, when it was last seen; and how it failed."""

    age_days: FloatArray
    failed: npt.NDArray[np.bool_]
    cause: IntArray
    """Mechanism, or -1 for what no wear announced."""
    lot: IntArray


@dataclass(slots=True)
class Sights:
    """One row a battery and month, from the taking of its baseline on."""

    age_days: FloatArray
    health: FloatArray
    ratio: FloatArray
    """Measured resistance over the battery's own baseline."""
    mechanism: IntArray


@dataclass(slots=True)
class Population:
    """What became of batteries that were run to failure."""

    seed: int
    lives: ObservedLives
    sights: Sights


def drawn(seed: int, count: int, generation: int = 0, width: int = 24) -> Traits:
    """Return the batteries of strings, all installed at 0 s."""
    names = [battery_name(f"BAT-{row}", generation) for row in range(count)]
    lots = [f"STR-{row // width}@{generation}" for row in range(count)]
    return Traits.draw(seed, names, lots, np.zeros(count))


def wear_after(days: float | FloatArray, temperature_c: float, like: Traits) -> Wear:
    """Return the clocks after days on float at the charger's set-point."""
    clock = np.asarray(days, np.float64) * acceleration(temperature_c, like)
    return Wear(clock.copy(), clock.copy(), np.zeros(len(clock)), np.zeros(len(clock)))


def acceleration(temperature_c: float | FloatArray, like: Traits) -> FloatArray:
    """Return how much faster than at 25 °C batteries age, each by its own activation energy."""
    inverse_k = 1.0 / REFERENCE_K - 1.0 / (273.15 + np.asarray(temperature_c))
    return np.asarray(np.exp(like.activation_ev / BOLTZMANN_EV * inverse_k))


def lives_at(temperature_c: float, traits: Traits, years: float = 25.0) -> FloatArray:
    """Return ages in years at which batteries fail at a constant temperature; the horizon for those that do not."""
    end = np.full(len(traits.life_days), years)
    for day in np.arange(years * YEAR_DAYS, 0.0, -10.0):
        now = condition(traits, wear_after(day, temperature_c, traits), day * DAY_S)
        end[now.failed] = day / YEAR_DAYS
    return end


def run_to_failure(seed: int, count: int = 5_000, years: float = 15.0, *, failed_days: float = 105.0) -> Population:
    """Run positions of all locations for years; a battery that fails is replaced some months later.

    Lives begin in the first two years, so that not all are of an age.
    """
    random = np.random.default_rng(seed)
    temperature_c = np.array(LOCATION_TEMPERATURES_C)[np.arange(count) // 24 % len(LOCATION_TEMPERATURES_C)]
    # Blocks share the float voltage by their exchange currents: 35 mV a block, twice the corrosion per 55 mV a cell.
    overcharge = np.exp(random.normal(0.0, 0.035 / 6.0 / 0.055 * np.log(2.0), count))
    first_s = np.repeat(random.uniform(0.0, 2.0 * YEAR_DAYS, -(-count // 24)), 24)[:count] * DAY_S
    traits, generation = drawn(seed, count), np.zeros(count, np.int64)
    moved(traits, first_s)
    wear = Wear(*(np.zeros(count) for _ in range(4)))
    failed_s, baseline = np.full(count, np.inf), np.full(count, np.nan)
    cause = np.full(count, -1)
    lives: list[tuple[npt.NDArray[Any], ...]] = []
    sights: list[tuple[npt.NDArray[Any], ...]] = []
    lot = np.arange(count) // 24
    for at_s in np.arange(0.0, years * YEAR_DAYS, STEP_DAYS) * DAY_S:
        now = condition(traits, wear, at_s)
        age = (at_s - traits.installed_s) / DAY_S
        measured = now.resistance_ratio * (1.0 + 0.01 * random.standard_normal(count))
        taken = np.isnan(baseline) & (age >= 120.0)
        baseline[taken] = measured[taken]
        seen = np.flatnonzero(age >= 150.0)
        sights.append((age[seen], now.health[seen], measured[seen] / baseline[seen], traits.mechanism[seen]))
        fresh = now.failed & np.isinf(failed_s) & (age >= 0.0)
        failed_s[fresh] = at_s
        cause[fresh] = np.where(announced(traits, now, at_s)[fresh], traits.mechanism[fresh], -1)
        due = np.flatnonzero(at_s - failed_s >= failed_days * DAY_S)
        if len(due):
            lives.append(((failed_s[due] - traits.installed_s[due]) / DAY_S, np.ones(len(due)), cause[due], lot[due]))
            generation[due] += 1
            traits.replace_rows(due, reborn(seed, due, generation[due], at_s))
            for clock in fields(Wear):
                getattr(wear, clock.name)[due] = 0.0
            failed_s[due], baseline[due], cause[due] = np.inf, np.nan, -1
        step = STEP_DAYS * acceleration(temperature_c, traits) * (at_s >= traits.installed_s)
        wear.thermal_days += step
        wear.overcharge_days += step * overcharge
    alive = np.isinf(failed_s)
    age = np.where(alive, at_s - traits.installed_s, failed_s - traits.installed_s) / DAY_S
    lives.append((age, (~alive).astype(np.float64), cause, lot))
    joined = [np.concatenate(part) for part in zip(*lives, strict=True)]
    looked = [np.concatenate(part) for part in zip(*sights, strict=True)]
    return Population(seed, ObservedLives(joined[0], joined[1] > 0.0, joined[2], joined[3]), Sights(*looked))


def announced(traits: Traits, now: Condition, at_s: float) -> npt.NDArray[np.bool_]:
    """Say which batteries failed of their mechanism, and not by chance."""
    by_chance = ((traits.strap_s <= at_s) & now.is_open) | ((traits.short_s <= at_s) & (now.good_cells < 6.0))
    return ~by_chance


def reborn(seed: int, rows: IntArray, generation: IntArray, at_s: float) -> Traits:
    """Return the batteries that replace some."""
    names = [battery_name(f"BAT-{row}", int(number)) for row, number in zip(rows, generation, strict=True)]
    lots = [f"STR-{row // 24}@{at_s}" for row in rows]
    return Traits.draw(seed, names, lots, np.full(len(rows), at_s))


def moved(traits: Traits, by_s: FloatArray) -> None:
    """Install batteries later than they were drawn for."""
    traits.installed_s += by_s
    traits.strap_s += by_s
    traits.short_s += by_s
