"""A string of blocks in series under a load until one block reaches its cut-off.

What is uncertain of each block (charge, capacity, resistance) and of the model they share (capacity and curve) is drawn
once with a fixed seed, and all draws are simulated side by side, so that equal requests have equal results.
"""

from typing import NamedTuple

import numpy as np

from battery_contracts.twin_analysis import MAX_PROFILE_S, LoadStep, SimulateRequest, SimulateResponse
from battery_twin.arrays import FloatArray
from battery_twin.circuit.parameter_set import ParameterSet
from battery_twin.circuit.slow_branch import slow_drive_a
from battery_twin.deadline import NO_DEADLINE, Deadline
from battery_twin.kernel.layout import OCV_KNOTS, OCV_V_PER_C, R0_PER_C, REFERENCE_C, RESISTANCE_KNOTS

DRAWS = 200
SEED = 20260101
FINEST_S, COARSEST_S = 5.0, 60.0
CAPACITY_PER_C = 0.006
MAX_POINTS = 400
# Share of the ten-hour capacity available at a current down to 1.80 V per cell ([LEO]'s table of a 100 Ah
# block): acid does not diffuse as fast as large currents consume it, whatever the voltage shortly before the end.
RATE_C = np.array([0.10, 0.331, 0.559, 0.696, 0.942, 1.266, 1.508, 1.80, 2.46])
AVAILABLE = np.array([1.0, 0.662, 0.559, 0.522, 0.471, 0.422, 0.377, 0.30, 0.205])
AVAILABLE_LOG_SD = 0.06
# Relative deviations of resistance: of the model, at least; of one block; and the part of the set's that applies.
MODEL_RESISTANCE_SD, BLOCK_RESISTANCE_SD, SET_RESISTANCE_SHARE = 0.1, 0.05, 0.5
MIN_SOH = 0.05
BLOCK_FIELDS = ("soc_pct", "soc_sd_pct", "soh_pct", "soh_sd_pct", "temperature_c", "resistance_ratio")


class _Instant(NamedTuple):
    time_s: float
    current_a: float
    voltage_v: FloatArray
    soc: FloatArray


def simulate(request: SimulateRequest, parameters: ParameterSet, deadline: Deadline = NO_DEADLINE) -> SimulateResponse:
    """Simulate the profile, holding its last step, until every draw has reached the cut-off or two days have passed.

    Raises `TimeOver` when ``deadline`` is over.
    """
    string = _String(request, parameters)
    steps = request.profile
    # Fine enough for an outage of minutes, coarse enough for one of hours.
    dt_s = float(np.clip(steps[0].duration_s / 20.0, FINEST_S, COARSEST_S / 4))
    ends_s = np.cumsum([step.duration_s for step in steps])
    time_s, course = 0.0, _Course()
    while time_s < MAX_PROFILE_S and not np.isfinite(string.ended_s).all():
        deadline.check()
        step = steps[min(int(np.searchsorted(ends_s, time_s, side="right")), len(steps) - 1)]
        instant = string.advance(step, dt_s, time_s)
        if instant.time_s <= string.ended_s[0]:
            course.add(instant)
        time_s += dt_s
    return _response(request, string, course.instants, time_s)


class _Course:
    """What is shown of the nominal draw: thinned while it grows, so that a long simulation takes no more memory."""

    def __init__(self) -> None:
        self.instants: list[_Instant] = []
        self._stride, self._count = 1, 0

    def add(self, instant: _Instant) -> None:
        """Keep every so many instants."""
        if self._count % self._stride == 0:
            self.instants.append(instant)
        self._count += 1
        if len(self.instants) > MAX_POINTS:
            del self.instants[1::2]
            self._stride *= 2


