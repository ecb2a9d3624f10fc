"""Runs of a block with one resistance and a straight open-circuit curve: enough to be checked before a fit."""

from dataclasses import replace

import numpy as np

from battery_twin.runs import RecordedRun

RATED_AH = 100.0
EMPTY_V, FULL_V, OHM = 11.4, 12.9, 0.007


def simple_run(*plan: tuple[float, float], start_soc: float = 1.0, every_s: float = 60.0) -> RecordedRun:
    """Return the run of a block of `RATED_AH` through steps of hours and amperes."""
    current_a = np.concatenate([np.full(round(hours * 3600 / every_s), amperes) for hours, amperes in plan])
    time_s = every_s * np.arange(len(current_a))
    columns = {"time_s": time_s, "current_a": current_a, "voltage_v": 0.0 * time_s, "temperature_c": 0.0 * time_s + 25}
    run = RecordedRun.of(columns)
    soc = start_soc + run.charge_ah / RATED_AH
    return replace(run, voltage_v=EMPTY_V + (FULL_V - EMPTY_V) * soc + OHM * current_a)


def scaled(run: RecordedRun, *, current: float = 1.0, voltage: float = 1.0) -> RecordedRun:
    """Return a run whose sensors have other units or signs."""
    return replace(run, current_a=current * run.current_a, voltage_v=voltage * run.voltage_v)


def thinned(run: RecordedRun, every: int) -> RecordedRun:
    """Return every so many rows of a run."""
    kept = slice(None, None, every)
    return RecordedRun(run.time_s[kept], run.current_a[kept], run.voltage_v[kept], run.temperature_c[kept])
