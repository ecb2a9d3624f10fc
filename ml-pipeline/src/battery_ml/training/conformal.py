"""Conformal calibration on strings that no other step of the training uses."""

import numpy as np

from battery_ml.arrays import FloatArray
from battery_ml.datasets.snapshots import Snapshots
from battery_ml.registry.manifest import Conformal
from battery_ml.survival.censoring import inverse_probability_weights, weighted_quantile
from battery_ml.training.fit import LEVELS, target_of


def calibrate(quantiles: FloatArray, truth: Snapshots) -> Conformal:
    """Return what to add at each end of the interval so that each side misses a tenth.

    Conformalised quantile regression (Romano, Patterson and Candès, NeurIPS 2019), one-sided at each end, with
    inverse-probability weights for censoring.

    Parameters
    ----------
    quantiles
        The model's sorted quantiles (n, 3), in its own scale; so are the offsets.
    truth
        The same n snapshots; the failures among them represent the censored lives by their weights.
    """
    has_failed = ~truth.is_censored
    weights = inverse_probability_weights(truth.days_to_end, truth.is_censored)[has_failed]
    target = target_of(truth.days_to_end[has_failed])
    # Snapshots of one life are not independent: the finite-sample correction counts lives.
    lives = np.unique(np.column_stack([truth.battery_slot[has_failed], truth.generation[has_failed]]), axis=0)
    level = min(LEVELS[-1] * (1.0 + 1.0 / len(lives)), 1.0)
    return Conformal(
        below=weighted_quantile(quantiles[has_failed, 0] - target, weights, level),
        above=weighted_quantile(target - quantiles[has_failed, 2], weights, level),
    )