class _String:
    """All draws of all blocks at one instant; arrays are (draws, blocks), and the first draw is the nominal one."""

    def __init__(self, request: SimulateRequest, params: ParameterSet) -> None:
        self.params, self.cut_off_v = params, request.cut_off_v
        blocks = request.blocks
        rng = np.random.default_rng(SEED)
        shape = (DRAWS, len(blocks))
        own, shared = rng.standard_normal((3, *shape)), rng.standard_normal((4, DRAWS, 1))
        own[:, 0], shared[:, 0] = 0.0, 0.0
        columns = {name: np.array([getattr(block, name) for block in blocks]) for name in BLOCK_FIELDS}
        self.soc = np.clip((columns["soc_pct"] + own[0] * columns["soc_sd_pct"]) / 100.0, 0.0, 1.0)
        soh = np.maximum((columns["soh_pct"] + own[1] * columns["soh_sd_pct"]) / 100.0, MIN_SOH)
        above_reference_c = columns["temperature_c"] - REFERENCE_C
        model_sd = params.capacity_sd_ah / params.capacity_ah
        at_25c_ah = params.rated_ah * soh
        self.capacity_ah = at_25c_ah * (1 + CAPACITY_PER_C * above_reference_c) * np.exp(model_sd * shared[0])
        relative_sd = np.hypot(MODEL_RESISTANCE_SD, params.resistance_relative_sd * SET_RESISTANCE_SHARE)
        self.ratio = columns["resistance_ratio"] * np.exp(relative_sd * shared[1] + BLOCK_RESISTANCE_SD * own[2])
        self.temperature_factor = np.exp(R0_PER_C * above_reference_c)
        self.shift_v = OCV_V_PER_C * above_reference_c + params.ocv_shift_sd_v * shared[2]
        self.available = np.exp(AVAILABLE_LOG_SD * shared[3])
        self.v1, self.v2 = np.zeros(shape), np.zeros(shape)
        self.voltage_v = np.interp(self.soc, OCV_KNOTS, params.ocv_v) + self.shift_v
        self.ended_s = np.full(DRAWS, np.inf)
        self.limiting = np.full(DRAWS, -1)

    def advance(self, step: LoadStep, dt_s: float, time_s: float) -> _Instant:
        """Advance every draw by ``dt_s``; return the nominal one."""
        params = self.params
        r0 = self._table(params.r0_ohm) * self.temperature_factor
        open_v = np.interp(self.soc, OCV_KNOTS, params.ocv_v) + self.shift_v + self.v1 + self.v2
        current_a = self._current(step, open_v.sum(axis=1), r0.sum(axis=1))[:, None]
        decay1, decay2 = np.exp(-dt_s / params.tau1_s), np.exp(-dt_s / params.tau2_s)
        slow_a = slow_drive_a(current_a, params.rated_ah, params.knee_a)
        self.v1 = decay1 * self.v1 + (1 - decay1) * self._table(params.r1_ohm) * current_a
        self.v2 = decay2 * self.v2 + (1 - decay2) * self._table(params.r2_ohm) * slow_a
        self.soc = np.clip(self.soc + current_a * dt_s / 3600.0 / self.capacity_ah, 0.0, 1.0)
        rested_v = np.interp(self.soc, OCV_KNOTS, params.ocv_v) + self.shift_v
        self.voltage_v = rested_v + self.v1 + self.v2 + r0 * current_a
        empty = (self.voltage_v <= self.cut_off_v) | (self.soc <= 1.0 - self._available_share(current_a))
        ended = empty.any(axis=1) & ~np.isfinite(self.ended_s) & (current_a[:, 0] < 0)
        self.ended_s[ended] = time_s + dt_s
        self.limiting[ended] = np.argmin(self.voltage_v[ended], axis=1)
        return _Instant(time_s + dt_s, float(current_a[0, 0]), self.voltage_v[0].copy(), self.soc[0].copy())

    def _available_share(self, current_a: FloatArray) -> FloatArray:
        rate_c = np.maximum(-current_a / self.params.rated_ah, 1e-6)
        share = np.exp(np.interp(np.log(rate_c), np.log(RATE_C), np.log(AVAILABLE)))
        return np.asarray(np.minimum(share * self.available, 1.0))

    def _table(self, table: tuple[float, ...]) -> FloatArray:
        return np.asarray(np.interp(self.soc, RESISTANCE_KNOTS, table) * self.ratio)

    def _current(self, step: LoadStep, open_v: FloatArray, ohm: FloatArray) -> FloatArray:
        """Return the current (A) of each draw (draws,); a power beyond the string's maximum takes that maximum."""
        if step.current_a is not None:
            return np.full(DRAWS, step.current_a)
        power_w = (step.power_w or 0.0) * self.soc.shape[1]
        root = np.sqrt(np.maximum(open_v**2 - 4.0 * ohm * power_w, 0.0))
        return np.asarray((root - open_v) / (2.0 * ohm))


def _response(request: SimulateRequest, string: _String, shown: list[_Instant], horizon_s: float) -> SimulateResponse:
    ended_s = np.minimum(string.ended_s, horizon_s)
    p10, p50, p90 = (float(value) for value in np.quantile(ended_s, (0.1, 0.5, 0.9)))
    counts = np.bincount(string.limiting[string.limiting >= 0], minlength=len(request.blocks))
    reaches = bool(np.isfinite(string.ended_s[0]))
    # Where no draw ends, the block with the lowest voltage is the limiting one.
    limiting = int(np.argmax(counts)) if counts.any() else int(np.argmin(string.voltage_v[0]))
    return SimulateResponse(
        runtime_p10_s=p10,
        runtime_p50_s=p50,
        runtime_p90_s=p90,
        reaches_cut_off=reaches,
        limiting_battery_id=request.blocks[limiting].battery_id,
        limiting_probability=float(counts[limiting] / DRAWS),
        time_s=[instant.time_s for instant in shown],
        current_a=[instant.current_a for instant in shown],
        string_voltage_v=[float(instant.voltage_v.sum()) for instant in shown],
        limiting_voltage_v=[float(instant.voltage_v[limiting]) for instant in shown],
        limiting_soc_pct=[100.0 * float(instant.soc[limiting]) for instant in shown],
    )
