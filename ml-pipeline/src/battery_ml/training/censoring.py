"""What right-censoring does to averages, and how weights undo it."""

from typing import Final

import numpy as np
import numpy.typing as npt

from battery_ml.datasets.folder import FloatArray

_MOST_WEIGHT: Final = 10.0


def uncensored_probability(days: FloatArray, is_censored: npt.NDArray[np.bool_]) -> FloatArray:
    """Return the probability (n,) that a life as long as each would have been seen to its end, by Kaplan and Meier.

    Ends are taken before censorings of the same day, as convention has it.
    """
    order = np.lexsort((is_censored, days))
    ranked = is_censored[order]
    at_risk = len(days) - np.arange(len(days))
    survival = np.cumprod(np.where(ranked, 1.0 - 1.0 / at_risk, 1.0))
    # Just before each time: the first of those that end together.
    first = np.searchsorted(days[order], days, side="left")
    probability: FloatArray = np.concatenate([[1.0], survival])[first]
    return probability


def inverse_probability_weights(days: FloatArray, is_censored: npt.NDArray[np.bool_]) -> FloatArray:
    """Return weights (n,) under which the seen ends stand for all lives; 0 for censored ones.

    Robins and Rotnitzky's weights, bounded so that a few lives at the horizon do not outvote all others.
    """
    probability = uncensored_probability(days, is_censored)
    weights: FloatArray = np.where(is_censored, 0.0, 1.0 / np.maximum(probability, 1.0 / _MOST_WEIGHT))
    return weights


def weighted_quantile(values: FloatArray, weights: FloatArray, level: float) -> float:
    """Return the smallest value that has ``level`` of the weight at or below it."""
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weights[order])
    return float(values[order][min(int(np.searchsorted(total, level * total[-1])), len(values) - 1)])
