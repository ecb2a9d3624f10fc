"""The compiled filter step, shared by the estimate of a fleet and the replay of a run; equations in `kernel`."""

import math

import numpy as np

from battery_twin.arrays import FloatArray, IntArray
from battery_twin.compilation import compiled
from battery_twin.kernel.algebra import decouple
from battery_twin.kernel.constants import (
    CALIBRATION_VAR_A2,
    CHARGE_C_RATE,
    DISCHARGE_C_RATE,
    EVIDENCE_SHARE,
    FAST_CUT_OFF,
    FLOAT_HELD_S,
    FLOAT_SD_C_RATE,
    FULL_TAU_S,
    MISFIT_LOG_Q_VAR,
    MISFIT_SOC_VAR,
    OUTLIER_NIS,
    REST_BIAS_SD_A,
    RESTED_V,
    SLOW_C_RATE,
    SLOW_CUT_OFF,
    TAPER_SD_C_RATE,
)
from battery_twin.kernel.correction import (
    calibrate_current,
    update,
)
from battery_twin.kernel.evidence import (
    follow_capacity_prior,
    follow_unusable_soc,
    grade_of,
    is_at_cut_off,
    is_misfit,
    measure_empty,
    settle_capacity,
    update_ohmic,
)
from battery_twin.kernel.layout import (
    AT_CUT_OFF,
    BIAS,
    DRAWN_AH,
    EVIDENCE_AGE_S,
    FLOATED_S,
    HAS_EVIDENCE,
    IN_CURRENT_A,
    IN_DT_S,
    IN_FLOAT_A,
    IN_MODE_IS_FLOAT,
    IN_NEW,
    IN_PRIOR_LOG_Q,
    IN_PRIOR_VAR,
    IN_RESISTANCE_MOHM,
    IN_TEMPERATURE_C,
    IN_VOLTAGE_V,
    LOG_Q,
    OUT_DISCHARGED,
    OUT_GRADE,
    OUT_INFORMATIVE,
    OUT_INNOVATION_SD_V,
    OUT_INNOVATION_V,
    OUT_LOG_Q,
    OUT_LOG_Q_VAR,
    OUT_MISFIT,
    OUT_PREDICTED_V,
    OUT_SLOW_V,
    OUT_SOC,
    OUT_SOC_VAR,
    OUT_UNUSABLE,
    OUT_UNUSABLE_VAR,
    PREVIOUS_A,
    PREVIOUS_C,
    PREVIOUS_V,
    RATED_AH,
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
    V2,
)
from battery_twin.kernel.prediction import (
    predict,
)


@compiled
def _write_output(
    params: FloatArray, mean: FloatArray, covariance: FloatArray, memory: FloatArray, out: FloatArray
) -> None:
    out[OUT_SOC], out[OUT_SOC_VAR], out[OUT_SLOW_V] = mean[SOC], covariance[SOC, SOC], mean[V2]
    out[OUT_INFORMATIVE] = 1.0 - memory[UNINFORMATIVE]
    is_evidence = memory[UNINFORMATIVE] == 0.0 and memory[DRAWN_AH] >= EVIDENCE_SHARE * params[RATED_AH]
    if is_evidence and memory[AT_CUT_OFF] != SLOW_CUT_OFF:
        out[OUT_LOG_Q], out[OUT_LOG_Q_VAR] = mean[LOG_Q], covariance[LOG_Q, LOG_Q]
        out[OUT_UNUSABLE], out[OUT_UNUSABLE_VAR] = memory[UNUSABLE_SOC], memory[UNUSABLE_VAR]
    else:
        out[OUT_LOG_Q], out[OUT_LOG_Q_VAR] = memory[SETTLED_LOG_Q], memory[SETTLED_VAR]
        out[OUT_UNUSABLE], out[OUT_UNUSABLE_VAR] = memory[SETTLED_UNUSABLE], memory[SETTLED_UNUSABLE_VAR]
    out[OUT_DISCHARGED] = 1.0 if is_evidence or memory[HAS_EVIDENCE] != 0.0 else 0.0
    out[OUT_MISFIT] = 1.0 if is_misfit(params, mean, memory) else 0.0
    if out[OUT_MISFIT] != 0.0:
        out[OUT_SOC_VAR] = max(out[OUT_SOC_VAR], MISFIT_SOC_VAR)
        out[OUT_LOG_Q_VAR] = max(out[OUT_LOG_Q_VAR], MISFIT_LOG_Q_VAR)
    out[OUT_GRADE] = max(memory[SETTLED_GRADE], grade_of(memory) if is_evidence else 0.0)


@compiled
def _follow_end(
    params: FloatArray,
    mean: FloatArray,
    covariance: FloatArray,
    memory: FloatArray,
    voltage_v: float,
    used_a: float,
    ends: bool,
    scratch: FloatArray,
) -> None:
    """Follow what a discharge would leave in the plates, and measure its capacity where it reaches its cut-off."""
    # A shallow discharge shows nothing of capacity, so neither of what would be left of it.
    is_deep = memory[DRAWN_AH] >= EVIDENCE_SHARE * params[RATED_AH]
    if not (is_deep or ends):
        return
    follow_unusable_soc(params, mean, covariance, memory)
    if not ends:
        return
    memory[AT_CUT_OFF] = FAST_CUT_OFF
    if used_a > -SLOW_C_RATE * params[RATED_AH]:
        memory[AT_CUT_OFF] = SLOW_CUT_OFF
        measure_empty(params, mean, covariance, memory, voltage_v, scratch)
        if is_deep and not is_misfit(params, mean, memory):
            # What the voltage does at rest afterwards says nothing better of the capacity.
            settle_capacity(params, mean, covariance, memory)
            decouple(covariance, LOG_Q, memory[SETTLED_VAR])


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
        follow_capacity_prior(mean, covariance, memory, reading[IN_PRIOR_LOG_Q], reading[IN_PRIOR_VAR])
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
    ends = is_at_cut_off(voltage_v, used_a, params[RATED_AH]) and not is_spike
    if memory[UNINFORMATIVE] == 0.0 and memory[AT_CUT_OFF] != SLOW_CUT_OFF:
        _follow_end(params, mean, covariance, memory, voltage_v, used_a, ends, scratch)
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
