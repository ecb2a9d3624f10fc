"""Estimates of the whole fleet in one call."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from battery_contracts.twin import EstimateRequest, EstimateResponse
from battery_twin.arrays import FloatArray, IntArray
from battery_twin.filter.states import FilterStates
from battery_twin.fleet import blob
from battery_twin.fleet.models import BatteryModels, ChosenCircuits
from battery_twin.fleet.readings import FleetReadings, order_faults, reading_faults
from battery_twin.fleet.results import ResultColumns
from battery_twin.fleet.series import NO_READING, BatterySeries
from battery_twin.fleet.step import MISFIT, NOT_FLOATING, FleetStep
from battery_twin.kernel import layout

STATE_OF_LATER_READING = "state: only the first reading of a battery has one; the later ones continue from it"


class FleetEstimator:
    """The filter of the fleet; stateless between calls except for the parameter sets it has read."""

    def __init__(self, models: BatteryModels) -> None:
        self._models = models

    def estimate(self, request: EstimateRequest) -> EstimateResponse:
        """Estimate each reading; a faulty one has its fault in ``error`` and does not affect the others.

        Several readings of a battery, in order of time, give what as many calls with one each would give.
        """
        call = _Call.of(request, self._models.choose(request))
        for slots in call.series.rounds:
            call.advance(slots)
        return call.response()


@dataclass(frozen=True, slots=True)
class _Call:
    """A call under way: what it asks (n,) by slot, and what is known so far.

    ``left`` is the state that a battery has after each reading, ``waited_s`` the time since the reading which that
    state belongs to: 0 unless readings after it were refused.
    """

    request: EstimateRequest
    chosen: ChosenCircuits
    which: IntArray
    readings: FleetReadings
    owners: list[int]
    series: BatterySeries
    columns: ResultColumns
    errors: list[str | None]
    left: list[bytes | None]
    answered: list[bytes | None]
    waited_s: FloatArray

    @classmethod
    def of(cls, request: EstimateRequest, chosen: ChosenCircuits) -> Self:
        """Convert and check the readings of a request."""
        which = np.maximum(chosen.which, 0)
        readings = FleetReadings.of(request)
        series = BatterySeries.of(request.battery_id)
        is_float = readings.mode_is_float(chosen.circuits.rows[which, layout.RATED_AH])
        errors = reading_faults(request, readings, ~is_float)
        for slot in np.flatnonzero(chosen.which < 0).tolist():
            model = request.model_id[slot]
            errors[slot] = f"model_id: {model!r} has no parameter set here; send its rated_ah, or calibrate it"
        for slot in np.flatnonzero(series.previous != NO_READING).tolist():
            if request.state[slot] is not None:
                errors[slot] = STATE_OF_LATER_READING
        count = len(request.battery_id)
        return cls(
            request,
            chosen,
            which,
            readings,
            [blob.fingerprint(battery) for battery in request.battery_id],
            series,
            ResultColumns(count),
            errors,
            left=[None] * count,
            answered=[None] * count,
            waited_s=np.zeros(count),
        )

    def advance(self, slots: IntArray) -> None:
        """Estimate one round: at most one reading of each battery."""
        previous = self.series.previous[slots]
        before = [
            self.request.state[slot] if earlier == NO_READING else self.left[earlier]
            for slot, earlier in zip(slots.tolist(), previous.tolist(), strict=True)
        ]
        dt_s = self.readings.dt_s[slots] + np.where(previous == NO_READING, 0.0, self.waited_s[previous])
        owners = [self.owners[slot] for slot in slots.tolist()]
        circuits = self.chosen.fingerprint[self.which[slots]]
        stored, state_faults = blob.unpack(before, owners, circuits)
        has_state = np.array([bool(state) for state in before], bool)
        self._note_faults(slots, order_faults(dt_s, has_state), state_faults)
        valid = np.array([row for row, slot in enumerate(slots.tolist()) if self.errors[slot] is None], np.int64)
        step = FleetStep(
            slots=slots[valid],
            circuits=self.chosen.circuits,
            which=self.which[slots[valid]],
            readings=replace(self.readings.select(slots[valid]), dt_s=dt_s[valid]),
            states=FilterStates(stored.mean[valid], stored.covariance[valid], stored.memory[valid]),
            is_new=~has_state[valid],
            out=np.empty((len(valid), layout.OUT_SIZE)),
        )
        self.columns.enter(step, *step.run())
        for slot, voltage_v in step.misfits():
            self.errors[slot] = MISFIT.format(voltage_v)
        for slot, voltage_v in step.contradictions():
            self.errors[slot] = NOT_FLOATING.format(voltage_v)
        packed = blob.pack(step.states, [owners[row] for row in valid.tolist()], circuits[valid])
        self._leave(slots, before, dt_s, state_faults, dict(zip(step.slots.tolist(), packed, strict=True)))

    def response(self) -> EstimateResponse:
        """Return the estimates, with the state of each battery at the reading that it belongs to."""
        return self.columns.response(self.answered, self.errors)

    def _note_faults(self, slots: IntArray, of_order: list[str | None], of_state: list[str | None]) -> None:
        """Note the faults of a round; those of states take precedence over those of readings."""
        for slot, order, state in zip(slots.tolist(), of_order, of_state, strict=True):
            if state is not None:
                self.errors[slot] = f"state: {state}; send no state to start from the prior"
            elif order is not None:
                self.errors[slot] = self.errors[slot] or order

    def _leave(
        self,
        slots: IntArray,
        before: list[bytes | None],
        dt_s: FloatArray,
        state_faults: list[str | None],
        packed: dict[int, bytes],
    ) -> None:
        """Note the state that each battery of a round has now; an unusable one is gone, a refused reading keeps it."""
        for row, slot in enumerate(slots.tolist()):
            earlier = int(self.series.previous[slot])
            if slot in packed:
                self.left[slot] = self.answered[slot] = packed[slot]
                while earlier != NO_READING and self.answered[earlier] is None:
                    earlier = int(self.series.previous[earlier])
                if earlier != NO_READING:
                    self.answered[earlier] = None
            elif state_faults[row] is not None:
                self.answered[slot] = b""
            else:
                self.left[slot], self.waited_s[slot] = before[row], dt_s[row]
