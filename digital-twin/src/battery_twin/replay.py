"""A run replayed through a filter of one block, row by row and causal: what a twin would have said at each instant.

The state is state of charge, the two polarisation voltages, a slow voltage error (hysteresis and diffusion over hours,
which the circuit lacks), the bias of the current sensor, and the logarithms of capacity and resistance over the set's.
What voltage cannot tell (on charge and on float) is left open by a wide voltage error: nothing is learnt there.
"""

from dataclasses import dataclass

import numpy as np

from battery_twin.identification.parameter_set import ParameterSet
from battery_twin.identification.prior import (
    OCV_KNOTS,
    OCV_V_PER_C,
    R0_PER_C,
    REFERENCE_C,
    REFERENCE_C_RATE,
    RESISTANCE_KNOTS,
)
from battery_twin.runs import FloatArray, Run

SOC, V1, V2, ERROR, BIAS, LOG_Q, LOG_R = range(7)
SENSOR_SD_V = 0.008
# Voltage error of hours: its size where the circuit holds, and on charge, where polarisation is another altogether.
ERROR_TAU_S = 6 * 3600.0
# Part of the slow polarisation that another current or age would show differently.
POLARISATION_ERROR, UNCALIBRATED_POLARISATION_ERROR = 0.3, 0.8
ERROR_SD_V, UNCALIBRATED_ERROR_SD_V = 0.03, 0.12
CHARGE_ERROR_SD_V = 0.6
# After float the charge is known better than the voltage: the first rows tell how far the circuit is off.
CLOSING_ERROR_SD_V = 0.2
EMPTY_ERROR_SD_V = 0.10
INITIAL_SOC_SD = 0.12
BIAS_SD_A = 0.2
BIAS_TAU_S = 5 * 86400.0
BATTERY_CAPACITY_SD = 0.06
LONG_GAP_S = 900.0
# After charge or float the electrodes hold an overvoltage, and the voltage dips and recovers: for so much of the rated
# capacity a discharge says nothing of charge or resistance.
SURFACE_SHARE = 0.04
# Above these a block is on charge or float, or was a moment ago.
RESTED_V, CHARGE_C_RATE = 13.05, 0.004
REST_S = 4 * 3600.0
# Above the voltage of rest for so long, with no more current than float and a biased sensor make: the block is full.
FLOAT_C_RATE, FLOAT_HELD_S = 0.005, 600.0
FULL_SOC, FULL_SOC_SD = 0.98, 0.03
# What a wrong curve or resistance makes of capacity, however many rows there are.
CAPACITY_BIAS_SD, UNCALIBRATED_CAPACITY_BIAS_SD = 0.03, 0.11
# Gassing takes what the plates do not (Tafel, per 100 Ah).
GAS_A_PER_AH = 1e-4
GAS_PER_V, GAS_PER_C, GAS_CELL_V = 11.0, 0.06, 2.23


@dataclass(frozen=True, slots=True)
class Replay:
    """Estimates of each row, made of that row and those before it; fractions, volts, amperes."""

    time_s: FloatArray
    soc: FloatArray
    soc_sd: FloatArray
    soh: FloatArray
    soh_sd: FloatArray
    voltage_pred: FloatArray
    innovation_v: FloatArray
    innovation_sd_v: FloatArray
    informative: FloatArray

    @property
    def nis(self) -> FloatArray:
        """Normalised innovation squared; 1 on average where the filter's uncertainty is right."""
        return (self.innovation_v / self.innovation_sd_v) ** 2


