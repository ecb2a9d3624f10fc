"""A second implementation of the filter of one block, with dense matrices: written to be read, not to be fast."""

from dataclasses import dataclass

import numpy as np

from battery_twin.circuit.parameter_set import ParameterSet

OCV_SOC = [0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0]
OHM_SOC = [0.0, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0]
YEAR_S = 365.25 * 86400.0


def table(soc_points: list[float], values: tuple[float, ...], soc: float) -> tuple[float, float]:
    """Return value and slope; the end segments extend beyond the points."""
    upper = int(np.clip(np.searchsorted(soc_points, soc, side="right"), 1, len(soc_points) - 1))
    slope = (values[upper] - values[upper - 1]) / (soc_points[upper] - soc_points[upper - 1])
    return values[upper - 1] + slope * (soc - soc_points[upper - 1]), slope


@dataclass
class ReferenceFilter:
    params: ParameterSet
    x: np.ndarray
    p: np.ndarray
    volts: float
    amps: float
    drawn_ah: float
    uninformative: bool
    settled: tuple[float, float]
    floated_s: float = 0.0
    has_evidence: bool = False
    log_prior: float = 0.0

    def slow_current(self, amps: float) -> tuple[float, float]:
        reference = 0.1 * self.params.rated_ah
        scale = reference / np.arcsinh(reference / self.params.knee_a)
        return scale * np.arcsinh(amps / self.params.knee_a), scale / np.hypot(amps, self.params.knee_a)

    def transition(self, amps: float, dt: float, celsius: float) -> tuple[np.ndarray, np.ndarray, float, float, float]:
        """Return the next state, the Jacobian, the true current, the charge moved and the share per ampere."""
        params, (soc, v1, v2, error, bias, log_q, log_r) = self.params, self.x
        mean_amps = (amps + self.amps) / 2 if dt > 900 else amps
        true_a = mean_amps - bias
        gas = 1e-4 * params.rated_ah * np.exp(min(11 * (self.volts / 6 - 2.23) + 0.06 * (celsius - 25), 8))
        stored = true_a - min(gas, true_a) if true_a > 0 else true_a
        per_amp = dt / (3600 * params.capacity_ah * np.exp(log_q))
        moved = stored * per_amp if dt <= 900 else np.clip(stored * per_amp, -0.5, 0.5)
        decay1, decay2 = np.exp(-dt / params.tau1_s), np.exp(-dt / params.tau2_s)
        r1, r1_slope = table(OHM_SOC, params.r1_ohm, soc)
        r2, r2_slope = table(OHM_SOC, params.r2_ohm, soc)
        b1, b2 = (1 - decay1) * np.exp(log_r) * r1, (1 - decay2) * np.exp(log_r) * r2
        slow, slow_slope = self.slow_current(true_a)
        error_decay = 1.0 if self.uninformative else np.exp(-dt / 21600)
        bias_decay = np.exp(-dt / (5 * 86400))
        after = np.array([
            soc + moved, decay1 * v1 + b1 * true_a, decay2 * v2 + b2 * slow,
            error_decay * error, bias_decay * bias, log_q, log_r,
        ])  # fmt: skip
        jacobian = np.diag([1, decay1, decay2, error_decay, bias_decay, 1, 1])
        jacobian[0, 4], jacobian[0, 5] = -per_amp, -moved
        jacobian[1, 0], jacobian[2, 0] = b1 / r1 * r1_slope * true_a, b2 / r2 * r2_slope * slow
        jacobian[1, 4], jacobian[1, 6] = -b1, b1 * true_a
        jacobian[2, 4], jacobian[2, 6] = -b2 * slow_slope, b2 * slow
        return after, jacobian, true_a, moved, per_amp

    def process_noise(self, amps: float, dt: float, true_a: float, moved: float, per_amp: float) -> np.ndarray:
        params = self.params
        error = np.hypot(np.hypot(0.03 if params.calibrated else 0.12, params.ocv_shift_sd_v),
                         (0.3 if params.calibrated else 0.8) * self.x[2])  # fmt: skip
        empty = 0.1 if params.calibrated else 0.2
        if self.x[0] < empty:
            error += empty - self.x[0]
        polarisation = (0.03 * true_a * params.r2_ohm[3]) ** 2 + 1e-8
        soc = 4e-10 * dt / 60 + (0.01 * moved) ** 2 + ((amps - self.amps) * per_amp) ** 2 / 12
        if dt > 900:
            soc += (0.2 * moved) ** 2
        return np.diag([
            soc,
            polarisation * min(1, dt / params.tau1_s),
            polarisation * min(1, dt / params.tau2_s),
            error**2 * (1 - np.exp(-2 * dt / 21600)),
            0.04 * (1 - np.exp(-2 * dt / (5 * 86400))),
            0.045**2 * dt / YEAR_S,
            0.01 * dt / (30 * 86400),
        ])  # fmt: skip

    def decouple(self, state: int, variance: float) -> None:
        self.p[state, :] = 0
        self.p[:, state] = 0
        self.p[state, state] = variance

    def limit_variance(self, state: int, variance: float) -> None:
        share = np.ones(7)
        share[state] = min(1.0, np.sqrt(variance / self.p[state, state]))
        self.p = np.diag(share) @ self.p @ np.diag(share)

    def track_surface_charge(self, true_a: float, dt: float, *, mode_is_float: bool) -> tuple[bool, bool]:
        """Return whether the voltage is uninformative, and whether the block charges or floats."""
        rated = self.params.rated_ah
        floats = self.volts > 13.05 and (mode_is_float or abs(true_a) < 0.005 * rated + 0.3)
        self.floated_s = self.floated_s + min(dt, 300) if floats else 0.0
        if true_a > 0.004 * rated or self.volts > 13.05:
            return True, True
        self.drawn_ah += max(-true_a, 0) * dt / 3600
        if self.uninformative and true_a > -0.004 * rated:
            self.drawn_ah += 0.04 * rated * dt / 14400
        return self.drawn_ah < 0.04 * rated, False

    def predict(self, amps: float, celsius: float, dt: float, *, mode_is_float: bool = False) -> None:
        was_uninformative, rated = self.uninformative, self.params.rated_ah
        mean_amps = (amps + self.amps) / 2 if dt > 900 else amps
        self.uninformative, charges = self.track_surface_charge(mean_amps - self.x[4], dt, mode_is_float=mode_is_float)
        after, jacobian, true_a, moved, per_amp = self.transition(amps, dt, celsius)
        self.p = jacobian @ self.p @ jacobian.T + self.process_noise(amps, dt, true_a, moved, per_amp)
        self.limit_variance(0, 0.09)
        self.limit_variance(6, self.params.resistance_relative_sd**2)
        self.settled = (self.settled[0], self.settled[1] + 0.045**2 * dt / YEAR_S)
        self.x = after
        if self.uninformative:
            self.x[0] = np.clip(self.x[0], 0, 1)
        else:
            self.constrain_soc()
        if charges:
            if self.drawn_ah > 0 and not was_uninformative:
                if self.drawn_ah >= 0.15 * rated:
                    self.settled, self.has_evidence = (self.x[5], self.p[5, 5]), True
                self.x[5] = self.settled[0]
                self.decouple(5, self.settled[1])
            self.drawn_ah = 0.0
        if self.uninformative:
            self.decouple(3, 0.36)
        elif was_uninformative:
            self.x[3] = 0
            self.decouple(3, 0.04)
        if self.floated_s >= 600 and (self.p[0, 0] > 0.03**2 or self.x[0] < 0.95):
            self.x[0] = max(self.x[0], 0.98)
            self.decouple(0, 0.03**2)

    def follow_prior(self, log_q: float, variance: float) -> None:
        if not self.uninformative:
            return
        self.settled = (self.settled[0] + log_q - self.log_prior, self.settled[1])
        self.x[5] += log_q - self.log_prior
        self.log_prior = log_q
        if not self.has_evidence and self.settled[1] < variance:
            self.settled = (self.settled[0], variance)
            self.decouple(5, variance)

    def predicted_voltage(self, amps: float, celsius: float) -> tuple[float, np.ndarray]:
        """Return the predicted voltage and its derivative by each state."""
        params = self.params
        true_a, scale = amps - self.x[4], np.exp(self.x[6] - 0.008 * (celsius - 25))
        ocv, ocv_slope = table(OCV_SOC, params.ocv_v, self.x[0])
        r0, r0_slope = table(OHM_SOC, params.r0_ohm, self.x[0])
        volts = ocv + 0.0015 * (celsius - 25) + scale * r0 * true_a + self.x[1] + self.x[2] + self.x[3]
        return volts, np.array([ocv_slope + scale * r0_slope * true_a, 1, 1, 1, -scale * r0, 0, scale * r0 * true_a])

    def joseph_update(self, slope: np.ndarray, innovation: float, noise: float) -> None:
        kalman_gain = self.p @ slope / (slope @ self.p @ slope + noise)
        left = np.eye(7) - np.outer(kalman_gain, slope)
        self.x = self.x + kalman_gain * innovation
        self.p = left @ self.p @ left.T + noise * np.outer(kalman_gain, kalman_gain)

    def constrain_soc(self) -> None:
        """Move to the most likely state whose charge lies between 0 and 1."""
        self.x = self.x - self.p[:, 0] / self.p[0, 0] * (self.x[0] - np.clip(self.x[0], 0, 1))

    def calibrate_current(self, offset: float) -> None:
        self.joseph_update(np.eye(7)[4], offset - self.x[4], 0.05**2)

    def update(self, volts: float, amps: float, celsius: float) -> tuple[float, float, float]:
        expected, slope = self.predicted_voltage(amps, celsius)
        noise = 0.008**2 + self.params.voltage_rmse_v**2
        variance, innovation = slope @ self.p @ slope + noise, volts - expected
        self.volts, self.amps = volts, amps
        if self.uninformative:
            self.x[3] += innovation
        else:
            heavier = max(1.0, innovation**2 / variance / 16)
            self.joseph_update(slope, innovation, noise + (heavier - 1) * variance)
            self.constrain_soc()
        return expected, innovation, np.sqrt(variance)
