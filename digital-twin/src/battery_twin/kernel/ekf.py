"""The compiled filter step, shared by the estimate of a fleet and the replay of a run; equations in `kernel`.

Everything that the machine code depends on is in this file, since Numba keys its cache by the file of a function.
"""

import math

import numpy as np

from battery_twin.arrays import FloatArray, IntArray
from battery_twin.compilation import compiled

STATE_SIZE, MEMORY_SIZE, IN_SIZE, OUT_SIZE, PARAMETER_SIZE = 11, 24, 10, 14, 51
SOC, V1, V2, DEPLETION, ERROR, BIAS, LOG_Q, LOG_R, LOG_P, LOG_K, ACID = range(STATE_SIZE)
PREVIOUS_V, PREVIOUS_A, PREVIOUS_C, DRAWN_AH, UNINFORMATIVE, FLOATED_S, SETTLED_LOG_Q = range(7)
SETTLED_VAR, HAS_EVIDENCE, EVIDENCE_AGE_S, EVIDENCE_DEPTH, SINCE_DISCHARGE_S, RESISTANCE_MOHM = range(7, 13)
RESISTANCE_VAR, RESISTANCE_AGE_S, PRIOR_LOG_Q, NIS_MEAN, AT_CUT_OFF, SETTLED_GRADE = range(13, 19)
UNUSABLE_SOC, UNUSABLE_VAR, SETTLED_UNUSABLE, SETTLED_UNUSABLE_VAR, BEGAN_FULL = range(19, 24)
IN_NEW, IN_MODE_IS_FLOAT, IN_DT_S, IN_VOLTAGE_V, IN_CURRENT_A, IN_FLOAT_A, IN_TEMPERATURE_C = range(7)
IN_RESISTANCE_MOHM, IN_PRIOR_LOG_Q, IN_PRIOR_VAR = range(7, 10)
OUT_SOC, OUT_SOC_VAR, OUT_LOG_Q, OUT_LOG_Q_VAR, OUT_DISCHARGED, OUT_PREDICTED_V = range(6)
OUT_INNOVATION_V, OUT_INNOVATION_SD_V, OUT_INFORMATIVE, OUT_SLOW_V, OUT_GRADE = range(6, 11)
OUT_MISFIT, OUT_UNUSABLE, OUT_UNUSABLE_VAR = range(11, 14)
OCV, R0, R1, R2 = 0, 13, 20, 27
# The slow branch's resistance at the middle of the discharge (40 % of charge, the fourth knot).
R2_MID = R2 + 3
CAPACITY_AH, RATED_AH, TAU1_S, TAU2_S, KNEE_A, SLOW_SCALE_A, ERROR_SD_V, POLARISATION_SHARE = range(34, 42)
EMPTY_SOC, NOISE_V2, RESISTANCE_PRIOR_VAR, TAU_D_S, DEPLETION_H, DEPLETION_PRIOR_VAR, ACID_PRIOR_VAR = range(42, 49)
POLARISATION_PRIOR_VAR, SET_UNUSABLE_SOC = 49, 50

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
# What is still missing then, and the uncertainty of that, fall with the time on float.
FULL_SOC, FULL_SOC_SD = 0.98, 0.02
FULL_TAU_S, LEAST_FULL_SOC_SD = 2 * 3600.0, 0.01
UNWATCHED_S, UNWATCHED_SHARE = 5e8, 0.15
# A charge that tapers lacks this many hours of its current.
TAPER_H = 2.0
# A discharge is evidence of capacity from this share of the rated capacity on; below it the voltage noise dominates.
EVIDENCE_SHARE = 0.15
# Gassing takes what the plates do not (Tafel, per Ah of rated capacity; Schiffer et al. 2007).
GAS_A_PER_AH, GAS_PER_V, GAS_PER_C, GAS_CELL_V = 1e-4, 11.0, 0.06, 2.23
MAX_GAS_EXPONENT = 8.0  # against overflow on voltages of a broken sensor
OUTLIER_NIS = 16.0  # four sigma: beyond it the model, not the state, is wrong
# The squared innovations are averaged over this time; where they exceed what is stated, the noises grow with them.
NIS_TAU_S = 900.0
# Above this mean the readings are not those of the block that the circuit describes: its estimate says so by its width.
MISFIT_NIS = 5.0
MISFIT_SOC_VAR, MISFIT_LOG_Q_VAR = 0.3**2, 0.25**2
# A block on charge is not below its rest voltage, and one that is discharged is not on float, by more than this (V).
CONTRADICTION_SD_V, REST_MARGIN_V = 0.1, 0.15
MAX_DISCHARGED_V, MAX_BLOCK_V = 13.2, 16.0
# A slow error beyond this is no error of the circuit: what the voltage shows did not happen in the current.
MAX_ERROR_V = 0.25
# Bounds of capacity over rated capacity: what lead-acid blocks can be.
MIN_SOH, MAX_SOH = 0.3, 1.3
# A block that delivers more than its parameter set's is empty a little below zero charge.
MIN_SOC = -0.05
# Cut-off voltages of a 12 V block by the hours in which the current would empty the rated capacity, and their slack.
# A discharge slower than this ends where the 10 h discharge does, within this charge.
SLOW_C_RATE, EMPTY_SOC_SD = 0.15, 0.01
FAST_CUT_OFF, SLOW_CUT_OFF = 1.0, 2.0
# The voltage falls by at least this much per whole charge where a discharge ends.
LEAST_END_SLOPE_V = 0.5
# Grades of evidence of capacity; a discharge begins full above this charge, once the first percents are drawn.
FROM_PART, FROM_FULL, MEASURED = 1.0, 2.0, 3.0
NEARLY_FULL_SOC, NEARLY_FULL_SD = 0.9, 0.035
REFERENCE_C_RATE, MAX_UNUSABLE_SOC, BISECTIONS = 0.1, 0.2, 13
FAST_H, MEDIUM_H, FAST_CUT_OFF_V, MEDIUM_CUT_OFF_V, SLOW_CUT_OFF_V, CUT_OFF_SLACK_V = 0.6, 3.0, 10.0, 10.5, 10.8, 0.05
# Acid strength and transport change over years.
ACID_WALK_VAR_PER_S, DEPLETION_WALK_VAR_PER_S = 0.03**2 / YEAR_S, 0.1**2 / YEAR_S
# While the string floats, a sensor's offset is its reading less the probe's, or less the usual float current.
CALIBRATION_VAR_A2 = 0.05**2
DISCHARGE_C_RATE = 0.02
REST_BIAS_SD_A = 0.1
# Deviation of the float current of a block without a probe, once full and while a charge tapers.
FLOAT_SD_C_RATE, TAPER_SD_C_RATE = 0.0006, 0.004
# Error of the open-circuit curve's shape: variance per charge moved (V2).
CURVE_ERROR_VAR_V2 = 0.07**2
# Ohmic readings: repeatability, bias of the instrument, drift of the true value, and the time after a discharge during
# which readings are not representative.
OHMIC_REPEAT, OHMIC_BIAS, OHMIC_WALK_VAR_PER_S = 0.01, 0.02, 0.02**2 / (30 * 86400.0)
OHMIC_WAIT_S = 72 * 3600.0

