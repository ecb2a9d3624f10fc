"""The replay of a string: its readings from the first that waits on, in order of time, span by span.

Between the spans nothing is locked: ingest goes on from what it knows, and what it estimates meanwhile is estimated
again. Each span is written in a transaction of its own, with the instant from which the next one goes on, so that a
replay that is interrupted continues where it was. The last one puts the state of the batteries in place.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

import numpy as np
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.context import ProcessContext
from battery_api.db.fetching import fetch_all
from battery_api.fleet.catalogue import is_current
from battery_api.telemetry.ingest.checks import DroppedReadings, ValidatedBatch
from battery_api.telemetry.ingest.estimation import TwinCall
from battery_api.telemetry.ingest.string_context import batch_modes
from battery_api.telemetry.ingest.twin_backlog import is_first_of_day
from battery_api.telemetry.ingest.twin_inputs import TwinInputs
from battery_api.telemetry.replay.blank_states import nothing_known, subjects_of_string
from battery_api.telemetry.replay.known_strings import advanced_strings
from battery_api.telemetry.replay.readings import next_reading_at
from battery_api.telemetry.store.columns import Column, integers, reals
from battery_api.telemetry.store.fleet_index import FleetIndex
from battery_api.telemetry.store.instants import EPOCH, NEVER, instant, microseconds
from battery_api.telemetry.store.statements import update_rows
from battery_api.telemetry.store.string_modes import DISCHARGE_BELOW_A
from battery_api.twin.replay.evidence import write_evidence
from battery_api.twin.replay.readings import (
    WaitingReadings,
    end_of_span,
    is_generated,
    read_waiting,
)
from battery_api.twin.replay.results import ReplayedReadings, write_days, write_estimates, write_newest
from battery_api.twin.replay.snapshots import Snapshot, drop_snapshots, keep_snapshot, newest_snapshot
from battery_contracts.clients.twin import Estimator
from battery_contracts.enums import DISCHARGING_MODES

_WAITING: Final = "select reestimate_from from string_state where string_id = $1 and rejudge_from is null"
_LOCK: Final = f"{_WAITING} for update"
_LOCK_BATTERIES: Final = (
    "select battery_id from battery_state where battery_id = any($1::int[]) order by battery_id for update"
)
_DISCHARGES_AT: Final = (
    "select exists (select from string_telemetry where string_id = $1 and time = $2 and current_a < $3)"
)
_FIRST_LENGTH: Final = timedelta(hours=1)
_SHORTEST_LENGTH, _LONGEST_LENGTH, _LONGEST_GENERATED = timedelta(minutes=5), timedelta(days=1), timedelta(days=14)
# About a tenth of a second of work each, for which nothing else waits.
_ROWS_OF_SPAN: Final = 6000


class Progress(Enum):
    """What a span left of a replay."""

    DONE = "done"
    MORE = "more"
    FLEET_CHANGED = "fleet_changed"
    """A battery was replaced or retired meanwhile: another replay, with the fleet as it is now, has to go on."""


@dataclass(frozen=True, slots=True)
class _Span:
    """One span: from when readings waited, what the twin knew before it and after it, and what it said."""

    waits_from: datetime
    before: Snapshot
    after: Snapshot
    replayed: ReplayedReadings


class StringReplay:
    """The replay of one string, a span at a time."""

    def __init__(self, context: ProcessContext, twin: Estimator, fleet: FleetIndex, key: int) -> None:
        self._context, self._twin, self._fleet, self._key = context, twin, fleet, key
        self._slot = int(np.searchsorted(fleet.strings.keys, key))
        self._subjects = subjects_of_string(fleet, self._slot)
        self._battery_keys = fleet.batteries.keys_at(self._subjects.batteries)
        self._length = _FIRST_LENGTH

    async def step(self) -> Progress:
        """Estimate the next span of the readings that wait.

        Raises `battery_contracts.clients.errors.ServiceError` when the twin gives no valid answer: what is written
        stays, and the rest waits.
        """
        async with self._context.database.begin() as connection:
            ((waits_from,),) = await fetch_all(connection, _WAITING, (self._key,)) or [(None,)]
            if waits_from is None:
                return Progress.DONE
            before = await newest_snapshot(connection, self._key, waits_from)
            readings = await self._read(connection, before)
        span = await self._estimate(waits_from, before, readings)
        async with self._context.database.begin() as connection:
            return await self._write(connection, span)

    async def _read(self, connection: AsyncConnection, before: Snapshot) -> WaitingReadings:
        after = EPOCH if before.at_us == NEVER else instant(before.at_us)
        until = after
        first = await next_reading_at(connection, self._battery_keys, self._key, after, generated=True)
        if first is not None:
            discharges = before.string.mode[0].mode in DISCHARGING_MODES
            # Nothing comes late into a generated history, so that it needs no snapshot of each day.
            by_day = not await is_generated(connection, self._battery_keys, first)
            length = min(self._length, _LONGEST_LENGTH if by_day else _LONGEST_GENERATED)
            until = await end_of_span(connection, self._key, first, length, by_day=by_day, discharges=discharges)
        readings = await read_waiting(
            connection, self._fleet, self._subjects.batteries, self._slot, after=after, until=until
        )
        factor = min(max(_ROWS_OF_SPAN / max(len(readings), 1), 0.1), 4.0)
        self._length = min(max(self._length * factor, _SHORTEST_LENGTH), _LONGEST_GENERATED)
        return readings

    async def _estimate(self, waits_from: datetime, before: Snapshot, readings: WaitingReadings) -> _Span:
        rows, strings, nothing = readings.batteries, readings.strings.rows, DroppedReadings.of([])
        batch = ValidatedBatch(rows, strings, strings.none, [], [], 0, nothing, nothing)
        states = replace(nothing_known(self._subjects), strings=before.string)
        inputs = TwinInputs(batch, self._fleet, self._subjects, states)
        known = [before.states.get(key) for key in self._battery_keys.tolist()]
        call = TwinCall(self._twin, inputs, known, self._context.settings.twin_timeout_s)
        known_us = np.array([NEVER if state is None else state.time_us for state in known], np.int64)
        is_newer = rows.time_us > known_us[self._subjects.battery_slots(rows.slot)]
        is_asked = ~np.isnan(rows.values["voltage_v"]) & is_newer
        await call.estimate_all(np.flatnonzero(is_asked))
        keys = self._fleet.batteries.keys_at(rows.slot)
        replayed = ReplayedReadings(keys, rows.time_us, readings, call.estimates(), is_asked)
        after = Snapshot(
            max(before.at_us, readings.last_us),
            advanced_strings(
                before.string,
                self._subjects.string_slots(strings.slot),
                strings.time_us,
                dict(strings.values),
                batch_modes(states, self._subjects, batch),
            ),
            {key: one for key, one in zip(self._battery_keys.tolist(), call.known(), strict=True) if one is not None},
        )
        return _Span(waits_from, before, after, replayed)

    async def _write(self, connection: AsyncConnection, span: _Span) -> Progress:
        locked = await fetch_all(connection, _LOCK, (self._key,))
        if not await is_current(connection, self._fleet.catalogue):
            return Progress.FLEET_CHANGED
        if not locked or locked[0][0] != span.waits_from:
            # Something came from even earlier, or another runner was faster: once more.
            return Progress.MORE
        await fetch_all(connection, _LOCK_BATTERIES, (self._battery_keys.tolist(),))
        from_us = max(microseconds(span.waits_from), span.before.at_us + 1)
        await write_estimates(connection, self._key, span.replayed, from_us)
        await write_days(connection, span.replayed, from_us)
        await write_newest(connection, span.replayed)
        await write_evidence(connection, self._key, span.replayed, from_us)
        await drop_snapshots(connection, self._key, span.waits_from)
        following = await next_reading_at(
            connection, self._battery_keys, self._key, _instant(span.after.at_us), generated=True
        )
        await self._keep(connection, span, following)
        if following is None:
            await self._hand_over(connection, span.after)
        await update_rows(
            connection,
            "string_state",
            Column("string_id", "int", [self._key]),
            [
                Column("reestimate_from", "timestamptz", [following]),
                Column("snapshot_at", "timestamptz", [_instant(span.after.at_us)]),
            ],
        )
        return Progress.DONE if following is None else Progress.MORE

    async def _keep(self, connection: AsyncConnection, span: _Span, following: datetime | None) -> None:
        """Keep what is known at the end of a span, for good where a day or a discharge begins."""
        times = (np.array([span.after.at_us]), np.array([span.before.at_us]))
        ends_early = following is not None and span.after.string.mode[0].mode not in DISCHARGING_MODES
        is_kept = bool(is_first_of_day(*times)[0]) or (ends_early and await self._discharges_at(connection, following))
        if span.after.states:
            await keep_snapshot(connection, self._key, span.after, is_kept=is_kept)

    async def _discharges_at(self, connection: AsyncConnection, at: datetime | None) -> bool:
        ((found,),) = await fetch_all(connection, _DISCHARGES_AT, (self._key, at, DISCHARGE_BELOW_A))
        return bool(found)

    async def _hand_over(self, connection: AsyncConnection, known: Snapshot) -> None:
        """Let ingest go on from what the replay knows."""
        keys = self._battery_keys.tolist()
        states = [known.states.get(key) for key in keys]
        await update_rows(
            connection,
            "battery_state",
            integers("battery_id", self._battery_keys),
            [Column("twin_state", "bytea", [None if state is None else state.pack() for state in states])],
            also=["twin_state_version = present.twin_state_version + 1"],
        )
        measured_us = int(known.string.float_current_us[0])
        await update_rows(
            connection,
            "string_state",
            Column("string_id", "int", [self._key]),
            [
                reals("known_float_current_ma", known.string.float_current_ma),
                Column("known_float_current_at", "instant", [None if measured_us == NEVER else measured_us]),
            ],
        )


def _instant(time_us: int) -> datetime:
    return EPOCH if time_us == NEVER else instant(time_us)
