"""The parameter set of a fit."""

from dataclasses import asdict

import numpy as np

from battery_twin.arrays import FloatArray
from battery_twin.circuit.parameter_set import ParameterSet
from battery_twin.identification.findings import separates_resistance
from battery_twin.identification.fit import Fit
from battery_twin.identification.plausibility import check_fit
from battery_twin.kernel.layout import OCV_KNOTS, RESISTANCE_KNOTS

# Open-circuit voltage rises by 1.2 V from empty to full; a tenth of that slope is the least accepted anywhere.
MIN_OCV_SLOPE_V = 0.12
# Bounds of the stated relative deviation of resistance.
RESISTANCE_SD_LIMITS = (0.05, 0.6)
# Slow voltage errors of other blocks, where steps of the current told resistance from rest voltage and where none did.
VOLTAGE_ERROR_SD_V, AMBIGUOUS_VOLTAGE_ERROR_SD_V = 0.03, 0.08
# A set describes one block; others of its model age, corrode and dry out.
OTHER_BLOCKS_RESISTANCE_SD, OTHER_BLOCKS_POLARISATION_SD, OTHER_BLOCKS_DEPLETION_SD = 0.6, 0.5, 0.4


def fitted_parameters(fit: Fit, rated_ah: float) -> ParameterSet:
    """Return the parameter set that a fit identified; raises `FitImplausible` when it is outside physics."""
    check_fit(fit)
    middle_ocv_sd = float(np.median(fit.table("ocv")[1]))
    total = sum(fit.table(name)[0] for name in ("r0", "r1", "r2"))
    # Only the sum of the resistances is well determined when fast and slow polarisation cannot be separated.
    resistances = slice(len(OCV_KNOTS), None)
    summation = np.tile(np.eye(len(RESISTANCE_KNOTS)), 3)
    sum_sd = np.sqrt(np.diag(summation @ fit.covariance[resistances, resistances] @ summation.T))
    own_sd = np.clip(np.median(sum_sd / total), *RESISTANCE_SD_LIMITS)
    residual = np.concatenate(fit.residual_v)
    return ParameterSet(
        rated_ah=rated_ah,
        capacity_ah=fit.capacity_ah,
        capacity_sd_ah=fit.capacity_sd_ah,
        ocv_v=_rising(fit.table("ocv")[0]),
        ocv_shift_sd_v=middle_ocv_sd,
        r0_ohm=_tuple(fit.table("r0")[0]),
        r1_ohm=_tuple(fit.table("r1")[0]),
        r2_ohm=_tuple(fit.table("r2")[0]),
        resistance_relative_sd=float(np.hypot(own_sd, OTHER_BLOCKS_RESISTANCE_SD)),
        polarisation_relative_sd=float(np.hypot(own_sd, OTHER_BLOCKS_POLARISATION_SD)),
        **asdict(fit.dynamics),
        depletion_relative_sd=float(np.hypot(fit.log_dynamics_sd[-1], OTHER_BLOCKS_DEPLETION_SD)),
        voltage_error_sd_v=VOLTAGE_ERROR_SD_V if separates_resistance(fit) else AMBIGUOUS_VOLTAGE_ERROR_SD_V,
        voltage_rmse_v=float(np.sqrt(np.mean(residual**2))),
        calibrated=True,
    )


def _rising(ocv_v: FloatArray) -> tuple[float, ...]:
    """Make a curve rise everywhere, working down from full: the filter needs a slope to infer charge from voltage."""
    steps = MIN_OCV_SLOPE_V * np.diff(OCV_KNOTS, append=1.0)
    lifted = ocv_v + np.cumsum(steps[::-1])[::-1]
    return _tuple(np.minimum.accumulate(lifted[::-1])[::-1] - np.cumsum(steps[::-1])[::-1])


def _tuple(values: FloatArray) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