BranchRow = tuple[float, float, float, float]
DepletionRow = tuple[float, float, float, float]


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
def _constrain(mean: FloatArray, covariance: FloatArray, state: int, low: float, high: float) -> None:
    """Project one state onto its physical range, the correlated states with it.

    Clipping the one alone would leave the others as if it had moved: voltage then misses by more with each row.
    """
    excess = mean[state] - min(max(mean[state], low), high)
    if excess == 0.0:
        return
    variance = covariance[state, state]
    for other in range(STATE_SIZE):
        mean[other] -= covariance[other, state] / variance * excess


@compiled
def _constrain_to_physics(params: FloatArray, mean: FloatArray, covariance: FloatArray) -> None:
    """Project charge onto empty to full and capacity onto what lead-acid blocks can be."""
    _constrain(mean, covariance, SOC, MIN_SOC, 1.0)
    share = params[RATED_AH] / params[CAPACITY_AH]
    _constrain(mean, covariance, LOG_Q, math.log(MIN_SOH * share), math.log(MAX_SOH * share))


@compiled
def _is_misfit(params: FloatArray, mean: FloatArray, memory: FloatArray) -> bool:
    """Return whether the readings, or a capacity at its bound, are not those of the block of the circuit."""
    share = params[RATED_AH] / params[CAPACITY_AH]
    is_at_bound = mean[LOG_Q] < math.log(MIN_SOH * share) + 1e-6 or mean[LOG_Q] > math.log(MAX_SOH * share) - 1e-6
    return bool(is_at_bound or memory[NIS_MEAN] >= MISFIT_NIS)


