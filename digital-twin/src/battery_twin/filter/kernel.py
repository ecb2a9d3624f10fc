"""One step of the filter of one block, compiled: what a sweep over the fleet and a replay of a run both call.

The state is state of charge, the two polarisation voltages, a slow voltage error (hysteresis and diffusion over hours,
which the circuit lacks), the bias of the current sensor, and the logarithms of capacity and resistance over the set's.
What voltage cannot tell (on charge and on float) is left open by a wide voltage error: nothing is learnt there.

Everything that the machine code depends on stands in this file: Numba keeps compiled code by the file of a function.
"""

import math
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numba
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

SIZE = 7
SOC, V1, V2, ERROR, BIAS, LOG_Q, LOG_R = range(SIZE)
# What a block remembers beside mean and covariance.
(
    PREVIOUS_V,
    PREVIOUS_A,
    PREVIOUS_C,
    DRAWN_AH,
    WAS_OPEN,
    FLOATED_S,
    SETTLED_LOG_Q,
    SETTLED_VAR,
    HAS_EVIDENCE,
    EVIDENCE_AGE_S,
    EVIDENCE_DEPTH,
    SINCE_DISCHARGE_S,
    RESISTANCE_MOHM,
    RESISTANCE_VAR,
    RESISTANCE_AGE_S,
    PRIOR_LOG_Q,
) = range(16)
MEMORY_SIZE = 16
# What one step takes of a block's reading and record.
(
    IN_NEW,
    IN_TOLD,
    IN_DT_S,
    IN_VOLTAGE_V,
    IN_CURRENT_A,
    IN_FLOAT_A,
    IN_TEMPERATURE_C,
    IN_RESISTANCE_MOHM,
    IN_PRIOR_LOG_Q,
    IN_PRIOR_VAR,
) = range(10)
IN_SIZE = 10
# What one step returns of a block.
(
    OUT_SOC,
    OUT_SOC_VAR,
    OUT_LOG_Q,
    OUT_LOG_Q_VAR,
    OUT_DISCHARGED,
    OUT_PREDICTED_V,
    OUT_INNOVATION_V,
    OUT_DEVIATION_V,
    OUT_INFORMATIVE,
    OUT_SLOW_V,
) = range(10)
OUT_SIZE = 10
# A parameter set as one row: tables, then numbers.
OCV, R0, R1, R2 = 0, 13, 20, 27
(
    CAPACITY_AH,
    RATED_AH,
    TAU1_S,
    TAU2_S,
    KNEE_A,
    SLOW_SCALE_A,
    ERROR_SD_V,
    SHARE_WRONG,
    EMPTY_SOC,
    NOISE_V2,
    RESISTANCE_PRIOR_VAR,
) = range(34, 45)
PARAMETER_SIZE = 45

OCV_KNOTS = np.array([0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0])
RESISTANCE_KNOTS = np.array([0.0, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0])
OCV_V_PER_C, R0_PER_C, REFERENCE_C = 0.0015, -0.008, 25.0

