"""Weights that undo the bias of right-censoring, and quantiles under weights."""

from typing import Final

import numpy as np

from battery_ml.arrays import BoolArray, FloatArray

_MAX_WEIGHT: Final = 10.0


def uncensored_probability(days: FloatArray, is_censored: BoolArray) -> FloatArray:
    """Estimate the probability (n,) that a life of each length is still uncensored when it ends.

    This is the product-limit estimate (Kaplan and Meier, *J. Am. Stat. Assoc.* 53, 1958) of the distribution of the
    censoring times. Failures precede censorings of the same day, as convention has it.

    Parameters
    ----------
    days
        Days to failure, or to censoring where ``is_censored``, (n,).
    """
    order = np.lexsort((is_censored, days))
    censored_in_order = is_censored[order]
    at_risk = len(days) - np.arange(len(days))
    survival = np.cumprod(np.where(censored_in_order, 1.0 - 1.0 / at_risk, 1.0))
    # Just before each time: the first of those that end together.
    first = np.searchsorted(days[order], days, side="left")
    probability: FloatArray = np.concatenate([[1.0], survival])[first]
    return probability


def inverse_probability_weights(days: FloatArray, is_censored: BoolArray) -> FloatArray:
    """Return weights (n,) under which the observed failures represent all lives; 0 for censored ones.

    Inverse probability of censoring (Robins and Rotnitzky, 1992), bounded so that a few lives close to the end of
    the observation do not outweigh all others.
    """
    probability = uncensored_probability(days, is_censored)
    weights: FloatArray = np.where(is_censored, 0.0, 1.0 / np.maximum(probability, 1.0 / _MAX_WEIGHT))
    return weights


def weighted_quantile(values: FloatArray, weights: FloatArray, level: float) -> float:
    """Return the smallest of the values (n,) that has at least ``level`` of the weight at or below it."""
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weights[order])
    return float(values[order][min(int(np.searchsorted(total, level * total[-1])), len(values) - 1)])


def failure_quantile(days: FloatArray, is_censored: BoolArray, level: float) -> float:
    """Return the day until which a share ``level`` of the lives (n,) has failed, by the product-limit estimate.

    The longest of the lives if fewer than that were seen to fail.
    """
    order = np.argsort(days, kind="stable")
    # With failures and censorings exchanged, the estimate of the censoring times is that of the failures.
    surviving = uncensored_probability(days, ~is_censored)[order]
    after = np.append(surviving[1:], surviving[-1:])
    first = int(np.searchsorted(-after, -(1.0 - level), side="left"))
    return float(days[order][min(first, len(days) - 1)])