@dataclass(slots=True)
class BlockFilter:
    """Extended Kalman filter of one block."""

    parameters: ParameterSet
    mean: FloatArray
    covariance: FloatArray
    drawn_ah: float
    """Charge drawn since the last charge or float."""
    was_open: bool
    """Whether the voltage said nothing at the last row: on charge, on float and just after."""
    floated_s: float = 0.0

    @classmethod
    def start(
        cls, parameters: ParameterSet, initial_soc: float, *, current_a: float, voltage_v: float
    ) -> "BlockFilter":
        """Begin with a state of charge that may well be wrong, and a first reading that tells rest from float."""
        capacity_sd = np.hypot(parameters.capacity_sd_ah / parameters.capacity_ah, BATTERY_CAPACITY_SD)
        error_sd = _error_sd_v(parameters)
        sd = [INITIAL_SOC_SD, 0.02, 0.05, error_sd, BIAS_SD_A, capacity_sd, parameters.resistance_relative_sd]
        mean = np.zeros(7)
        mean[SOC] = initial_soc
        floats = voltage_v > RESTED_V or current_a > CHARGE_C_RATE * parameters.rated_ah
        drawn_ah = 0.0 if floats else SURFACE_SHARE * parameters.rated_ah
        block = cls(parameters, mean, np.diag(np.square(sd)), drawn_ah, floats)
        if floats:
            block._set_error(CHARGE_ERROR_SD_V)
        return block

    def predict(self, current_a: float, dt_s: float, previous_v: float, temperature_c: float) -> None:
        """Advance the state over ``dt_s`` at a measured current."""
        known = self.parameters
        x = self.mean
        true_a = current_a - x[BIAS]
        gas_a = _gassing_a(known.rated_ah, previous_v, temperature_c) if true_a > 0 else 0.0
        stored_a = true_a - min(gas_a, max(true_a, 0.0))
        per_a = dt_s / (3600.0 * known.capacity_ah * np.exp(x[LOG_Q]))
        keep1, keep2 = np.exp(-dt_s / known.tau1_s), np.exp(-dt_s / known.tau2_s)
        scale = np.exp(x[LOG_R])
        r1, _ = _at(RESISTANCE_KNOTS, known.r1_ohm, x[SOC])
        r2, _ = _at(RESISTANCE_KNOTS, known.r2_ohm, x[SOC])
        drive1, drive2 = (1 - keep1) * scale * r1, (1 - keep2) * scale * r2
        slow_a, slow_gain = _slow(known, true_a)
        is_open = self._is_open(true_a, dt_s, previous_v)
        keep_error = 1.0 if is_open else np.exp(-dt_s / ERROR_TAU_S)
        keep_bias = np.exp(-dt_s / BIAS_TAU_S)

        jacobian = np.diag([1.0, keep1, keep2, keep_error, keep_bias, 1.0, 1.0])
        jacobian[SOC, BIAS], jacobian[SOC, LOG_Q] = -per_a, -per_a * stored_a
        jacobian[V1, BIAS], jacobian[V1, LOG_R] = -drive1, drive1 * true_a
        jacobian[V2, BIAS], jacobian[V2, LOG_R] = -drive2 * slow_gain, drive2 * slow_a
        self.mean = np.array(
            [
                min(max(x[SOC] + per_a * stored_a, 0.0), 1.0),
                keep1 * x[V1] + drive1 * true_a,
                keep2 * x[V2] + drive2 * slow_a,
                keep_error * x[ERROR],
                keep_bias * x[BIAS],
                x[LOG_Q],
                x[LOG_R],
            ]
        )
        noise = self._process_noise(true_a, stored_a * per_a, dt_s)
        self.covariance = jacobian @ self.covariance @ jacobian.T + np.diag(noise)
        if is_open:
            self._set_error(CHARGE_ERROR_SD_V)
        elif self.was_open:
            # What the error was on charge says nothing of what it is now.
            self.mean[ERROR] = 0.0
            self._set_error(CLOSING_ERROR_SD_V)
        self.was_open = is_open
        if self.floated_s >= FLOAT_HELD_S:
            self._take_for_full()

    def _take_for_full(self) -> None:
        """Assume what float means; an assumption is not averaged over rows and never surer than its own spread."""
        if self.covariance[SOC, SOC] <= FULL_SOC_SD**2 and self.mean[SOC] >= FULL_SOC - FULL_SOC_SD:
            return
        self.mean[SOC] = max(self.mean[SOC], FULL_SOC)
        self.covariance[SOC, :] = self.covariance[:, SOC] = 0.0
        self.covariance[SOC, SOC] = FULL_SOC_SD**2

    def _is_open(self, true_a: float, dt_s: float, voltage_v: float) -> bool:
        """Say whether the voltage tells nothing now, and count what has been drawn since it last did."""
        rated_ah = self.parameters.rated_ah
        floats = voltage_v > RESTED_V and abs(true_a) < FLOAT_C_RATE * rated_ah + 1.5 * BIAS_SD_A
        self.floated_s = self.floated_s + dt_s if floats else 0.0
        if true_a > CHARGE_C_RATE * rated_ah or voltage_v > RESTED_V:
            self.drawn_ah = 0.0
            return True
        self.drawn_ah += max(-true_a, 0.0) * dt_s / 3600.0
        # A block that rests loses its overvoltage too, within hours.
        if self.was_open and true_a > -CHARGE_C_RATE * rated_ah:
            self.drawn_ah += SURFACE_SHARE * rated_ah * dt_s / REST_S
        return self.drawn_ah < SURFACE_SHARE * rated_ah

    def _set_error(self, sd_v: float) -> None:
        """Make the voltage error as wide as this and independent of everything else."""
        self.covariance[ERROR, :] = self.covariance[:, ERROR] = 0.0
        self.covariance[ERROR, ERROR] = sd_v**2

    def _process_noise(self, true_a: float, moved: float, dt_s: float) -> list[float]:
        known = self.parameters
        share_wrong = POLARISATION_ERROR if known.calibrated else UNCALIBRATED_POLARISATION_ERROR
        error_sd = float(np.hypot(_error_sd_v(known), share_wrong * self.mean[V2]))
        empty = 0.1 if known.calibrated else 0.2
        if self.mean[SOC] < empty:
            error_sd += EMPTY_ERROR_SD_V / 0.1 * (empty - self.mean[SOC])
        gap = 0.2 * abs(moved) if dt_s > LONG_GAP_S else 0.0
        polarisation_sd = 0.03 * abs(true_a) * known.r2_ohm[3]
        share = min(1.0, dt_s / known.tau2_s)
        return [
            (2e-5**2) * dt_s / 60.0 + (0.01 * abs(moved)) ** 2 + gap**2,
            (polarisation_sd**2 + 1e-8) * min(1.0, dt_s / known.tau1_s),
            (polarisation_sd**2 + 1e-8) * share,
            error_sd**2 * -np.expm1(-2 * dt_s / ERROR_TAU_S),
            BIAS_SD_A**2 * -np.expm1(-2 * dt_s / BIAS_TAU_S),
            (0.02**2) * dt_s / (365.25 * 86400.0),
            (0.1**2) * dt_s / (30 * 86400.0),
        ]

    def measure(self, voltage_v: float, current_a: float, temperature_c: float) -> tuple[float, float, float]:
        """Correct the state by a voltage; return the prediction before it, the innovation and its deviation."""
        known, x = self.parameters, self.mean
        true_a = current_a - x[BIAS]
        scale = np.exp(x[LOG_R] + R0_PER_C * (temperature_c - REFERENCE_C))
        ocv, ocv_slope = _at(OCV_KNOTS, known.ocv_v, x[SOC])
        r0, r0_slope = _at(RESISTANCE_KNOTS, known.r0_ohm, x[SOC])
        predicted_v = ocv + OCV_V_PER_C * (temperature_c - REFERENCE_C) + scale * r0 * true_a + x[V1] + x[V2] + x[ERROR]
        slope = np.array([ocv_slope + scale * r0_slope * true_a, 1.0, 1.0, 1.0, -scale * r0, 0.0, scale * r0 * true_a])
        noise = SENSOR_SD_V**2 + known.voltage_rmse_v**2
        variance = float(slope @ self.covariance @ slope + noise)
        innovation_v = voltage_v - predicted_v
        if self.was_open:
            # Only the voltage error follows: nothing else learns here, however many rows there are.
            self.mean[ERROR] += innovation_v
            return float(predicted_v), float(innovation_v), float(np.sqrt(variance))
        # Beyond four sigma the model, not the state, is wrong: such a row weighs less.
        excess = max(1.0, innovation_v**2 / variance / 16.0)
        gain = self.covariance @ slope / (variance + (excess - 1.0) * variance)
        self.mean = x + gain * innovation_v
        self.mean[SOC] = min(max(self.mean[SOC], 0.0), 1.0)
        left = np.eye(7) - np.outer(gain, slope)
        used_noise = noise + (excess - 1.0) * variance
        self.covariance = left @ self.covariance @ left.T + used_noise * np.outer(gain, gain)
        return float(predicted_v), float(innovation_v), float(np.sqrt(variance))


