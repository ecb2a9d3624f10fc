"""Failures by age from lives that begin late and end early: exposure, rates and the Kaplan-Meier median."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from battery_synth.realism.tables import Dataset

FloatArray = npt.NDArray[np.float64]
_DAY_S = 86_400.0
_YEAR_DAYS = 365.25


@dataclass(frozen=True)
class Lives:
    """Jars (k,): seen from one age to another, in days, and whether the sight ended with their failure."""

    seen_from_days: FloatArray
    seen_until_days: FloatArray
    failed: npt.NDArray[np.bool_]
    location: npt.NDArray[np.str_]

    def at(self, location: str) -> "Lives":
        """Return those of one site."""
        own = self.location == location
        return Lives(self.seen_from_days[own], self.seen_until_days[own], self.failed[own], self.location[own])


def lives_of(data: Dataset) -> Lives:
    """Return the lives of a training set; jars that were there before it began are seen from their age on."""
    events = data.read("truth/lives", ["time", "kind", "battery_id", "generation"]).to_pylist()
    start_s, end_s = (_seconds(data.manifest[name]) for name in ("start", "end"))
    born: dict[tuple[str, int], float] = {}
    failed: dict[tuple[str, int], float] = {}
    removed: dict[tuple[str, int], float] = {}
    kinds = {"installed": born, "failed": failed, "removed": removed}
    for event in events:
        jar, at_s = (event["battery_id"], event["generation"]), event["time"].timestamp()
        kinds[event["kind"]][jar] = at_s
    jars = sorted(born)
    first = np.array([(max(start_s, born[jar]) - born[jar]) / _DAY_S for jar in jars])
    last = np.array(
        [(min(failed.get(jar, end_s), removed.get(jar, end_s), end_s) - born[jar]) / _DAY_S for jar in jars]
    )
    # A jar that was at its end before the record began says nothing of when.
    dead_before = np.array([failed.get(jar, end_s) <= start_s + _DAY_S for jar in jars])
    keep = (last > first) & ~dead_before
    names = np.array([jar[0][4:13] for jar in jars])
    return Lives(first[keep], last[keep], np.array([jar in failed for jar in jars])[keep], names[keep])


def rate_per_year(lives: Lives, from_days: float, until_days: float) -> float:
    """Return failures per year of exposure in a range of ages; NaN where nobody was seen."""
    seen = np.clip(
        np.minimum(lives.seen_until_days, until_days) - np.maximum(lives.seen_from_days, from_days), 0.0, None
    )
    fails = lives.failed & (lives.seen_until_days >= from_days) & (lives.seen_until_days < until_days)
    return float(fails.sum() / seen.sum() * _YEAR_DAYS) if seen.sum() > 0 else float("nan")


def survival(lives: Lives) -> tuple[FloatArray, FloatArray]:
    """Return ages in days and the share still alive there (Kaplan and Meier, with late entry)."""
    ages = np.unique(lives.seen_until_days[lives.failed])
    share, curve = 1.0, np.empty(len(ages))
    for k, age in enumerate(ages):
        at_risk = ((lives.seen_from_days < age) & (lives.seen_until_days >= age)).sum()
        share *= 1.0 - (lives.failed & (lives.seen_until_days == age)).sum() / max(at_risk, 1)
        curve[k] = share
    return ages, curve


def median_age_days(lives: Lives) -> float:
    """Return the age that half of the jars reach; infinite if more than half outlive the record."""
    ages, curve = survival(lives)
    below = np.flatnonzero(curve <= 0.5)
    return float(ages[below[0]]) if len(below) else float("inf")


def _seconds(text: str) -> float:
    return float(np.datetime64(text.split("+", maxsplit=1)[0], "s").astype(np.int64))
