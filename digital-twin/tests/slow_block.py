"""The filter of one block a second time: dense matrices and plain statements, written to be read, not to be fast."""

from dataclasses import dataclass

import numpy as np

from battery_twin.identification.parameter_set import ParameterSet

OCV_SOC = [0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0]
OHM_SOC = [0.0, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0]
YEAR_S = 365.25 * 86400.0


def table(soc_points: list[float], values: tuple[float, ...], soc: float) -> tuple[float, float]:
    """Return value and slope; the ends go on in a straight line."""
    upper = int(np.clip(np.searchsorted(soc_points, soc, side="right"), 1, len(soc_points) - 1))
    slope = (values[upper] - values[upper - 1]) / (soc_points[upper] - soc_points[upper - 1])
    return values[upper - 1] + slope * (soc - soc_points[upper - 1]), slope


@dataclass
class SlowBlock:
    known: ParameterSet
    x: np.ndarray
    p: np.ndarray
    volts: float
    amps: float
    drawn_ah: float
    is_open: bool
    settled: tuple[float, float]
    floated_s: float = 0.0
    has_evidence: bool = False
    log_prior: float = 0.0

    def slow_current(self, amps: float) -> tuple[float, float]:
        reference = 0.1 * self.known.rated_ah
        scale = reference / np.arcsinh(reference / self.known.knee_a)
        return scale * np.arcsinh(amps / self.known.knee_a), scale / np.hypot(amps, self.known.knee_a)

    def motion(self, amps: float, dt: float, celsius: float) -> tuple[np.ndarray, np.ndarray, float, float, float]:
        """Return the next state, the Jacobian, the true current, the charge moved and the share per ampere."""
        known, (soc, v1, v2, error, bias, log_q, log_r) = self.known, self.x
        mean_amps = (amps + self.amps) / 2 if dt > 900 else amps
        true = mean_amps - bias
        gas = 1e-4 * known.rated_ah * np.exp(min(11 * (self.volts / 6 - 2.23) + 0.06 * (celsius - 25), 8))
        stored = true - min(gas, true) if true > 0 else true
        per_amp = dt / (3600 * known.capacity_ah * np.exp(log_q))
        moved = stored * per_amp if dt <= 900 else np.clip(stored * per_amp, -0.5, 0.5)
        keep1, keep2 = np.exp(-dt / known.tau1_s), np.exp(-dt / known.tau2_s)
        r1, r1_slope = table(OHM_SOC, known.r1_ohm, soc)
        r2, r2_slope = table(OHM_SOC, known.r2_ohm, soc)
        b1, b2 = (1 - keep1) * np.exp(log_r) * r1, (1 - keep2) * np.exp(log_r) * r2
        slow, gain = self.slow_current(true)
        keep_error = 1.0 if self.is_open else np.exp(-dt / 21600)
        keep_bias = np.exp(-dt / (5 * 86400))
        after = np.array([
            soc + moved, keep1 * v1 + b1 * true, keep2 * v2 + b2 * slow,
            keep_error * error, keep_bias * bias, log_q, log_r,
        ])  # fmt: skip
        jacobian = np.diag([1, keep1, keep2, keep_error, keep_bias, 1, 1])
        jacobian[0, 4], jacobian[0, 5] = -per_amp, -moved
        jacobian[1, 0], jacobian[2, 0] = b1 / r1 * r1_slope * true, b2 / r2 * r2_slope * slow
        jacobian[1, 4], jacobian[1, 6] = -b1, b1 * true
        jacobian[2, 4], jacobian[2, 6] = -b2 * gain, b2 * slow
        return after, jacobian, true, moved, per_amp

    def noise(self, amps: float, dt: float, true: float, moved: float, per_amp: float) -> np.ndarray:
        known = self.known
        error = np.hypot(np.hypot(0.03 if known.calibrated else 0.12, known.ocv_shift_sd_v),
                         (0.3 if known.calibrated else 0.8) * self.x[2])  # fmt: skip
        empty = 0.1 if known.calibrated else 0.2
        if self.x[0] < empty:
            error += empty - self.x[0]
        polarisation = (0.03 * true * known.r2_ohm[3]) ** 2 + 1e-8
        soc = 4e-10 * dt / 60 + (0.01 * moved) ** 2 + ((amps - self.amps) * per_amp) ** 2 / 12
        if dt > 900:
            soc += (0.2 * moved) ** 2
        return np.diag([
            soc,
            polarisation * min(1, dt / known.tau1_s),
            polarisation * min(1, dt / known.tau2_s),
            error**2 * (1 - np.exp(-2 * dt / 21600)),
            0.04 * (1 - np.exp(-2 * dt / (5 * 86400))),
            0.045**2 * dt / YEAR_S,
            0.01 * dt / (30 * 86400),
        ])  # fmt: skip

    def alone(self, state: int, variance: float) -> None:
        self.p[state, :] = 0
        self.p[:, state] = 0
        self.p[state, state] = variance

    def at_most(self, state: int, variance: float) -> None:
        share = np.ones(7)
        share[state] = min(1.0, np.sqrt(variance / self.p[state, state]))
        self.p = np.diag(share) @ self.p @ np.diag(share)

    def look(self, true: float, dt: float, *, told: bool) -> tuple[bool, bool]:
        """Return whether voltage tells nothing, and whether the block charges or floats."""
        rated = self.known.rated_ah
        floats = self.volts > 13.05 and (told or abs(true) < 0.005 * rated + 0.3)
        self.floated_s = self.floated_s + min(dt, 300) if floats else 0.0
        if true > 0.004 * rated or self.volts > 13.05:
            return True, True
        self.drawn_ah += max(-true, 0) * dt / 3600
        if self.is_open and true > -0.004 * rated:
            self.drawn_ah += 0.04 * rated * dt / 14400
        return self.drawn_ah < 0.04 * rated, False

    def predict(self, amps: float, celsius: float, dt: float, *, told: bool = False) -> None:
        was_open, rated = self.is_open, self.known.rated_ah
        mean_amps = (amps + self.amps) / 2 if dt > 900 else amps
        self.is_open, charges = self.look(mean_amps - self.x[4], dt, told=told)
        after, jacobian, true, moved, per_amp = self.motion(amps, dt, celsius)
        self.p = jacobian @ self.p @ jacobian.T + self.noise(amps, dt, true, moved, per_amp)
        self.at_most(0, 0.09)
        self.at_most(6, self.known.resistance_relative_sd**2)
        self.settled = (self.settled[0], self.settled[1] + 0.045**2 * dt / YEAR_S)
        self.x = after
        if self.is_open:
            self.x[0] = np.clip(self.x[0], 0, 1)
        else:
            self.bound()
        if charges:
            if self.drawn_ah > 0 and not was_open:
                if self.drawn_ah >= 0.15 * rated:
                    self.settled, self.has_evidence = (self.x[5], self.p[5, 5]), True
                self.x[5] = self.settled[0]
                self.alone(5, self.settled[1])
            self.drawn_ah = 0.0
        if self.is_open:
            self.alone(3, 0.36)
        elif was_open:
            self.x[3] = 0
            self.alone(3, 0.04)
        if self.floated_s >= 600 and (self.p[0, 0] > 0.03**2 or self.x[0] < 0.95):
            self.x[0] = max(self.x[0], 0.98)
            self.alone(0, 0.03**2)

    def follow_prior(self, log_q: float, variance: float) -> None:
        if not self.is_open:
            return
        self.settled = (self.settled[0] + log_q - self.log_prior, self.settled[1])
        self.x[5] += log_q - self.log_prior
        self.log_prior = log_q
        if not self.has_evidence and self.settled[1] < variance:
            self.settled = (self.settled[0], variance)
            self.alone(5, variance)

    def sight(self, amps: float, celsius: float) -> tuple[float, np.ndarray]:
        """Return the voltage expected and its slope by each state."""
        known = self.known
        true, scale = amps - self.x[4], np.exp(self.x[6] - 0.008 * (celsius - 25))
        ocv, ocv_slope = table(OCV_SOC, known.ocv_v, self.x[0])
        r0, r0_slope = table(OHM_SOC, known.r0_ohm, self.x[0])
        volts = ocv + 0.0015 * (celsius - 25) + scale * r0 * true + self.x[1] + self.x[2] + self.x[3]
        return volts, np.array([ocv_slope + scale * r0_slope * true, 1, 1, 1, -scale * r0, 0, scale * r0 * true])

    def correct(self, slope: np.ndarray, innovation: float, noise: float) -> None:
        gain = self.p @ slope / (slope @ self.p @ slope + noise)
        left = np.eye(7) - np.outer(gain, slope)
        self.x = self.x + gain * innovation
        self.p = left @ self.p @ left.T + noise * np.outer(gain, gain)

    def bound(self) -> None:
        """Move to the most likely state whose charge is a charge."""
        self.x = self.x - self.p[:, 0] / self.p[0, 0] * (self.x[0] - np.clip(self.x[0], 0, 1))

    def calibrate(self, offset: float) -> None:
        self.correct(np.eye(7)[4], offset - self.x[4], 0.05**2)

    def measure(self, volts: float, amps: float, celsius: float) -> tuple[float, float, float]:
        expected, slope = self.sight(amps, celsius)
        noise = 0.008**2 + self.known.voltage_rmse_v**2
        variance, innovation = slope @ self.p @ slope + noise, volts - expected
        self.volts, self.amps = volts, amps
        if self.is_open:
            self.x[3] += innovation
        else:
            heavier = max(1.0, innovation**2 / variance / 16)
            self.correct(slope, innovation, noise + (heavier - 1) * variance)
            self.bound()
        return expected, innovation, np.sqrt(variance)
