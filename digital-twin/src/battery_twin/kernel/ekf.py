"""The compiled filter step, shared by the estimate of a fleet and the replay of a run; equations in `kernel`.

Everything that the machine code depends on is in this file, since Numba keys its cache by the file of a function.
"""

import math

import numpy as np

from battery_twin.arrays import FloatArray, IntArray
from battery_twin.compilation import compiled

STATE_SIZE, MEMORY_SIZE, IN_SIZE, OUT_SIZE, PARAMETER_SIZE = 7, 16, 10, 10, 45
SOC, V1, V2, ERROR, BIAS, LOG_Q, LOG_R = range(STATE_SIZE)
PREVIOUS_V, PREVIOUS_A, PREVIOUS_C, DRAWN_AH, UNINFORMATIVE, FLOATED_S, SETTLED_LOG_Q = range(7)
SETTLED_VAR, HAS_EVIDENCE, EVIDENCE_AGE_S, EVIDENCE_DEPTH, SINCE_DISCHARGE_S, RESISTANCE_MOHM = range(7, 13)
RESISTANCE_VAR, RESISTANCE_AGE_S, PRIOR_LOG_Q = range(13, 16)
IN_NEW, IN_MODE_IS_FLOAT, IN_DT_S, IN_VOLTAGE_V, IN_CURRENT_A, IN_FLOAT_A, IN_TEMPERATURE_C = range(7)
IN_RESISTANCE_MOHM, IN_PRIOR_LOG_Q, IN_PRIOR_VAR = range(7, 10)
OUT_SOC, OUT_SOC_VAR, OUT_LOG_Q, OUT_LOG_Q_VAR, OUT_DISCHARGED, OUT_PREDICTED_V = range(6)
OUT_INNOVATION_V, OUT_INNOVATION_SD_V, OUT_INFORMATIVE, OUT_SLOW_V = range(6, 10)
OCV, R0, R1, R2 = 0, 13, 20, 27
# The slow branch's resistance at the middle of the discharge (40 % of charge, the fourth knot).
R2_MID = R2 + 3
CAPACITY_AH, RATED_AH, TAU1_S, TAU2_S, KNEE_A, SLOW_SCALE_A, ERROR_SD_V, POLARISATION_SHARE = range(34, 42)
EMPTY_SOC, NOISE_V2, RESISTANCE_PRIOR_VAR = range(42, 45)

OCV_KNOTS = np.array([0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0])
RESISTANCE_KNOTS = np.array([0.0, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0])
# The last two repeat `battery_contracts.ohmic`; a test holds them together (see above why they are not imported).
OCV_V_PER_C, R0_PER_C, REFERENCE_C = 0.0015, -0.008, 25.0

# Voltage error (V): correlation time, and its deviation while the voltage is uninformative.
ERROR_TAU_S = 6 * 3600.0
CHARGE_ERROR_SD_V = 0.6
# After float the charge is known better than the voltage: the first rows show how far the circuit is off.
CLOSING_ERROR_SD_V = 0.2
# Current sensor (A): deviation of its bias and the time over which the bias drifts.
BIAS_SD_A = 0.2
BIAS_TAU_S = 5 * 86400.0
# A gap hides what flowed in it; the current is then taken as the mean of its ends.
LONG_GAP_S, MAX_MOVED_IN_GAP = 900.0, 0.5

