"""What is believed of a block before its runs are looked at: a 120 Ah block's data sheet, scaled by rated capacity."""

from dataclasses import dataclass

import numpy as np

from battery_twin.filter.kernel import OCV_KNOTS, RESISTANCE_KNOTS
from battery_twin.runs import FloatArray

REFERENCE_AH = 120.0
# Rested open-circuit voltage of a 12 V block by the acid-concentration law (Bode), molality 5.3 full to 1.3 empty.
OCV_V = 6.0 * np.array([1.942, 1.9535, 1.965, 1.986, 2.006, 2.026, 2.046, 2.066, 2.086, 2.106, 2.126, 2.1365, 2.147])
# Ohm of a 120 Ah block when full; R0 rises by 40 % towards empty, the polarisation branches about double by half.
R0_FULL_OHM, R1_FULL_OHM, R2_FULL_OHM = 0.0035, 0.0015, 0.0008
TAU1_S, TAU2_S = 1.5, 300.0
# The slow branch saturates (Butler-Volmer): its resistance is told at a tenth of the capacity per hour, and above a
# knee its voltage grows with the logarithm of the current only.
REFERENCE_C_RATE, KNEE_C_RATE = 0.1, 0.02

# Standard deviations of the beliefs. The law of the acid holds within some 30 mV: a loose
# belief lets a run at one current trade the curve for resistance. Towards empty the voltage falls far below the law.
OCV_SHIFT_SD_V = 0.03
OCV_BEND_SD_V = np.array([0.35, 0.10, 0.04, 0.015, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.02])
RESISTANCE_SCALE_SD = (0.8, 1.0, 2.0)
RESISTANCE_BEND_SD = (0.15, 0.3, 0.5)
LOG_TAU_SD = (0.7, 0.9)
LOG_KNEE_SD = 0.35
INITIAL_SOC_SD = 0.03


def slow_drive_a(current_a: FloatArray, rated_ah: float, knee_a: float) -> FloatArray:
    """Return the current as the slow branch feels it: itself at a tenth of capacity per hour, less above."""
    reference_a = REFERENCE_C_RATE * rated_ah
    return np.asarray(np.arcsinh(current_a / knee_a) * (reference_a / np.arcsinh(reference_a / knee_a)))


@dataclass(frozen=True, slots=True)
class Prior:
    """Mean and covariance of the linear unknowns: open-circuit voltage, then R0, R1, R2, each at its knots."""

    mean: FloatArray
    covariance: FloatArray

    @property
    def whitener(self) -> FloatArray:
        """Return W with W'W the inverse covariance."""
        return np.asarray(np.linalg.inv(np.linalg.cholesky(self.covariance)))


def prior_for(rated_ah: float) -> Prior:
    """Scale the data-sheet beliefs to a block of ``rated_ah``; resistance goes with one over capacity."""
    scale = REFERENCE_AH / rated_ah
    empty = 1.0 - RESISTANCE_KNOTS
    shapes = (R0_FULL_OHM * (1 + 0.4 * empty), R1_FULL_OHM * (1 + 2 * empty), R2_FULL_OHM * (1 + 2 * empty))
    means = [OCV_V, *(scale * shape for shape in shapes)]
    blocks = [_ocv_covariance()]
    for shape, scale_sd, bend_sd in zip(shapes, RESISTANCE_SCALE_SD, RESISTANCE_BEND_SD, strict=True):
        relative = scale_sd**2 * np.ones((len(shape), len(shape))) + _random_walk(np.full(len(shape) - 1, bend_sd))
        blocks.append(scale**2 * np.outer(shape, shape) * (relative + 1e-4 * np.eye(len(shape))))
    size = sum(len(block) for block in blocks)
    covariance = np.zeros((size, size))
    start = 0
    for block in blocks:
        stop = start + len(block)
        covariance[start:stop, start:stop] = block
        start = stop
    return Prior(np.concatenate(means), covariance)


def _ocv_covariance() -> FloatArray:
    size = len(OCV_KNOTS)
    return OCV_SHIFT_SD_V**2 * np.ones((size, size)) + _random_walk(OCV_BEND_SD_V) + 1e-6 * np.eye(size)


def _random_walk(step_sd: FloatArray) -> FloatArray:
    """Return the covariance of a walk from the last knot (full) down, each step with its own deviation."""
    size = len(step_sd) + 1
    variance = np.concatenate([np.cumsum(step_sd[::-1] ** 2)[::-1], [0.0]])
    index = np.arange(size)
    return np.asarray(variance[np.maximum.outer(index, index)])
