"""The prediction of the compiled filter: a state carried over the time to the next reading."""

import math

from battery_twin.arrays import FloatArray
from battery_twin.compilation import compiled
from battery_twin.kernel.algebra import (
    interpolate,
    limit_variance,
)
from battery_twin.kernel.constants import (
    ACID_WALK_VAR_PER_S,
    BIAS_SD_A,
    BIAS_TAU_S,
    CAPACITY_WALK_VAR_PER_S,
    CHARGE_C_RATE,
    CURRENT_GAIN_SD,
    CURVE_ERROR_VAR_V2,
    DEPLETION_WALK_VAR_PER_S,
    ERROR_TAU_S,
    GAP_SD,
    GAS_A_PER_AH,
    GAS_CELL_V,
    GAS_PER_C,
    GAS_PER_V,
    LONG_GAP_S,
    MAX_GAS_EXPONENT,
    MAX_MOVED_IN_GAP,
    MAX_SOC_SD,
    MIN_SOC,
    POLARISATION_SD,
    POLARISATION_VAR_MIN_V2,
    RESISTANCE_WALK_VAR_PER_S,
    RESTED_V,
    SOC_WALK_VAR_PER_MIN,
    UNIFORM_VAR,
)
from battery_twin.kernel.layout import (
    ACID,
    ACID_PRIOR_VAR,
    BIAS,
    CAPACITY_AH,
    DEPLETION,
    DEPLETION_H,
    DEPLETION_PRIOR_VAR,
    ERROR,
    ERROR_SD_V,
    KNEE_A,
    LOG_K,
    LOG_P,
    LOG_Q,
    LOG_R,
    NIS_MEAN,
    POLARISATION_PRIOR_VAR,
    POLARISATION_SHARE,
    PREVIOUS_A,
    PREVIOUS_V,
    R1,
    R2,
    R2_MID,
    RATED_AH,
    REFERENCE_C,
    RESISTANCE_KNOTS,
    RESISTANCE_PRIOR_VAR,
    SETTLED_VAR,
    SLOW_SCALE_A,
    SOC,
    STATE_SIZE,
    TAU1_S,
    TAU2_S,
    TAU_D_S,
    V1,
    V2,
)
from battery_twin.kernel.observability import (
    constrain_to_physics,
    track_surface_charge,
    update_observability,
)

BranchRow = tuple[float, float, float, float]
DepletionRow = tuple[float, float, float, float]


@compiled
def _slow_current(params: FloatArray, true_a: float) -> tuple[float, float]:
    """Return the current that drives the slow branch, and its derivative.

    The branch saturates (Butler-Volmer): above a knee its voltage grows with the logarithm of the current.
    """
    over_knee = abs(true_a) / params[KNEE_A]
    root = math.sqrt(1.0 + over_knee * over_knee)
    # The inverse hyperbolic sine, written out because its root is needed for the derivative as well.
    slow_a = math.copysign(params[SLOW_SCALE_A] * math.log(over_knee + root), true_a)
    return slow_a, params[SLOW_SCALE_A] / (params[KNEE_A] * root)


@compiled
def _depletion(params: FloatArray, mean: FloatArray, dt_s: float) -> tuple[float, float]:
    """Return by which factor the depletion of the plates decays, and how much of it an ampere adds."""
    decay = math.exp(-dt_s / params[TAU_D_S])
    per_a = (1.0 - decay) * params[DEPLETION_H] * math.exp(mean[LOG_K] - mean[LOG_Q])
    return decay, per_a / params[CAPACITY_AH]