YEAR_S = 365.25 * 86400.0
# Process noise. The sizes are engineering judgement, tested for consistency (NEES, NIS) in tests/test_consistency.py;
# where a reason exists it is given.
# Variance of charge per minute (1/min): self-discharge and side reactions that are not modelled.
SOC_WALK_VAR_PER_MIN = 2e-5**2
# Gain error of the current sensor, as a share of the charge moved.
CURRENT_GAIN_SD = 0.01
# Uncertainty of the charge moved in a long gap, whose current is known at its ends only.
GAP_SD = 0.2
# Variance of a uniform distribution of unit width: when within a step the current changed is unknown.
UNIFORM_VAR = 1.0 / 12.0
# Error of the polarisation voltage as a share of current times resistance, and a floor (V2) of 0.1 mV squared.
POLARISATION_SD, POLARISATION_VAR_MIN_V2 = 0.03, 1e-8
# Additional voltage error (V) of an empty block, growing by this much per EMPTY_SOC_SPAN below EMPTY_SOC: the curve
# falls off steeply there, at a charge that differs from block to block.
EMPTY_ERROR_SD_V, EMPTY_SOC_SPAN = 0.10, 0.1
# Ageing continues unobserved: an interval of 8 points widens to 11 in a year.
CAPACITY_WALK_VAR_PER_S = 0.045**2 / YEAR_S
# Resistance may change by 10 % in 30 days.
RESISTANCE_WALK_VAR_PER_S = 0.1**2 / (30 * 86400.0)
# Charge lies between 0 and 1: a wider deviation has no meaning.
MAX_SOC_SD = 0.3

# After charge or float the electrodes hold an overvoltage, and the voltage dips and recovers (coup de fouet): for this
# share of the rated capacity the voltage of a discharge depends on neither charge nor resistance alone.
SURFACE_SHARE = 0.04
# Above these a block is on charge or float, or was a moment ago.
RESTED_V, CHARGE_C_RATE = 13.05, 0.004
REST_S = 4 * 3600.0  # within which a block at rest loses its overvoltage
# Above the rest voltage for this long, with no more current than float and a biased sensor account for, it is full.
FLOAT_C_RATE, FLOAT_HELD_S, MAX_FLOAT_STEP_S = 0.005, 600.0, 300.0
FLOAT_BIAS_MARGIN_A = 1.5 * BIAS_SD_A
FULL_SOC, FULL_SOC_SD = 0.98, 0.03
# A discharge is evidence of capacity from this share of the rated capacity on; below it the voltage noise dominates.
EVIDENCE_SHARE = 0.15
# Gassing takes what the plates do not (Tafel, per Ah of rated capacity; Schiffer et al. 2007).
GAS_A_PER_AH, GAS_PER_V, GAS_PER_C, GAS_CELL_V = 1e-4, 11.0, 0.06, 2.23
MAX_GAS_EXPONENT = 8.0  # against overflow on voltages of a broken sensor
OUTLIER_NIS = 16.0  # four sigma: beyond it the model, not the state, is wrong
# While the string floats, a sensor's offset is its reading less the probe's, or less the usual float current.
CALIBRATION_VAR_A2 = 0.05**2
DISCHARGE_C_RATE = 0.02
# Ohmic readings: repeatability, bias of the instrument, drift of the true value, and the time after a discharge during
# which readings are not representative.
OHMIC_REPEAT, OHMIC_BIAS, OHMIC_WALK_VAR_PER_S = 0.01, 0.02, 0.02**2 / (30 * 86400.0)
OHMIC_WAIT_S = 72 * 3600.0

BranchRow = tuple[float, float, float, float]


@compiled
def _interpolate(knots: FloatArray, table: FloatArray, soc: float) -> tuple[float, float]:
    """Return value and slope of a table at a state of charge; the end segments extend beyond the knots."""
    upper = 1
    while upper < len(knots) - 1 and knots[upper] <= soc:
        upper += 1
    slope = (table[upper] - table[upper - 1]) / (knots[upper] - knots[upper - 1])
    return table[upper - 1] + slope * (soc - knots[upper - 1]), slope


@compiled
def _decouple(covariance: FloatArray, state: int, variance: float) -> None:
    """Set the variance of one state and make it independent of all others."""
    for other in range(STATE_SIZE):
        covariance[state, other] = 0.0
        covariance[other, state] = 0.0
    covariance[state, state] = variance