@compiled
def _grade(memory: FloatArray) -> float:
    """Return how much the running discharge says of capacity: one from full to its slow cut-off measures it."""
    if memory[BEGAN_FULL] == 0.0:
        return FROM_PART
    return MEASURED if memory[AT_CUT_OFF] == SLOW_CUT_OFF else FROM_FULL


@compiled
def _close_discharge(params: FloatArray, mean: FloatArray, covariance: FloatArray, memory: FloatArray) -> None:
    """Keep the capacity estimate of a discharge that is over if it was deep enough; discard it otherwise."""
    depth = memory[DRAWN_AH] / params[RATED_AH]
    if depth >= EVIDENCE_SHARE and not _is_misfit(params, mean, memory):
        memory[SETTLED_LOG_Q], memory[SETTLED_VAR] = mean[LOG_Q], covariance[LOG_Q, LOG_Q]
        memory[HAS_EVIDENCE], memory[EVIDENCE_AGE_S], memory[EVIDENCE_DEPTH] = 1.0, 0.0, depth
        memory[SETTLED_UNUSABLE], memory[SETTLED_UNUSABLE_VAR] = memory[UNUSABLE_SOC], memory[UNUSABLE_VAR]
        memory[SETTLED_GRADE] = max(memory[SETTLED_GRADE], _grade(memory))
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
        _decouple(covariance, ERROR, CHARGE_ERROR_SD_V**2)
    elif memory[UNINFORMATIVE] != 0.0:
        # The error on charge has no bearing on the error in a discharge.
        mean[ERROR] = 0.0
        _decouple(covariance, ERROR, CLOSING_ERROR_SD_V**2)
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
        _decouple(covariance, SOC, full_soc_sd**2)


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
    r1, r1_slope = _interpolate(RESISTANCE_KNOTS, params[R1:R2], surface_soc)
    r2, r2_slope = _interpolate(RESISTANCE_KNOTS, params[R2:CAPACITY_AH], surface_soc)
    share1, share2 = (1.0 - decay1) * scale, (1.0 - decay2) * scale
    drive1, drive2 = share1 * r1, share2 * r2
    slow_a, slow_a_slope = _slow_current(params, true_a)
    uninformative = _track_surface_charge(memory, rated_ah, true_a, dt_s, mode_is_float)
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
        _constrain_to_physics(params, mean, covariance)
    _update_observability(params, mean, covariance, memory, true_a, uninformative, charges)


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
    _limit_variance(covariance, SOC, MAX_SOC_SD**2)
    _limit_variance(covariance, LOG_R, params[RESISTANCE_PRIOR_VAR])
    _limit_variance(covariance, LOG_P, params[POLARISATION_PRIOR_VAR])
    _limit_variance(covariance, LOG_K, params[DEPLETION_PRIOR_VAR])
    _limit_variance(covariance, ACID, params[ACID_PRIOR_VAR])