ERROR_TAU_S = 6 * 3600.0
CHARGE_ERROR_SD_V = 0.6
# After float the charge is known better than the voltage: the first rows tell how far the circuit is off.
CLOSING_ERROR_SD_V = 0.2
EMPTY_ERROR_SD_V = 0.10
BIAS_SD_A = 0.2
BIAS_TAU_S = 5 * 86400.0
# A gap hides what flowed in it; the current is then taken as the mean of its ends.
LONG_GAP_S, MOVED_IN_GAP_AT_MOST = 900.0, 0.5
SOC_SD_AT_MOST = 0.3
SQUARE_OF_UNIFORM = 1.0 / 12.0
# After charge or float the electrodes hold an overvoltage, and the voltage dips and recovers: for so much of the rated
# capacity a discharge says nothing of charge or resistance.
SURFACE_SHARE = 0.04
# Above these a block is on charge or float, or was a moment ago.
RESTED_V, CHARGE_C_RATE = 13.05, 0.004
REST_S = 4 * 3600.0
# Above the voltage of rest for so long, with no more current than float and a biased sensor make: the block is full.
FLOAT_C_RATE, FLOAT_HELD_S, FLOAT_STEP_AT_MOST_S = 0.005, 600.0, 300.0
FULL_SOC, FULL_SOC_SD = 0.98, 0.03
# A discharge tells of capacity from this share of the rated capacity on; below it the noise of voltage says anything.
EVIDENCE_SHARE = 0.15
YEAR_S = 365.25 * 86400.0
# Ageing goes on unseen: an interval of 8 points widens to 11 in a year.
CAPACITY_WALK_VAR_PER_S = 0.045**2 / YEAR_S
RESISTANCE_WALK_VAR_PER_S = 0.1**2 / (30 * 86400.0)
# Gassing takes what the plates do not (Tafel, per Ah of rated capacity; Schiffer et al. 2007).
GAS_A_PER_AH, GAS_PER_V, GAS_PER_C, GAS_CELL_V = 1e-4, 11.0, 0.06, 2.23
OUTLIER_NIS = 16.0
# A sensor's offset while the string floats is its reading less the probe's, or less what float usually takes.
CALIBRATION_VAR_A2 = 0.05**2
DISCHARGE_C_RATE = 0.02
# What an ohmic reading repeats to, how its true value wanders, and how long after a discharge it is none.
OHMIC_REPEAT, OHMIC_BIAS, OHMIC_WALK_VAR_PER_S = 0.01, 0.02, 0.02**2 / (30 * 86400.0)
OHMIC_WAIT_S = 72 * 3600.0

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function of numbers and arrays; without fast-math, so that the order of sums is the written one."""
    kernel: Callable[P, R] = numba.njit(cache=True, error_model="numpy", nogil=True)(function)
    return kernel


@compiled
def _at(knots: FloatArray, table: FloatArray, soc: float) -> tuple[float, float]:
    """Return a table's value and slope at a state of charge."""
    upper = 1
    while upper < len(knots) - 1 and knots[upper] <= soc:
        upper += 1
    slope = (table[upper] - table[upper - 1]) / (knots[upper] - knots[upper - 1])
    return table[upper - 1] + slope * (soc - knots[upper - 1]), slope


@compiled
def _isolate(covariance: FloatArray, at: int, variance: float) -> None:
    """Make one state as uncertain as this and independent of everything else."""
    for other in range(SIZE):
        covariance[at, other] = 0.0
        covariance[other, at] = 0.0
    covariance[at, at] = variance


@compiled
def _limit(covariance: FloatArray, at: int, variance: float) -> None:
    """Shrink one state's uncertainty to at most this; a congruence, so that the matrix stays one of covariance."""
    if covariance[at, at] <= variance:
        return
    share = math.sqrt(variance / covariance[at, at])
    for other in range(SIZE):
        covariance[at, other] *= share
        covariance[other, at] *= share


@compiled
def _bound(mean: FloatArray, covariance: FloatArray) -> None:
    """Bring the charge back between empty and full, and with it what is correlated with it.

    A charge that is merely cut off leaves the others as if it had moved: voltage then misses by more at each row.
    """
    outside = mean[SOC] - min(max(mean[SOC], 0.0), 1.0)
    if outside == 0.0:
        return
    variance = covariance[SOC, SOC]
    for at in range(SIZE):
        mean[at] -= covariance[at, SOC] / variance * outside


@compiled
def _settle(mean: FloatArray, covariance: FloatArray, memory: FloatArray, rated_ah: float) -> None:
    """Close a discharge: keep what it told of capacity if it went deep enough, forget it otherwise."""
    depth = memory[DRAWN_AH] / rated_ah
    if depth >= EVIDENCE_SHARE:
        memory[SETTLED_LOG_Q], memory[SETTLED_VAR] = mean[LOG_Q], covariance[LOG_Q, LOG_Q]
        memory[HAS_EVIDENCE], memory[EVIDENCE_AGE_S], memory[EVIDENCE_DEPTH] = 1.0, 0.0, depth
    mean[LOG_Q] = memory[SETTLED_LOG_Q]
    _isolate(covariance, LOG_Q, memory[SETTLED_VAR])