@compiled
def _limit_variance(covariance: FloatArray, state: int, variance: float) -> None:
    """Reduce the variance of one state to at most this; by a congruence, so that P stays positive semidefinite."""
    if covariance[state, state] <= variance:
        return
    share = math.sqrt(variance / covariance[state, state])
    for other in range(STATE_SIZE):
        covariance[state, other] *= share
        covariance[other, state] *= share


@compiled
def _constrain_soc(mean: FloatArray, covariance: FloatArray) -> None:
    """Project the state onto charges from 0 to 1, the correlated states with it.

    Clipping the charge alone would leave the others as if it had moved: voltage then misses by more with each row.
    """
    excess = mean[SOC] - min(max(mean[SOC], 0.0), 1.0)
    if excess == 0.0:
        return
    variance = covariance[SOC, SOC]
    for state in range(STATE_SIZE):
        mean[state] -= covariance[state, SOC] / variance * excess


@compiled
def _close_discharge(mean: FloatArray, covariance: FloatArray, memory: FloatArray, rated_ah: float) -> None:
    """Keep the capacity estimate of a discharge that is over if it was deep enough; discard it otherwise."""
    depth = memory[DRAWN_AH] / rated_ah
    if depth >= EVIDENCE_SHARE:
        memory[SETTLED_LOG_Q], memory[SETTLED_VAR] = mean[LOG_Q], covariance[LOG_Q, LOG_Q]
        memory[HAS_EVIDENCE], memory[EVIDENCE_AGE_S], memory[EVIDENCE_DEPTH] = 1.0, 0.0, depth
    mean[LOG_Q] = memory[SETTLED_LOG_Q]
    _decouple(covariance, LOG_Q, memory[SETTLED_VAR])


