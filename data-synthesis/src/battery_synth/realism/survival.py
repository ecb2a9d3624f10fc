"""Failures by age from lives with late entry and censoring: exposure, rates and the Kaplan-Meier median."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from battery_synth.realism.tables import DatasetTables

FloatArray = npt.NDArray[np.float64]
_DAY_S = 86_400.0
_YEAR_DAYS = 365.25


@dataclass(frozen=True)
class SurvivalTimes:
    """Observed lives of batteries (k,): ages in days at entry and exit, and whether the exit is a failure."""

    entry_days: FloatArray
    exit_days: FloatArray
    failed: npt.NDArray[np.bool_]
    location: npt.NDArray[np.str_]

    def of_location(self, location: str) -> "SurvivalTimes":
        """Return the lives at one location."""
        own = self.location == location
        return SurvivalTimes(self.entry_days[own], self.exit_days[own], self.failed[own], self.location[own])


def lives_of(data: DatasetTables) -> SurvivalTimes:
    """Return the lives of a training set; batteries installed before its start enter at their age then."""
    events = data.read("truth/lives", ["time", "kind", "battery_id", "generation"]).to_pylist()
    start_s, end_s = (_seconds(data.manifest[name]) for name in ("start", "end"))
    installed: dict[tuple[str, int], float] = {}
    failed: dict[tuple[str, int], float] = {}
    removed: dict[tuple[str, int], float] = {}
    kinds = {"installed": installed, "failed": failed, "removed": removed}
    for event in events:
        battery, at_s = (event["battery_id"], event["generation"]), event["time"].timestamp()
        kinds[event["kind"]][battery] = at_s
    batteries = sorted(installed)
    first = np.array([(max(start_s, installed[key]) - installed[key]) / _DAY_S for key in batteries])
    last = np.array(
        [(min(failed.get(key, end_s), removed.get(key, end_s), end_s) - installed[key]) / _DAY_S for key in batteries]
    )
    # The failure date of a battery that had failed before the record began is unknown.
    failed_before = np.array([failed.get(key, end_s) <= start_s + _DAY_S for key in batteries])
    keep = (last > first) & ~failed_before
    names = np.array([key[0][4:13] for key in batteries])
    return SurvivalTimes(first[keep], last[keep], np.array([key in failed for key in batteries])[keep], names[keep])


def rate_per_year(lives: SurvivalTimes, from_days: float, until_days: float) -> float:
    """Return failures per year of exposure in a range of ages; NaN without exposure."""
    exposure = np.clip(np.minimum(lives.exit_days, until_days) - np.maximum(lives.entry_days, from_days), 0.0, None)
    fails = lives.failed & (lives.exit_days >= from_days) & (lives.exit_days < until_days)
    return float(fails.sum() / exposure.sum() * _YEAR_DAYS) if exposure.sum() > 0 else float("nan")


def survival(lives: SurvivalTimes) -> tuple[FloatArray, FloatArray]:
    """Return ages in days and the share that survives them (Kaplan and Meier 1958, with late entry)."""
    ages = np.unique(lives.exit_days[lives.failed])
    share, curve = 1.0, np.empty(len(ages))
    for k, age in enumerate(ages):
        at_risk = ((lives.entry_days < age) & (lives.exit_days >= age)).sum()
        share *= 1.0 - (lives.failed & (lives.exit_days == age)).sum() / max(at_risk, 1)
        curve[k] = share
    return ages, curve


def median_age_days(lives: SurvivalTimes) -> float:
    """Return the age in days that half of the batteries reach; infinite if more than half outlive the record."""
    ages, curve = survival(lives)
    below = np.flatnonzero(curve <= 0.5)
    return float(ages[below[0]]) if len(below) else float("inf")


def _seconds(text: str) -> float:
    return float(np.datetime64(text.split("+", maxsplit=1)[0], "s").astype(np.int64))
