"""What capacity rests on: the end of a discharge, its grade, ohmic readings, and readings of another block."""

import math

from battery_twin.arrays import FloatArray
from battery_twin.compilation import compiled
from battery_twin.kernel.algebra import (
    decouple,
    interpolate,
    joseph_update,
)
from battery_twin.kernel.constants import (
    BISECTIONS,
    CUT_OFF_SLACK_V,
    DISCHARGE_C_RATE,
    EMPTY_SOC_SD,
    FAST_CUT_OFF_V,
    FAST_H,
    FROM_FULL,
    FROM_PART,
    LEAST_END_SLOPE_V,
    MAX_PAST_CUT_OFF_SOC,
    MAX_SOH,
    MAX_UNUSABLE_SOC,
    MEASURED,
    MEDIUM_CUT_OFF_V,
    MEDIUM_H,
    MIN_SOH,
    MISFIT_NIS,
    OHMIC_REPEAT,
    OHMIC_WAIT_S,
    OHMIC_WALK_VAR_PER_S,
    REFERENCE_C_RATE,
    SLOW_CUT_OFF,
    SLOW_CUT_OFF_V,
)
from battery_twin.kernel.layout import (
    ACID,
    AT_CUT_OFF,
    BEGAN_FULL,
    CAPACITY_AH,
    DEPLETION_H,
    DRAWN_AH,
    EVIDENCE_AGE_S,
    EVIDENCE_DEPTH,
    HAS_EVIDENCE,
    LOG_K,
    LOG_P,
    LOG_Q,
    LOG_R,
    NIS_MEAN,
    OCV,
    OCV_KNOTS,
    PRIOR_LOG_Q,
    R0,
    R0_PER_C,
    R1,
    R2,
    RATED_AH,
    REFERENCE_C,
    RESISTANCE_AGE_S,
    RESISTANCE_KNOTS,
    RESISTANCE_MOHM,
    RESISTANCE_VAR,
    SET_UNUSABLE_SOC,
    SETTLED_GRADE,
    SETTLED_LOG_Q,
    SETTLED_UNUSABLE,
    SETTLED_UNUSABLE_VAR,
    SETTLED_VAR,
    SINCE_DISCHARGE_S,
    SOC,
    STATE_SIZE,
    UNINFORMATIVE,
    UNUSABLE_SOC,
    UNUSABLE_VAR,
)


@compiled
def is_misfit(params: FloatArray, mean: FloatArray, memory: FloatArray) -> bool:
    """Return whether the readings, or a capacity at its bound, are not those of the block of the circuit."""
    share = params[RATED_AH] / params[CAPACITY_AH]
    is_at_bound = mean[LOG_Q] < math.log(MIN_SOH * share) + 1e-6 or mean[LOG_Q] > math.log(MAX_SOH * share) - 1e-6
    return bool(is_at_bound or memory[NIS_MEAN] >= MISFIT_NIS)


@compiled
def grade_of(memory: FloatArray) -> float:
    """Return how much the running discharge says of capacity: one from full to its slow cut-off measures it."""
    if memory[BEGAN_FULL] == 0.0:
        return FROM_PART
    return MEASURED if memory[AT_CUT_OFF] == SLOW_CUT_OFF else FROM_FULL


@compiled
def follow_capacity_prior(
    mean: FloatArray, covariance: FloatArray, memory: FloatArray, log_q: float, variance: float
) -> None:
    """Let capacity fade as the ageing law expects while the voltage is uninformative; never reduce its variance."""
    if memory[UNINFORMATIVE] == 0.0:
        return
    drift = log_q - memory[PRIOR_LOG_Q]
    memory[PRIOR_LOG_Q] = log_q
    memory[SETTLED_LOG_Q] += drift
    mean[LOG_Q] += drift
    if memory[HAS_EVIDENCE] == 0.0 and memory[SETTLED_VAR] < variance:
        memory[SETTLED_VAR] = variance
        decouple(covariance, LOG_Q, variance)


@compiled
def unusable_soc(
    params: FloatArray, log_q: float, log_r: float, log_p: float, log_k: float, acid: float
) -> tuple[float, float]:
    """Return the charge left when a 10 h discharge ends at its cut-off voltage, and the slope of that voltage (V).

    Capacity is what a block delivers at that rate: what a higher resistance or a slower diffusion leaves in the plates
    does not belong to it.
    """
    current_a = REFERENCE_C_RATE * params[RATED_AH]
    low, high = -MAX_UNUSABLE_SOC, MAX_UNUSABLE_SOC
    ohmic, polarisation = math.exp(log_r), math.exp(log_p)
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        voltage_v = _slow_discharge_v(params, middle, current_a, ohmic, polarisation, acid)
        if voltage_v > SLOW_CUT_OFF_V:
            high = middle
        else:
            low = middle
    surface = 0.5 * (low + high)
    upper_v = _slow_discharge_v(params, surface + 0.02, current_a, ohmic, polarisation, acid)
    lower_v = _slow_discharge_v(params, surface - 0.02, current_a, ohmic, polarisation, acid)
    slope_v = max((upper_v - lower_v) / 0.04, LEAST_END_SLOPE_V)
    depletion = params[DEPLETION_H] * math.exp(log_k - log_q) * current_a / params[CAPACITY_AH]
    return surface + depletion, slope_v