def _irreducible_soc_sd(parameters: ParameterSet, slow_v: float) -> float:
    """Return the share of the deviation that no amount of rows removes: an error of the curve is the same in each."""
    share_wrong = POLARISATION_ERROR if parameters.calibrated else UNCALIBRATED_POLARISATION_ERROR
    error_v = float(np.hypot(parameters.ocv_shift_sd_v, share_wrong * slow_v))
    return min(error_v / (parameters.ocv_v[-1] - parameters.ocv_v[3]) * 0.8, 0.2)


def replay(run: Run, parameters: ParameterSet, initial_soc: float) -> Replay:
    """Estimate each row of a run from that row and those before it."""
    block = BlockFilter.start(
        parameters, initial_soc, current_a=float(run.current_a[0]), voltage_v=float(run.voltage_v[0])
    )
    rows = np.empty((len(run), 8))
    dt_s = run.dt_s
    share = parameters.capacity_ah / parameters.rated_ah
    previous_v = float(run.voltage_v[0])
    for row in range(len(run)):
        current_a, voltage_v = float(run.current_a[row]), float(run.voltage_v[row])
        temperature_c = float(run.temperature_c[row])
        if row:
            block.predict(current_a, float(dt_s[row]), previous_v, temperature_c)
        predicted_v, innovation_v, innovation_sd_v = block.measure(voltage_v, current_a, temperature_c)
        sd = np.sqrt(np.diag(block.covariance))
        soh = share * np.exp(block.mean[LOG_Q])
        quiet = not block.was_open
        rows[row] = (
            block.mean[SOC],
            np.hypot(sd[SOC], _irreducible_soc_sd(parameters, float(block.mean[V2]))),
            soh,
            soh * np.hypot(sd[LOG_Q], CAPACITY_BIAS_SD if parameters.calibrated else UNCALIBRATED_CAPACITY_BIAS_SD),
            predicted_v,
            innovation_v,
            innovation_sd_v,
            float(quiet),
        )
        previous_v = voltage_v
    return Replay(run.time_s, *rows.T)