@compiled
def _track_surface_charge(memory: FloatArray, rated_ah: float, true_a: float, dt_s: float, mode_is_float: bool) -> bool:
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
def _update_observability(
    params: FloatArray, mean: FloatArray, covariance: FloatArray, memory: FloatArray, uninformative: bool, charges: bool
) -> None:
    """Apply a change of observability: close a discharge, reset the voltage error, assume full charge after float."""
    if charges:
        if memory[DRAWN_AH] > 0.0 and memory[UNINFORMATIVE] == 0.0:
            _close_discharge(mean, covariance, memory, params[RATED_AH])
        memory[DRAWN_AH] = 0.0
    if uninformative:
        _decouple(covariance, ERROR, CHARGE_ERROR_SD_V**2)
    elif memory[UNINFORMATIVE] != 0.0:
        # The error on charge has no bearing on the error in a discharge.
        mean[ERROR] = 0.0
        _decouple(covariance, ERROR, CLOSING_ERROR_SD_V**2)
    memory[UNINFORMATIVE] = 1.0 if uninformative else 0.0
    if memory[FLOATED_S] < FLOAT_HELD_S:
        return
    # An assumption is not averaged over rows and never more certain than its own deviation.
    if covariance[SOC, SOC] > FULL_SOC_SD**2 or mean[SOC] < FULL_SOC - FULL_SOC_SD:
        mean[SOC] = max(mean[SOC], FULL_SOC)
        _decouple(covariance, SOC, FULL_SOC_SD**2)


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
    mean_a = 0.5 * (current_a + memory[PREVIOUS_A]) if dt_s > LONG_GAP_S else current_a
    true_a = mean_a - mean[BIAS]
    rated_ah = params[RATED_AH]
    stored_a = true_a
    if true_a > 0.0:
        exponent = GAS_PER_V * (memory[PREVIOUS_V] / 6.0 - GAS_CELL_V) + GAS_PER_C * (temperature_c - REFERENCE_C)
        stored_a -= min(GAS_A_PER_AH * rated_ah * math.exp(min(exponent, MAX_GAS_EXPONENT)), true_a)
    soc_per_a = dt_s / (3600.0 * params[CAPACITY_AH] * math.exp(mean[LOG_Q]))
    decay1, decay2 = math.exp(-dt_s / params[TAU1_S]), math.exp(-dt_s / params[TAU2_S])
    error_decay, bias_decay = math.exp(-dt_s / ERROR_TAU_S), math.exp(-dt_s / BIAS_TAU_S)
    scale = math.exp(mean[LOG_R])
    r1, r1_slope = _interpolate(RESISTANCE_KNOTS, params[R1:R2], mean[SOC])
    r2, r2_slope = _interpolate(RESISTANCE_KNOTS, params[R2:CAPACITY_AH], mean[SOC])
    share1, share2 = (1.0 - decay1) * scale, (1.0 - decay2) * scale
    drive1, drive2 = share1 * r1, share2 * r2
    # The slow branch saturates (Butler-Volmer): above a knee its voltage grows with the logarithm of the current.
    over_knee = abs(true_a) / params[KNEE_A]
    root = math.sqrt(1.0 + over_knee * over_knee)
    # The inverse hyperbolic sine, written out because its root is needed for the derivative as well.
    slow_a = math.copysign(params[SLOW_SCALE_A] * math.log(over_knee + root), true_a)
    slow_a_slope = params[SLOW_SCALE_A] / (params[KNEE_A] * root)
    uninformative = _track_surface_charge(memory, rated_ah, true_a, dt_s, mode_is_float)
    charges = uninformative and (true_a > CHARGE_C_RATE * rated_ah or memory[PREVIOUS_V] > RESTED_V)

    moved = stored_a * soc_per_a
    if dt_s > LONG_GAP_S:
        # For how much of the gap the current flowed is unknown.
        moved = min(max(moved, -MAX_MOVED_IN_GAP), MAX_MOVED_IN_GAP)
    step_a = current_a - memory[PREVIOUS_A]
    soc_before, v2_before = mean[SOC], mean[V2]
    v1_row = (decay1, share1 * r1_slope * true_a, -drive1, drive1 * true_a)
    v2_row = (decay2, share2 * r2_slope * slow_a, -drive2 * slow_a_slope, drive2 * slow_a)
    _propagate_covariance(covariance, (-soc_per_a, -moved), v1_row, v2_row)
    for state in range(STATE_SIZE):
        covariance[BIAS, state] *= bias_decay
        covariance[state, BIAS] *= bias_decay
    if not uninformative:
        for state in range(STATE_SIZE):
            covariance[ERROR, state] *= error_decay
            covariance[state, ERROR] *= error_decay
    _add_process_noise(
        params, covariance, soc_before, v2_before, true_a, moved, step_a * soc_per_a, dt_s, error_decay, bias_decay
    )
    memory[SETTLED_VAR] += CAPACITY_WALK_VAR_PER_S * dt_s

    mean[SOC] = soc_before + moved
    mean[V1] = decay1 * mean[V1] + drive1 * true_a
    mean[V2] = decay2 * v2_before + drive2 * slow_a
    mean[ERROR] *= 1.0 if uninformative else error_decay
    mean[BIAS] *= bias_decay
    if uninformative:
        # Charge follows counting alone here: an excess over full must not correct the circuit's states.
        mean[SOC] = min(max(mean[SOC], 0.0), 1.0)
    else:
        _constrain_soc(mean, covariance)
    _update_observability(params, mean, covariance, memory, uninformative, charges)