@compiled
def _is_open(memory: FloatArray, rated_ah: float, true_a: float, dt_s: float, told_to_float: bool) -> bool:
    """Say whether the voltage tells nothing now, and count what has been drawn since it last did.

    The voltage is the previous reading's: a row is judged by what stood before it.
    """
    voltage_v = memory[PREVIOUS_V]
    floats = voltage_v > RESTED_V and (told_to_float or abs(true_a) < FLOAT_C_RATE * rated_ah + 1.5 * BIAS_SD_A)
    memory[FLOATED_S] = memory[FLOATED_S] + min(dt_s, FLOAT_STEP_AT_MOST_S) if floats else 0.0
    if true_a > CHARGE_C_RATE * rated_ah or voltage_v > RESTED_V:
        return True
    memory[DRAWN_AH] += max(-true_a, 0.0) * dt_s / 3600.0
    # A block that rests loses its overvoltage too, within hours.
    if memory[WAS_OPEN] != 0.0 and true_a > -CHARGE_C_RATE * rated_ah:
        memory[DRAWN_AH] += SURFACE_SHARE * rated_ah * dt_s / REST_S
    return bool(memory[DRAWN_AH] < SURFACE_SHARE * rated_ah)


@compiled
def _turn(
    known: FloatArray, mean: FloatArray, covariance: FloatArray, memory: FloatArray, is_open: bool, charges: bool
) -> None:
    """Open or close the eyes: what the voltage error is, what a discharge told, and what long float means."""
    if charges:
        if memory[DRAWN_AH] > 0.0 and memory[WAS_OPEN] == 0.0:
            _settle(mean, covariance, memory, known[RATED_AH])
        memory[DRAWN_AH] = 0.0
    if is_open:
        _isolate(covariance, ERROR, CHARGE_ERROR_SD_V**2)
    elif memory[WAS_OPEN] != 0.0:
        # What the error was on charge says nothing of what it is now.
        mean[ERROR] = 0.0
        _isolate(covariance, ERROR, CLOSING_ERROR_SD_V**2)
    memory[WAS_OPEN] = 1.0 if is_open else 0.0
    if memory[FLOATED_S] < FLOAT_HELD_S:
        return
    # An assumption is not averaged over rows and never surer than its own spread.
    if covariance[SOC, SOC] > FULL_SOC_SD**2 or mean[SOC] < FULL_SOC - FULL_SOC_SD:
        mean[SOC] = max(mean[SOC], FULL_SOC)
        _isolate(covariance, SOC, FULL_SOC_SD**2)


