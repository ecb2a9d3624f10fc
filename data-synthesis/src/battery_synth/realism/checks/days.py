"""Checks of the days of strings: the charger's answer to warmth, the float current's, and the rooms."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from battery_synth.block.electrics import CELLS
from battery_synth.realism.checks.result import Finding, NotChecked, between
from battery_synth.realism.string_days import StringDays
from battery_synth.realism.tables import FloatArray

_WINDOW_DAYS: Final = 30
"""Long enough for the weather to move the room, short enough for the blocks not to age."""
_FEWEST_LOCATIONS: Final = 6
"""Fewer rooms may be alike by chance."""
_MONTHS: Final = 12


def charger_checks(days: StringDays) -> Iterator[Finding]:
    """Check how float voltage and float current follow the temperature, within a month of each string."""
    per_k = median_slope(days.temperature_c, days.block_v * 1000.0 / CELLS)
    name = "float voltage per cell by temperature, median month"
    yield between(name, -3.6, -3.0, per_k, "-3.3 mV/K per cell [LEO]", unit=" mV/K")
    with np.errstate(divide="ignore"):
        current = np.log(np.where(days.float_current_ma > 0.0, days.float_current_ma, np.nan))
    doubling_k = np.log(2.0) / median_slope(days.temperature_c, current)
    name = "float current doubles under compensation, median month"
    source = "0.06 /K and 11 /V [SCH] at -3.3 mV/K per cell: 29 K"
    yield between(name, 24.0, 36.0, doubling_k, source, unit=" K")


def room_checks(days: StringDays) -> Iterator[Finding]:
    """Check the rooms: their means, how they differ, and how they follow the season."""
    rooms = [days.room_c[days.locations == location] for location in np.unique(days.locations)]
    courses = [_mean_of_strings(room) for room in rooms]
    means = np.array([course[np.isfinite(course)].mean() for course in courses])
    share = float(((means > 18.0) & (means < 33.0)).mean())
    source = "cooled to a set-point of 20 to 30 °C, faults included (EJ)"
    yield between("share of rooms with a mean from 18 to 33 °C", 1.0, 1.0, share, source)
    if len(rooms) < _FEWEST_LOCATIONS:
        yield NotChecked(f"differences between rooms: fewer than {_FEWEST_LOCATIONS} locations")
        return
    difference_k = float(means.max() - means.min())
    source = "set-points of real rooms differ by up to 10 K (EJ)"
    yield between("difference between the warmest and the coolest room", 2.0, 12.0, difference_k, source, unit=" K")
    swing_k = max(_season_k(course) for course in courses)
    source = "the weather enters a room that is not well kept (EJ)"
    yield between("mean of the warmest month over the coolest, greatest of rooms", 0.8, 8.0, swing_k, source, unit=" K")


def median_slope(warmth: FloatArray, values: FloatArray) -> float:
    """Return the median slope of values over warmth, both (strings, days), in months of strings.

    A month counts by how far the temperature moved in it; months with a fault of the charger are too few to matter.
    """
    whole = warmth.shape[1] // _WINDOW_DAYS * _WINDOW_DAYS
    x, y = (each[:, :whole].reshape(-1, _WINDOW_DAYS) for each in (warmth, values))
    valid = np.isfinite(x) & np.isfinite(y)
    count = np.maximum(valid.sum(axis=1, keepdims=True), 1)
    x, y = (np.where(valid, each, 0.0) for each in (x, y))
    x, y = (np.where(valid, each - each.sum(axis=1, keepdims=True) / count, 0.0) for each in (x, y))
    weight = (x * x).sum(axis=1)
    moved = weight > 0.0
    if not moved.any():
        return float("nan")
    slope, weight = (x * y).sum(axis=1)[moved] / weight[moved], weight[moved]
    order = np.argsort(slope)
    middle = np.searchsorted(np.cumsum(weight[order]), weight.sum() / 2.0)
    return float(slope[order][middle])


def _mean_of_strings(values: FloatArray) -> FloatArray:
    """Return the means (days,) of the strings (strings, days) of a room; NaN where nothing was read."""
    read = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        mean: FloatArray = np.where(read, values, 0.0).sum(axis=0) / read.sum(axis=0)
    return mean


def _season_k(course: FloatArray) -> float:
    """Return the warmest over the coolest of twelve parts of the year of a course (days,), means over all years."""
    part = (np.arange(len(course)) % 365.25 / 365.25 * _MONTHS).astype(np.int64)
    read = np.isfinite(course)
    with np.errstate(invalid="ignore"):
        means = np.bincount(part[read], course[read], _MONTHS) / np.bincount(part[read], minlength=_MONTHS)
    return float(means.max() - means.min())
