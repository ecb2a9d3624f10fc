"""Trailing windows over days, for all batteries at once; missing readings are left out, never filled in."""

from typing import Final

import numpy as np

from battery_ml.arrays import FloatArray, IntArray

_MIN_FOR_SLOPE: Final = 3
MIN_FOR_MEDIAN: Final = 3


def mean_of_last(values: FloatArray, days: int) -> FloatArray:
    """Return the mean (batteries,) of the readings (batteries, days) of the last ``days``; NaN if there are none."""
    recent = values[:, -days:]
    is_read = np.isfinite(recent)
    count = is_read.sum(axis=1)
    total = np.where(is_read, recent, 0.0).sum(axis=1)
    mean: FloatArray = np.divide(total, count, out=np.full(len(values), np.nan), where=count > 0)
    return mean


def slope_of_last(values: FloatArray, days: int) -> FloatArray:
    """Return the least-squares slope per day (batteries,) over the last ``days``; NaN for fewer than three readings."""
    recent = values[:, -days:]
    is_read = np.isfinite(recent)
    count = is_read.sum(axis=1)
    divisor = np.maximum(count, 1)[:, None]
    day = np.arange(recent.shape[1], dtype=np.float64)
    centred_day = np.where(is_read, day - (is_read * day).sum(axis=1, keepdims=True) / divisor, 0.0)
    filled = np.where(is_read, recent, 0.0)
    square = (centred_day**2).sum(axis=1)
    is_defined = (count >= _MIN_FOR_SLOPE) & (square > 0.0)
    slope: FloatArray = np.divide(
        (centred_day * filled).sum(axis=1), square, out=np.full(len(values), np.nan), where=is_defined
    )
    return slope


def median_of_string(values: FloatArray, string: IntArray) -> FloatArray:
    """Return for each battery the median (batteries,) of its string's finite values; NaN if those are under three.

    With fewer than three a battery would be compared mostly with itself.

    Parameters
    ----------
    values
        One value per battery, (batteries,).
    string
        Slot of its string, (batteries,), from 0.
    """
    order = np.lexsort((values, string))
    count = np.bincount(string, minlength=string.max(initial=-1) + 1)
    finite_count = np.bincount(string, weights=np.isfinite(values), minlength=len(count)).astype(np.int64)
    first = np.cumsum(count) - count
    # NaN sorts last within a string.
    low, high = first + np.maximum(finite_count - 1, 0) // 2, first + finite_count // 2
    ordered = values[order]
    last = max(len(values) - 1, 0)
    median = np.where(finite_count >= MIN_FOR_MEDIAN, 0.5 * (ordered[low] + ordered[np.minimum(high, last)]), np.nan)
    result: FloatArray = median[string]
    return result