@compiled
def predict(
    known: FloatArray,
    mean: FloatArray,
    covariance: FloatArray,
    memory: FloatArray,
    current_a: float,
    temperature_c: float,
    dt_s: float,
    told_to_float: bool,
) -> None:
    """Advance one block over ``dt_s`` at a measured current."""
    through_a = 0.5 * (current_a + memory[PREVIOUS_A]) if dt_s > LONG_GAP_S else current_a
    true_a = through_a - mean[BIAS]
    rated_ah = known[RATED_AH]
    stored_a = true_a
    if true_a > 0.0:
        exponent = GAS_PER_V * (memory[PREVIOUS_V] / 6.0 - GAS_CELL_V) + GAS_PER_C * (temperature_c - REFERENCE_C)
        stored_a -= min(GAS_A_PER_AH * rated_ah * math.exp(min(exponent, 8.0)), true_a)
    per_a = dt_s / (3600.0 * known[CAPACITY_AH] * math.exp(mean[LOG_Q]))
    keep1, keep2 = math.exp(-dt_s / known[TAU1_S]), math.exp(-dt_s / known[TAU2_S])
    fade, keep_bias = math.exp(-dt_s / ERROR_TAU_S), math.exp(-dt_s / BIAS_TAU_S)
    scale = math.exp(mean[LOG_R])
    r1, r1_slope = _at(RESISTANCE_KNOTS, known[R1:R2], mean[SOC])
    r2, r2_slope = _at(RESISTANCE_KNOTS, known[R2:CAPACITY_AH], mean[SOC])
    share1, share2 = (1.0 - keep1) * scale, (1.0 - keep2) * scale
    drive1, drive2 = share1 * r1, share2 * r2
    # The slow branch saturates (Butler-Volmer): above a knee its voltage grows with the logarithm of the current.
    over_knee = abs(true_a) / known[KNEE_A]
    root = math.sqrt(1.0 + over_knee * over_knee)
    # The inverse hyperbolic sine, whose root is needed for the slope as well.
    slow_a = math.copysign(known[SLOW_SCALE_A] * math.log(over_knee + root), true_a)
    slow_gain = known[SLOW_SCALE_A] / (known[KNEE_A] * root)
    is_open = _is_open(memory, rated_ah, true_a, dt_s, told_to_float)
    charges = is_open and (true_a > CHARGE_C_RATE * rated_ah or memory[PREVIOUS_V] > RESTED_V)
    keep_error = 1.0 if is_open else fade

    moved = stored_a * per_a
    if dt_s > LONG_GAP_S:
        # Nobody knows for how much of the gap the current flowed.
        moved = min(max(moved, -MOVED_IN_GAP_AT_MOST), MOVED_IN_GAP_AT_MOST)
    step_a = current_a - memory[PREVIOUS_A]
    soc_before, v2_before = mean[SOC], mean[V2]
    soc_row = (-per_a, -moved)
    v1_row = (keep1, share1 * r1_slope * true_a, -drive1, drive1 * true_a)
    v2_row = (keep2, share2 * r2_slope * slow_a, -drive2 * slow_gain, drive2 * slow_a)
    _spread(covariance, soc_row, v1_row, v2_row)
    for at in range(SIZE):
        covariance[BIAS, at] *= keep_bias
        covariance[at, BIAS] *= keep_bias
    if not is_open:
        for at in range(SIZE):
            covariance[ERROR, at] *= fade
            covariance[at, ERROR] *= fade
    _add_noise(known, covariance, soc_before, v2_before, true_a, moved, step_a * per_a, dt_s, fade, keep_bias)
    memory[SETTLED_VAR] += CAPACITY_WALK_VAR_PER_S * dt_s

    mean[SOC] = soc_before + moved
    mean[V1] = keep1 * mean[V1] + drive1 * true_a
    mean[V2] = keep2 * v2_before + drive2 * slow_a
    mean[ERROR] *= keep_error
    mean[BIAS] *= keep_bias
    if is_open:
        # Here the count alone speaks: what it has too much says nothing of the circuit.
        mean[SOC] = min(max(mean[SOC], 0.0), 1.0)
    else:
        _bound(mean, covariance)
    _turn(known, mean, covariance, memory, is_open, charges)


@compiled
def _spread(
    covariance: FloatArray,
    soc_row: tuple[float, float],
    v1_row: tuple[float, float, float, float],
    v2_row: tuple[float, float, float, float],
) -> None:
    """Carry the covariance through the three rows of the Jacobian that are not diagonal: J P J'.

    Rows hold slopes by bias and capacity for the charge; by itself, charge, bias and resistance for the polarisations.
    """
    for at in range(SIZE):
        soc, bias = covariance[SOC, at], covariance[BIAS, at]
        capacity, resistance = covariance[LOG_Q, at], covariance[LOG_R, at]
        covariance[SOC, at] += soc_row[0] * bias + soc_row[1] * capacity
        for state, row in ((V1, v1_row), (V2, v2_row)):
            covariance[state, at] = row[0] * covariance[state, at] + row[1] * soc + row[2] * bias + row[3] * resistance
    for at in range(SIZE):
        soc, bias = covariance[at, SOC], covariance[at, BIAS]
        capacity, resistance = covariance[at, LOG_Q], covariance[at, LOG_R]
        covariance[at, SOC] += soc_row[0] * bias + soc_row[1] * capacity
        for state, row in ((V1, v1_row), (V2, v2_row)):
            covariance[at, state] = row[0] * covariance[at, state] + row[1] * soc + row[2] * bias + row[3] * resistance


