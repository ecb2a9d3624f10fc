"""Filter states of many blocks as arrays: how they start, and how the kernel's output is interpreted."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from battery_twin.arrays import BoolArray, FloatArray, IntArray
from battery_twin.filter.circuit_table import CircuitTable
from battery_twin.kernel import constants, layout

# Float current where there is no probe: 0.3 mA per Ah.
FLOAT_A_PER_AH = 0.0003
INITIAL_V1_SD_V, INITIAL_V2_SD_V = 0.02, 0.05
# Depletion of a block whose recent current is not known.
INITIAL_DEPLETION_SD = 0.02
NO_DISCHARGE_SEEN_S = 1e9
# Sulfation takes capacity and acid together; drying out concentrates the acid, but is rarer.
CAPACITY_ACID_CORRELATION = 0.4
# Charge between the ends of `CircuitTable.ocv_span_v`.
OCV_SPAN_SOC = 0.8
MAX_CURVE_SOC_SD = 0.2
MEASURED_CAPACITY_SD, PART_CAPACITY_SD = 0.02, 0.2


@dataclass(frozen=True, slots=True)
class CapacityPrior:
    """Prior of the capacity of blocks (n,).

    Parameters
    ----------
    log_q
        Logarithm of capacity over the capacity of the parameter set (n,).
    sd
        Its standard deviation (n,).
    """

    log_q: FloatArray
    sd: FloatArray


@dataclass(frozen=True, slots=True)
class FilterStates:
    """Filter states of n blocks: mean (n, 11), covariance (n, 11, 11) and memory (n, 24), in the kernel's order."""

    mean: FloatArray
    covariance: FloatArray
    memory: FloatArray

    @classmethod
    def empty(cls, count: int) -> Self:
        """Return zeroed states of ``count`` blocks."""
        return cls(
            np.zeros((count, layout.STATE_SIZE)),
            np.zeros((count, layout.STATE_SIZE, layout.STATE_SIZE)),
            np.zeros((count, layout.MEMORY_SIZE)),
        )

    def start(
        self,
        mask: BoolArray,
        circuits: CircuitTable,
        which: IntArray,
        prior: CapacityPrior,
        *,
        soc: float,
        soc_sd: float,
        floats: BoolArray,
        voltage_v: FloatArray,
        current_a: FloatArray,
        temperature_c: FloatArray,
    ) -> None:
        """Set the states of the blocks where ``mask`` is true from their first readings, in place.

        Parameters
        ----------
        which
            Index of each block's parameter set (n,).
        soc, soc_sd
            Initial state of charge and its standard deviation, as fractions.
        floats
            Whether a block is on float or charging at its first reading (n,).
        voltage_v, current_a, temperature_c
            First readings (n,).
        """
        params = circuits.rows[which]
        capacity_var = (prior.sd**2 + circuits.capacity_bias_sd[which] ** 2)[mask]
        self.mean[mask] = 0.0
        self.mean[mask, layout.SOC] = soc
        self.mean[mask, layout.LOG_Q] = prior.log_q[mask]
        self.covariance[mask] = 0.0
        variances = {
            layout.SOC: soc_sd**2,
            layout.V1: INITIAL_V1_SD_V**2,
            layout.V2: INITIAL_V2_SD_V**2,
            layout.ERROR: np.where(floats, constants.CHARGE_ERROR_SD_V, params[:, layout.ERROR_SD_V])[mask] ** 2,
            layout.BIAS: constants.BIAS_SD_A**2,
            layout.LOG_Q: capacity_var,
            layout.LOG_R: params[mask, layout.RESISTANCE_PRIOR_VAR],
            layout.LOG_P: params[mask, layout.POLARISATION_PRIOR_VAR],
            layout.DEPLETION: INITIAL_DEPLETION_SD**2,
            layout.LOG_K: params[mask, layout.DEPLETION_PRIOR_VAR],
            layout.ACID: params[mask, layout.ACID_PRIOR_VAR],
        }
        for state, variance in variances.items():
            self.covariance[mask, state, state] = variance
        shared = CAPACITY_ACID_CORRELATION * np.sqrt(capacity_var * params[mask, layout.ACID_PRIOR_VAR])
        self.covariance[mask, layout.LOG_Q, layout.ACID] = self.covariance[mask, layout.ACID, layout.LOG_Q] = shared
        memory: dict[int, float | FloatArray | BoolArray] = {
            layout.PREVIOUS_V: voltage_v[mask],
            layout.PREVIOUS_A: current_a[mask],
            layout.PREVIOUS_C: temperature_c[mask],
            # A block that does not float has no overvoltage to lose.
            layout.DRAWN_AH: np.where(floats, 0.0, constants.SURFACE_SHARE * params[:, layout.RATED_AH])[mask],
            layout.UNINFORMATIVE: floats[mask],
            layout.SETTLED_LOG_Q: prior.log_q[mask],
            layout.SETTLED_VAR: capacity_var,
            layout.SINCE_DISCHARGE_S: NO_DISCHARGE_SEEN_S,
            layout.PRIOR_LOG_Q: prior.log_q[mask],
            layout.NIS_MEAN: 1.0,
        }
        self.memory[mask] = 0.0
        for field, value in memory.items():
            self.memory[mask, field] = value


