"""When the voltage says something of the state, when a block is full, and the physical range of a state."""

import math

from battery_twin.arrays import FloatArray
from battery_twin.compilation import compiled
from battery_twin.kernel.algebra import (
    constrain,
    decouple,
)
from battery_twin.kernel.constants import (
    CHARGE_C_RATE,
    CHARGE_ERROR_SD_V,
    CLOSING_ERROR_SD_V,
    EVIDENCE_SHARE,
    FLOAT_BIAS_MARGIN_A,
    FLOAT_C_RATE,
    FLOAT_HELD_S,
    FULL_SOC,
    FULL_SOC_SD,
    FULL_TAU_S,
    LEAST_FULL_SOC_SD,
    MAX_FLOAT_STEP_S,
    MAX_SOH,
    MIN_SOC,
    MIN_SOH,
    NEARLY_FULL_SD,
    NEARLY_FULL_SOC,
    REST_S,
    RESTED_V,
    SLOW_CUT_OFF,
    SURFACE_SHARE,
    TAPER_H,
    UNWATCHED_S,
    UNWATCHED_SHARE,
)
from battery_twin.kernel.evidence import (
    is_misfit,
    settle_capacity,
)
from battery_twin.kernel.layout import (
    AT_CUT_OFF,
    BEGAN_FULL,
    CAPACITY_AH,
    DRAWN_AH,
    ERROR,
    FLOATED_S,
    LOG_Q,
    PREVIOUS_V,
    RATED_AH,
    SETTLED_LOG_Q,
    SETTLED_VAR,
    SINCE_DISCHARGE_S,
    SOC,
    UNINFORMATIVE,
)


@compiled
def constrain_to_physics(params: FloatArray, mean: FloatArray, covariance: FloatArray) -> None:
    """Project charge onto empty to full and capacity onto what lead-acid blocks can be."""
    constrain(mean, covariance, SOC, MIN_SOC, 1.0)
    share = params[RATED_AH] / params[CAPACITY_AH]
    constrain(mean, covariance, LOG_Q, math.log(MIN_SOH * share), math.log(MAX_SOH * share))


@compiled
def _close_discharge(params: FloatArray, mean: FloatArray, covariance: FloatArray, memory: FloatArray) -> None:
    """Keep the capacity estimate of a discharge that is over if it was deep enough; discard it otherwise."""
    is_deep = memory[DRAWN_AH] >= EVIDENCE_SHARE * params[RATED_AH]
    if is_deep and memory[AT_CUT_OFF] != SLOW_CUT_OFF and not is_misfit(params, mean, memory):
        settle_capacity(params, mean, covariance, memory)
    mean[LOG_Q] = memory[SETTLED_LOG_Q]
    decouple(covariance, LOG_Q, memory[SETTLED_VAR])


@compiled
def track_surface_charge(memory: FloatArray, rated_ah: float, true_a: float, dt_s: float, mode_is_float: bool) -> bool:
    """Count the time on float and the charge drawn after it; return whether the voltage is uninformative.

    The voltage is the previous reading's, so that a row's own voltage does not decide how it is used.
    """
    voltage_v = memory[PREVIOUS_V]
    floats = voltage_v > RESTED_V and (mode_is_float or abs(true_a) < FLOAT_C_RATE * rated_ah + FLOAT_BIAS_MARGIN_A)
    memory[FLOATED_S] = memory[FLOATED_S] + min(dt_s, MAX_FLOAT_STEP_S) if floats else 0.0
    if true_a > CHARGE_C_RATE * rated_ah or voltage_v > RESTED_V:
        return True
    memory[DRAWN_AH] += max(-true_a, 0.0) * dt_s / 3600.0
    # A block at rest loses its overvoltage too, within hours.
    if memory[UNINFORMATIVE] != 0.0 and true_a > -CHARGE_C_RATE * rated_ah:
        memory[DRAWN_AH] += SURFACE_SHARE * rated_ah * dt_s / REST_S
    return bool(memory[DRAWN_AH] < SURFACE_SHARE * rated_ah)


@compiled
def update_observability(
    params: FloatArray,
    mean: FloatArray,
    covariance: FloatArray,
    memory: FloatArray,
    true_a: float,
    uninformative: bool,
    charges: bool,
) -> None:
    """Apply a change of observability: close a discharge, reset the voltage error, assume full charge after float."""
    if charges:
        if memory[DRAWN_AH] > 0.0 and memory[UNINFORMATIVE] == 0.0:
            _close_discharge(params, mean, covariance, memory)
        memory[DRAWN_AH] = memory[AT_CUT_OFF] = 0.0
    if uninformative:
        decouple(covariance, ERROR, CHARGE_ERROR_SD_V**2)
    elif memory[UNINFORMATIVE] != 0.0:
        # The error on charge has no bearing on the error in a discharge.
        mean[ERROR] = 0.0
        decouple(covariance, ERROR, CLOSING_ERROR_SD_V**2)
        memory[BEGAN_FULL] = 1.0 if mean[SOC] > NEARLY_FULL_SOC and covariance[SOC, SOC] < NEARLY_FULL_SD**2 else 0.0
    memory[UNINFORMATIVE] = 1.0 if uninformative else 0.0
    if memory[FLOATED_S] < FLOAT_HELD_S:
        return
    # An assumption is not averaged over rows and never more certain than its own deviation.
    open_share = math.exp(-(memory[FLOATED_S] - FLOAT_HELD_S) / FULL_TAU_S)
    taper_a = max(true_a - FLOAT_BIAS_MARGIN_A, 0.0)
    # A block first seen on float has most likely floated for long; that makes the assumption no more certain.
    missing = (1.0 - FULL_SOC) * (UNWATCHED_SHARE if memory[SINCE_DISCHARGE_S] > UNWATCHED_S else 1.0)
    full_soc = 1.0 - missing * open_share - TAPER_H * taper_a / params[RATED_AH]
    full_soc_sd = LEAST_FULL_SOC_SD + (FULL_SOC_SD - LEAST_FULL_SOC_SD) * open_share
    if covariance[SOC, SOC] > full_soc_sd**2 or mean[SOC] < full_soc - full_soc_sd:
        mean[SOC] = max(mean[SOC], full_soc)
        decouple(covariance, SOC, full_soc_sd**2)
