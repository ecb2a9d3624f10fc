"""Drift of the inputs: how far the batteries of a batch are distributed otherwise than the training fleet."""

from collections.abc import Sequence

import numpy as np

from battery_contracts.drift import TENTHS, population_stability_index
from battery_contracts.ml import MIN_DRIFT_BATTERIES, FeatureDrift, FeatureNorm
from battery_ml.arrays import FloatArray


def drift_of(norms: Sequence[FeatureNorm], features: FloatArray) -> list[FeatureDrift]:
    """Return the drift of each feature (batteries, features), in the order of the norms; empty for a small batch."""
    if len(features) < MIN_DRIFT_BATTERIES:
        return []
    return [_drift(norm, column) for norm, column in zip(norms, features.T, strict=True)]


def _drift(norm: FeatureNorm, column: FloatArray) -> FeatureDrift:
    known = column[np.isfinite(column)]
    share_known = len(known) / len(column)
    if not norm.deciles:
        return FeatureDrift(feature=norm.name, psi=None, share_known=share_known)
    counts = counts_in_tenths(known, np.array(norm.deciles)).tolist()
    psi = population_stability_index(counts) if len(known) >= MIN_DRIFT_BATTERIES else None
    return FeatureDrift(feature=norm.name, psi=psi, share_known=share_known, counts=counts)


def counts_in_tenths(values: FloatArray, deciles: FloatArray) -> FloatArray:
    """Count the values (n,) in each tenth (10,) of another population, of which the nine deciles (9,) are known.

    The deciles of a value that many batteries share coincide and do not say exactly how many they are; such values
    are divided among the tenths beside it as evenly as can be: what deciles cannot distinguish is hardly a drift.
    """
    # As the deciles are stored: a feature is computed in more digits than it was trained with.
    values, deciles = values.astype(np.float32), deciles.astype(np.float32)
    first, last = np.searchsorted(deciles, values, "left"), np.searchsorted(deciles, values, "right")
    counts = np.bincount(first[first == last], minlength=TENTHS).astype(np.float64)
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
