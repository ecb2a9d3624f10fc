"""Estimates of the digital twin for a batch: requested before any lock, used if no other batch moved the state."""

import asyncio
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Final, NamedTuple

import numpy as np
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.db.fetching import fetch_all
from battery_api.fleet.ohmic import resistance_at_25c
from battery_api.telemetry.ingest.battery_states import BatteryStates
from battery_api.telemetry.ingest.checks import ValidatedBatch
from battery_api.telemetry.ingest.locked_state import SubjectStates, read_states
from battery_api.telemetry.ingest.string_context import string_currents
from battery_api.telemetry.ingest.subjects import BatchSubjects
from battery_api.telemetry.metrics import TWIN
from battery_api.telemetry.store.columns import BoolArray, Column, FloatArray, IntArray, optional, reals
from battery_api.telemetry.store.fleet_index import FleetIndex
from battery_api.telemetry.store.indices import BatchSlots, FleetSlots
from battery_api.telemetry.store.instants import DAY_US, NEVER, newest_at_or_before
from battery_contracts.clients.errors import ServiceError, ServiceRefused
from battery_contracts.clients.twin import Estimator
from battery_contracts.enums import ReadingQuality, StringMode
from battery_contracts.twin import CONTRADICTS_CIRCUIT, NOTHING_ESTIMATED, EstimateRequest, EstimateResponse

_log = structlog.get_logger(__name__)
# A backlog holds several readings of a battery; each needs the state that the previous one left.
_MAX_ROUNDS: Final = 64
# Beyond the client's own time-out, for a server that sends its response drop by drop.
_HARD_TIMEOUT_FACTOR: Final = 1.5
_ANSWERED: Final = "answered"
_STATE_TIME: Final = struct.Struct("<q")
_STATES: Final = "select battery_id, twin_state from battery_state where battery_id = any($1::int[])"
_VALUES: Final = ("soc_pct", "soc_sd_pct", "soh_pct", "soh_sd_pct", "resistance_mohm", "resistance_sd_mohm")
# Plausible upper limits; a new battery delivers more than its rated capacity.
_HIGH: Final = {"soc_pct": 100.0, "soc_sd_pct": 100.0, "soh_pct": 150.0, "soh_sd_pct": 100.0}
_KEPT: Final = {
    "resistance_mohm": "resistance_estimate_mohm",
    "resistance_sd_mohm": "resistance_estimate_sd_mohm",
}
"""Estimated only now and then; a reading without one keeps the stored value."""


class EstimatesOutdated(Exception):
    """Another batch moved the estimator state of a battery between the call to the twin and the lock."""


class EstimatorState(NamedTuple):
    """Estimator state of a battery and the time of the reading that it belongs to."""

    time_us: int
    blob: bytes

    @classmethod
    def unpack(cls, stored: bytes | None) -> "EstimatorState | None":
        """Read a stored state; one that holds a time alone belongs to a battery that restarts from its prior."""
        if stored is None or len(stored) <= _STATE_TIME.size:
            return None
        return cls(_STATE_TIME.unpack_from(stored)[0], stored[_STATE_TIME.size :])

    def pack(self) -> bytes:
        """Return the form that is stored."""
        return _STATE_TIME.pack(self.time_us) + self.blob


@dataclass(frozen=True, slots=True)
class ReadingEstimates:
    """Estimates (m,) of the battery readings of a batch; NaN and None where there is none."""

    values: dict[str, FloatArray]
    provenance: dict[str, list[str | None]]
    flags: IntArray
    """Why the twin withholds an estimate, as flags of `ReadingQuality`."""
    states: dict[int, bytes]
    """New estimator states by batch slot."""

    def state_columns(self, newest: IntArray, battery: BatchSlots) -> tuple[list[Column], list[Column], list[str]]:
        """Return what moves state rows to the estimates of their newest readings: columns, inputs, assignments."""
        estimates = [reals(f"twin_{name}", self.values[name][newest]) for name in _VALUES if name not in _KEPT]
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

    def require_current(self, states: BatteryStates) -> None:
        """Raise `EstimatesOutdated` if another batch was faster for one of the batteries."""
        used = np.array(sorted(self.readings.states), np.int64)
        if (states.twin_version[used] != self.versions[used]).any():
            raise EstimatesOutdated

    def without_late(self, is_late: BoolArray) -> ReadingEstimates:
        """Return the estimates without those of readings that turned out late."""
        values = {name: np.where(is_late, np.nan, column) for name, column in self.readings.values.items()}
        flags = np.where(is_late, 0, self.readings.flags)
        return ReadingEstimates(values, self.readings.provenance, flags, self.readings.states)


