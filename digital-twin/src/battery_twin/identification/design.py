"""The equivalent circuit as a sum of known shapes times unknown values, once its two time constants are given."""

from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from battery_twin.filter.kernel import OCV_KNOTS, OCV_V_PER_C, R0_PER_C, REFERENCE_C, RESISTANCE_KNOTS
from battery_twin.identification.prior import slow_drive_a
from battery_twin.runs import FloatArray, Run

IntArray = np.ndarray[tuple[int, ...], np.dtype[np.intp]]


@dataclass(frozen=True, slots=True)
class Trace:
    """A run with the rows that are fitted, and its state of charge by counting."""

    run: Run
    rows: IntArray
    charge_ah: FloatArray
    rated_ah: float
    capacity_ah: float


def hats(knots: FloatArray, value: FloatArray) -> FloatArray:
    """Return the weights (n, knots) that interpolate linearly between knots, flat outside."""
    inside = np.clip(value, knots[0], knots[-1])
    upper = np.clip(np.searchsorted(knots, inside, side="right"), 1, len(knots) - 1)
    share = (inside - knots[upper - 1]) / (knots[upper] - knots[upper - 1])
    weights = np.zeros((len(inside), len(knots)))
    rows = np.arange(len(inside))
    weights[rows, upper - 1] = 1.0 - share
    weights[rows, upper] += share
    return weights


def relaxed(drive: FloatArray, dt_s: FloatArray, tau_s: float) -> FloatArray:
    """Pass each column through a first-order lag; a row's current is taken to have flowed since the row before."""
    keep = np.exp(-dt_s / tau_s)
    if np.ptp(dt_s[1:]) < 1e-6 * dt_s[1:].max():
        decay = float(keep[1])
        filtered, _ = lfilter([1.0 - decay], [1.0, -decay], drive[1:], axis=0, zi=np.zeros((1, drive.shape[1])))
        return np.concatenate([np.zeros((1, drive.shape[1])), filtered])
    out = np.zeros_like(drive)
    state = np.zeros(drive.shape[1])
    gain = (1.0 - keep)[:, None] * drive
    for row in range(1, len(drive)):
        state = keep[row] * state + gain[row]
        out[row] = state
    return out


def design(trace: Trace, soc: FloatArray, tau_s: tuple[float, float], knee_a: float) -> tuple[FloatArray, FloatArray]:
    """Return the matrix of shapes of the fitted rows and what of their voltage is already known."""
    run = trace.run
    weights = hats(RESISTANCE_KNOTS, soc)
    drive = weights * run.current_a[:, None]
    slow = weights * slow_drive_a(run.current_a, trace.rated_ah, knee_a)[:, None]
    colder = np.exp(R0_PER_C * (run.temperature_c - REFERENCE_C))[:, None]
    shapes = [hats(OCV_KNOTS, soc), drive * colder]
    shapes += [relaxed(drive, run.dt_s, tau_s[0]), relaxed(slow, run.dt_s, tau_s[1])]
    known = OCV_V_PER_C * (run.temperature_c - REFERENCE_C)
    return np.hstack(shapes)[trace.rows], known[trace.rows]


def choose_rows(run: Run, usable: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], most: int) -> IntArray:
    """Keep the rows after sudden changes and spread the rest evenly over the run."""
    places = np.flatnonzero(usable)
    if len(places) <= most:
        return places
    steps = np.flatnonzero(np.abs(np.diff(run.current_a)) > 0.2 * np.ptp(run.current_a)) + 1
    near = np.unique(np.clip(steps[:, None] + np.arange(-1, 15), 0, len(run) - 1).ravel())
    near = near[usable[near]][: most // 2]
    even = places[np.linspace(0, len(places) - 1, most - len(near)).astype(int)]
    return np.asarray(np.union1d(near, even))