@compiled
def _add_noise(
    known: FloatArray,
    covariance: FloatArray,
    soc: float,
    v2: float,
    true_a: float,
    moved: float,
    stepped: float,
    dt_s: float,
    fade: float,
    keep_bias: float,
) -> None:
    """Add what the circuit does not know of the time that passed."""
    error_sd = math.sqrt(known[ERROR_SD_V] ** 2 + (known[SHARE_WRONG] * v2) ** 2)
    if soc < known[EMPTY_SOC]:
        error_sd += EMPTY_ERROR_SD_V / 0.1 * (known[EMPTY_SOC] - soc)
    gap = 0.2 * abs(moved) if dt_s > LONG_GAP_S else 0.0
    polarisation_var = (0.03 * true_a * known[R2 + 3]) ** 2 + 1e-8
    # When within the step the current changed is not known.
    when_var = stepped**2 * SQUARE_OF_UNIFORM
    covariance[SOC, SOC] += (2e-5**2) * dt_s / 60.0 + (0.01 * moved) ** 2 + gap**2 + when_var
    covariance[V1, V1] += polarisation_var * min(1.0, dt_s / known[TAU1_S])
    covariance[V2, V2] += polarisation_var * min(1.0, dt_s / known[TAU2_S])
    covariance[ERROR, ERROR] += error_sd**2 * (1.0 - fade) * (1.0 + fade)
    covariance[BIAS, BIAS] += BIAS_SD_A**2 * (1.0 - keep_bias) * (1.0 + keep_bias)
    covariance[LOG_Q, LOG_Q] += CAPACITY_WALK_VAR_PER_S * dt_s
    covariance[LOG_R, LOG_R] += RESISTANCE_WALK_VAR_PER_S * dt_s
    _limit(covariance, SOC, SOC_SD_AT_MOST**2)
    _limit(covariance, LOG_R, known[RESISTANCE_PRIOR_VAR])


@compiled
def measure(
    known: FloatArray,
    mean: FloatArray,
    covariance: FloatArray,
    memory: FloatArray,
    voltage_v: float,
    current_a: float,
    temperature_c: float,
    slope: FloatArray,
    gain: FloatArray,
) -> tuple[float, float, float]:
    """Correct one block by a voltage; return the prediction before it, the innovation and its deviation.

    ``slope`` and ``gain`` are room to work in, (7,) each.
    """
    true_a = current_a - mean[BIAS]
    scale = math.exp(mean[LOG_R] + R0_PER_C * (temperature_c - REFERENCE_C))
    ocv, ocv_slope = _at(OCV_KNOTS, known[OCV:R0], mean[SOC])
    r0, r0_slope = _at(RESISTANCE_KNOTS, known[R0:R1], mean[SOC])
    ohmic_v = scale * r0 * true_a
    predicted_v = ocv + OCV_V_PER_C * (temperature_c - REFERENCE_C) + ohmic_v + mean[V1] + mean[V2] + mean[ERROR]
    slope[SOC] = ocv_slope + scale * r0_slope * true_a
    slope[V1] = slope[V2] = slope[ERROR] = 1.0
    slope[BIAS], slope[LOG_Q], slope[LOG_R] = -scale * r0, 0.0, ohmic_v
    noise = known[NOISE_V2]
    variance = noise
    for row in range(SIZE):
        across = 0.0
        for at in range(SIZE):
            across += covariance[row, at] * slope[at]
        gain[row] = across
        variance += slope[row] * across
    innovation_v = voltage_v - predicted_v
    deviation_v = math.sqrt(variance)
    if memory[WAS_OPEN] != 0.0:
        # Only the voltage error follows: nothing else learns here, however many rows there are.
        mean[ERROR] += innovation_v
        return predicted_v, innovation_v, deviation_v
    # Beyond four sigma the model, not the state, is wrong: such a row weighs less.
    used_variance = variance * max(1.0, innovation_v**2 / variance / OUTLIER_NIS)
    _correct(mean, covariance, gain, innovation_v, used_variance)
    _bound(mean, covariance)
    return predicted_v, innovation_v, deviation_v