@compiled
def _propagate_covariance(
    covariance: FloatArray, soc_row: tuple[float, float], v1_row: BranchRow, v2_row: BranchRow
) -> None:
    """Compute F P F' for the three rows of the Jacobian F that are not diagonal, in place.

    Parameters
    ----------
    soc_row
        Derivatives of the charge by bias and log capacity.
    v1_row, v2_row
        Derivatives of a polarisation voltage by itself, charge, bias and log resistance.
    """
    for state in range(STATE_SIZE):
        soc, bias = covariance[SOC, state], covariance[BIAS, state]
        capacity, resistance = covariance[LOG_Q, state], covariance[LOG_R, state]
        covariance[SOC, state] += soc_row[0] * bias + soc_row[1] * capacity
        for branch, row in ((V1, v1_row), (V2, v2_row)):
            own = row[0] * covariance[branch, state]
            covariance[branch, state] = own + row[1] * soc + row[2] * bias + row[3] * resistance
    for state in range(STATE_SIZE):
        soc, bias = covariance[state, SOC], covariance[state, BIAS]
        capacity, resistance = covariance[state, LOG_Q], covariance[state, LOG_R]
        covariance[state, SOC] += soc_row[0] * bias + soc_row[1] * capacity
        for branch, row in ((V1, v1_row), (V2, v2_row)):
            own = row[0] * covariance[state, branch]
            covariance[state, branch] = own + row[1] * soc + row[2] * bias + row[3] * resistance


@compiled
def _add_process_noise(
    params: FloatArray,
    covariance: FloatArray,
    soc: float,
    v2: float,
    true_a: float,
    moved: float,
    moved_by_step: float,
    dt_s: float,
    error_decay: float,
    bias_decay: float,
) -> None:
    """Add the process noise of one prediction to the diagonal of P; bound the variances of charge and resistance.

    Parameters
    ----------
    soc, v2
        State before the prediction.
    moved
        Charge moved, as a share of capacity.
    moved_by_step
        What the change of current since the previous reading would move in ``dt_s``, as a share of capacity.
    """
    error_sd = math.sqrt(params[ERROR_SD_V] ** 2 + (params[POLARISATION_SHARE] * v2) ** 2)
    if soc < params[EMPTY_SOC]:
        error_sd += EMPTY_ERROR_SD_V / EMPTY_SOC_SPAN * (params[EMPTY_SOC] - soc)
    gap_sd = GAP_SD * abs(moved) if dt_s > LONG_GAP_S else 0.0
    polarisation_var = (POLARISATION_SD * true_a * params[R2_MID]) ** 2 + POLARISATION_VAR_MIN_V2
    walk_var, gain_var = SOC_WALK_VAR_PER_MIN * dt_s / 60.0, (CURRENT_GAIN_SD * moved) ** 2
    covariance[SOC, SOC] += walk_var + gain_var + gap_sd**2 + moved_by_step**2 * UNIFORM_VAR
    covariance[V1, V1] += polarisation_var * min(1.0, dt_s / params[TAU1_S])
    covariance[V2, V2] += polarisation_var * min(1.0, dt_s / params[TAU2_S])
    covariance[ERROR, ERROR] += error_sd**2 * (1.0 - error_decay) * (1.0 + error_decay)
    covariance[BIAS, BIAS] += BIAS_SD_A**2 * (1.0 - bias_decay) * (1.0 + bias_decay)
    covariance[LOG_Q, LOG_Q] += CAPACITY_WALK_VAR_PER_S * dt_s
    covariance[LOG_R, LOG_R] += RESISTANCE_WALK_VAR_PER_S * dt_s
    _limit_variance(covariance, SOC, MAX_SOC_SD**2)
    _limit_variance(covariance, LOG_R, params[RESISTANCE_PRIOR_VAR])


