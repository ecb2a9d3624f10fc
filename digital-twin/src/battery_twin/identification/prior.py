"""The prior of a fit: what is assumed of a block before its runs are examined."""

from dataclasses import dataclass

import numpy as np

from battery_twin.arrays import FloatArray
from battery_twin.circuit.data_sheet import OCV_SHIFT_SD_V, OCV_V, resistance_tables
from battery_twin.kernel.layout import OCV_KNOTS

# Standard deviation of each step of the open-circuit curve between knots. A loose prior lets a run at one current trade
# the curve against resistance. Towards empty the voltage falls far below the law of the acid.
OCV_BEND_SD_V = np.array([0.35, 0.10, 0.04, 0.015, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.02])
# Relative standard deviations of R0, R1, R2: of the whole table, and of each step between knots.
RESISTANCE_SCALE_SD = (0.8, 1.0, 2.0)
RESISTANCE_BEND_SD = (0.15, 0.3, 0.5)
LOG_TAU_SD = (0.7, 0.9)
LOG_KNEE_SD = 0.35
LOG_TAU_D_SD, LOG_DEPLETION_SD = 0.5, 0.6
# Runs of one discharge rate do not show how the capacity falls with the rate, whatever fits them best.
ONE_RATE_LOG_SD = 0.05
INITIAL_SOC_SD = 0.03


@dataclass(frozen=True, slots=True)
class Prior:
    """Mean (34,) and covariance (34, 34) of the linear unknowns: open-circuit voltage, R0, R1, R2 at their knots."""

    mean: FloatArray
    covariance: FloatArray

    @property
    def whitener(self) -> FloatArray:
        """Return W such that W'W is the inverse covariance."""
        return np.asarray(np.linalg.inv(np.linalg.cholesky(self.covariance)))


def prior_for(rated_ah: float) -> Prior:
    """Return the data-sheet prior of a block of ``rated_ah``."""
    tables = resistance_tables(rated_ah)
    means = [OCV_V, *tables.scaled_ohm()]
    parts = [_ocv_covariance()]
    for table, scale_sd, bend_sd in zip(tables.reference_ohm, RESISTANCE_SCALE_SD, RESISTANCE_BEND_SD, strict=True):
        relative = scale_sd**2 * np.ones((len(table), len(table))) + _random_walk(np.full(len(table) - 1, bend_sd))
        parts.append(tables.scale**2 * np.outer(table, table) * (relative + 1e-4 * np.eye(len(table))))
    size = sum(len(part) for part in parts)
    covariance = np.zeros((size, size))
    start = 0
    for part in parts:
        stop = start + len(part)
        covariance[start:stop, start:stop] = part
        start = stop
    return Prior(np.concatenate(means), covariance)


def _ocv_covariance() -> FloatArray:
    size = len(OCV_KNOTS)
    return OCV_SHIFT_SD_V**2 * np.ones((size, size)) + _random_walk(OCV_BEND_SD_V) + 1e-6 * np.eye(size)


def _random_walk(step_sd: FloatArray) -> FloatArray:
    """Return the covariance of a walk from the last knot (full) downwards, each step with its own deviation."""
    size = len(step_sd) + 1
    variance = np.concatenate([np.cumsum(step_sd[::-1] ** 2)[::-1], [0.0]])
    index = np.arange(size)
    return np.asarray(variance[np.maximum.outer(index, index)])