@compiled
def update(
    params: FloatArray,
    mean: FloatArray,
    covariance: FloatArray,
    memory: FloatArray,
    voltage_v: float,
    current_a: float,
    temperature_c: float,
    dt_s: float,
    slope: FloatArray,
    cross_covariance: FloatArray,
) -> tuple[float, float, float]:
    """Update one block by a voltage, in place; return the predicted voltage, the innovation and its deviation.

    ``slope`` (h) and ``cross_covariance`` (P h) are scratch arrays (11,).
    """
    predicted_v = _linearise(params, mean, current_a, temperature_c, slope)
    emptiness = max(params[EMPTY_SOC] - mean[SOC] - mean[DEPLETION], 0.0) / EMPTY_SOC_SPAN
    noise = params[NOISE_V2] * max(memory[NIS_MEAN], 1.0) + (EMPTY_ERROR_SD_V * emptiness) ** 2
    variance = noise + _project(covariance, slope, cross_covariance)
    innovation_v, innovation_sd_v = voltage_v - predicted_v, math.sqrt(variance)
    if memory[UNINFORMATIVE] != 0.0:
        # Only the voltage error follows: no other state is updated, however many rows there are.
        mean[ERROR] += innovation_v
        least_soc = mean[SOC] + mean[DEPLETION] - 2.0 * math.sqrt(covariance[SOC, SOC])
        least_v, _ = _interpolate(OCV_KNOTS, params[OCV:R0], least_soc * (1.0 + mean[ACID]))
        contradiction_v = _contradiction(params, voltage_v, least_v, current_a - mean[BIAS])
        _average_nis(memory, 1.0 + (contradiction_v / CONTRADICTION_SD_V) ** 2, dt_s)
        return predicted_v, innovation_v, innovation_sd_v
    nis = innovation_v**2 / variance
    # An outlier weighs less: its variance is raised until it lies at the limit.
    _joseph_update(mean, covariance, cross_covariance, innovation_v, variance * max(1.0, nis / OUTLIER_NIS))
    unexplained_v = max(abs(mean[ERROR]) - MAX_ERROR_V, 0.0)
    _average_nis(memory, nis + (unexplained_v / CONTRADICTION_SD_V) ** 2, dt_s)
    _constrain_to_physics(params, mean, covariance)
    return predicted_v, innovation_v, innovation_sd_v


@compiled
def _linearise(
    params: FloatArray, mean: FloatArray, current_a: float, temperature_c: float, slope: FloatArray
) -> float:
    """Return the voltage at a state, and write its derivatives (11,)."""
    true_a = current_a - mean[BIAS]
    scale = math.exp(mean[LOG_R] + R0_PER_C * (temperature_c - REFERENCE_C))
    # The voltage is that of the acid at the plates; it is stronger or weaker than the set's by the factor of ACID.
    surface_soc, strength = mean[SOC] + mean[DEPLETION], 1.0 + mean[ACID]
    ocv, ocv_slope = _interpolate(OCV_KNOTS, params[OCV:R0], surface_soc * strength)
    r0, r0_slope = _interpolate(RESISTANCE_KNOTS, params[R0:R1], surface_soc)
    ohmic_v = scale * r0 * true_a
    slope[SOC] = slope[DEPLETION] = ocv_slope * strength + scale * r0_slope * true_a
    slope[V1] = slope[V2] = slope[ERROR] = 1.0
    slope[BIAS], slope[LOG_Q], slope[LOG_R] = -scale * r0, 0.0, ohmic_v
    slope[LOG_P], slope[LOG_K], slope[ACID] = 0.0, 0.0, ocv_slope * surface_soc
    rest_v = ocv + OCV_V_PER_C * (temperature_c - REFERENCE_C)
    return float(rest_v + ohmic_v + mean[V1] + mean[V2] + mean[ERROR])


@compiled
def _project(covariance: FloatArray, slope: FloatArray, cross_covariance: FloatArray) -> float:
    """Write the cross-covariance P h (11,) and return h' P h."""
    variance = 0.0
    for row in range(STATE_SIZE):
        product = 0.0
        for column in range(STATE_SIZE):
            product += covariance[row, column] * slope[column]
        cross_covariance[row] = product
        variance += slope[row] * product
    return variance