@compiled
def update(
    params: FloatArray,
    mean: FloatArray,
    covariance: FloatArray,
    memory: FloatArray,
    voltage_v: float,
    current_a: float,
    temperature_c: float,
    slope: FloatArray,
    cross_covariance: FloatArray,
) -> tuple[float, float, float]:
    """Update one block by a voltage, in place; return the predicted voltage, the innovation and its deviation.

    ``slope`` (h) and ``cross_covariance`` (P h) are scratch arrays (7,).
    """
    true_a = current_a - mean[BIAS]
    scale = math.exp(mean[LOG_R] + R0_PER_C * (temperature_c - REFERENCE_C))
    ocv, ocv_slope = _interpolate(OCV_KNOTS, params[OCV:R0], mean[SOC])
    r0, r0_slope = _interpolate(RESISTANCE_KNOTS, params[R0:R1], mean[SOC])
    ohmic_v = scale * r0 * true_a
    predicted_v = ocv + OCV_V_PER_C * (temperature_c - REFERENCE_C) + ohmic_v + mean[V1] + mean[V2] + mean[ERROR]
    slope[SOC] = ocv_slope + scale * r0_slope * true_a
    slope[V1] = slope[V2] = slope[ERROR] = 1.0
    slope[BIAS], slope[LOG_Q], slope[LOG_R] = -scale * r0, 0.0, ohmic_v
    variance = params[NOISE_V2]
    for row in range(STATE_SIZE):
        product = 0.0
        for column in range(STATE_SIZE):
            product += covariance[row, column] * slope[column]
        cross_covariance[row] = product
        variance += slope[row] * product
    innovation_v = voltage_v - predicted_v
    innovation_sd_v = math.sqrt(variance)
    if memory[UNINFORMATIVE] != 0.0:
        # Only the voltage error follows: no other state is updated, however many rows there are.
        mean[ERROR] += innovation_v
        return predicted_v, innovation_v, innovation_sd_v
    # An outlier weighs less: its variance is raised until it lies at the limit.
    used_variance = variance * max(1.0, innovation_v**2 / variance / OUTLIER_NIS)
    _joseph_update(mean, covariance, cross_covariance, innovation_v, used_variance)
    _constrain_soc(mean, covariance)
    return predicted_v, innovation_v, innovation_sd_v


@compiled
def _joseph_update(
    mean: FloatArray, covariance: FloatArray, cross_covariance: FloatArray, innovation: float, variance: float
) -> None:
    """Update by one scalar in Joseph form: with c = P h and K = c / S, x + K y and P - K c' - c K' + S K K'."""
    inverse = 1.0 / variance
    for row in range(STATE_SIZE):
        kalman_gain = cross_covariance[row] * inverse
        mean[row] += kalman_gain * innovation
        for column in range(row, STATE_SIZE):
            column_gain = cross_covariance[column] * inverse
            value = (
                covariance[row, column]
                - kalman_gain * cross_covariance[column]
                - cross_covariance[row] * column_gain
                + variance * kalman_gain * column_gain
            )
            covariance[row, column] = value
            covariance[column, row] = value


@compiled
def calibrate_current(
    mean: FloatArray, covariance: FloatArray, offset_a: float, variance: float, cross_covariance: FloatArray
) -> None:
    """Update by the offset of a current sensor on a string known to float; ``cross_covariance`` (7,) is scratch."""
    for row in range(STATE_SIZE):
        cross_covariance[row] = covariance[row, BIAS]
    _joseph_update(mean, covariance, cross_covariance, offset_a - mean[BIAS], covariance[BIAS, BIAS] + variance)
    # The charge follows the bias by their correlation; on float it is full at most.
    mean[SOC] = min(max(mean[SOC], 0.0), 1.0)


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


