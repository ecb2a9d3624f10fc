"""Trailing windows over days, for all batteries at once; what was not read is left out, never filled in."""

from typing import Final

import numpy as np
import numpy.typing as npt

from battery_ml.features.history import FloatArray

_LEAST_FOR_SLOPE: Final = 3
LEAST_FOR_MEDIAN: Final = 3


def mean_of_last(values: FloatArray, days: int) -> FloatArray:
    """Return the mean (batteries,) of what was read in the last ``days``; NaN if nothing was."""
    recent = values[:, -days:]
    known = np.isfinite(recent)
    count = known.sum(axis=1)
    total = np.where(known, recent, 0.0).sum(axis=1)
    mean: FloatArray = np.divide(total, count, out=np.full(len(values), np.nan), where=count > 0)
    return mean


def slope_of_last(values: FloatArray, days: int) -> FloatArray:
    """Return the least-squares change a day (batteries,); NaN for fewer than three readings or readings of one day."""
    recent = values[:, -days:]
    known = np.isfinite(recent)
    count = known.sum(axis=1)
    divisor = np.maximum(count, 1)[:, None]
    at = np.arange(recent.shape[1], dtype=np.float64)
    away = np.where(known, at - (known * at).sum(axis=1, keepdims=True) / divisor, 0.0)
    filled = np.where(known, recent, 0.0)
    square = (away**2).sum(axis=1)
    enough = (count >= _LEAST_FOR_SLOPE) & (square > 0.0)
    slope: FloatArray = np.divide((away * filled).sum(axis=1), square, out=np.full(len(values), np.nan), where=enough)
    return slope


def median_of_string(values: FloatArray, string: npt.NDArray[np.int64]) -> FloatArray:
    """Return the median (batteries,) of what is known in each string; NaN for fewer than three, as one alone is normal.

    Parameters
    ----------
    values
        Of each battery, (batteries,).
    string
        Number of its string, (batteries,), from 0.
    """
    order = np.lexsort((values, string))
    count = np.bincount(string, minlength=string.max(initial=-1) + 1)
    known = np.bincount(string, weights=np.isfinite(values), minlength=len(count)).astype(np.int64)
    first = np.cumsum(count) - count
    # Within a string the unknown stand last.
    low, high = first + np.maximum(known - 1, 0) // 2, first + known // 2
    ordered = values[order]
    last = max(len(values) - 1, 0)
    median = np.where(known >= LEAST_FOR_MEDIAN, 0.5 * (ordered[low] + ordered[np.minimum(high, last)]), np.nan)
    result: FloatArray = median[string]
    return result
