"""The update of the compiled filter by a voltage, and by the offset of a current sensor."""

import math

from battery_twin.arrays import FloatArray
from battery_twin.compilation import compiled
from battery_twin.kernel.algebra import (
    interpolate,
    joseph_update,
    project,
)
from battery_twin.kernel.constants import (
    CONTRADICTION_SD_V,
    DISCHARGE_C_RATE,
    EMPTY_ERROR_SD_V,
    EMPTY_SOC_SPAN,
    MAX_BLOCK_V,
    MAX_DISCHARGED_V,
    MAX_ERROR_V,
    MAX_FLOAT_STEP_S,
    MIN_SOC,
    NIS_TAU_S,
    OUTLIER_NIS,
    REST_MARGIN_V,
)
from battery_twin.kernel.layout import (
    ACID,
    BIAS,
    DEPLETION,
    EMPTY_SOC,
    ERROR,
    LOG_K,
    LOG_P,
    LOG_Q,
    LOG_R,
    NIS_MEAN,
    NOISE_V2,
    OCV,
    OCV_KNOTS,
    OCV_V_PER_C,
    R0,
    R0_PER_C,
    R1,
    RATED_AH,
    REFERENCE_C,
    RESISTANCE_KNOTS,
    SOC,
    STATE_SIZE,
    UNINFORMATIVE,
    V1,
    V2,
)
from battery_twin.kernel.observability import (
    constrain_to_physics,
)


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
    variance = noise + project(covariance, slope, cross_covariance)
    innovation_v, innovation_sd_v = voltage_v - predicted_v, math.sqrt(variance)
    if memory[UNINFORMATIVE] != 0.0:
        # Only the voltage error follows: no other state is updated, however many rows there are.
        mean[ERROR] += innovation_v
        least_soc = mean[SOC] + mean[DEPLETION] - 2.0 * math.sqrt(covariance[SOC, SOC])
        least_v, _ = interpolate(OCV_KNOTS, params[OCV:R0], least_soc * (1.0 + mean[ACID]))
        contradiction_v = _contradiction(params, voltage_v, least_v, current_a - mean[BIAS])
        _average_nis(memory, 1.0 + (contradiction_v / CONTRADICTION_SD_V) ** 2, dt_s)
        return predicted_v, innovation_v, innovation_sd_v
    nis = innovation_v**2 / variance
    # An outlier weighs less: its variance is raised until it lies at the limit.
    joseph_update(mean, covariance, cross_covariance, innovation_v, variance * max(1.0, nis / OUTLIER_NIS))
    unexplained_v = max(abs(mean[ERROR]) - MAX_ERROR_V, 0.0)
    _average_nis(memory, nis + (unexplained_v / CONTRADICTION_SD_V) ** 2, dt_s)
    constrain_to_physics(params, mean, covariance)
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
    ocv, ocv_slope = interpolate(OCV_KNOTS, params[OCV:R0], surface_soc * strength)
    r0, r0_slope = interpolate(RESISTANCE_KNOTS, params[R0:R1], surface_soc)
    ohmic_v = scale * r0 * true_a
    slope[SOC] = slope[DEPLETION] = ocv_slope * strength + scale * r0_slope * true_a
    slope[V1] = slope[V2] = slope[ERROR] = 1.0
    slope[BIAS], slope[LOG_Q], slope[LOG_R] = -scale * r0, 0.0, ohmic_v
    slope[LOG_P], slope[LOG_K], slope[ACID] = 0.0, 0.0, ocv_slope * surface_soc
    rest_v = ocv + OCV_V_PER_C * (temperature_c - REFERENCE_C)
    return float(rest_v + ohmic_v + mean[V1] + mean[V2] + mean[ERROR])


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
def calibrate_current(
    mean: FloatArray, covariance: FloatArray, offset_a: float, variance: float, cross_covariance: FloatArray
) -> None:
    """Update by the offset of a current sensor on a string known to float; ``cross_covariance`` (11,) is scratch."""
    for row in range(STATE_SIZE):
        cross_covariance[row] = covariance[row, BIAS]
    joseph_update(mean, covariance, cross_covariance, offset_a - mean[BIAS], covariance[BIAS, BIAS] + variance)
    # The charge follows the bias by their correlation; on float it is full at most.
    mean[SOC] = min(max(mean[SOC], MIN_SOC), 1.0)
