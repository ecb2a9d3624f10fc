"""Parameter sets as arrays, as the kernel and the interpretation of its output need them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from battery_twin.arrays import FloatArray
from battery_twin.circuit.parameter_set import ParameterSet
from battery_twin.circuit.slow_branch import REFERENCE_C_RATE
from battery_twin.kernel import evidence, layout

# Share of the slow polarisation that would differ at another current or age.
POLARISATION_ERROR, UNCALIBRATED_POLARISATION_ERROR = 0.3, 0.8
SENSOR_SD_V = 0.008
# What a wrong curve or resistance does to capacity, however many rows and discharges there are.
CAPACITY_BIAS_SD, UNCALIBRATED_CAPACITY_BIAS_SD = 0.03, 0.12
# State of charge below which the open-circuit curve is not relied on.
EMPTY_SOC, UNCALIBRATED_EMPTY_SOC = 0.1, 0.2
# Strength of the acid of a full block: sulfation weakens it, drying out strengthens it.
ACID_SD = 0.09
# Knot of the open-circuit curve at a fifth of the charge.
FIFTH_KNOT = 3


@dataclass(frozen=True, slots=True)
class CircuitTable:
    """Parameter sets (s,) as arrays.

    Parameters
    ----------
    rows
        Parameters (s, 51) in the kernel's order.
    capacity_share
        Capacity over rated capacity (s,).
    capacity_sd
        Relative standard deviation of the set's own capacity (s,).
    capacity_bias_sd
        Relative error of capacity that no discharge can remove (s,).
    ocv_shift_sd_v
        Standard deviation of an error that shifts the open-circuit curve (s,).
    ocv_span_v
        Rise of the open-circuit voltage from a fifth of the charge to full (s,).
    """

    rows: FloatArray
    capacity_share: FloatArray
    capacity_sd: FloatArray
    capacity_bias_sd: FloatArray
    ocv_shift_sd_v: FloatArray
    ocv_span_v: FloatArray

    @classmethod
    def of(cls, sets: Sequence[ParameterSet]) -> Self:
        """Build the table of some parameter sets."""
        return cls(
            rows=np.array([_row(params) for params in sets]),
            capacity_share=np.array([params.capacity_ah / params.rated_ah for params in sets]),
            capacity_sd=np.array([params.capacity_sd_ah / params.capacity_ah for params in sets]),
            capacity_bias_sd=np.array([_capacity_bias_sd(params) for params in sets]),
            ocv_shift_sd_v=np.array([params.ocv_shift_sd_v for params in sets]),
            ocv_span_v=np.array([params.ocv_v[-1] - params.ocv_v[FIFTH_KNOT] for params in sets]),
        )


def _capacity_bias_sd(params: ParameterSet) -> float:
    """Return the error that no discharge can remove: a curve fitted to a wrong capacity biases every block equally."""
    if not params.calibrated:
        return UNCALIBRATED_CAPACITY_BIAS_SD
    return float(np.hypot(CAPACITY_BIAS_SD, params.capacity_sd_ah / params.capacity_ah))


def _row(params: ParameterSet) -> FloatArray:
    calibrated = params.calibrated
    row = np.empty(layout.PARAMETER_SIZE)
    row[: layout.CAPACITY_AH] = np.concatenate([params.ocv_v, params.r0_ohm, params.r1_ohm, params.r2_ohm])
    reference_a = REFERENCE_C_RATE * params.rated_ah
    row[layout.CAPACITY_AH], row[layout.RATED_AH] = params.capacity_ah, params.rated_ah
    row[layout.TAU1_S], row[layout.TAU2_S], row[layout.KNEE_A] = params.tau1_s, params.tau2_s, params.knee_a
    row[layout.SLOW_SCALE_A] = reference_a / np.arcsinh(reference_a / params.knee_a)
    row[layout.ERROR_SD_V] = np.hypot(params.voltage_error_sd_v, params.ocv_shift_sd_v)
    row[layout.POLARISATION_SHARE] = POLARISATION_ERROR if calibrated else UNCALIBRATED_POLARISATION_ERROR
    row[layout.EMPTY_SOC] = EMPTY_SOC if calibrated else UNCALIBRATED_EMPTY_SOC
    row[layout.NOISE_V2] = SENSOR_SD_V**2 + params.voltage_rmse_v**2
    row[layout.RESISTANCE_PRIOR_VAR] = params.resistance_relative_sd**2
    row[layout.POLARISATION_PRIOR_VAR] = params.polarisation_relative_sd**2
    row[layout.TAU_D_S], row[layout.DEPLETION_H] = params.tau_d_s, params.depletion_h
    row[layout.DEPLETION_PRIOR_VAR], row[layout.ACID_PRIOR_VAR] = params.depletion_relative_sd**2, ACID_SD**2
    row[layout.SET_UNUSABLE_SOC] = evidence.unusable_soc(row, 0.0, 0.0, 0.0, 0.0, 0.0)[0]
    return row