@compiled
def predict(
    params: FloatArray,
    mean: FloatArray,
    covariance: FloatArray,
    memory: FloatArray,
    current_a: float,
    temperature_c: float,
    dt_s: float,
    mode_is_float: bool,
) -> None:
    """Carry one block over ``dt_s`` at a measured current, in place."""
    # When within the step the current changed is unknown: charge and slow states follow the mean of its ends, the fast
    # branch the current that flows now.
    true_a = 0.5 * (current_a + memory[PREVIOUS_A]) - mean[BIAS]
    fast_a = current_a - mean[BIAS]
    rated_ah = params[RATED_AH]
    stored_a = true_a
    if true_a > 0.0:
        exponent = GAS_PER_V * (memory[PREVIOUS_V] / 6.0 - GAS_CELL_V) + GAS_PER_C * (temperature_c - REFERENCE_C)
        stored_a -= min(GAS_A_PER_AH * rated_ah * math.exp(min(exponent, MAX_GAS_EXPONENT)), true_a)
    soc_per_a = dt_s / (3600.0 * params[CAPACITY_AH] * math.exp(mean[LOG_Q]))
    decay1, decay2 = math.exp(-dt_s / params[TAU1_S]), math.exp(-dt_s / params[TAU2_S])
    error_decay, bias_decay = math.exp(-dt_s / ERROR_TAU_S), math.exp(-dt_s / BIAS_TAU_S)
    depletion_decay, depletion_per_a = _depletion(params, mean, dt_s)
    scale = math.exp(mean[LOG_P])
    surface_soc = mean[SOC] + mean[DEPLETION]
    r1, r1_slope = interpolate(RESISTANCE_KNOTS, params[R1:R2], surface_soc)
    r2, r2_slope = interpolate(RESISTANCE_KNOTS, params[R2:CAPACITY_AH], surface_soc)
    share1, share2 = (1.0 - decay1) * scale, (1.0 - decay2) * scale
    drive1, drive2 = share1 * r1, share2 * r2
    slow_a, slow_a_slope = _slow_current(params, true_a)
    uninformative = track_surface_charge(memory, rated_ah, true_a, dt_s, mode_is_float)
    charges = uninformative and (true_a > CHARGE_C_RATE * rated_ah or memory[PREVIOUS_V] > RESTED_V)

    moved = stored_a * soc_per_a
    if dt_s > LONG_GAP_S:
        # For how much of the gap the current flowed is unknown.
        moved = min(max(moved, -MAX_MOVED_IN_GAP), MAX_MOVED_IN_GAP)
    step_a = current_a - memory[PREVIOUS_A]
    soc_before, v2_before = mean[SOC], mean[V2]
    v1_row = (decay1, share1 * r1_slope * fast_a, -drive1, drive1 * fast_a)
    v2_row = (decay2, share2 * r2_slope * slow_a, -drive2 * slow_a_slope, drive2 * slow_a)
    depleted = depletion_per_a * true_a
    depletion_row = (depletion_decay, -depletion_per_a, -depleted, depleted)
    _propagate_covariance(covariance, (-soc_per_a, -moved), v1_row, v2_row, depletion_row)
    for state in range(STATE_SIZE):
        covariance[BIAS, state] *= bias_decay
        covariance[state, BIAS] *= bias_decay
    if not uninformative:
        for state in range(STATE_SIZE):
            covariance[ERROR, state] *= error_decay
            covariance[state, ERROR] *= error_decay
    noise_gain = max(memory[NIS_MEAN], 1.0)
    _add_process_noise(
        params,
        covariance,
        v2_before,
        true_a,
        moved,
        step_a * soc_per_a,
        dt_s,
        error_decay,
        bias_decay,
        noise_gain,
    )
    memory[SETTLED_VAR] += CAPACITY_WALK_VAR_PER_S * dt_s

    mean[SOC] = soc_before + moved
    mean[V1] = decay1 * mean[V1] + drive1 * fast_a
    mean[V2] = decay2 * v2_before + drive2 * slow_a
    mean[DEPLETION] = depletion_decay * mean[DEPLETION] + depleted
    mean[ERROR] *= 1.0 if uninformative else error_decay
    mean[BIAS] *= bias_decay
    if uninformative:
        # Charge follows counting alone here: an excess over full must not correct the circuit's states.
        mean[SOC] = min(max(mean[SOC], MIN_SOC), 1.0)
    else:
        constrain_to_physics(params, mean, covariance)
    update_observability(params, mean, covariance, memory, true_a, uninformative, charges)