@compiled
def _slow_discharge_v(
    params: FloatArray, surface_soc: float, current_a: float, ohmic: float, polarisation: float, acid: float
) -> float:
    ocv, _ = interpolate(OCV_KNOTS, params[OCV:R0], surface_soc * (1.0 + acid))
    r0, _ = interpolate(RESISTANCE_KNOTS, params[R0:R1], surface_soc)
    r1, _ = interpolate(RESISTANCE_KNOTS, params[R1:R2], surface_soc)
    r2, _ = interpolate(RESISTANCE_KNOTS, params[R2:CAPACITY_AH], surface_soc)
    return ocv - current_a * (ohmic * r0 + polarisation * (r1 + r2))


@compiled
def follow_unusable_soc(params: FloatArray, mean: FloatArray, covariance: FloatArray, memory: FloatArray) -> None:
    """Keep the charge that a block leaves unused, beyond that of its parameter set, with its variance."""
    left, slope_v = unusable_soc(params, mean[LOG_Q], mean[LOG_R], mean[LOG_P], mean[LOG_K], mean[ACID])
    memory[UNUSABLE_SOC] = min(max(left - params[SET_UNUSABLE_SOC], -MAX_UNUSABLE_SOC), MAX_UNUSABLE_SOC)
    current_a = REFERENCE_C_RATE * params[RATED_AH]
    ohmic = current_a * math.exp(mean[LOG_R]) * params[R0] / slope_v
    polarised = current_a * math.exp(mean[LOG_P]) * (params[R1] + params[R2]) / slope_v
    depletion = params[DEPLETION_H] * math.exp(mean[LOG_K] - mean[LOG_Q]) * current_a / params[CAPACITY_AH]
    memory[UNUSABLE_VAR] = (
        ohmic**2 * covariance[LOG_R, LOG_R]
        + polarised**2 * covariance[LOG_P, LOG_P]
        + depletion**2 * covariance[LOG_K, LOG_K]
    )


@compiled
def measure_empty(
    params: FloatArray,
    mean: FloatArray,
    covariance: FloatArray,
    memory: FloatArray,
    voltage_v: float,
    cross_covariance: FloatArray,
) -> None:
    """Update by a slow discharge that reaches its cut-off: by definition no usable charge is left.

    A reading shortly before or after it lies on the last slope of the voltage, and says how much charge that is.
    """
    _, slope_v = unusable_soc(params, mean[LOG_Q], mean[LOG_R], mean[LOG_P], mean[LOG_K], mean[ACID])
    left = memory[UNUSABLE_SOC] + max((voltage_v - SLOW_CUT_OFF_V) / slope_v, -MAX_PAST_CUT_OFF_SOC)
    for state in range(STATE_SIZE):
        cross_covariance[state] = covariance[state, SOC]
    variance = EMPTY_SOC_SD**2 + memory[UNUSABLE_VAR] + covariance[SOC, SOC]
    joseph_update(mean, covariance, cross_covariance, left - mean[SOC], variance)


@compiled
def settle_capacity(params: FloatArray, mean: FloatArray, covariance: FloatArray, memory: FloatArray) -> None:
    """Keep the present estimate of capacity as what the running discharge says of it."""
    memory[SETTLED_LOG_Q], memory[SETTLED_VAR] = mean[LOG_Q], covariance[LOG_Q, LOG_Q]
    memory[HAS_EVIDENCE], memory[EVIDENCE_AGE_S] = 1.0, 0.0
    memory[EVIDENCE_DEPTH] = memory[DRAWN_AH] / params[RATED_AH]
    memory[SETTLED_UNUSABLE], memory[SETTLED_UNUSABLE_VAR] = memory[UNUSABLE_SOC], memory[UNUSABLE_VAR]
    memory[SETTLED_GRADE] = max(memory[SETTLED_GRADE], grade_of(memory))


@compiled
def is_at_cut_off(voltage_v: float, current_a: float, rated_ah: float) -> bool:
    """Return whether a discharge has reached the cut-off voltage of its rate."""
    if current_a > -DISCHARGE_C_RATE * rated_ah:
        return False
    hours = -rated_ah / current_a
    cut_off_v = FAST_CUT_OFF_V if hours < FAST_H else MEDIUM_CUT_OFF_V if hours < MEDIUM_H else SLOW_CUT_OFF_V
    return voltage_v <= cut_off_v + CUT_OFF_SLACK_V


@compiled
def update_ohmic(memory: FloatArray, resistance_mohm: float, temperature_c: float, dt_s: float) -> None:
    """Filter the ohmic readings of a block, referred to 25 degC, in place; NaN is no reading.

    Readings count only on float and from 72 h after a discharge on.
    """
    memory[RESISTANCE_VAR] += OHMIC_WALK_VAR_PER_S * dt_s * memory[RESISTANCE_MOHM] ** 2
    memory[RESISTANCE_AGE_S] += dt_s
    if math.isnan(resistance_mohm) or memory[SINCE_DISCHARGE_S] < OHMIC_WAIT_S or memory[UNINFORMATIVE] == 0.0:
        return
    resistance_25c_mohm = resistance_mohm / math.exp(R0_PER_C * (temperature_c - REFERENCE_C))
    noise_var = (OHMIC_REPEAT * resistance_25c_mohm) ** 2
    memory[RESISTANCE_AGE_S] = 0.0
    if memory[RESISTANCE_MOHM] == 0.0:
        memory[RESISTANCE_MOHM], memory[RESISTANCE_VAR] = resistance_25c_mohm, noise_var
        return
    kalman_gain = memory[RESISTANCE_VAR] / (memory[RESISTANCE_VAR] + noise_var)
    memory[RESISTANCE_MOHM] += kalman_gain * (resistance_25c_mohm - memory[RESISTANCE_MOHM])
    memory[RESISTANCE_VAR] *= 1.0 - kalman_gain