@compiled
def _correct(mean: FloatArray, covariance: FloatArray, across: FloatArray, innovation: float, variance: float) -> None:
    """Joseph's update by one scalar, written out: with g = P h and K = g / S it is P - K g' - g K' + S K K'."""
    inverse = 1.0 / variance
    for row in range(SIZE):
        kept = across[row] * inverse
        mean[row] += kept * innovation
        for at in range(row, SIZE):
            other = across[at] * inverse
            value = covariance[row, at] - kept * across[at] - across[row] * other + variance * kept * other
            covariance[row, at] = value
            covariance[at, row] = value


@compiled
def calibrate_current(
    mean: FloatArray, covariance: FloatArray, offset_a: float, variance: float, across: FloatArray
) -> None:
    """Learn the bias of the current sensor from a string that is known to float."""
    for row in range(SIZE):
        across[row] = covariance[row, BIAS]
    _correct(mean, covariance, across, offset_a - mean[BIAS], covariance[BIAS, BIAS] + variance)


@compiled
def read_ohmic(memory: FloatArray, resistance_mohm: float, temperature_c: float, dt_s: float) -> None:
    """Follow the ohmic readings of a block, corrected to 25 degC; none counts until 72 h after a discharge."""
    memory[RESISTANCE_VAR] += OHMIC_WALK_VAR_PER_S * dt_s * memory[RESISTANCE_MOHM] ** 2
    memory[RESISTANCE_AGE_S] += dt_s
    if math.isnan(resistance_mohm) or memory[SINCE_DISCHARGE_S] < OHMIC_WAIT_S or memory[WAS_OPEN] == 0.0:
        return
    now_mohm = resistance_mohm / math.exp(R0_PER_C * (temperature_c - REFERENCE_C))
    noise = (OHMIC_REPEAT * now_mohm) ** 2
    memory[RESISTANCE_AGE_S] = 0.0
    if memory[RESISTANCE_MOHM] == 0.0:
        memory[RESISTANCE_MOHM], memory[RESISTANCE_VAR] = now_mohm, noise
        return
    gain = memory[RESISTANCE_VAR] / (memory[RESISTANCE_VAR] + noise)
    memory[RESISTANCE_MOHM] += gain * (now_mohm - memory[RESISTANCE_MOHM])
    memory[RESISTANCE_VAR] *= 1.0 - gain


@compiled
def _follow_prior(mean: FloatArray, covariance: FloatArray, memory: FloatArray, log_q: float, variance: float) -> None:
    """Let capacity fade as the ageing law expects while nothing tells of it; never grow surer by it."""
    if memory[WAS_OPEN] == 0.0:
        return
    drift = log_q - memory[PRIOR_LOG_Q]
    memory[PRIOR_LOG_Q] = log_q
    memory[SETTLED_LOG_Q] += drift
    mean[LOG_Q] += drift
    if memory[HAS_EVIDENCE] == 0.0 and memory[SETTLED_VAR] < variance:
        memory[SETTLED_VAR] = variance
        _isolate(covariance, LOG_Q, variance)


