"""A second implementation of the filter of one block, with dense matrices: written to be read, not to be fast."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.optimize import brentq

from battery_twin.circuit.parameter_set import ParameterSet

OCV_SOC = [0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0]
OHM_SOC = [0.0, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0]
YEAR_S = 365.25 * 86400.0
MONTH_S = 30 * 86400.0
SOC, V1, V2, DEPLETION, ERROR, BIAS, LOG_Q, LOG_R, LOG_P, LOG_K, ACID = range(11)
FROM_PART, FROM_FULL, MEASURED = 1, 2, 3
NO_CUT_OFF, FAST_CUT_OFF, SLOW_CUT_OFF = 0, 1, 2


def table(soc_points: list[float], values: tuple[float, ...], soc: float) -> tuple[float, float]:
    """Return value and slope; the end segments extend beyond the points."""
    upper = min(max(int(np.searchsorted(soc_points, soc, side="right")), 1), len(soc_points) - 1)
    slope = (values[upper] - values[upper - 1]) / (soc_points[upper] - soc_points[upper - 1])
    return values[upper - 1] + slope * (soc - soc_points[upper - 1]), slope


@dataclass(frozen=True)
class Reading:
    volts: float
    amps: float
    celsius: float
    dt: float
    float_amps: float
    mode_is_float: bool = False
    is_new: bool = False
    log_prior: float = 0.0
    prior_var: float = 0.0


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
    settled_grade: int = 0
    floated_s: float = 0.0
    has_evidence: bool = False
    log_prior: float = 0.0
    nis_mean: float = 1.0
    cut_off: int = NO_CUT_OFF
    began_full: bool = False
    since_discharge_s: float = 1e9
    unusable: tuple[float, float] = (0.0, 0.0)
    settled_unusable: tuple[float, float] = (0.0, 0.0)

    def step(self, reading: Reading) -> tuple[float, float, float]:
        """Return predicted voltage, innovation and its deviation; the rules that surround the equations."""
        volts, amps, rated = reading.volts, reading.amps, self.params.rated_ah
        if reading.mode_is_float:
            # The probe knows what flows; the bias is added since all equations subtract it.
            amps = reading.float_amps + self.x[BIAS]
        if not reading.is_new:
            self.predict(amps, reading.celsius, reading.dt, mode_is_float=reading.mode_is_float)
            self.follow_prior(reading.log_prior, reading.prior_var)
        if reading.mode_is_float:
            if not np.isnan(reading.amps):
                self.calibrate_current(reading.amps - reading.float_amps, 0.05)
        else:
            if abs(amps) < 0.004 * rated and volts < 13.05:
                self.calibrate_current_once(amps, 0.1)
            if self.floated_s >= 600:
                taper = np.exp(-self.floated_s / 7200)
                self.calibrate_current_once(amps - reading.float_amps, (0.0006 + 0.004 * taper) * rated)
        dt = 0.0 if reading.is_new else reading.dt
        result = self.update(volts, amps, reading.celsius, dt)
        _, innovation, sd = result
        self.watch_cut_off(volts, amps, is_spike=bool(innovation**2 > 16 * sd**2))
        self.volts, self.amps = volts, amps
        self.since_discharge_s = 0.0 if amps < -0.02 * rated else self.since_discharge_s + dt
        return result

    @cached_property
    def capacity_bounds(self) -> tuple[float, float]:
        """Return the logarithms of 0.3 and 1.3 of the rated capacity, over the capacity of the parameter set."""
        share = self.params.rated_ah / self.params.capacity_ah
        return float(np.log(0.3 * share)), float(np.log(1.3 * share))

    @property
    def misfits(self) -> bool:
        """Return whether the readings, or a capacity that no block has, are those of something else."""
        low, high = self.capacity_bounds
        return bool(self.nis_mean >= 5 or self.x[LOG_Q] <= low + 1e-6 or self.x[LOG_Q] >= high - 1e-6)

    @property
    def running_grade(self) -> int:
        """Return what the running discharge says of capacity."""
        if not self.began_full:
            return FROM_PART
        return MEASURED if self.cut_off == SLOW_CUT_OFF else FROM_FULL

    @property
    def is_evidence(self) -> bool:
        """Return whether the running discharge is deep enough to speak of capacity."""
        return not self.uninformative and self.drawn_ah >= 0.15 * self.params.rated_ah

    @property
    def is_open(self) -> bool:
        """Return whether the running discharge still decides on capacity: one that reached its slow end has done."""
        return self.is_evidence and self.cut_off != SLOW_CUT_OFF

    @property
    def grade(self) -> int:
        return max(self.settled_grade, self.running_grade if self.is_evidence else 0)

    @property
    def capacity(self) -> tuple[float, float]:
        """Return the logarithm of capacity that is stated, and its variance."""
        log_q, variance = (self.x[LOG_Q], self.p[LOG_Q, LOG_Q]) if self.is_open else self.settled
        return log_q, max(variance, 0.25**2) if self.misfits else variance

    @property
    def stated_unusable(self) -> tuple[float, float]:
        return self.unusable if self.is_open else self.settled_unusable

    @property
    def soc_var(self) -> float:
        """Return the variance of charge that is stated: that of ignorance where the readings are another block's."""
        return float(max(self.p[SOC, SOC], 0.09 if self.misfits else 0.0))

    # Prediction

    def slow_current(self, amps: float) -> tuple[float, float]:
        reference = 0.1 * self.params.rated_ah
        scale = reference / np.arcsinh(reference / self.params.knee_a)
        return scale * np.arcsinh(amps / self.params.knee_a), scale / np.hypot(amps, self.params.knee_a)

    def transition(self, amps: float, dt: float, celsius: float) -> tuple[np.ndarray, np.ndarray, float, float, float]:
        """Return the next state, the Jacobian, the true mean current, the charge moved and the share per ampere."""
        params, (soc, v1, v2, depletion, error, bias, log_q, log_r, log_p, log_k, acid) = self.params, self.x
        true_a, fast_a = (amps + self.amps) / 2 - bias, amps - bias
        gas = 1e-4 * params.rated_ah * np.exp(min(11 * (self.volts / 6 - 2.23) + 0.06 * (celsius - 25), 8))
        stored = true_a - min(gas, true_a) if true_a > 0 else true_a
        per_amp = dt / (3600 * params.capacity_ah * np.exp(log_q))
        moved = stored * per_amp if dt <= 900 else np.clip(stored * per_amp, -0.5, 0.5)
        decay1, decay2, decay_d = (np.exp(-dt / tau) for tau in (params.tau1_s, params.tau2_s, params.tau_d_s))
        r1, r1_slope = table(OHM_SOC, params.r1_ohm, soc + depletion)
        r2, r2_slope = table(OHM_SOC, params.r2_ohm, soc + depletion)
        b1, b2 = (1 - decay1) * np.exp(log_p) * r1, (1 - decay2) * np.exp(log_p) * r2
        b_d = (1 - decay_d) * params.depletion_h * np.exp(log_k - log_q) / params.capacity_ah
        slow, slow_slope = self.slow_current(true_a)
        error_decay = 1.0 if self.uninformative else np.exp(-dt / 21600)
        bias_decay = np.exp(-dt / (5 * 86400))
        after = np.array([
            soc + moved, decay1 * v1 + b1 * fast_a, decay2 * v2 + b2 * slow, decay_d * depletion + b_d * true_a,
            error_decay * error, bias_decay * bias, log_q, log_r, log_p, log_k, acid,
        ])  # fmt: skip
        jacobian = np.diag([1, decay1, decay2, decay_d, error_decay, bias_decay, 1, 1, 1, 1, 1])
        jacobian[SOC, [BIAS, LOG_Q]] = -per_amp, -moved
        jacobian[V1, [SOC, DEPLETION]] = b1 / r1 * r1_slope * fast_a
        jacobian[V1, [BIAS, LOG_P]] = -b1, b1 * fast_a
        jacobian[V2, [SOC, DEPLETION]] = b2 / r2 * r2_slope * slow
        jacobian[V2, [BIAS, LOG_P]] = -b2 * slow_slope, b2 * slow
        jacobian[DEPLETION, [BIAS, LOG_Q, LOG_K]] = -b_d, -b_d * true_a, b_d * true_a
        return after, jacobian, true_a, moved, per_amp

    def process_noise(self, amps: float, dt: float, true_a: float, moved: float, per_amp: float) -> np.ndarray:
        params = self.params
        error = np.hypot(np.hypot(params.voltage_error_sd_v, params.ocv_shift_sd_v),
                         (0.3 if params.calibrated else 0.8) * self.x[V2])  # fmt: skip
        polarisation = (0.03 * true_a * params.r2_ohm[3]) ** 2 + 1e-8
        soc = 4e-10 * dt / 60 + (0.01 * moved) ** 2 + ((amps - self.amps) * per_amp) ** 2 / 12
        if dt > 900:
            soc += (0.2 * moved) ** 2
        return np.diag([
            soc,
            polarisation * min(1, dt / params.tau1_s),
            polarisation * min(1, dt / params.tau2_s),
            0.0,
            0.07**2 * abs(moved) + max(1, self.nis_mean) * error**2 * (1 - np.exp(-2 * dt / 21600)),
            0.04 * (1 - np.exp(-2 * dt / (5 * 86400))),
            0.045**2 * dt / YEAR_S,
            0.01 * dt / MONTH_S,
            0.01 * dt / MONTH_S,
            0.01 * dt / YEAR_S,
            0.0009 * dt / YEAR_S,
        ])  # fmt: skip

    def decouple(self, state: int, variance: float) -> None:
        self.p[state, :] = 0
        self.p[:, state] = 0
        self.p[state, state] = variance

    def limit_variances(self) -> None:
        """Bound the variances of charge and of what the parameter set has a prior for; correlations stay."""
        params = self.params
        bounds = {
            SOC: 0.3,
            LOG_R: params.resistance_relative_sd,
            LOG_P: params.polarisation_relative_sd,
            LOG_K: params.depletion_relative_sd,
            ACID: 0.09,
        }
        share = np.ones(11)
        for state, sd in bounds.items():
            share[state] = min(1.0, sd / np.sqrt(self.p[state, state]))
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
        was_uninformative = self.uninformative
        mean_a = (amps + self.amps) / 2 - self.x[BIAS]
        self.uninformative, charges = self.track_surface_charge(mean_a, dt, mode_is_float=mode_is_float)
        after, jacobian, true_a, moved, per_amp = self.transition(amps, dt, celsius)
        self.p = jacobian @ self.p @ jacobian.T + self.process_noise(amps, dt, true_a, moved, per_amp)
        self.limit_variances()
        self.settled = (self.settled[0], self.settled[1] + 0.045**2 * dt / YEAR_S)
        self.x = after
        if self.uninformative:
            self.x[SOC] = np.clip(self.x[SOC], -0.05, 1)
        else:
            self.constrain_to_physics()
        if charges:
            if self.drawn_ah > 0 and not was_uninformative:
                self.close_discharge()
            self.drawn_ah, self.cut_off = 0.0, NO_CUT_OFF
        if self.uninformative:
            self.decouple(ERROR, 0.36)
        elif was_uninformative:
            self.x[ERROR] = 0
            self.decouple(ERROR, 0.04)
            self.began_full = bool(self.x[SOC] > 0.9 and self.p[SOC, SOC] < 0.035**2)
        if self.floated_s >= 600:
            self.assume_full(true_a)

    def close_discharge(self) -> None:
        """Keep the capacity of a discharge that was deep enough, and of the block that the circuit describes."""
        if self.cut_off != SLOW_CUT_OFF:
            self.settle()
        self.x[LOG_Q] = self.settled[0]
        self.decouple(LOG_Q, self.settled[1])

    def settle(self) -> None:
        if self.drawn_ah >= 0.15 * self.params.rated_ah and not self.misfits:
            self.settled, self.has_evidence = (self.x[LOG_Q], self.p[LOG_Q, LOG_Q]), True
            self.settled_grade, self.settled_unusable = max(self.settled_grade, self.running_grade), self.unusable
            if self.cut_off == SLOW_CUT_OFF:
                self.decouple(LOG_Q, self.settled[1])

    def assume_full(self, true_a: float) -> None:
        """Take a block for nearly full after ten minutes of float, and for fuller the longer it floats."""
        openness = np.exp(-(self.floated_s - 600) / 7200)
        # A block that was never seen to discharge has most likely floated since long before.
        missing = 0.003 if self.since_discharge_s > 5e8 else 0.02
        full = 1 - missing * openness - 2 * max(true_a - 0.3, 0) / self.params.rated_ah
        full_sd = 0.01 + 0.01 * openness
        if self.p[SOC, SOC] > full_sd**2 or self.x[SOC] < full - full_sd:
            self.x[SOC] = max(self.x[SOC], full)
            self.decouple(SOC, full_sd**2)

    def follow_prior(self, log_q: float, variance: float) -> None:
        if not self.uninformative:
            return
        self.settled = (self.settled[0] + log_q - self.log_prior, self.settled[1])
        self.x[LOG_Q] += log_q - self.log_prior
        self.log_prior = log_q
        if not self.has_evidence and self.settled[1] < variance:
            self.settled = (self.settled[0], variance)
            self.decouple(LOG_Q, variance)

    # Update

    def predicted_voltage(self, amps: float, celsius: float) -> tuple[float, np.ndarray]:
        """Return the predicted voltage and its derivative by each state."""
        params, surface, strength = self.params, self.x[SOC] + self.x[DEPLETION], 1 + self.x[ACID]
        true_a, scale = amps - self.x[BIAS], np.exp(self.x[LOG_R] - 0.008 * (celsius - 25))
        ocv, ocv_slope = table(OCV_SOC, params.ocv_v, surface * strength)
        r0, r0_slope = table(OHM_SOC, params.r0_ohm, surface)
        volts = ocv + 0.0015 * (celsius - 25) + scale * r0 * true_a + self.x[V1] + self.x[V2] + self.x[ERROR]
        slope = np.zeros(11)
        slope[[SOC, DEPLETION]] = ocv_slope * strength + scale * r0_slope * true_a
        slope[[V1, V2, ERROR]] = 1
        slope[[BIAS, LOG_R, ACID]] = -scale * r0, scale * r0 * true_a, ocv_slope * surface
        return volts, slope

    def measurement_noise(self) -> float:
        empty = 0.1 if self.params.calibrated else 0.2
        below = max(empty - self.x[SOC] - self.x[DEPLETION], 0)
        return float((0.008**2 + self.params.voltage_rmse_v**2) * max(1, self.nis_mean) + below**2)

    def joseph_update(self, slope: np.ndarray, innovation: float, noise: float) -> None:
        kalman_gain = self.p @ slope / (slope @ self.p @ slope + noise)
        left = np.eye(11) - np.outer(kalman_gain, slope)
        self.x = self.x + kalman_gain * innovation
        self.p = left @ self.p @ left.T + noise * np.outer(kalman_gain, kalman_gain)

    def constrain_to_physics(self) -> None:
        """Move to the most likely state whose charge is within -0.05 to 1 and capacity within 0.3 to 1.3 of rated."""
        for state, low, high in ((SOC, -0.05, 1.0), (LOG_Q, *self.capacity_bounds)):
            excess = self.x[state] - np.clip(self.x[state], low, high)
            if excess:
                self.x = self.x - self.p[:, state] / self.p[state, state] * excess

    def calibrate_current(self, offset: float, sd: float) -> None:
        self.joseph_update(np.eye(11)[BIAS], offset - self.x[BIAS], sd**2)
        self.x[SOC] = np.clip(self.x[SOC], -0.05, 1)

    def calibrate_current_once(self, offset: float, sd: float) -> None:
        """Calibrate by an assumption: rows do not repeat it, so the bias is never more certain than that."""
        if self.p[BIAS, BIAS] > sd**2:
            self.calibrate_current(offset, sd)

    def average_nis(self, nis: float, dt: float) -> None:
        share = 1 - np.exp(-min(dt, 300) / 900)
        self.nis_mean = (1 - share) * self.nis_mean + share * min(nis, 16)

    def contradiction(self, volts: float, true_a: float) -> float:
        """Return by how many volts a reading contradicts its current."""
        if volts > 16:
            return volts - 16
        if true_a < -0.02 * self.params.rated_ah:
            return float(max(volts - 13.2, 0))
        least = (self.x[SOC] + self.x[DEPLETION] - 2 * np.sqrt(self.p[SOC, SOC])) * (1 + self.x[ACID])
        return float(max(table(OCV_SOC, self.params.ocv_v, least)[0] - 0.15 - volts, 0))

    def unexplained_nis(self) -> float:
        """Return what a voltage error counts for that is larger than any error of the circuit."""
        return float((max(abs(self.x[ERROR]) - 0.25, 0) / 0.1) ** 2)

    def update(self, volts: float, amps: float, celsius: float, dt: float) -> tuple[float, float, float]:
        expected, slope = self.predicted_voltage(amps, celsius)
        noise = self.measurement_noise()
        variance, innovation = slope @ self.p @ slope + noise, volts - expected
        nis = innovation**2 / variance
        if self.uninformative:
            nis = 1 + (self.contradiction(volts, amps - self.x[BIAS]) / 0.1) ** 2
            self.x[ERROR] += innovation
        else:
            self.joseph_update(slope, innovation, noise + (max(1.0, nis / 16) - 1) * variance)
            nis += self.unexplained_nis()
            self.constrain_to_physics()
        self.average_nis(nis, dt)
        return expected, innovation, np.sqrt(variance)

    # The end of a discharge

    def charge_left(self, log_q: float, log_r: float, log_p: float, log_k: float, acid: float) -> tuple[float, float]:
        """Return the charge left when a 10 h discharge reaches 10.8 V, and how steeply the voltage falls there (V)."""
        params, amps = self.params, 0.1 * self.params.rated_ah

        def above_cut_off(surface: float) -> float:
            r0, r1, r2 = (table(OHM_SOC, ohm, surface)[0] for ohm in (params.r0_ohm, params.r1_ohm, params.r2_ohm))
            ohmic, polarised = np.exp(log_r) * r0, np.exp(log_p) * (r1 + r2)
            ocv = table(OCV_SOC, params.ocv_v, surface * (1 + acid))[0]
            return float(ocv - amps * (ohmic + polarised) - 10.8)

        if above_cut_off(-0.2) >= 0:
            surface = -0.2
        elif above_cut_off(0.2) <= 0:
            surface = 0.2
        else:
            surface = brentq(above_cut_off, -0.2, 0.2, xtol=1e-12)
        slope = (above_cut_off(surface + 0.02) - above_cut_off(surface - 0.02)) / 0.04
        # A lasting current depletes the plates by this much: what is left on average exceeds what is left there.
        depletion = params.depletion_h * np.exp(log_k - log_q) * amps / params.capacity_ah
        return surface + depletion, max(slope, 0.5)

    @cached_property
    def left_by_the_set(self) -> float:
        return self.charge_left(0, 0, 0, 0, 0)[0]

    def follow_unusable(self) -> None:
        """State the charge left unused beyond the parameter set's own, and its variance by the resistances and k."""
        params, amps = self.params, 0.1 * self.params.rated_ah
        left, slope = self.charge_left(*self.x[LOG_Q:])
        _, _, _, _, _, _, log_q, log_r, log_p, log_k, _ = self.x
        by_r = amps * np.exp(log_r) * params.r0_ohm[0] / slope
        by_p = amps * np.exp(log_p) * (params.r1_ohm[0] + params.r2_ohm[0]) / slope
        by_k = params.depletion_h * np.exp(log_k - log_q) * amps / params.capacity_ah
        variance = np.array([by_r, by_p, by_k]) ** 2 @ np.diag(self.p)[[LOG_R, LOG_P, LOG_K]]
        self.unusable = (float(np.clip(left - self.left_by_the_set, -0.2, 0.2)), float(variance))

    def watch_cut_off(self, volts: float, amps: float, *, is_spike: bool) -> None:
        """Observe that a slow discharge leaves no usable charge at its cut-off voltage, once in a discharge."""
        if self.uninformative or self.cut_off == SLOW_CUT_OFF:
            return
        rate = -amps / self.params.rated_ah
        end_v = 10.0 if rate > 1 / 0.6 else 10.5 if rate > 1 / 3 else 10.8
        ends = rate >= 0.02 and volts <= end_v + 0.05 and not is_spike
        if ends or self.is_evidence:
            self.follow_unusable()
        if not ends:
            return
        self.cut_off = SLOW_CUT_OFF if rate < 0.15 else FAST_CUT_OFF
        if self.cut_off == SLOW_CUT_OFF:
            left, variance = self.unusable
            _, slope = self.charge_left(*self.x[LOG_Q:])
            left += max((volts - 10.8) / slope, -0.02)
            self.joseph_update(np.eye(11)[SOC], left - self.x[SOC], 0.01**2 + variance)
            self.settle()
