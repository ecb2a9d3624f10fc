"""Estimates of the digital twin for a batch: requested before any lock, used if no other batch moved the state."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.db.fetching import fetch_all
from battery_api.telemetry.ingest.battery_states import BatteryStates
from battery_api.telemetry.ingest.checks import ValidatedBatch
from battery_api.telemetry.ingest.locked_state import SubjectStates, read_states
from battery_api.telemetry.ingest.subjects import BatchSubjects
from battery_api.telemetry.ingest.twin_inputs import EstimatorState, TwinInputs, first_of_each
from battery_api.telemetry.metrics import TWIN
from battery_api.telemetry.store.columns import BoolArray, Column, FloatArray, IntArray, reals
from battery_api.telemetry.store.fleet_index import FleetIndex
from battery_api.telemetry.store.indices import BatchSlots
from battery_api.telemetry.store.instants import NEVER
from battery_contracts.clients.errors import ServiceError, ServiceRefused
from battery_contracts.clients.twin import Estimator
from battery_contracts.enums import ReadingQuality
from battery_contracts.twin import CONTRADICTS_CIRCUIT, NOTHING_ESTIMATED, EstimateResponse

_log = structlog.get_logger(__name__)
# Of a longer backlog, the rest is estimated after the commit: its sender waits for the answer.
_MAX_SERIES: Final = 64
# Beyond the client's own time-out, for a server that sends its response drop by drop.
_HARD_TIMEOUT_FACTOR: Final = 1.5
_ANSWERED: Final = "answered"
_STATES: Final = "select battery_id, twin_state from battery_state where battery_id = any($1::int[])"
VALUES: Final = ("soc_pct", "soc_sd_pct", "soh_pct", "soh_sd_pct", "resistance_mohm", "resistance_sd_mohm")
PROVENANCES: Final = ("soc_provenance", "soh_provenance")
# Plausible upper limits; a new battery delivers more than its rated capacity.
_HIGH: Final = {"soc_pct": 100.0, "soc_sd_pct": 100.0, "soh_pct": 150.0, "soh_sd_pct": 100.0}
_KEPT: Final = {
    "resistance_mohm": "resistance_estimate_mohm",
    "resistance_sd_mohm": "resistance_estimate_sd_mohm",
}
"""Estimated only now and then; a reading without one keeps the stored value."""


class EstimatesOutdated(Exception):
    """Another batch moved the estimator state of a battery between the call to the twin and the lock."""


@dataclass(frozen=True, slots=True)
class ReadingEstimates:
    """Estimates (m,) of the battery readings of a batch; NaN and None where there is none."""

    values: dict[str, FloatArray]
    provenance: dict[str, list[str | None]]
    flags: IntArray
    """Why the twin withholds an estimate, as flags of `ReadingQuality`."""
    is_answered: BoolArray
    """Whether the twin said something of a reading (m,); the others wait for it."""
    states: dict[int, bytes]
    """New estimator states by batch slot."""

    def state_columns(self, newest: IntArray, battery: BatchSlots) -> tuple[list[Column], list[Column], list[str]]:
        """Return what moves state rows to the estimates of their newest readings: columns, inputs, assignments."""
        estimates = [reals(f"twin_{name}", self.values[name][newest]) for name in VALUES if name not in _KEPT]
        estimates += [
            Column(f"twin_{name}", "text", [column[row] for row in newest.tolist()])
            for name, column in self.provenance.items()
        ]
        states = Column("twin_blob", "bytea", [self.states.get(slot) for slot in battery.tolist()])
        kept = {column: reals(f"twin_{name}", self.values[name][newest]) for name, column in _KEPT.items()}
        also = [
            # A reading without a voltage says nothing of the estimates; they stay, and age.
            *(
                f"{column.name.removeprefix('twin_')} = "
                f"case when input.voltage_v is null then present.{column.name.removeprefix('twin_')} "
                f"else input.{column.name} end"
                for column in estimates
            ),
            *(f"{column} = coalesce(input.{value.name}, present.{column})" for column, value in kept.items()),
            "twin_state = coalesce(input.twin_blob, present.twin_state)",
            "twin_state_version = present.twin_state_version + (input.twin_blob is not null)::int",
        ]
        return [], [*estimates, states, *kept.values()], also


@dataclass(frozen=True, slots=True)
class BatchEstimates:
    """Estimates made before the transaction, with the versions (n,) of the states that they started from."""

    readings: ReadingEstimates
    versions: IntArray
    context: "StringContext"

    def require_current(self, states: BatteryStates) -> None:
        """Raise `EstimatesOutdated` if another batch was faster for one of the batteries."""
        used = np.array(sorted(self.readings.states), np.int64)
        if (states.twin_version[used] != self.versions[used]).any():
            raise EstimatesOutdated

    def without_late(self, is_late: BoolArray) -> ReadingEstimates:
        """Return the estimates without those of readings that turned out late."""
        values = {name: np.where(is_late, np.nan, column) for name, column in self.readings.values.items()}
        flags = np.where(is_late, 0, self.readings.flags)
        is_answered = self.readings.is_answered & ~is_late
        return ReadingEstimates(values, self.readings.provenance, flags, is_answered, self.readings.states)


@dataclass(frozen=True, slots=True)
class StringContext:
    """Up to when the strings (n,) were judged when the twin was asked: what it was told of them is of then."""

    judged_us: IntArray

    def moved_on(self, states: SubjectStates) -> BoolArray:
        """Return for the strings (n,) whether another batch brought something meanwhile."""
        moved: BoolArray = states.strings.judged_us != self.judged_us
        return moved


async def prepare_twin_call(
    connection: AsyncConnection, twin: Estimator, batch: ValidatedBatch, fleet: FleetIndex, *, timeout_s: float
) -> "TwinCall":
    """Read what the twin needs; the call itself runs after the connection is returned to the pool."""
    subjects = BatchSubjects.of(batch, fleet)
    states = await read_states(connection, fleet, subjects, lock=False)
    keys = fleet.batteries.keys_at(subjects.batteries).tolist()
    stored = {row[0]: row[1] for row in await fetch_all(connection, _STATES, (keys,))}
    estimator_states = [EstimatorState.unpack(stored.get(key)) for key in keys]
    return TwinCall(twin, TwinInputs(batch, fleet, subjects, states), estimator_states, timeout_s)


class TwinCall:
    """The new readings of a batch on their way through the twin.

    Parameters
    ----------
    stored
        Estimator states of the batteries (n,) by batch slot.
    timeout_s
        How long the twin may take [s].
    """

    def __init__(
        self, twin: Estimator, inputs: TwinInputs, stored: Sequence[EstimatorState | None], timeout_s: float
    ) -> None:
        self._twin, self._inputs, self._timeout_s = twin, inputs, timeout_s
        self._before: list[EstimatorState | None] = list(stored)
        self._changed: dict[int, EstimatorState] = {}
        count = len(inputs.batch.batteries)
        self._values: dict[str, FloatArray] = {name: np.full(count, np.nan) for name in VALUES}
        self._provenance: dict[str, list[str | None]] = {name: [None] * count for name in PROVENANCES}
        self._flags: IntArray = np.zeros(count, np.int64)
        self._is_answered: BoolArray = np.zeros(count, bool)

    async def run(self) -> BatchEstimates | None:
        """Call the twin; None when it gave nothing usable."""
        states, rows = self._inputs.states, self._inputs.batch.batteries
        battery = self._inputs.subjects.battery_slots(rows.slot)
        is_newer = (rows.time_us > states.batteries.last_us[battery]) & ~np.isnan(rows.values["voltage_v"])
        # A clock that was set back must not run the filter backwards.
        estimated_us = np.array([NEVER if state is None else state.time_us for state in self._before], np.int64)
        chosen = first_of_each(np.flatnonzero(is_newer & (rows.time_us > estimated_us[battery])), battery, _MAX_SERIES)
        if not len(chosen):
            return None
        outcome = await self._ask(chosen, BatchSlots(battery[chosen]))
        TWIN.labels(outcome).inc()
        if not self._is_answered.any():
            return None
        context = StringContext(states.strings.judged_us)
        return BatchEstimates(self.estimates(), states.batteries.twin_version, context)

    def estimates(self) -> ReadingEstimates:
        """Return what the twin has answered so far."""
        states = {slot: state.pack() for slot, state in self._changed.items()}
        return ReadingEstimates(self._values, self._provenance, self._flags, self._is_answered, states)

    async def _ask(self, rows: IntArray, battery: BatchSlots) -> str:
        try:
            async with asyncio.timeout(self._timeout_s * _HARD_TIMEOUT_FACTOR):
                await self.estimate(rows, battery)
        except ServiceError as error:
            _log.info("twin gave no estimate", reason=type(error).__name__, detail=error.detail)
            return type(error).__name__
        except TimeoutError:
            self._twin.report_timeout()
            return "too_slow"
        return _ANSWERED

    async def estimate_all(self, rows: IntArray) -> None:
        """Estimate readings (k,), sorted by battery and time, however many there are of each battery.

        Raises `ServiceError` when the twin gives no valid answer.
        """
        battery = self._inputs.subjects.battery_slots(self._inputs.batch.batteries.slot)
        while len(rows):
            part = first_of_each(rows, battery, _MAX_SERIES)
            await self.estimate(part, BatchSlots(battery[part]))
            rows = np.setdiff1d(rows, part, assume_unique=True)

    def known(self) -> Sequence[EstimatorState | None]:
        """Return the states of the batteries (n,) after what was estimated."""
        return self._before

    async def estimate(self, rows: IntArray, battery: BatchSlots) -> None:
        """Estimate readings (k,) of batteries (k,), sorted by battery and time.

        Raises `ServiceError` when the twin gives no valid answer.
        """
        response: EstimateResponse | None
        try:
            response = await self._twin.estimate(self._inputs.request(rows, battery, self._before))
        except ServiceRefused as refused:
            if refused.code != NOTHING_ESTIMATED:
                raise
            response = await self._without_states(rows, battery)
        if response is not None:
            self._accept(rows, battery, response)

    async def _without_states(self, rows: IntArray, battery: BatchSlots) -> EstimateResponse | None:
        """Estimate readings from the prior: they passed our checks, so what the twin cannot use is its own state."""
        self._before = [None] * len(self._before)
        try:
            return await self._twin.estimate(self._inputs.request(rows, battery, self._before))
        except ServiceRefused as refused:
            if refused.code != NOTHING_ESTIMATED:
                raise
        self._flags[rows], self._is_answered[rows] = int(ReadingQuality.OUTSIDE_MODEL), True
        return None

    def _accept(self, rows: IntArray, battery: BatchSlots, response: EstimateResponse) -> None:
        columns = {name: np.array(getattr(response, name), np.float64) for name in VALUES}
        is_plausible = np.ones(len(rows), bool)
        for name, column in columns.items():
            # Written so that NaN, which stands for a withheld value, passes.
            is_plausible &= ~((column < 0) | (column > _HIGH.get(name, np.inf)) | np.isinf(column))
        self._keep_states(rows, battery, response, is_plausible)
        has_fault = np.array([error is not None for error in response.error], bool)
        reasons = np.array([0 if error is None else int(_flag_of(error)) for error in response.error], np.int64)
        # What a twin does not stand by with a state, it does not follow up either.
        followed = np.unique(battery[[blob is not None for blob in response.state]])
        is_usable = is_plausible & ~has_fault & np.isin(battery, followed)
        unusable = np.where(is_usable, 0, int(ReadingQuality.TWIN_UNAVAILABLE))
        self._flags[rows] = np.where(has_fault, reasons, unusable)
        self._is_answered[rows] = True
        usable = np.flatnonzero(is_usable)
        for name, column in columns.items():
            self._values[name][rows[usable]] = column[usable]
        for name, provenance in self._provenance.items():
            received = getattr(response, name)
            for entry, row in zip(usable.tolist(), rows[usable].tolist(), strict=True):
                provenance[row] = None if received[entry] is None else str(received[entry])

    def _keep_states(
        self, rows: IntArray, battery: BatchSlots, response: EstimateResponse, is_plausible: BoolArray
    ) -> None:
        times = self._inputs.batch.batteries.time_us[rows].tolist()
        # A state that gives absurd estimates is not kept, nor what follows from it.
        lying = set(battery[~is_plausible].tolist())
        for slot, time_us, blob in zip(battery.tolist(), times, response.state, strict=True):
            if blob is not None and slot not in lying:
                self._changed[slot] = EstimatorState(time_us, blob)
                self._before[slot] = self._changed[slot] if blob else None


def _flag_of(error: str) -> ReadingQuality:
    """Return why the twin withholds an estimate."""
    return ReadingQuality.CONTRADICTS_CIRCUIT if CONTRADICTS_CIRCUIT in error else ReadingQuality.OUTSIDE_MODEL
