"""Drift of the inputs: how far the batteries of a batch are distributed otherwise than the training fleet."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from battery_contracts.ml import MIN_DRIFT_BATTERIES, FeatureDrift, FeatureNorm
from battery_ml.arrays import FloatArray

BINS: Final = 10
_EXPECTED: Final = 1.0 / BINS
_SMOOTHING: Final = 0.5
"""Batteries added to each bin, so that an empty one is finite (Jeffreys' prior)."""


def drift_of(norms: Sequence[FeatureNorm], features: FloatArray) -> list[FeatureDrift]:
    """Return the drift of each feature (batteries, features), in the order of the norms; empty for a small batch."""
    if len(features) < MIN_DRIFT_BATTERIES:
        return []
    return [_drift(norm, column) for norm, column in zip(norms, features.T, strict=True)]


def population_stability_index(values: FloatArray, deciles: FloatArray) -> float:
    """Return the population stability index of values (n,) against the nine deciles (9,) of another population.

    ``sum((a - e) * log(a / e))`` over ten bins, ``e = 0.1`` and ``a`` the share of the values, with half a battery
    added to each bin. It is 0 for equal distributions; n values of the same one have about 9 / n by chance. Formula and
    limits: Siddiqi, *Credit Risk Scorecards* (2006).

    The deciles of a value that many batteries share coincide and do not say exactly how many they are; such values
    are divided among the bins beside it as evenly as can be, so that what deciles cannot distinguish is hardly a drift.
    """
    counts = _counts(values, deciles)
    shares = (counts + _SMOOTHING) / (len(values) + BINS * _SMOOTHING)
    return float(((shares - _EXPECTED) * np.log(shares / _EXPECTED)).sum())


def _drift(norm: FeatureNorm, column: FloatArray) -> FeatureDrift:
    known = column[np.isfinite(column)]
    psi = None
    if len(known) >= MIN_DRIFT_BATTERIES and norm.deciles:
        psi = population_stability_index(known, np.array(norm.deciles))
    return FeatureDrift(feature=norm.name, psi=psi, share_known=len(known) / len(column))


def _counts(values: FloatArray, deciles: FloatArray) -> FloatArray:
    """Count the values in each bin (10,)."""
    # As the deciles are stored: a feature is computed in more digits than it was trained with.
    values, deciles = values.astype(np.float32), deciles.astype(np.float32)
    first, last = np.searchsorted(deciles, values, "left"), np.searchsorted(deciles, values, "right")
    counts = np.bincount(first[first == last], minlength=BINS).astype(np.float64)
    for edge in np.unique(deciles):
        beside = slice(int(np.searchsorted(deciles, edge, "left")), int(np.searchsorted(deciles, edge, "right")) + 1)
        counts[beside] = _filled(counts[beside], int((values == edge).sum()))
    return counts


def _filled(counts: FloatArray, further: int) -> FloatArray:
    """Return counts (m,) with further ones, which go where there are fewest."""
    ascending = np.sort(counts)
    room = ascending * np.arange(1, len(counts) + 1) - np.cumsum(ascending)
    lowest = int((room <= further).sum())
    level = (further + ascending[:lowest].sum()) / lowest
    filled: FloatArray = np.maximum(counts, level)
    return filled
