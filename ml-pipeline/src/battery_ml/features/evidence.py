"""Which days of a history say something of the battery that is installed now."""

from typing import Final

import numpy as np

from battery_ml.arrays import BoolArray
from battery_ml.features.history import DailyHistory

OWN_COLUMNS: Final = (
    "voltage_mean_v",
    "voltage_deviation_v",
    "temperature_mean_c",
    "temperature_min_c",
    "temperature_max_c",
    "hours_above_30c",
    "hours_above_35c",
    "temperature_rise_k",
    "resistance_25c_mohm",
)
"""Columns that the battery's own sensors fill; the others are its string's."""
_MOVING: Final = (
    "voltage_mean_v",
    "temperature_mean_c",
    "temperature_min_c",
    "temperature_max_c",
    "resistance_25c_mohm",
)
_FROZEN_FROM_DAYS: Final = 3
"""Daily means are never the same to the last digit for so many days in a row, unless a channel repeats itself (EJ)."""


def is_before_installation(history: DailyHistory) -> BoolArray:
    """Mark the days (batteries, days) before each battery was installed; an unknown age marks none.

    Another battery was in the position: its readings say nothing of this one.
    """
    days_ago = np.arange(width_of(history))[::-1]
    is_before: BoolArray = days_ago[None, :] > history.age_days[:, None]
    return is_before


def is_frozen(history: DailyHistory) -> BoolArray:
    """Mark the days (batteries, days) on which nothing that the battery's own sensors report had moved for days.

    Such a day repeats the one before to the last digit, as the next or the previous ones do: a sensor or a gateway
    sends what it once read. It is no evidence, least of all of a battery that does not age.
    """
    shape = (len(history.battery_ids), width_of(history))
    repeats, is_read = np.ones(shape, np.bool_), np.zeros(shape, np.bool_)
    for name in _MOVING:
        values = history.days.get(name)
        if values is None:
            continue
        is_known = np.isfinite(values)
        is_read |= is_known
        repeats[:, 1:] &= (values[:, 1:] == values[:, :-1]) | ~(is_known[:, 1:] | is_known[:, :-1])
    repeats &= is_read
    repeats[:, :1] = False
    return repeats & (_run_lengths(repeats) >= _FROZEN_FROM_DAYS)


def width_of(history: DailyHistory) -> int:
    """Return the number of days of a history, 1 for one without columns."""
    return next((values.shape[1] for values in history.days.values()), 1)


def _run_lengths(marks: BoolArray) -> "np.ndarray[tuple[int, int], np.dtype[np.int64]]":
    """Return for each entry (rows, days) how many marked ones stand in a row around it, 0 where it is not marked."""
    rows, days = marks.shape
    padded = np.zeros((rows, days + 1), np.int64)
    padded[:, :days] = marks
    flat = padded.ravel()
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flat])))
    begins, ends = edges[::2], edges[1::2]
    lengths = np.zeros(len(flat), np.int64)
    for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
        lengths[begin:end] = end - begin
    return lengths.reshape(rows, days + 1)[:, :days]
