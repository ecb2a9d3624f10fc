"""Cut a span of a day into steps and looks."""

import math
from typing import Final

import numpy as np

from battery_synth.engine.arrays import ALL_STRINGS, NO_STRING, FloatArray, IntArray, Plan
from battery_synth.engine.day import FLOAT_STEP_S, SiteDay
from battery_synth.engine.readings import Sampling
from battery_synth.outside.grid import Discharge

_DISCHARGE_LOOKS: Final = ((0.0, 30.0, 2.0), (30.0, 300.0, 10.0), (300.0, np.inf, 60.0))
"""From, to and interval in s of the looks in a discharge."""
_RECOVERY_LOOKS: Final = ((0.0, 90.0, 10.0), (90.0, 900.0, 60.0), (900.0, 7200.0, 600.0))
"""The same after it."""
_SAME_S: Final = 1e-6


def plan_span(day: SiteDay, from_s: float, to_s: float, strings: int, sampling: Sampling | None = None) -> Plan:
    """Return the steps of [from, to], a part of one day, and its looks in [from, to).

    Parameters
    ----------
    day
        What the day brings.
    from_s, to_s
        s since 1970.
    strings
        Of the site.
    sampling
        When to look; never if None.
    """
    if sampling is None and to_s - from_s <= FLOAT_STEP_S and day.is_quiet(from_s, to_s):
        instants = np.array([from_s, to_s])
        return _plan(day, instants, np.full(2, NO_STRING), strings)
    grid = np.arange(np.ceil((from_s - day.start_s) / FLOAT_STEP_S) * FLOAT_STEP_S, to_s - day.start_s, FLOAT_STEP_S)
    parts = [np.array([from_s, to_s]), day.start_s + grid, day.fine_instants(from_s, to_s)]
    everybody = np.empty(0)
    busy: list[tuple[int, FloatArray]] = []
    if sampling is not None:
        everybody = _regular(day, from_s, to_s, sampling.every_s)
        busy = _detail(day, from_s, to_s) if sampling.detail else []
    parts += [everybody, *(instants for _, instants in busy)]
    joined = np.unique(np.concatenate(parts))
    instants = joined[(joined >= from_s) & (joined <= to_s)]
    return _plan(day, instants, _looks(instants, everybody, busy), strings)


def single_look(day: SiteDay, at_s: float, string: int, strings: int) -> Plan:
    """Return a plan that looks at one string (or at all) now and takes no step."""
    return _plan(day, np.array([at_s]), np.array([string]), strings)


def _plan(day: SiteDay, instants: FloatArray, look: IntArray, strings: int) -> Plan:
    feeding, constant_a, is_test = day.who_feeds(instants)
    middle = np.append((instants[1:] + instants[:-1]) / 2.0, instants[-1])
    count = np.where(look == ALL_STRINGS, strings, np.where(look == NO_STRING, 0, 1))
    return Plan(
        instant_s=instants - day.start_s,
        air_c=day.air_c(middle),
        feeding=feeding,
        constant_a=constant_a,
        is_test=is_test,
        segment=day.segment_at(instants),
        charger_offset_v=day.segments.charger_offset_v,
        ripple_factor=day.segments.ripple_factor,
        load_share=day.segments.load_share,
        look=look,
        first_row=np.cumsum(count) - count,
    )


def _regular(day: SiteDay, from_s: float, to_s: float, every_s: float) -> FloatArray:
    first = math.ceil((from_s - day.start_s) / every_s - _SAME_S)
    last = math.ceil((to_s - day.start_s) / every_s - _SAME_S)
    instants: FloatArray = day.start_s + np.arange(first, last, dtype=np.float64) * every_s
    return instants


def _detail(day: SiteDay, from_s: float, to_s: float) -> list[tuple[int, FloatArray]]:
    """Return who is read at which instants because of a discharge."""
    found = []
    for discharge in day.discharges:
        instants = _looks_of(discharge)
        instants = instants[(instants >= from_s) & (instants < to_s)]
        if len(instants):
            found.append((ALL_STRINGS if discharge.string is None else discharge.string, instants))
    return found


def _looks_of(discharge: Discharge) -> FloatArray:
    length = discharge.end_s - discharge.start_s
    during = [np.arange(first, min(last, length), every) for first, last, every in _DISCHARGE_LOOKS]
    after = [np.arange(first, last, every) for first, last, every in _RECOVERY_LOOKS]
    return np.concatenate([discharge.start_s + np.concatenate(during), discharge.end_s + np.concatenate(after)])


def _looks(instants: FloatArray, everybody: FloatArray, busy: list[tuple[int, FloatArray]]) -> IntArray:
    look = np.full(len(instants), NO_STRING)
    for who, wanted in busy:
        at = np.searchsorted(instants, wanted)
        # Two strings at once, in the recovery of one and the test of another: everybody is read.
        look[at] = np.where((look[at] == NO_STRING) | (look[at] == who), who, ALL_STRINGS)
    look[np.searchsorted(instants, everybody)] = ALL_STRINGS
    return look
