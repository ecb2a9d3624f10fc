"""Compare the readings of a battery with what is known of its string at the same time."""

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


@dataclass(frozen=True, slots=True)
class StringValues:
    """What a string shows at the time of each reading (m,) of one of its batteries."""

    reference: FloatArray
    """Value of a healthy battery of the string; NaN where fewer than three can be compared."""
    total: FloatArray
    """Sum over its batteries; NaN where one of them is not known."""
    highest: FloatArray
    """Highest value of its batteries that are known; NaN where none is."""
    present: IntArray
    """How many of its batteries are known."""


def string_values(
    value: FloatArray, moments: Moments, peer_string: IntArray, peer_value: FloatArray, peer_us: IntArray
) -> StringValues:
    """Return what the string of each reading (m,) shows at its time.

    The reference is the median over the newest values of the string's batteries, whether they came with this reading,
    before it or in a message of their own: equal to the mean in a healthy string, while one dead battery would move the
    mean by half a volt and so raise alerts for the 23 others.
    """
    members = np.bincount(peer_string, minlength=int(moments.string.max(initial=-1)) + 1)
    shown = _complete_sweeps(value, moments, members)
    open_rows = np.flatnonzero(np.isnan(shown.reference) & ~np.isnan(value))
    for string in np.unique(moments.string[open_rows]).tolist():
        of_string = np.flatnonzero((moments.string == string) & ~np.isnan(value))
        newest = {
            member: (int(peer_us[member]), float(peer_value[member]))
            for member in np.flatnonzero((peer_string == string) & ~np.isnan(peer_value)).tolist()
        }
        _compare_one_by_one(shown, value, moments, of_string, newest=newest, members=int(members[string]))
    return shown


def _complete_sweeps(value: FloatArray, moments: Moments, members: IntArray) -> StringValues:
    """Return the values of the instants at which every battery of a string was measured, NaN elsewhere."""
    reference, total, highest = (np.full(len(value), np.nan) for _ in range(3))
    shown = StringValues(reference, total, highest, np.zeros(len(value), np.int64))
    known = np.flatnonzero(~np.isnan(value))
    if not len(known):
        return shown
    order = known[np.lexsort((value[known], moments.time_us[known], moments.string[known]))]
    string, time_us = moments.string[order], moments.time_us[order]
    begins = np.concatenate([[True], (string[1:] != string[:-1]) | (time_us[1:] != time_us[:-1])])
    start = np.flatnonzero(begins)
    size = np.diff(np.append(start, len(order)))
    ordered = value[order]
    middle = (ordered[start + (size - 1) // 2] + ordered[start + size // 2]) / 2.0
    is_complete = size == members[string[start]]
    middle[(size < MIN_COMPARED) | ~is_complete] = np.nan
    shown.reference[order] = np.repeat(middle, size)
    shown.total[order] = np.repeat(np.where(is_complete, np.add.reduceat(ordered, start), np.nan), size)
    shown.highest[order] = np.repeat(ordered[start + size - 1], size)
    shown.present[order] = np.repeat(size, size)
    return shown


def _compare_one_by_one(
    shown: StringValues,
    value: FloatArray,
    moments: Moments,
    rows: IntArray,
    *,
    newest: dict[int, tuple[int, float]],
    members: int,
) -> None:
    """Fill in what the rows of one string show, instant by instant, with what is known then."""
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
            shown.highest[row], shown.present[row] = max(present, default=np.nan), len(present)
            if len(present) >= MIN_COMPARED:
                shown.reference[row] = median(present)
            if len(present) == members:
                shown.total[row] = sum(sorted(present))
