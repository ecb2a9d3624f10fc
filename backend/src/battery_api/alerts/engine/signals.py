"""The signals of the rules, computed for all readings of a batch at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

MIN_COMPARED: Final = 3
"""Batteries whose present values are known before one of them can be compared with its string.

Of two that differ nobody can tell which one is wrong; the median of three is one of the two that agree.
"""


@dataclass(frozen=True, slots=True)
class Peers:
    """Batteries (k,) of the judged strings before the batch, by member number: newest values, each with its time.

    The first of them are those that the readings name, in the same numbers. NaN where nothing is known.
    """

    string: IntArray
    voltage_v: FloatArray
    voltage_us: IntArray
    temperature_c: FloatArray
    temperature_us: IntArray


@dataclass(frozen=True, slots=True)
class Moments:
    """When and where readings (m,) were taken, in time order.

    ``member`` is the number of the battery and ``string`` of its string. What a peer measured counts if it is no older
    than ``valid_us`` and not from before ``since_us``, the start of the string's mode.
    """

    member: IntArray
    string: IntArray
    time_us: IntArray
    since_us: IntArray
    valid_us: IntArray


def battery_signals(
    values: Mapping[str, FloatArray],
    moments: Moments,
    peers: Peers,
    *,
    room_c: FloatArray,
    drift_pct: FloatArray,
    over_nominal_pct: FloatArray,
    age_s: Mapping[str, FloatArray],
) -> dict[str, FloatArray]:
    """Return every battery signal of readings (m,) in time order; NaN where it is unknown.

    Parameters
    ----------
    room_c
        (m,) room temperature at that time.
    drift_pct
        (m,) resistance above the battery's own baseline, both at 25 °C.
    over_nominal_pct
        (m,) resistance above its model's nominal one at 25 °C, where it has no baseline of its own.
    age_s
        By channel, (m,) how long ago the battery last measured it.
    """
    unknown = np.full(len(moments.time_us), np.nan)
    voltage_v = values.get("voltage_v", unknown)
    temperature_c = values.get("temperature_c", unknown)
    vs_string_v = voltage_v - string_reference(voltage_v, moments, peers.string, peers.voltage_v, peers.voltage_us)
    usual_c = string_reference(temperature_c, moments, peers.string, peers.temperature_c, peers.temperature_us)
    return {
        "voltage_v": voltage_v,
        "voltage_vs_string_v": vs_string_v,
        "voltage_spread_v": np.abs(vs_string_v),
        "temperature_c": temperature_c,
        "temperature_over_room_c": temperature_c - room_c,
        "temperature_over_string_c": temperature_c - usual_c,
        "resistance_drift_pct": drift_pct,
        "resistance_over_nominal_pct": over_nominal_pct,
        "voltage_age_s": age_s.get("voltage_v", unknown),
        "temperature_age_s": age_s.get("temperature_c", unknown),
    }


def string_signals(values: Mapping[str, FloatArray], count: int) -> dict[str, FloatArray]:
    """Return every string signal of ``count`` readings."""
    unknown = np.full(count, np.nan)
    current_a = values.get("current_a", unknown)
    return {
        "charge_current_a": current_a,
        "discharge_current_a": -current_a,
        "mode_contradicted": values.get("mode_contradicted", unknown),
        "voltage_of_nominal_pct": values.get("voltage_of_nominal_pct", unknown),
    }


def location_signals(values: Mapping[str, FloatArray], count: int, *, hvac_loss: FloatArray) -> dict[str, FloatArray]:
    """Return every location signal of ``count`` readings.

    Parameters
    ----------
    hvac_loss
        (count,) 0 running, 1 degraded, 2 failed or off.
    """
    unknown = np.full(count, np.nan)
    return {
        "mains_lost": 1.0 - values.get("mains", unknown),
        "hvac_loss": hvac_loss,
        "room_c": values.get("ambient_c", unknown),
    }


def string_reference(
    value: FloatArray, moments: Moments, peer_string: IntArray, peer_value: FloatArray, peer_us: IntArray
) -> FloatArray:
    """Return the value of a healthy battery of the same string at the time of each reading (m,).

    It is the median over the newest values of the string's batteries, whether they came with this reading, before it
    or in a message of their own: equal to the mean in a healthy string, while one dead battery would move the mean by
    half a volt and so raise alerts for the 23 others. NaN where fewer than three can be compared.
    """
    members = np.bincount(peer_string, minlength=int(moments.string.max(initial=-1)) + 1)
    reference = _complete_sweeps(value, moments, members)
    open_rows = np.flatnonzero(np.isnan(reference) & ~np.isnan(value))
    for string in np.unique(moments.string[open_rows]).tolist():
        of_string = np.flatnonzero((moments.string == string) & ~np.isnan(value))
        newest = {
            member: (int(peer_us[member]), float(peer_value[member]))
            for member in np.flatnonzero((peer_string == string) & ~np.isnan(peer_value)).tolist()
        }
        _compare_one_by_one(reference, value, moments, of_string, newest)
    return reference


def _complete_sweeps(value: FloatArray, moments: Moments, members: IntArray) -> FloatArray:
    """Return the medians of the instants at which every battery of a string was measured, NaN elsewhere."""
    reference = np.full(len(value), np.nan)
    known = np.flatnonzero(~np.isnan(value))
    if not len(known):
        return reference
    order = known[np.lexsort((value[known], moments.time_us[known], moments.string[known]))]
    string, time_us = moments.string[order], moments.time_us[order]
    begins = np.concatenate([[True], (string[1:] != string[:-1]) | (time_us[1:] != time_us[:-1])])
    start = np.flatnonzero(begins)
    size = np.diff(np.append(start, len(order)))
    ordered = value[order]
    middle = (ordered[start + (size - 1) // 2] + ordered[start + size // 2]) / 2.0
    middle[(size < MIN_COMPARED) | (size != members[string[start]])] = np.nan
    reference[order] = np.repeat(middle, size)
    return reference


def _compare_one_by_one(
    reference: FloatArray,
    value: FloatArray,
    moments: Moments,
    rows: IntArray,
    newest: dict[int, tuple[int, float]],
) -> None:
    """Fill the reference of the rows of one string, instant by instant, with what is known then."""
    times = moments.time_us[rows]
    for begin, end in pairwise([*np.flatnonzero(np.diff(times, prepend=times[0] - 1)).tolist(), len(rows)]):
        at_once = rows[begin:end]
        time_us = int(times[begin])
        newest |= {
            member: (time_us, reading)
            for member, reading in zip(moments.member[at_once].tolist(), value[at_once].tolist(), strict=True)
        }
        since_us, valid_us = moments.since_us[at_once].tolist(), moments.valid_us[at_once].tolist()
        for row, since, valid in zip(at_once.tolist(), since_us, valid_us, strict=True):
            oldest_us = max(since, time_us - valid)
            present = [reading for at_us, reading in newest.values() if at_us >= oldest_us]
            if len(present) >= MIN_COMPARED:
                reference[row] = median(present)
