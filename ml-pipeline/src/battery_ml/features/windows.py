"""Trailing windows over days, for all batteries at once; what was not read is left out, never filled in."""

from collections.abc import Sequence

import numpy as np

from battery_ml.features.history import FloatArray

_LEAST_FOR_SLOPE = 3


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


def over_string_median(values: FloatArray, string_ids: Sequence[str]) -> FloatArray:
    """Return each battery's value (batteries,) over the median of what is known in its string."""
    _, code = np.unique(np.asarray(string_ids), return_inverse=True)
    median = np.full(len(values), np.nan)
    for string in range(code.max(initial=-1) + 1):
        rows = code == string
        known = values[rows & np.isfinite(values)]
        median[rows] = np.median(known) if len(known) else np.nan
    ratio: FloatArray = values / median
    return ratio
