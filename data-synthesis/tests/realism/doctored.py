"""Doctored worlds: for each check what is done to sound data so that the check must fail."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pyarrow as pa

from battery_synth.realism.checks.days import charger_checks, room_checks
from battery_synth.realism.checks.discharges import discharge_checks
from battery_synth.realism.checks.lives import life_checks, population_checks
from battery_synth.realism.checks.readings import StringSamples, reading_checks
from battery_synth.realism.checks.result import Finding
from battery_synth.realism.string_days import StringDays
from battery_synth.realism.survival import SurvivalTimes
from battery_synth.realism.tables import Population


@dataclass(frozen=True)
class SeenWorld:
    """What the checks read of a world."""

    samples: StringSamples
    sample: Population
    lives: SurvivalTimes
    days: StringDays
    discharges: pa.Table

    def findings(self) -> list[Finding]:
        """Return what all checks find."""
        found: list[Iterable[Finding]] = [
            reading_checks(self.samples), population_checks(self.sample), life_checks(self.lives),
            charger_checks(self.days), room_checks(self.days), discharge_checks(self.discharges),
        ]  # fmt: skip
        return [finding for findings in found for finding in findings]


Doctor = Callable[[SeenWorld], SeenWorld]


def samples(change: Callable[[StringSamples], dict[str, Any]]) -> Doctor:
    return lambda world: replace(world, samples=replace(world.samples, **change(world.samples)))


def population(change: Callable[[Population], dict[str, Any]]) -> Doctor:
    return lambda world: replace(world, sample=replace(world.sample, **change(world.sample)))


def lives(change: Callable[[SurvivalTimes], dict[str, Any]]) -> Doctor:
    return lambda world: replace(world, lives=replace(world.lives, **change(world.lives)))


def days(change: Callable[[StringDays], dict[str, Any]]) -> Doctor:
    return lambda world: replace(world, days=replace(world.days, **change(world.days)))


def blocks(of: StringSamples) -> Any:
    assert of.blocks_v is not None
    return of.blocks_v


def in_mode(of: StringSamples, mode: str) -> Any:
    return (of.mode == mode)[:, None]


def slower(world: SeenWorld) -> SeenWorld:
    """Return a world whose samples of working strings are a minute apart: each discharge lasts for minutes."""
    at_us = world.discharges["time"].cast("int64").to_numpy()
    order = np.lexsort((at_us, np.array(world.discharges["string_id"].to_pylist())))
    rows, at_us = world.discharges.take(pa.array(order)), at_us[order]
    step_us = np.diff(at_us, prepend=at_us[0])
    step_us = np.where((step_us > 0) & (step_us < 60_000_000), 60_000_000, step_us)
    column = pa.array(at_us[0] + np.cumsum(step_us)).cast(pa.timestamp("us", tz="UTC"))
    return replace(world, discharges=rows.set_column(rows.column_names.index("time"), "time", column))


DOCTORS: Final[dict[str, dict[str, Doctor]]] = {
    "samples of strings with all their blocks": {"lost rows": samples(lambda _: {"blocks_v": None})},
    "sum of blocks against string voltage, 99th percentile": {
        "2 % more": samples(lambda of: {"blocks_v": 1.02 * blocks(of)}),
        "one string swapped": samples(lambda of: {"voltage_v": np.where(of.string == of.string[0], 300, of.voltage_v)}),
    },
    # Rest voltage on float: the error of an earlier public attempt.
    "share of floating strings with a mean of 13.4 to 13.9 V": {
        "rest voltage": samples(lambda of: {"blocks_v": blocks(of) - 0.9}),
        "boost": samples(lambda of: {"blocks_v": blocks(of) + 0.6}),
    },
    "spread of the blocks of a string on float, median string": {
        "all alike": samples(
            lambda of: {"blocks_v": np.repeat(blocks(of).mean(axis=1, keepdims=True), blocks(of).shape[1], axis=1)}
        ),
        "far apart": samples(
            lambda of: {"blocks_v": blocks(of) + np.linspace(-0.5, 0.5, blocks(of).shape[1])},
        ),
    },
    # The sign of the current in V = OCV + I R turned round.
    "voltage in discharge relative to float, UPS": {
        "rises": samples(lambda of: {"blocks_v": np.where(in_mode(of, "discharge"), 13.9, blocks(of))}),
        "falls to nothing": samples(lambda of: {"blocks_v": np.where(in_mode(of, "discharge"), 3.0, blocks(of))}),
    },
    "current in recharge, mean": {
        "wrong sign": samples(lambda of: {"current_a": -of.current_a}),
        "without limit": samples(lambda of: {"current_a": np.where(of.mode == "recharge", 40.0, of.current_a)}),
    },
    "share of float currents from 20 to 150 mA": {
        "amperes": samples(lambda of: {"float_current_ma": 15.0 * of.float_current_ma}),
        "none": samples(lambda of: {"float_current_ma": 0.1 * of.float_current_ma}),
    },
    "correlation of resistance and capacity": {
        "revealed": population(lambda of: {"growth": 1.6 * (1.0 - of.health)}),
        "chance": population(lambda of: {"growth": np.random.default_rng(1).normal(0.0, 0.1, len(of.health))}),
    },
    "share below 80 % capacity with R below +20 %": {
        "revealed": population(lambda of: {"growth": 1.6 * (1.0 - of.health)}),
        "chance": population(lambda of: {"growth": np.random.default_rng(1).normal(0.0, 0.1, len(of.health))}),
        "nothing worn": population(lambda of: {"health": np.full(len(of.health), 0.95)}),
    },
    "share above 90 % capacity with R above +20 %": {
        "alarming": population(lambda of: {"growth": of.growth + 0.15}),
        "exact": population(lambda of: {"growth": np.minimum(of.growth, 0.19)}),
    },
    "failures per year in the first two years": {
        "none": lives(lambda of: {"failed": of.failed & (of.exit_days > 731.0)}),
        "ten times as many": lives(lambda of: {"exit_days": of.entry_days + 0.1 * (of.exit_days - of.entry_days) + 1}),
    },
    "failures per year beyond the median life": {
        "none": lives(lambda of: {"failed": np.zeros(len(of.failed), bool)}),
        "all within days": lives(
            lambda of: {"exit_days": np.where(of.failed, np.minimum(of.exit_days, 2000 + of.exit_days / 1e3), 1999)}
        ),
    },
    "median life": {
        "immortal": lives(lambda of: {"failed": np.zeros(len(of.failed), bool)}),
        "short": lives(lambda of: {"entry_days": of.entry_days / 3, "exit_days": of.exit_days / 3}),
    },
    "float voltage per cell by temperature, median month": {
        "not compensated": days(lambda of: {"block_v": np.where(np.isfinite(of.block_v), 13.65, np.nan)}),
        "wrong sign": days(lambda of: {"block_v": 27.3 - of.block_v}),
        "of another chemistry": days(lambda of: {"block_v": 13.65 - 6 * 0.005 * (of.temperature_c - 25.0)}),
    },
    "float current doubles under compensation, median month": {
        "per 11.6 K": days(lambda of: {"float_current_ma": 40.0 * 2.0 ** ((of.temperature_c - 25.0) / 11.6)}),
        "constant": days(lambda of: {"float_current_ma": np.full(of.temperature_c.shape, 40.0)}),
        "falls": days(lambda of: {"float_current_ma": 1600.0 / of.float_current_ma}),
    },
    "share of rooms with a mean from 18 to 33 °C": {
        "one outdoors": days(lambda of: {"room_c": of.room_c + 15.0 * (of.locations == of.locations[0])[:, None]}),
        "one cold": days(lambda of: {"room_c": of.room_c - 15.0 * (of.locations == of.locations[0])[:, None]}),
    },
    "difference between the warmest and the coolest room": {
        "all alike": days(lambda of: {"room_c": 25.0 + 0.1 * (of.room_c - 25.0)}),
        "too far": days(lambda of: {"room_c": 25.0 + 4.0 * (of.room_c - 25.0)}),
    },
    "mean of the warmest month over the coolest, greatest of rooms": {
        "no season": days(
            lambda of: {"room_c": np.broadcast_to(np.nanmean(of.room_c, axis=1)[:, None], of.room_c.shape)}
        ),
        "outdoors": days(lambda of: {"room_c": of.room_c + 6.0 * np.sin(np.arange(of.room_c.shape[1]) / 58.1)}),
    },
    "share of discharges of UPS strings of at most a minute": {"no generator": slower},
}
"""By the name of the check, and what is wrong."""
