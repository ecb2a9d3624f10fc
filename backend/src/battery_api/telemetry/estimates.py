"""What the digital twin says about the readings of a batch: asked before any lock, used if nothing moved meanwhile."""

import asyncio
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final

import numpy as np
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.fleet.ohmic import resistance_at_25c
from battery_api.telemetry.checks import CheckedBatch
from battery_api.telemetry.fetching import fetch_all
from battery_api.telemetry.fleet_index import FleetIndex
from battery_api.telemetry.instants import newest_at_or_before
from battery_api.telemetry.live_state import BatteryStates, LockedStates, Places, read_states
from battery_api.telemetry.metrics import TWIN
from battery_api.telemetry.rows import BoolArray, FloatArray, IntArray
from battery_api.telemetry.strings import string_currents
from battery_api.telemetry.writer import Column, reals
from battery_contracts.clients.errors import ServiceError, ServiceRefused
from battery_contracts.clients.service import ServiceClient
from battery_contracts.clients.twin import Estimator
from battery_contracts.enums import StringMode
from battery_contracts.twin import NOTHING_ESTIMATED, EstimateRequest, EstimateResponse

_log = structlog.get_logger(__name__)
# A backlog holds several readings of a battery; each needs the state that the one before it left.
_MAX_ROUNDS: Final = 64
# Beyond the client's own time-out, for a server that drips its answer.
_HARD_STOP: Final = 1.5
_TIME_OF_STATE: Final = struct.Struct("<q")
_STATES: Final = "select battery_id, twin_state from battery_state where battery_id = any($1::int[])"
_VALUES: Final = ("soc_pct", "soc_sd_pct", "soh_pct", "soh_sd_pct", "resistance_mohm", "resistance_sd_mohm")
# What can be true of a battery: new ones deliver more than their nameplate says.
_AT_MOST: Final = {"soc_pct": 100.0, "soc_sd_pct": 100.0, "soh_pct": 150.0, "soh_sd_pct": 100.0}
_KEPT: Final = {
    "resistance_mohm": "resistance_estimate_mohm",
    "resistance_sd_mohm": "resistance_estimate_sd_mohm",
}
"""Told only now and then; a reading without one leaves what is known."""
_DAY_US: Final = 86_400_000_000


class EstimatesOutdated(Exception):
    """The estimator state of a battery moved between the call to the twin and the lock on the battery."""


@dataclass(frozen=True, slots=True)
class Estimated:
    """Estimates (m,) of the battery readings of a batch; NaN and None where there is none."""

    values: dict[str, FloatArray]
    provenance: dict[str, list[str | None]]
    blobs: dict[int, bytes]
    """New estimator state by subject."""

    def state_columns(self, newest: IntArray, subject: IntArray) -> tuple[list[Column], list[Column], list[str]]:
        """Return what brings state rows to the estimates of their newest readings: columns, inputs, assignments."""
        changed = [reals(name, self.values[name][newest]) for name in _VALUES if name not in _KEPT]
        changed += [
            Column(name, "text", [words[at] for at in newest.tolist()]) for name, words in self.provenance.items()
        ]
        blobs = Column("twin_blob", "bytea", [self.blobs.get(at) for at in subject.tolist()])
        kept = {column: reals(f"twin_{name}", self.values[name][newest]) for name, column in _KEPT.items()}
        also = [
            *(f"{column} = coalesce(input.{given.name}, present.{column})" for column, given in kept.items()),
            "twin_state = coalesce(input.twin_blob, present.twin_state)",
            "twin_state_version = present.twin_state_version + (input.twin_blob is not null)::int",
        ]
        return changed, [blobs, *kept.values()], also


@dataclass(frozen=True, slots=True)
class Estimates:
    """Estimates made before the transaction, and the versions of the states they began from."""

    estimated: Estimated
    versions: IntArray
    """(n,) by subject."""

    def require_unmoved(self, states: BatteryStates) -> None:
        """Raise `EstimatesOutdated` if another batch was faster for one of the batteries."""
        used = np.array(sorted(self.estimated.blobs), np.int64)
        if (states.twin_version[used] != self.versions[used]).any():
            raise EstimatesOutdated

    def of_newer(self, is_late: BoolArray) -> Estimated:
        """Return the estimates without those of readings that turned out late."""
        values = {name: np.where(is_late, np.nan, column) for name, column in self.estimated.values.items()}
        return Estimated(values, self.estimated.provenance, self.estimated.blobs)


