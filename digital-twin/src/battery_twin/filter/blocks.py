"""State of many blocks as arrays: how it begins, and what is said of it."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from battery_twin.filter import kernel
from battery_twin.filter.circuits import Circuits
from battery_twin.filter.kernel import FloatArray

INITIAL_V1_SD_V, INITIAL_V2_SD_V = 0.02, 0.05
NO_DISCHARGE_SEEN_S = 1e9

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class CapacityPrior:
    """Belief in the capacity of blocks (n,) before any discharge: logarithm over the set's, and its deviation."""

    log_q: FloatArray
    sd: FloatArray


@dataclass(frozen=True, slots=True)
class Blocks:
    """Filter states of n blocks: mean (n, 7), covariance (n, 7, 7) and memory (n, 16), in the kernel's order."""

    mean: FloatArray
    covariance: FloatArray
    memory: FloatArray

    @classmethod
    def empty(cls, count: int) -> Self:
        """Return room for ``count`` blocks."""
        return cls(
            np.zeros((count, kernel.SIZE)),
            np.zeros((count, kernel.SIZE, kernel.SIZE)),
            np.zeros((count, kernel.MEMORY_SIZE)),
        )

    def begin(
        self,
        at: NDArray[np.bool_],
        circuits: Circuits,
        which: IntArray,
        prior: CapacityPrior,
        *,
        soc: float,
        soc_sd: float,
        floats: NDArray[np.bool_],
        voltage_v: FloatArray,
        current_a: FloatArray,
        temperature_c: FloatArray,
    ) -> None:
        """Start the blocks at ``at`` (n,) from a first reading that tells rest from float; arrays are (n,)."""
        known = circuits.rows[which]
        capacity_var = (prior.sd**2 + circuits.capacity_bias_sd[which] ** 2)[at]
        self.mean[at] = 0.0
        self.mean[at, kernel.SOC] = soc
        self.mean[at, kernel.LOG_Q] = prior.log_q[at]
        self.covariance[at] = 0.0
        variances = {
            kernel.SOC: soc_sd**2,
            kernel.V1: INITIAL_V1_SD_V**2,
            kernel.V2: INITIAL_V2_SD_V**2,
            kernel.ERROR: np.where(floats, kernel.CHARGE_ERROR_SD_V, known[:, kernel.ERROR_SD_V])[at] ** 2,
            kernel.BIAS: kernel.BIAS_SD_A**2,
            kernel.LOG_Q: capacity_var,
            kernel.LOG_R: known[at, kernel.RESISTANCE_PRIOR_VAR],
        }
        for state, variance in variances.items():
            self.covariance[at, state, state] = variance
        remembered: dict[int, float | FloatArray | NDArray[np.bool_]] = {
            kernel.PREVIOUS_V: voltage_v[at],
            kernel.PREVIOUS_A: current_a[at],
            kernel.PREVIOUS_C: temperature_c[at],
            # A block that does not float has no overvoltage to lose.
            kernel.DRAWN_AH: np.where(floats, 0.0, kernel.SURFACE_SHARE * known[:, kernel.RATED_AH])[at],
            kernel.WAS_OPEN: floats[at],
            kernel.SETTLED_LOG_Q: prior.log_q[at],
            kernel.SETTLED_VAR: capacity_var,
            kernel.SINCE_DISCHARGE_S: NO_DISCHARGE_SEEN_S,
            kernel.PRIOR_LOG_Q: prior.log_q[at],
        }
        self.memory[at] = 0.0
        for field, value in remembered.items():
            self.memory[at, field] = value


@dataclass(frozen=True, slots=True)
class Said:
    """What a step says of blocks (n,); fractions. ``discharged`` tells whether a discharge speaks for the capacity."""

    soc: FloatArray
    soc_sd: FloatArray
    soh: FloatArray
    soh_sd: FloatArray
    discharged: NDArray[np.bool_]


def say(out: FloatArray, circuits: Circuits, which: IntArray, prior: CapacityPrior) -> Said:
    """Turn the kernel's results (n, 10) into fractions with deviations that no number of rows can talk away.

    A discharge shows capacity through the circuit, and an error of the circuit is the same in every row and discharge:
    the filter follows capacity times that error, and what it found is shared between the two by their priors.
    """
    bias_var, prior_var = circuits.capacity_bias_sd[which] ** 2, prior.sd**2
    share = prior_var / (prior_var + bias_var)
    log_q = prior.log_q + share * (out[:, kernel.OUT_LOG_Q] - prior.log_q)
    variance = share * bias_var + share**2 * out[:, kernel.OUT_LOG_Q_VAR]
    soh = circuits.capacity_share[which] * np.exp(log_q)
    wrong_v = np.hypot(
        circuits.ocv_shift_sd_v[which], circuits.rows[which, kernel.SHARE_WRONG] * out[:, kernel.OUT_SLOW_V]
    )
    curve_sd = np.minimum(0.8 * wrong_v / circuits.ocv_span_v[which], 0.2)
    return Said(
        soc=out[:, kernel.OUT_SOC].copy(),
        soc_sd=np.sqrt(out[:, kernel.OUT_SOC_VAR] + curve_sd**2),
        soh=soh,
        soh_sd=soh * np.sqrt(variance),
        discharged=out[:, kernel.OUT_DISCHARGED] != 0.0,
    )
