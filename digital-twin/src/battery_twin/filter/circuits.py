"""Parameter sets side by side, as the kernel and the reading of its results need them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from battery_twin.filter import kernel
from battery_twin.filter.kernel import FloatArray
from battery_twin.identification.parameter_set import ParameterSet
from battery_twin.identification.prior import REFERENCE_C_RATE

# Part of the slow polarisation that another current or age would show differently.
POLARISATION_ERROR, UNCALIBRATED_POLARISATION_ERROR = 0.3, 0.8
# Size of the voltage error of hours where the circuit holds.
ERROR_SD_V, UNCALIBRATED_ERROR_SD_V = 0.03, 0.12
SENSOR_SD_V = 0.008
# What a wrong curve or resistance makes of capacity, however many rows and discharges there are.
CAPACITY_BIAS_SD, UNCALIBRATED_CAPACITY_BIAS_SD = 0.03, 0.12


@dataclass(frozen=True, slots=True)
class Circuits:
    """Parameter sets (s,): the kernel's rows and what makes its results honest."""

    rows: FloatArray
    """(s, 45)"""
    capacity_share: FloatArray
    """Capacity over rated capacity."""
    capacity_sd: FloatArray
    """How well the set's own capacity is known, relative."""
    capacity_bias_sd: FloatArray
    ocv_shift_sd_v: FloatArray
    ocv_span_v: FloatArray
    """From a fifth of the charge to full."""

    @classmethod
    def of(cls, sets: Sequence[ParameterSet]) -> Self:
        """Lay parameter sets side by side."""
        return cls(
            rows=np.array([_row(known) for known in sets]),
            capacity_share=np.array([known.capacity_ah / known.rated_ah for known in sets]),
            capacity_sd=np.array([known.capacity_sd_ah / known.capacity_ah for known in sets]),
            capacity_bias_sd=np.array([_capacity_bias_sd(known) for known in sets]),
            ocv_shift_sd_v=np.array([known.ocv_shift_sd_v for known in sets]),
            ocv_span_v=np.array([known.ocv_v[-1] - known.ocv_v[3] for known in sets]),
        )


def _capacity_bias_sd(known: ParameterSet) -> float:
    """Return what no discharge can remove: a curve laid over a wrong capacity shows every block wrong by as much."""
    if not known.calibrated:
        return UNCALIBRATED_CAPACITY_BIAS_SD
    return float(np.hypot(CAPACITY_BIAS_SD, known.capacity_sd_ah / known.capacity_ah))


def _row(known: ParameterSet) -> FloatArray:
    row = np.empty(kernel.PARAMETER_SIZE)
    row[: kernel.CAPACITY_AH] = np.concatenate([known.ocv_v, known.r0_ohm, known.r1_ohm, known.r2_ohm])
    reference_a = REFERENCE_C_RATE * known.rated_ah
    row[kernel.CAPACITY_AH], row[kernel.RATED_AH] = known.capacity_ah, known.rated_ah
    row[kernel.TAU1_S], row[kernel.TAU2_S], row[kernel.KNEE_A] = known.tau1_s, known.tau2_s, known.knee_a
    row[kernel.SLOW_SCALE_A] = reference_a / np.arcsinh(reference_a / known.knee_a)
    row[kernel.ERROR_SD_V] = np.hypot(ERROR_SD_V if known.calibrated else UNCALIBRATED_ERROR_SD_V, known.ocv_shift_sd_v)
    row[kernel.SHARE_WRONG] = POLARISATION_ERROR if known.calibrated else UNCALIBRATED_POLARISATION_ERROR
    row[kernel.EMPTY_SOC] = 0.1 if known.calibrated else 0.2
    row[kernel.NOISE_V2] = SENSOR_SD_V**2 + known.voltage_rmse_v**2
    row[kernel.RESISTANCE_PRIOR_VAR] = known.resistance_relative_sd**2
    return row