def is_reachable(twin: Estimator | None) -> bool:
    """Say whether asking makes sense: there is a twin and its circuit is not open."""
    if twin is None:
        return False
    return not (isinstance(twin, ServiceClient) and twin.breaker.is_open)


async def ask_twin(
    connection: AsyncConnection, twin: Estimator, checked: CheckedBatch, fleet: FleetIndex, *, budget_s: float
) -> "Question":
    """Read what the twin needs to know; the question is put with the connection given back."""
    places = Places.of(checked, fleet)
    states = await read_states(connection, fleet, places, lock=False)
    keys = fleet.key["battery"][places.batteries]
    blobs = {row[0]: row[1] for row in await fetch_all(connection, _STATES, (keys.tolist(),))}
    return Question(twin, checked, fleet, places, states, [blobs.get(key) for key in keys.tolist()], budget_s)


@dataclass(slots=True)
class Question:
    """The new readings of a batch on their way through the twin, one reading of each battery a round."""

    twin: Estimator
    checked: CheckedBatch
    fleet: FleetIndex
    places: Places
    states: LockedStates
    stored: Sequence[bytes | None]
    budget_s: float
    _blob: dict[int, tuple[int, bytes]] = field(default_factory=dict, init=False)
    _values: dict[str, FloatArray] = field(default_factory=dict, init=False)
    _words: dict[str, list[str | None]] = field(default_factory=dict, init=False)

    async def put(self) -> Estimates | None:
        """Ask; None when the twin gave nothing that can be used."""
        rows = self.checked.batteries
        subject = np.searchsorted(self.places.batteries, rows.place)
        newer = (rows.time_us > self.states.batteries.last_us[subject]) & ~np.isnan(rows.values["voltage_v"])
        if not newer.any():
            return None
        self._values = {name: np.full(len(rows), np.nan) for name in _VALUES}
        self._words = {name: [None] * len(rows) for name in ("soc_provenance", "soh_provenance")}
        # One that holds a time alone belongs to a battery that begins afresh.
        known = {
            at: blob for at, blob in enumerate(self.stored) if blob is not None and len(blob) > _TIME_OF_STATE.size
        }
        before = {at: (_TIME_OF_STATE.unpack_from(blob)[0], blob[8:]) for at, blob in known.items()}
        outcome = await self._rounds(subject, newer, before)
        TWIN.labels(outcome).inc()
        if not self._blob:
            return None
        blobs = {at: _TIME_OF_STATE.pack(at_us) + blob for at, (at_us, blob) in self._blob.items()}
        return Estimates(Estimated(self._values, self._words, blobs), self.states.batteries.twin_version)

    async def _rounds(self, subject: IntArray, newer: BoolArray, before: dict[int, tuple[int, bytes]]) -> str:
        chosen = np.flatnonzero(newer)
        begins = np.append(True, subject[chosen][1:] != subject[chosen][:-1])
        rank = np.arange(len(chosen)) - np.flatnonzero(begins)[np.cumsum(begins) - 1]
        deadline = monotonic() + self.budget_s
        try:
            async with asyncio.timeout(self.budget_s * _HARD_STOP):
                for turn in range(min(int(rank.max()) + 1, _MAX_ROUNDS)):
                    if turn and monotonic() > deadline:
                        return "budget_used_up"
                    await self._round(chosen[rank == turn], subject, before)
        except ServiceError as error:
            _log.info("twin gave no estimate", reason=type(error).__name__, detail=error.detail)
            return type(error).__name__
        except TimeoutError:
            if isinstance(self.twin, ServiceClient):
                self.twin.breaker.failed()
            return "too_slow"
        return "answered"

    async def _round(self, chosen: IntArray, subject: IntArray, before: dict[int, tuple[int, bytes]]) -> None:
        if not len(chosen):
            return
        request = self._request(chosen, subject[chosen], before)
        try:
            response = await self.twin.estimate(request)
        except ServiceRefused as refused:
            if refused.code != NOTHING_ESTIMATED:
                raise
            # The readings were checked here: what the twin cannot use is what it said itself, earlier.
            self._forget(chosen, subject[chosen], before)
            return
        if len(response.soc_pct) == len(chosen):
            self._take(chosen, subject[chosen], response, before)

    def _request(self, chosen: IntArray, subject: IntArray, before: dict[int, tuple[int, bytes]]) -> EstimateRequest:
        rows = self.checked.batteries
        entries = [self.fleet.batteries[place] for place in rows.place[chosen].tolist()]
        string = self.places.string_of_battery[subject]
        time_us = rows.time_us[chosen]
        current = rows.values["current_a"][chosen]
        filled = string_currents(self.states.strings, self.checked.strings, self.places, string, time_us)
        float_current, modes = self._string_values(string, time_us)
        last = [before.get(at) for at in subject.tolist()]
        return EstimateRequest(
            battery_id=[entry.code for entry in entries],
            model_id=[entry.model_code for entry in entries],
            dt_s=[
                None if seen is None else (at - seen[0]) / 1e6 for at, seen in zip(time_us.tolist(), last, strict=True)
            ],
            voltage_v=rows.values["voltage_v"][chosen].tolist(),
            current_a=_optional(np.where(np.isnan(current), filled, current)),
            temperature_c=_optional(rows.values["temperature_c"][chosen]),
            internal_resistance_mohm=_optional(rows.values["internal_resistance_mohm"][chosen]),
            float_current_ma=_optional(float_current),
            mode=modes,
            state=[None if seen is None else seen[1] for seen in last],
            age_days=((time_us - self.fleet.installed_us[rows.place[chosen]]).clip(min=0) / _DAY_US).tolist(),
            rated_ah=[entry.rated_capacity_ah for entry in entries],
            baseline_resistance_mohm=_optional(self._baseline_mohm(rows.place[chosen])),
        )

    def _baseline_mohm(self, place: IntArray) -> FloatArray:
        baseline = resistance_at_25c(self.fleet.baseline_mohm[place], self.fleet.baseline_c[place])
        return np.where(baseline > 0, baseline, np.nan)

    def _string_values(self, string: IntArray, time_us: IntArray) -> tuple[FloatArray, list[StringMode | None]]:
        rows = self.checked.strings
        told = newest_at_or_before(np.searchsorted(self.places.strings, rows.place), rows.time_us, string, time_us)
        float_current = np.full(len(string), np.nan)
        hit = told >= 0
        float_current[hit] = rows.values["float_current_ma"][told[hit]]
        modes = []
        for at, row in zip(string.tolist(), told.tolist(), strict=True):
            given = rows.words["mode"][row] if row >= 0 else None
            modes.append(StringMode(given) if given else self.states.strings.mode[at].mode)
        return float_current, modes

    def _take(
        self, chosen: IntArray, subject: IntArray, response: EstimateResponse, before: dict[int, tuple[int, bytes]]
    ) -> None:
        answers = {name: np.array(getattr(response, name), np.float64) for name in _VALUES}
        sound = np.ones(len(chosen), bool)
        for name, column in answers.items():
            # Written so that NaN, which stands for a withheld value, passes.
            sound &= ~((column < 0) | (column > _AT_MOST.get(name, np.inf)) | np.isinf(column))
        times = self.checked.batteries.time_us[chosen].tolist()
        for owner, at_us, blob, is_sound in zip(subject.tolist(), times, response.state, sound.tolist(), strict=True):
            if not is_sound or blob is None:
                continue
            self._blob[owner] = before[owner] = (at_us, blob)
            if not blob:
                del before[owner]
        usable = np.array([error is None for error in response.error], bool) & sound
        usable &= np.array([blob is not None for blob in response.state], bool)
        told, rows = np.flatnonzero(usable), chosen[usable]
        for name, column in answers.items():
            self._values[name][rows] = column[told]
        for name, words in self._words.items():
            given = getattr(response, name)
            for at, row in zip(told.tolist(), rows.tolist(), strict=True):
                words[row] = None if given[at] is None else str(given[at])

    def _forget(self, chosen: IntArray, subject: IntArray, before: dict[int, tuple[int, bytes]]) -> None:
        """Let batteries begin afresh with their next reading."""
        for at_us, owner in zip(self.checked.batteries.time_us[chosen].tolist(), subject.tolist(), strict=True):
            if before.pop(owner, None) is not None:
                self._blob[owner] = (at_us, b"")


def _optional(values: FloatArray) -> list[Any]:
    return [None if value != value else value for value in values.tolist()]  # noqa: PLR0124  # NaN alone differs from itself
