"""Intervals that keep their promise on strings that nothing else of the training has seen."""

import numpy as np

from battery_ml.datasets.folder import FloatArray
from battery_ml.datasets.snapshots import Snapshots
from battery_ml.registry.manifest import Conformal
from battery_ml.training.censoring import inverse_probability_weights, weighted_quantile
from battery_ml.training.fit import LEVELS, target_of


def calibrate(raw: FloatArray, truth: Snapshots) -> Conformal:
    """Return what to add at each end, in the model's scale, so that each side misses a tenth (Romano et al. 2019).

    Parameters
    ----------
    raw
        The model's sorted quantiles (n, 3).
    truth
        What came of the same n; censored lives count by the weights of the others.
    """
    seen = ~truth.is_censored
    weights = inverse_probability_weights(truth.days_to_end, truth.is_censored)[seen]
    target = target_of(truth.days_to_end[seen])
    promised = LEVELS[-1]
    # Snapshots of a life are no independent witnesses: the usual correction for few counts jars.
    jars = len(np.unique(np.column_stack([truth.place[seen], truth.generation[seen]]), axis=0))
    level = min(promised * (1.0 + 1.0 / jars), 1.0)
    return Conformal(
        below=weighted_quantile(raw[seen, 0] - target, weights, level),
        above=weighted_quantile(target - raw[seen, 2], weights, level),
    )