@compiled
def _follow_capacity_prior(
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
        _decouple(covariance, LOG_Q, variance)


@compiled
def _write_output(
    params: FloatArray, mean: FloatArray, covariance: FloatArray, memory: FloatArray, out: FloatArray
) -> None:
    out[OUT_SOC], out[OUT_SOC_VAR], out[OUT_SLOW_V] = mean[SOC], covariance[SOC, SOC], mean[V2]
    out[OUT_INFORMATIVE] = 1.0 - memory[UNINFORMATIVE]
    is_evidence = memory[UNINFORMATIVE] == 0.0 and memory[DRAWN_AH] >= EVIDENCE_SHARE * params[RATED_AH]
    if is_evidence:
        out[OUT_LOG_Q], out[OUT_LOG_Q_VAR] = mean[LOG_Q], covariance[LOG_Q, LOG_Q]
    else:
        out[OUT_LOG_Q], out[OUT_LOG_Q_VAR] = memory[SETTLED_LOG_Q], memory[SETTLED_VAR]
    out[OUT_DISCHARGED] = 1.0 if is_evidence or memory[HAS_EVIDENCE] != 0.0 else 0.0


@compiled
def _filter_step(
    params: FloatArray,
    mean: FloatArray,
    covariance: FloatArray,
    memory: FloatArray,
    reading: FloatArray,
    out: FloatArray,
    slope: FloatArray,
    scratch: FloatArray,
) -> None:
    mode_is_float, is_new = reading[IN_MODE_IS_FLOAT] != 0.0, reading[IN_NEW] != 0.0
    temperature_c, voltage_v = reading[IN_TEMPERATURE_C], reading[IN_VOLTAGE_V]
    used_a = reading[IN_FLOAT_A] + mean[BIAS] if mode_is_float else reading[IN_CURRENT_A]
    dt_s = 0.0 if is_new else reading[IN_DT_S]
    if not is_new:
        predict(params, mean, covariance, memory, used_a, temperature_c, dt_s, mode_is_float)
        _follow_capacity_prior(mean, covariance, memory, reading[IN_PRIOR_LOG_Q], reading[IN_PRIOR_VAR])
    if mode_is_float and not math.isnan(reading[IN_CURRENT_A]):
        offset_a = reading[IN_CURRENT_A] - reading[IN_FLOAT_A]
        calibrate_current(mean, covariance, offset_a, CALIBRATION_VAR_A2, scratch)
    predicted_v, innovation_v, innovation_sd_v = update(
        params, mean, covariance, memory, voltage_v, used_a, temperature_c, slope, scratch
    )
    out[OUT_PREDICTED_V], out[OUT_INNOVATION_V], out[OUT_INNOVATION_SD_V] = predicted_v, innovation_v, innovation_sd_v
    memory[PREVIOUS_V], memory[PREVIOUS_A], memory[PREVIOUS_C] = voltage_v, used_a, temperature_c
    memory[EVIDENCE_AGE_S] += dt_s
    memory[SINCE_DISCHARGE_S] += dt_s
    if used_a < -DISCHARGE_C_RATE * params[RATED_AH]:
        memory[SINCE_DISCHARGE_S] = 0.0
    update_ohmic(memory, reading[IN_RESISTANCE_MOHM], temperature_c, dt_s)
    _write_output(params, mean, covariance, memory, out)


@compiled
def filter_fleet(
    parameters: FloatArray,
    which: IntArray,
    readings: FloatArray,
    mean: FloatArray,
    covariance: FloatArray,
    memory: FloatArray,
    out: FloatArray,
) -> None:
    """Filter one reading of each block, in place.

    Parameters
    ----------
    parameters
        Parameter sets (s, 45).
    which
        Index of each block's parameter set (n,).
    readings
        Inputs (n, 10).
    mean, covariance, memory
        States (n, 7), (n, 7, 7) and (n, 16), replaced by those after the reading.
    out
        Outputs (n, 10).
    """
    slope, scratch = np.empty(STATE_SIZE), np.empty(STATE_SIZE)
    for slot in range(len(which)):
        params = parameters[which[slot]]
        _filter_step(params, mean[slot], covariance[slot], memory[slot], readings[slot], out[slot], slope, scratch)


@compiled
def filter_run(
    params: FloatArray,
    readings: FloatArray,
    mean: FloatArray,
    covariance: FloatArray,
    memory: FloatArray,
    out: FloatArray,
) -> None:
    """Filter the rows of a run of one block, in place: one parameter set (45,), readings (m, 10), oldest first.

    The state (7,), (7, 7) and (16,) is replaced by that after the last row; ``out`` (m, 10) holds each row's outputs.
    """
    slope, scratch = np.empty(STATE_SIZE), np.empty(STATE_SIZE)
    for row in range(len(readings)):
        _filter_step(params, mean, covariance, memory, readings[row], out[row], slope, scratch)