@compiled
def _propagate_covariance(
    covariance: FloatArray,
    soc_row: tuple[float, float],
    v1_row: BranchRow,
    v2_row: BranchRow,
    depletion_row: DepletionRow,
) -> None:
    """Compute F P F' for the four rows of the Jacobian F that are not diagonal, in place.

    Parameters
    ----------
    soc_row
        Derivatives of the charge by bias and log capacity.
    v1_row, v2_row
        Derivatives of a polarisation voltage by itself, charge at the surface, bias and log polarisation.
    depletion_row
        Derivatives of the depletion by itself, bias, log capacity and log transport.
    """
    for state in range(STATE_SIZE):
        surface, bias = covariance[SOC, state] + covariance[DEPLETION, state], covariance[BIAS, state]
        capacity, polarisation = covariance[LOG_Q, state], covariance[LOG_P, state]
        covariance[SOC, state] += soc_row[0] * bias + soc_row[1] * capacity
        covariance[DEPLETION, state] = (
            depletion_row[0] * covariance[DEPLETION, state]
            + depletion_row[1] * bias
            + depletion_row[2] * capacity
            + depletion_row[3] * covariance[LOG_K, state]
        )
        for branch, row in ((V1, v1_row), (V2, v2_row)):
            own = row[0] * covariance[branch, state]
            covariance[branch, state] = own + row[1] * surface + row[2] * bias + row[3] * polarisation
    for state in range(STATE_SIZE):
        surface, bias = covariance[state, SOC] + covariance[state, DEPLETION], covariance[state, BIAS]
        capacity, polarisation = covariance[state, LOG_Q], covariance[state, LOG_P]
        covariance[state, SOC] += soc_row[0] * bias + soc_row[1] * capacity
        covariance[state, DEPLETION] = (
            depletion_row[0] * covariance[state, DEPLETION]
            + depletion_row[1] * bias
            + depletion_row[2] * capacity
            + depletion_row[3] * covariance[state, LOG_K]
        )
        for branch, row in ((V1, v1_row), (V2, v2_row)):
            own = row[0] * covariance[state, branch]
            covariance[state, branch] = own + row[1] * surface + row[2] * bias + row[3] * polarisation


@compiled
def _add_process_noise(
    params: FloatArray,
    covariance: FloatArray,
    v2: float,
    true_a: float,
    moved: float,
    moved_by_step: float,
    dt_s: float,
    error_decay: float,
    bias_decay: float,
    noise_gain: float,
) -> None:
    """Add the process noise of one prediction to the diagonal of P; bound the variances of charge and resistance.

    Parameters
    ----------
    v2
        Slow polarisation voltage before the prediction.
    noise_gain
        How much larger than stated the squared innovations were.
    moved
        Charge moved, as a share of capacity.
    moved_by_step
        What the change of current since the previous reading would move in ``dt_s``, as a share of capacity.
    """
    error_sd = math.sqrt(params[ERROR_SD_V] ** 2 + (params[POLARISATION_SHARE] * v2) ** 2)
    gap_sd = GAP_SD * abs(moved) if dt_s > LONG_GAP_S else 0.0
    polarisation_var = (POLARISATION_SD * true_a * params[R2_MID]) ** 2 + POLARISATION_VAR_MIN_V2
    walk_var, gain_var = SOC_WALK_VAR_PER_MIN * dt_s / 60.0, (CURRENT_GAIN_SD * moved) ** 2
    covariance[SOC, SOC] += walk_var + gain_var + gap_sd**2 + moved_by_step**2 * UNIFORM_VAR
    covariance[V1, V1] += polarisation_var * min(1.0, dt_s / params[TAU1_S])
    covariance[V2, V2] += polarisation_var * min(1.0, dt_s / params[TAU2_S])
    covariance[ERROR, ERROR] += CURVE_ERROR_VAR_V2 * abs(moved)
    covariance[ERROR, ERROR] += noise_gain * error_sd**2 * (1.0 - error_decay) * (1.0 + error_decay)
    covariance[BIAS, BIAS] += BIAS_SD_A**2 * (1.0 - bias_decay) * (1.0 + bias_decay)
    covariance[LOG_Q, LOG_Q] += CAPACITY_WALK_VAR_PER_S * dt_s
    covariance[LOG_R, LOG_R] += RESISTANCE_WALK_VAR_PER_S * dt_s
    covariance[LOG_P, LOG_P] += RESISTANCE_WALK_VAR_PER_S * dt_s
    covariance[LOG_K, LOG_K] += DEPLETION_WALK_VAR_PER_S * dt_s
    covariance[ACID, ACID] += ACID_WALK_VAR_PER_S * dt_s
    limit_variance(covariance, SOC, MAX_SOC_SD**2)
    limit_variance(covariance, LOG_R, params[RESISTANCE_PRIOR_VAR])
    limit_variance(covariance, LOG_P, params[POLARISATION_PRIOR_VAR])
    limit_variance(covariance, LOG_K, params[DEPLETION_PRIOR_VAR])
    limit_variance(covariance, ACID, params[ACID_PRIOR_VAR])