def _error_sd_v(known: ParameterSet) -> float:
    floor_v = ERROR_SD_V if known.calibrated else UNCALIBRATED_ERROR_SD_V
    return float(np.hypot(floor_v, known.ocv_shift_sd_v))


def _gassing_a(rated_ah: float, voltage_v: float, temperature_c: float) -> float:
    exponent = GAS_PER_V * (voltage_v / 6.0 - GAS_CELL_V) + GAS_PER_C * (temperature_c - REFERENCE_C)
    return float(GAS_A_PER_AH * rated_ah * np.exp(min(exponent, 8.0)))


def _slow(known: ParameterSet, current_a: float) -> tuple[float, float]:
    """Return the current as the slow branch feels it, and its slope."""
    reference_a = REFERENCE_C_RATE * known.rated_ah
    scale_a = reference_a / np.arcsinh(reference_a / known.knee_a)
    slope = scale_a / np.hypot(current_a, known.knee_a)
    return float(scale_a * np.arcsinh(current_a / known.knee_a)), float(slope)


def _at(knots: FloatArray, table: tuple[float, ...], soc: float) -> tuple[float, float]:
    """Return a table's value and slope at a state of charge."""
    upper = min(max(int(np.searchsorted(knots, soc, side="right")), 1), len(knots) - 1)
    slope = (table[upper] - table[upper - 1]) / (knots[upper] - knots[upper - 1])
    return float(table[upper - 1] + slope * (soc - knots[upper - 1])), float(slope)