@compiled
def _contradiction(params: FloatArray, voltage_v: float, least_v: float, true_a: float) -> float:
    """Return by how many volts a voltage contradicts its current: a reversed, dead or scaled channel."""
    if voltage_v > MAX_BLOCK_V:
        return voltage_v - MAX_BLOCK_V
    if true_a < -DISCHARGE_C_RATE * params[RATED_AH]:
        return max(voltage_v - MAX_DISCHARGED_V, 0.0)
    # A block that rests or charges is not below the rest voltage of the least charge that was counted.
    return max(least_v - REST_MARGIN_V - voltage_v, 0.0)


@compiled
def _average_nis(memory: FloatArray, nis: float, dt_s: float) -> None:
    share = 1.0 - math.exp(-min(dt_s, MAX_FLOAT_STEP_S) / NIS_TAU_S)
    memory[NIS_MEAN] += share * (min(nis, OUTLIER_NIS) - memory[NIS_MEAN])


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
    """Update by the offset of a current sensor on a string known to float; ``cross_covariance`` (11,) is scratch."""
    for row in range(STATE_SIZE):
        cross_covariance[row] = covariance[row, BIAS]
    _joseph_update(mean, covariance, cross_covariance, offset_a - mean[BIAS], covariance[BIAS, BIAS] + variance)
    # The charge follows the bias by their correlation; on float it is full at most.
    mean[SOC] = min(max(mean[SOC], MIN_SOC), 1.0)


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
    ocv, _ = _interpolate(OCV_KNOTS, params[OCV:R0], surface_soc * (1.0 + acid))
    r0, _ = _interpolate(RESISTANCE_KNOTS, params[R0:R1], surface_soc)
    r1, _ = _interpolate(RESISTANCE_KNOTS, params[R1:R2], surface_soc)
    r2, _ = _interpolate(RESISTANCE_KNOTS, params[R2:CAPACITY_AH], surface_soc)
    return ocv - current_a * (ohmic * r0 + polarisation * (r1 + r2))


@compiled
def _follow_unusable_soc(params: FloatArray, mean: FloatArray, covariance: FloatArray, memory: FloatArray) -> None:
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
def _write_output(
    params: FloatArray, mean: FloatArray, covariance: FloatArray, memory: FloatArray, out: FloatArray
) -> None:
    out[OUT_SOC], out[OUT_SOC_VAR], out[OUT_SLOW_V] = mean[SOC], covariance[SOC, SOC], mean[V2]
    out[OUT_INFORMATIVE] = 1.0 - memory[UNINFORMATIVE]
    is_evidence = memory[UNINFORMATIVE] == 0.0 and memory[DRAWN_AH] >= EVIDENCE_SHARE * params[RATED_AH]
    if is_evidence:
        out[OUT_LOG_Q], out[OUT_LOG_Q_VAR] = mean[LOG_Q], covariance[LOG_Q, LOG_Q]
        out[OUT_UNUSABLE], out[OUT_UNUSABLE_VAR] = memory[UNUSABLE_SOC], memory[UNUSABLE_VAR]
    else:
        out[OUT_LOG_Q], out[OUT_LOG_Q_VAR] = memory[SETTLED_LOG_Q], memory[SETTLED_VAR]
        out[OUT_UNUSABLE], out[OUT_UNUSABLE_VAR] = memory[SETTLED_UNUSABLE], memory[SETTLED_UNUSABLE_VAR]
    out[OUT_DISCHARGED] = 1.0 if is_evidence or memory[HAS_EVIDENCE] != 0.0 else 0.0
    out[OUT_MISFIT] = 1.0 if _is_misfit(params, mean, memory) else 0.0
    if out[OUT_MISFIT] != 0.0:
        out[OUT_SOC_VAR] = max(out[OUT_SOC_VAR], MISFIT_SOC_VAR)
        out[OUT_LOG_Q_VAR] = max(out[OUT_LOG_Q_VAR], MISFIT_LOG_Q_VAR)
    out[OUT_GRADE] = max(memory[SETTLED_GRADE], _grade(memory) if is_evidence else 0.0)