@dataclass(frozen=True, slots=True)
class FilterOutput:
    """Estimates of blocks (n,) as fractions; ``discharged`` marks capacities that a discharge contributed to."""

    soc: FloatArray
    soc_sd: FloatArray
    soh: FloatArray
    soh_sd: FloatArray
    discharged: BoolArray


def summarise(out: FloatArray, circuits: CircuitTable, which: IntArray, prior: CapacityPrior) -> FilterOutput:
    """Convert the kernel's output (n, 14) to estimates whose deviations include the error of the circuit itself.

    A discharge shows capacity through the circuit, and an error of the circuit is the same in every row and discharge,
    so no number of rows averages it out. The filter estimates the product of capacity and that error; the deviation of
    the product from its prior is divided between the two in proportion to their prior variances.
    """
    grade, circuit_sd = out[:, layout.OUT_GRADE], circuits.capacity_bias_sd[which]
    # A discharge to its cut-off measures capacity, whatever the circuit; one from an unknown charge is ambiguous.
    bias_sd = np.where(grade == constants.MEASURED, np.minimum(MEASURED_CAPACITY_SD, circuit_sd), circuit_sd)
    bias_var = np.where(grade == constants.FROM_PART, np.hypot(PART_CAPACITY_SD, circuit_sd), bias_sd) ** 2
    # What a block cannot deliver at the 10 h rate is neither charge nor capacity.
    unusable = out[:, layout.OUT_UNUSABLE]
    usable = 1.0 - unusable
    unusable_var = np.where(grade == constants.MEASURED, 0.0, out[:, layout.OUT_UNUSABLE_VAR])
    bias_var = bias_var + unusable_var
    prior_var = prior.sd**2
    share = prior_var / (prior_var + bias_var)
    log_q = prior.log_q + share * (out[:, layout.OUT_LOG_Q] + np.log(usable) - prior.log_q)
    variance = share * bias_var + share**2 * out[:, layout.OUT_LOG_Q_VAR]
    soh = circuits.capacity_share[which] * np.exp(log_q)
    curve_error_v = np.hypot(
        circuits.ocv_shift_sd_v[which], circuits.rows[which, layout.POLARISATION_SHARE] * out[:, layout.OUT_SLOW_V]
    )
    curve_sd = np.minimum(OCV_SPAN_SOC * curve_error_v / circuits.ocv_span_v[which], MAX_CURVE_SOC_SD)
    soc_var = out[:, layout.OUT_SOC_VAR] + curve_sd**2 + (1.0 - out[:, layout.OUT_SOC]) ** 2 * unusable_var
    return FilterOutput(
        soc=np.clip((out[:, layout.OUT_SOC] - unusable) / usable, 0.0, 1.0),
        soc_sd=np.sqrt(soc_var),
        soh=soh,
        soh_sd=soh * np.sqrt(variance),
        discharged=out[:, layout.OUT_DISCHARGED] != 0.0,
    )