async def prepare_twin_call(
    connection: AsyncConnection, twin: Estimator, batch: ValidatedBatch, fleet: FleetIndex, *, budget_s: float
) -> "TwinCall":
    """Read what the twin needs; the call itself runs after the connection is returned to the pool."""
    subjects = BatchSubjects.of(batch, fleet)
    states = await read_states(connection, fleet, subjects, lock=False)
    keys = fleet.batteries.keys_at(subjects.batteries).tolist()
    stored = {row[0]: row[1] for row in await fetch_all(connection, _STATES, (keys,))}
    estimator_states = [EstimatorState.unpack(stored.get(key)) for key in keys]
    return TwinCall(twin, batch, fleet, subjects, states, estimator_states, budget_s)


@dataclass(slots=True)
class TwinCall:
    """The new readings of a batch on their way through the twin, one reading of each battery per round."""

    twin: Estimator
    batch: ValidatedBatch
    fleet: FleetIndex
    subjects: BatchSubjects
    states: SubjectStates
    stored: Sequence[EstimatorState | None]
    """(n,) by batch slot."""
    budget_s: float
    _latest: dict[int, EstimatorState] = field(default_factory=dict, init=False)
    """State that the next reading of a battery starts from, by batch slot."""
    _changed: dict[int, EstimatorState] = field(default_factory=dict, init=False)
    _values: dict[str, FloatArray] = field(default_factory=dict, init=False)
    _provenance: dict[str, list[str | None]] = field(default_factory=dict, init=False)
    _flags: IntArray = field(default_factory=lambda: np.zeros(0, np.int64), init=False)
    _is_answered: BoolArray = field(default_factory=lambda: np.zeros(0, bool), init=False)
    """Whether the twin was asked and answered for a reading (m,)."""

    async def run(self) -> BatchEstimates | None:
        """Call the twin; None when it gave nothing usable."""
        rows = self.batch.batteries
        battery = self.subjects.battery_slots(rows.slot)
        is_newer = (rows.time_us > self.states.batteries.last_us[battery]) & ~np.isnan(rows.values["voltage_v"])
        # A clock that was set back must not run the filter backwards.
        estimated_us = np.array([NEVER if state is None else state.time_us for state in self.stored], np.int64)
        is_newer &= rows.time_us > estimated_us[battery]
        if not is_newer.any():
            return None
        self._values = {name: np.full(len(rows), np.nan) for name in _VALUES}
        self._provenance = {name: [None] * len(rows) for name in ("soc_provenance", "soh_provenance")}
        self._flags = np.zeros(len(rows), np.int64)
        self._is_answered = np.zeros(len(rows), bool)
        self._latest = {slot: state for slot, state in enumerate(self.stored) if state is not None}
        outcome = await self._run_rounds(np.flatnonzero(is_newer), battery)
        TWIN.labels(outcome).inc()
        if not self._changed and outcome != _ANSWERED:
            return None
        # What there was no time or no round for is marked: nothing passes for estimated that was not.
        self._flags[is_newer & ~self._is_answered] |= int(ReadingQuality.TWIN_UNAVAILABLE)
        states = {slot: state.pack() for slot, state in self._changed.items()}
        estimates = ReadingEstimates(self._values, self._provenance, self._flags, states)
        return BatchEstimates(estimates, self.states.batteries.twin_version)

    async def _run_rounds(self, rows: IntArray, battery: BatchSlots) -> str:
        begins = np.append(True, battery[rows][1:] != battery[rows][:-1])
        rank = np.arange(len(rows)) - np.flatnonzero(begins)[np.cumsum(begins) - 1]
        deadline = monotonic() + self.budget_s
        try:
            async with asyncio.timeout(self.budget_s * _HARD_TIMEOUT_FACTOR):
                for number in range(min(int(rank.max()) + 1, _MAX_ROUNDS)):
                    if number and monotonic() > deadline:
                        return "budget_used_up"
                    chosen = rows[rank == number]
                    await self._run_round(chosen, BatchSlots(battery[chosen]))
        except ServiceError as error:
            _log.info("twin gave no estimate", reason=type(error).__name__, detail=error.detail)
            return type(error).__name__
        except TimeoutError:
            self.twin.report_timeout()
            return "too_slow"
        return _ANSWERED

    async def _run_round(self, rows: IntArray, battery: BatchSlots) -> None:
        if not len(rows):
            return
        try:
            response = await self.twin.estimate(self._request(rows, battery))
        except ServiceRefused as refused:
            if refused.code != NOTHING_ESTIMATED:
                raise
            # The readings passed our checks, so what the twin cannot use is the state that it returned earlier.
            self._restart(rows, battery)
            return
        if len(response.soc_pct) == len(rows):
            self._accept(rows, battery, response)

    def _request(self, rows: IntArray, battery: BatchSlots) -> EstimateRequest:
        readings = self.batch.batteries
        slots = FleetSlots(readings.slot[rows])
        entries = self.fleet.batteries.entries_at(slots)
        string = self.subjects.strings_of(battery)
        time_us = readings.time_us[rows]
        current = readings.values["current_a"][rows]
        of_string = string_currents(self.states.strings, self.batch.strings, self.subjects).at(string, time_us)
        float_current, modes = self._string_values(string, time_us)
        before = [self._latest.get(slot) for slot in battery.tolist()]
        return EstimateRequest(
            battery_id=[entry.code for entry in entries],
            model_id=[entry.model_code for entry in entries],
            dt_s=[
                None if state is None else (instant_us - state.time_us) / 1e6
                for instant_us, state in zip(time_us.tolist(), before, strict=True)
            ],
            voltage_v=readings.values["voltage_v"][rows].tolist(),
            current_a=optional(np.where(np.isnan(current), of_string, current)),
            temperature_c=optional(readings.values["temperature_c"][rows]),
            internal_resistance_mohm=optional(readings.values["internal_resistance_mohm"][rows]),
            float_current_ma=optional(float_current),
            mode=modes,
            state=[None if state is None else state.blob for state in before],
            age_days=((time_us - self.fleet.installed_us[slots]).clip(min=0) / DAY_US).tolist(),
            rated_ah=[entry.rated_capacity_ah for entry in entries],
            baseline_resistance_mohm=optional(self._baseline_mohm(slots)),
        )

    def _baseline_mohm(self, slots: FleetSlots) -> FloatArray:
        baseline = resistance_at_25c(self.fleet.baseline_mohm[slots], self.fleet.baseline_c[slots])
        return np.where(baseline > 0, baseline, np.nan)

    def _string_values(self, string: BatchSlots, time_us: IntArray) -> tuple[FloatArray, list[StringMode | None]]:
        """Return float current (k,) and mode (k,) of strings at instants, from the batch, else from the state."""
        readings = self.batch.strings
        row = newest_at_or_before(self.subjects.string_slots(readings.slot), readings.time_us, string, time_us)
        float_current = np.full(len(string), np.nan)
        is_matched = row >= 0
        float_current[is_matched] = readings.values["float_current_ma"][row[is_matched]]
        modes = []
        for slot, matched in zip(string.tolist(), row.tolist(), strict=True):
            reported = readings.categories["mode"][matched] if matched >= 0 else None
            modes.append(StringMode(reported) if reported else self.states.strings.mode[slot].mode)
        return float_current, modes

    def _accept(self, rows: IntArray, battery: BatchSlots, response: EstimateResponse) -> None:
        columns = {name: np.array(getattr(response, name), np.float64) for name in _VALUES}
        is_plausible = np.ones(len(rows), bool)
        for name, column in columns.items():
            # Written so that NaN, which stands for a withheld value, passes.
            is_plausible &= ~((column < 0) | (column > _HIGH.get(name, np.inf)) | np.isinf(column))
        times = self.batch.batteries.time_us[rows].tolist()
        for slot, time_us, blob, plausible in zip(
            battery.tolist(), times, response.state, is_plausible.tolist(), strict=True
        ):
            if not plausible or blob is None:
                continue
            self._changed[slot] = self._latest[slot] = EstimatorState(time_us, blob)
            if not blob:
                del self._latest[slot]
        self._flags[rows] = [0 if error is None else int(_flag_of(error)) for error in response.error]
        is_usable = np.array([error is None for error in response.error], bool) & is_plausible
        is_usable &= np.array([blob is not None for blob in response.state], bool)
        self._is_answered[rows] = True
        has_reason = self._flags[rows] != 0
        self._flags[rows] = np.where(is_usable | has_reason, self._flags[rows], int(ReadingQuality.TWIN_UNAVAILABLE))
        usable = np.flatnonzero(is_usable)
        for name, column in columns.items():
            self._values[name][rows[usable]] = column[usable]
        for name, provenance in self._provenance.items():
            received = getattr(response, name)
            for entry, row in zip(usable.tolist(), rows[usable].tolist(), strict=True):
                provenance[row] = None if received[entry] is None else str(received[entry])

    def _restart(self, rows: IntArray, battery: BatchSlots) -> None:
        """Let batteries restart from their prior with the next reading."""
        for time_us, slot in zip(self.batch.batteries.time_us[rows].tolist(), battery.tolist(), strict=True):
            if self._latest.pop(slot, None) is not None:
                self._changed[slot] = EstimatorState(time_us, b"")


def _flag_of(error: str) -> ReadingQuality:
    """Return why the twin withholds an estimate."""
    return ReadingQuality.CONTRADICTS_CIRCUIT if CONTRADICTS_CIRCUIT in error else ReadingQuality.OUTSIDE_MODEL