@compiled
def _report(known: FloatArray, mean: FloatArray, covariance: FloatArray, memory: FloatArray, out: FloatArray) -> None:
    out[OUT_SOC], out[OUT_SOC_VAR], out[OUT_SLOW_V] = mean[SOC], covariance[SOC, SOC], mean[V2]
    out[OUT_INFORMATIVE] = 1.0 - memory[WAS_OPEN]
    tells = memory[WAS_OPEN] == 0.0 and memory[DRAWN_AH] >= EVIDENCE_SHARE * known[RATED_AH]
    if tells:
        out[OUT_LOG_Q], out[OUT_LOG_Q_VAR] = mean[LOG_Q], covariance[LOG_Q, LOG_Q]
    else:
        out[OUT_LOG_Q], out[OUT_LOG_Q_VAR] = memory[SETTLED_LOG_Q], memory[SETTLED_VAR]
    out[OUT_DISCHARGED] = 1.0 if tells or memory[HAS_EVIDENCE] != 0.0 else 0.0


@compiled
def _step(
    known: FloatArray,
    mean: FloatArray,
    covariance: FloatArray,
    memory: FloatArray,
    reading: FloatArray,
    out: FloatArray,
    slope: FloatArray,
    room: FloatArray,
) -> None:
    told_to_float, is_new = reading[IN_TOLD] != 0.0, reading[IN_NEW] != 0.0
    temperature_c, voltage_v = reading[IN_TEMPERATURE_C], reading[IN_VOLTAGE_V]
    used_a = reading[IN_FLOAT_A] + mean[BIAS] if told_to_float else reading[IN_CURRENT_A]
    dt_s = 0.0 if is_new else reading[IN_DT_S]
    if not is_new:
        predict(known, mean, covariance, memory, used_a, temperature_c, dt_s, told_to_float)
        _follow_prior(mean, covariance, memory, reading[IN_PRIOR_LOG_Q], reading[IN_PRIOR_VAR])
    if told_to_float and not math.isnan(reading[IN_CURRENT_A]):
        offset_a = reading[IN_CURRENT_A] - reading[IN_FLOAT_A]
        calibrate_current(mean, covariance, offset_a, CALIBRATION_VAR_A2, room)
    found = measure(known, mean, covariance, memory, voltage_v, used_a, temperature_c, slope, room)
    out[OUT_PREDICTED_V], out[OUT_INNOVATION_V], out[OUT_DEVIATION_V] = found
    memory[PREVIOUS_V], memory[PREVIOUS_A], memory[PREVIOUS_C] = voltage_v, used_a, temperature_c
    memory[EVIDENCE_AGE_S] += dt_s
    memory[SINCE_DISCHARGE_S] += dt_s
    if used_a < -DISCHARGE_C_RATE * known[RATED_AH]:
        memory[SINCE_DISCHARGE_S] = 0.0
    read_ohmic(memory, reading[IN_RESISTANCE_MOHM], temperature_c, dt_s)
    _report(known, mean, covariance, memory, out)


@compiled
def sweep(
    parameters: FloatArray,
    which: NDArray[np.int64],
    readings: FloatArray,
    mean: FloatArray,
    covariance: FloatArray,
    memory: FloatArray,
    out: FloatArray,
) -> None:
    """Step each block once, in place.

    ``parameters`` is (sets, 45) and ``which`` (n,) names the set of each block; ``readings`` is (n, 10), ``mean``
    (n, 7), ``covariance`` (n, 7, 7), ``memory`` (n, 16), ``out`` (n, 10). A current may be NaN where the string is told
    to float; the time since the last reading is ignored for a new block.
    """
    slope, room = np.empty(SIZE), np.empty(SIZE)
    for i in range(len(which)):
        _step(parameters[which[i]], mean[i], covariance[i], memory[i], readings[i], out[i], slope, room)


@compiled
def along(
    known: FloatArray,
    readings: FloatArray,
    mean: FloatArray,
    covariance: FloatArray,
    memory: FloatArray,
    out: FloatArray,
) -> None:
    """Step one block through the rows of a run, in place; ``readings`` and ``out`` are (rows, 10)."""
    slope, room = np.empty(SIZE), np.empty(SIZE)
    for row in range(len(readings)):
        _step(known, mean, covariance, memory, readings[row], out[row], slope, room)