@compiled
def _measure_empty(mean: FloatArray, covariance: FloatArray, memory: FloatArray, cross_covariance: FloatArray) -> None:
    """Update by a slow discharge that reaches its cut-off: by definition no usable charge is left."""
    for state in range(STATE_SIZE):
        cross_covariance[state] = covariance[state, SOC]
    variance = EMPTY_SOC_SD**2 + memory[UNUSABLE_VAR] + covariance[SOC, SOC]
    _joseph_update(mean, covariance, cross_covariance, memory[UNUSABLE_SOC] - mean[SOC], variance)


@compiled
def _is_at_cut_off(voltage_v: float, current_a: float, rated_ah: float) -> bool:
    """Return whether a discharge has reached the cut-off voltage of its rate."""
    if current_a > -DISCHARGE_C_RATE * rated_ah:
        return False
    hours = -rated_ah / current_a
    cut_off_v = FAST_CUT_OFF_V if hours < FAST_H else MEDIUM_CUT_OFF_V if hours < MEDIUM_H else SLOW_CUT_OFF_V
    return voltage_v <= cut_off_v + CUT_OFF_SLACK_V


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
    rests = not mode_is_float and abs(used_a) < CHARGE_C_RATE * params[RATED_AH] and voltage_v < RESTED_V
    if rests and covariance[BIAS, BIAS] > REST_BIAS_SD_A**2:
        # At rest nothing flows: what the sensor shows is its bias, up to a small load that nobody mentions.
        calibrate_current(mean, covariance, used_a, REST_BIAS_SD_A**2, scratch)
    if not mode_is_float and memory[FLOATED_S] >= FLOAT_HELD_S:
        # A full block takes its float current, and more only while a charge still tapers.
        still_tapers = math.exp(-memory[FLOATED_S] / FULL_TAU_S)
        float_sd_a = (FLOAT_SD_C_RATE + TAPER_SD_C_RATE * still_tapers) * params[RATED_AH]
        if covariance[BIAS, BIAS] > float_sd_a**2:
            calibrate_current(mean, covariance, used_a - reading[IN_FLOAT_A], float_sd_a**2, scratch)
    if mode_is_float and not math.isnan(reading[IN_CURRENT_A]):
        offset_a = reading[IN_CURRENT_A] - reading[IN_FLOAT_A]
        calibrate_current(mean, covariance, offset_a, CALIBRATION_VAR_A2, scratch)
    predicted_v, innovation_v, innovation_sd_v = update(
        params, mean, covariance, memory, voltage_v, used_a, temperature_c, dt_s, slope, scratch
    )
    # A reading that no block gives next is a spike, not the end of a discharge.
    is_spike = innovation_v**2 > OUTLIER_NIS * innovation_sd_v**2
    is_at_cut_off = _is_at_cut_off(voltage_v, used_a, params[RATED_AH]) and not is_spike
    # A shallow discharge shows nothing of capacity, so neither of what would be left of it.
    is_deep = memory[DRAWN_AH] >= EVIDENCE_SHARE * params[RATED_AH]
    if memory[UNINFORMATIVE] == 0.0 and memory[AT_CUT_OFF] != SLOW_CUT_OFF and (is_deep or is_at_cut_off):
        _follow_unusable_soc(params, mean, covariance, memory)
        if is_at_cut_off:
            memory[AT_CUT_OFF] = FAST_CUT_OFF
            if used_a > -SLOW_C_RATE * params[RATED_AH]:
                memory[AT_CUT_OFF] = SLOW_CUT_OFF
                _measure_empty(mean, covariance, memory, scratch)
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
        Parameter sets (s, 51).
    which
        Index of each block's parameter set (n,).
    readings
        Inputs (n, 10).
    mean, covariance, memory
        States (n, 11), (n, 11, 11) and (n, 24), replaced by those after the reading.
    out
        Outputs (n, 14).
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
    """Filter the rows of a run of one block, in place: one parameter set (51,), readings (m, 10), oldest first.

    The state (11,), (11, 11) and (24,) is replaced by that after the last row; ``out`` (m, 14) holds the outputs.
    """
    slope, scratch = np.empty(STATE_SIZE), np.empty(STATE_SIZE)
    for row in range(len(readings)):
        _filter_step(params, mean, covariance, memory, readings[row], out[row], slope, scratch)
