"""Cutting a span of a day into steps and samples."""

import math
from typing import Final

import numpy as np

from battery_synth.engine.day import FLOAT_STEP_S, LocationDay
from battery_synth.outside.grid import DischargeSpan
from battery_synth.state.arrays import ALL_STRINGS, NO_STRING, FloatArray, IntArray, Plan
from battery_synth.state.readings import Sampling

_DISCHARGE_LOOKS: Final = ((0.0, 30.0, 2.0), (30.0, 300.0, 10.0), (300.0, np.inf, 60.0))
"""From, to and interval in s of the samples during a discharge."""
_RECOVERY_LOOKS: Final = ((0.0, 90.0, 10.0), (90.0, 900.0, 60.0), (900.0, 7200.0, 600.0))
"""The same after a discharge."""
_PRE_TRIGGER_S: Final = 10.0
"""A monitor that records a discharge keeps the reading before it as well, else nobody knows when it began."""
_SAME_S: Final = 1e-6


def plan_span(day: LocationDay, from_s: float, to_s: float, strings: int, sampling: Sampling | None = None) -> Plan:
    """Return the steps of [from, to], a part of one day, and its samples in [from, to).

    Parameters
    ----------
    day
        The day's events.
    from_s, to_s
        s since 1970.
    strings
        Number of strings of the location.
    sampling
        When the sensors are read; never if None.
    """
    if sampling is None and to_s - from_s <= FLOAT_STEP_S and day.is_quiet(from_s, to_s):
        instants = np.array([from_s, to_s])
        return _plan(day, instants, np.full(2, NO_STRING), strings)
    grid = np.arange(np.ceil((from_s - day.start_s) / FLOAT_STEP_S) * FLOAT_STEP_S, to_s - day.start_s, FLOAT_STEP_S)
    parts = [np.array([from_s, to_s]), day.start_s + grid, day.fine_instants(from_s, to_s)]
    regular = np.empty(0)
    busy: list[tuple[int, FloatArray]] = []
    if sampling is not None:
        regular = _regular(day, from_s, to_s, sampling.every_s)
        busy = _detail(day, from_s, to_s) if sampling.detail else []
    parts += [regular, *(instants for _, instants in busy)]
    joined = np.unique(np.concatenate(parts))
    instants = joined[(joined >= from_s) & (joined <= to_s)]
    return _plan(day, instants, _sampled_strings(instants, regular, busy), strings)


def single_sample(day: LocationDay, at_s: float, string: int, strings: int) -> Plan:
    """Return a plan that samples one string (or all of them) now and takes no step."""
    return _plan(day, np.array([at_s]), np.array([string]), strings)


def _plan(day: LocationDay, instants: FloatArray, sampled: IntArray, strings: int) -> Plan:
    feeding, constant_a, is_test = day.who_feeds(instants)
    middle = np.append((instants[1:] + instants[:-1]) / 2.0, instants[-1])
    count = np.where(sampled == ALL_STRINGS, strings, np.where(sampled == NO_STRING, 0, 1))
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
        sampled=sampled,
        first_row=np.cumsum(count) - count,
    )


def _regular(day: LocationDay, from_s: float, to_s: float, every_s: float) -> FloatArray:
    first = math.ceil((from_s - day.start_s) / every_s - _SAME_S)
    last = math.ceil((to_s - day.start_s) / every_s - _SAME_S)
    instants: FloatArray = day.start_s + np.arange(first, last, dtype=np.float64) * every_s
    return instants


def _detail(day: LocationDay, from_s: float, to_s: float) -> list[tuple[int, FloatArray]]:
    """Return which strings are sampled at which instants because of a discharge."""
    samples = []
    for discharge in day.discharges:
        instants = _sample_instants(discharge)
        instants = instants[(instants >= from_s) & (instants < to_s)]
        if len(instants):
            samples.append((ALL_STRINGS if discharge.string is None else discharge.string, instants))
    return samples


def _sample_instants(discharge: DischargeSpan) -> FloatArray:
    length = discharge.end_s - discharge.start_s
    during = [np.arange(first, min(last, length), every) for first, last, every in _DISCHARGE_LOOKS]
    after = [np.arange(first, last, every) for first, last, every in _RECOVERY_LOOKS]
    before = np.array([-_PRE_TRIGGER_S])
    starts = np.concatenate([before, *during])
    return np.concatenate([discharge.start_s + starts, discharge.end_s + np.concatenate(after)])


def _sampled_strings(instants: FloatArray, regular: FloatArray, busy: list[tuple[int, FloatArray]]) -> IntArray:
    sampled = np.full(len(instants), NO_STRING)
    for string, sample_s in busy:
        index = np.searchsorted(instants, sample_s)
        # Two strings at once, one recovering and one in its test: all strings are sampled.
        sampled[index] = np.where((sampled[index] == NO_STRING) | (sampled[index] == string), string, ALL_STRINGS)
    sampled[np.searchsorted(instants, regular)] = ALL_STRINGS
    return sampled
