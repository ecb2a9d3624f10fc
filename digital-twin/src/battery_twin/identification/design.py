"""The equivalent circuit as a linear model: design matrix times unknown values, for given time constants."""

from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from battery_twin.arrays import BoolArray, FloatArray, IntArray
from battery_twin.circuit.slow_branch import slow_drive_a
from battery_twin.kernel.layout import OCV_KNOTS, OCV_V_PER_C, R0_PER_C, REFERENCE_C, RESISTANCE_KNOTS
from battery_twin.runs import RecordedRun

# Rows near a change of current by more than this share of its range are kept when rows are thinned out.
STEP_SHARE = 0.2
ROWS_AROUND_STEP = np.arange(-1, 15)


@dataclass(frozen=True, slots=True)
class Trace:
    """A run with the indices of the rows that are fitted, its counted charge (m,) and the capacity it is counted by."""

    run: RecordedRun
    rows: IntArray
    charge_ah: FloatArray
    rated_ah: float
    capacity_ah: float


def hat_weights(knots: FloatArray, value: FloatArray) -> FloatArray:
    """Return the weights (n, knots) of linear interpolation between knots, constant outside them."""
    inside = np.clip(value, knots[0], knots[-1])
    upper = np.clip(np.searchsorted(knots, inside, side="right"), 1, len(knots) - 1)
    share = (inside - knots[upper - 1]) / (knots[upper] - knots[upper - 1])
    weights = np.zeros((len(inside), len(knots)))
    rows = np.arange(len(inside))
    weights[rows, upper - 1] = 1.0 - share
    weights[rows, upper] += share
    return weights


def first_order_lag(drive: FloatArray, dt_s: FloatArray, tau_s: float) -> FloatArray:
    """Filter each column (m, k) by a first-order lag; a row's drive has lasted since the previous row."""
    decay = np.exp(-dt_s / tau_s)
    if np.ptp(dt_s[1:]) < 1e-6 * dt_s[1:].max():
        pole = float(decay[1])
        filtered, _ = lfilter([1.0 - pole], [1.0, -pole], drive[1:], axis=0, zi=np.zeros((1, drive.shape[1])))
        return np.concatenate([np.zeros((1, drive.shape[1])), filtered])
    out = np.zeros_like(drive)
    state = np.zeros(drive.shape[1])
    increments = (1.0 - decay)[:, None] * drive
    for row in range(1, len(drive)):
        state = decay[row] * state + increments[row]
        out[row] = state
    return out


@dataclass(frozen=True, slots=True)
class Dynamics:
    """The parameters in which the voltage is not linear: time constants (s), knee (A) and depletion (h)."""

    tau1_s: float
    tau2_s: float
    knee_a: float
    tau_d_s: float
    depletion_h: float


def surface_soc(trace: Trace, soc: FloatArray, dynamics: Dynamics) -> FloatArray:
    """Return the state of charge of the acid at the plates (m,): a discharge depletes it, and diffusion restores it."""
    drive = _mean_of_ends(trace.run.current_a)[:, None] * dynamics.depletion_h / trace.capacity_ah
    return soc + first_order_lag(drive, trace.run.dt_s, dynamics.tau_d_s)[:, 0]


def _mean_of_ends(values: FloatArray) -> FloatArray:
    """Return the mean of each row (m,) and the one before: when within a step the current changed is unknown."""
    return np.concatenate([values[:1], 0.5 * (values[1:] + values[:-1])])


def design(trace: Trace, soc: FloatArray, dynamics: Dynamics) -> tuple[FloatArray, FloatArray]:
    """Return the design matrix (rows, 34) of the fitted rows and the part of their voltage (rows,) that is fixed.

    Parameters
    ----------
    soc
        State of charge of every row of the run (m,).
    """
    run = trace.run
    surface = surface_soc(trace, soc, dynamics)
    weights = hat_weights(RESISTANCE_KNOTS, surface)
    drive = weights * run.current_a[:, None]
    slow = weights * slow_drive_a(_mean_of_ends(run.current_a), trace.rated_ah, dynamics.knee_a)[:, None]
    temperature_factor = np.exp(R0_PER_C * (run.temperature_c - REFERENCE_C))[:, None]
    columns = [hat_weights(OCV_KNOTS, surface), drive * temperature_factor]
    columns += [first_order_lag(drive, run.dt_s, dynamics.tau1_s), first_order_lag(slow, run.dt_s, dynamics.tau2_s)]
    fixed_v = OCV_V_PER_C * (run.temperature_c - REFERENCE_C)
    return np.hstack(columns)[trace.rows], fixed_v[trace.rows]


def choose_rows(run: RecordedRun, usable: BoolArray, limit: int) -> IntArray:
    """Return at most about ``limit`` usable rows: those after sudden changes, the rest spread evenly over the run."""
    candidates = np.flatnonzero(usable)
    if len(candidates) <= limit:
        return candidates
    steps = np.flatnonzero(np.abs(np.diff(run.current_a)) > STEP_SHARE * np.ptp(run.current_a)) + 1
    near = np.unique(np.clip(steps[:, None] + ROWS_AROUND_STEP, 0, len(run) - 1).ravel())
    near = near[usable[near]][: limit // 2]
    even = candidates[np.linspace(0, len(candidates) - 1, limit - len(near)).astype(int)]
    return np.asarray(np.union1d(near, even))
