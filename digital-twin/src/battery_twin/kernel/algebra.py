"""Interpolation and covariance algebra of the compiled filter; equations in `kernel`."""

import math

from battery_twin.arrays import FloatArray
from battery_twin.compilation import compiled
from battery_twin.kernel.layout import (
    STATE_SIZE,
)


@compiled
def interpolate(knots: FloatArray, table: FloatArray, soc: float) -> tuple[float, float]:
    """Return value and slope of a table at a state of charge; the end segments extend beyond the knots."""
    upper = 1
    while upper < len(knots) - 1 and knots[upper] <= soc:
        upper += 1
    slope = (table[upper] - table[upper - 1]) / (knots[upper] - knots[upper - 1])
    return table[upper - 1] + slope * (soc - knots[upper - 1]), slope


@compiled
def decouple(covariance: FloatArray, state: int, variance: float) -> None:
    """Set the variance of one state and make it independent of all others."""
    for other in range(STATE_SIZE):
        covariance[state, other] = 0.0
        covariance[other, state] = 0.0
    covariance[state, state] = variance


@compiled
def limit_variance(covariance: FloatArray, state: int, variance: float) -> None:
    """Reduce the variance of one state to at most this; by a congruence, so that P stays positive semidefinite."""
    if covariance[state, state] <= variance:
        return
    share = math.sqrt(variance / covariance[state, state])
    for other in range(STATE_SIZE):
        covariance[state, other] *= share
        covariance[other, state] *= share


@compiled
def constrain(mean: FloatArray, covariance: FloatArray, state: int, low: float, high: float) -> None:
    """Project one state onto its physical range, the correlated states with it.

    Clipping the one alone would leave the others as if it had moved: voltage then misses by more with each row.
    """
    excess = mean[state] - min(max(mean[state], low), high)
    if excess == 0.0:
        return
    variance = covariance[state, state]
    for other in range(STATE_SIZE):
        mean[other] -= covariance[other, state] / variance * excess


@compiled
def project(covariance: FloatArray, slope: FloatArray, cross_covariance: FloatArray) -> float:
    """Write the cross-covariance P h (11,) and return h' P h."""
    variance = 0.0
    for row in range(STATE_SIZE):
        product = 0.0
        for column in range(STATE_SIZE):
            product += covariance[row, column] * slope[column]
        cross_covariance[row] = product
        variance += slope[row] * product
    return variance


@compiled
def joseph_update(
    mean: FloatArray, covariance: FloatArray, cross_covariance: FloatArray, innovation: float, variance: float
) -> None:
    """Update by one scalar in Joseph form: with c = P h and K = c / S, x + K y and P - K c' - c K' + S K K'."""
    inverse = 1.0 / variance
    for row in range(STATE_SIZE):
        kalman_gain = cross_covariance[row] * inverse
        mean[row] += kalman_gain * innovation
        for column in range(row, STATE_SIZE):
            column_gain = cross_covariance[column] * inverse
            value = (
                covariance[row, column]
                - kalman_gain * cross_covariance[column]
                - cross_covariance[row] * column_gain
                + variance * kalman_gain * column_gain
            )
            covariance[row, column] = value
            covariance[column, row] = value
