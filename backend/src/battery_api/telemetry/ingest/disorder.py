"""Which strings and locations cannot be judged now, because readings came out of order or changed what was judged."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.telemetry.ingest.inserts import StoredReadings
from battery_api.telemetry.ingest.locked_state import SubjectStates
from battery_api.telemetry.ingest.state_updates import StoredRows
from battery_api.telemetry.ingest.subjects import BatchSubjects
from battery_api.telemetry.ports import DueAgain
from battery_api.telemetry.store.columns import BoolArray, Column, IntArray, instants, integers
from battery_api.telemetry.store.fleet_index import FleetIndex, Kind
from battery_api.telemetry.store.indices import BatchSlots, Keys
from battery_api.telemetry.store.instants import NEVER
from battery_api.telemetry.store.statements import update_rows

IN_ORDER: Final = int(np.iinfo(np.int64).max)


@dataclass(frozen=True, slots=True)
class Disorder:
    """From when strings (n,) and locations (k,) have to be judged again; the largest integer where they need not be."""

    string_from_us: IntArray
    location_from_us: IntArray

    @property
    def is_string_in_order(self) -> BoolArray:
        """(n,) whether the readings of a string and its batteries may be judged at once."""
        in_order: BoolArray = self.string_from_us == IN_ORDER
        return in_order

    @property
    def is_location_in_order(self) -> BoolArray:
        """(k,) whether the readings of a location may be judged at once."""
        in_order: BoolArray = self.location_from_us == IN_ORDER
        return in_order


def find_disorder(subjects: BatchSubjects, states: SubjectStates, stored: StoredReadings) -> Disorder:
    """Compare what a batch stored or changed with what is judged already.

    A reading of an instant up to which its string is judged concerns the others of the string as well: they were
    compared with what was known without it. The room concerns all strings of its location.
    """
    strings, locations = states.strings, states.locations
    string_from = np.where(strings.rejudge_us == NEVER, IN_ORDER, strings.rejudge_us)
    location_from = np.where(locations.rejudge_us == NEVER, IN_ORDER, locations.rejudge_us)
    string_from = np.minimum(string_from, first_out_of_order(subjects, states, stored))
    _lower(location_from, stored.locations.slot, stored.locations, locations.judged_us)
    changed = np.flatnonzero(stored.locations.is_changed)
    for row in changed.tolist():
        time_us = int(stored.locations.time_us[row])
        is_concerned = (subjects.location_of_string == stored.locations.slot[row]) & (strings.judged_us >= time_us)
        string_from[is_concerned] = np.minimum(string_from[is_concerned], time_us)
    return Disorder(string_from, location_from)


def first_out_of_order(subjects: BatchSubjects, states: SubjectStates, stored: StoredReadings) -> IntArray:
    """Return for strings (n,) their first reading, or one of their batteries, that is not newer than those before.

    The largest integer where there is none.
    """
    from_us = np.full(len(subjects.strings), IN_ORDER)
    judged_us = states.strings.judged_us
    _lower(from_us, subjects.strings_of(stored.batteries.slot), stored.batteries, judged_us)
    _lower(from_us, stored.strings.slot, stored.strings, judged_us)
    return from_us


def _lower(from_us: IntArray, slot: BatchSlots, rows: StoredRows, judged_us: IntArray) -> None:
    concerned = np.flatnonzero(rows.is_changed & (rows.time_us <= judged_us[slot]))
    np.minimum.at(from_us, slot[concerned], rows.time_us[concerned])


KEPT_OF_STRING: Final = """
    jsonb_build_object(
        'time', s.time, 'known_current_a', s.known_current_a, 'known_current_at', s.known_current_at,
        'known_float_current_ma', s.known_float_current_ma, 'known_float_current_at', s.known_float_current_at,
        'mode', s.mode, 'mode_since', s.mode_since, 'last_discharge_at', s.last_discharge_at,
        'reporting_interval_s', s.reporting_interval_s)
"""
"""What a replay needs of a string, as SQL over its state row ``s``; `known_strings.string_states` reads it."""
_KEEP_CHECKPOINTS: Final = f"""
    insert into judgement_checkpoint (string_id, at, state)
    select s.string_id, s.judged_until, {KEPT_OF_STRING} || jsonb_build_object(
        'rule_state', s.rule_state,
        'flatlines', encode(s.flatlines, 'base64'),
        'trends', encode(s.trends, 'base64'),
        'batteries', (
            select jsonb_agg(jsonb_build_object(
                'battery_id', t.battery_id, 'time', t.time, 'reporting_interval_s', t.reporting_interval_s,
                'known_voltage_v', t.known_voltage_v, 'known_voltage_at', t.known_voltage_at,
                'known_temperature_c', t.known_temperature_c, 'known_temperature_at', t.known_temperature_at,
                'rule_state', t.rule_state) order by t.battery_id)
            from battery b join battery_state t on t.battery_id = b.id
            where b.string_id = s.string_id and t.time is not null))
    from string_state s where s.string_id = any($1::int[])
    on conflict (string_id, at) do update set state = excluded.state
"""  # noqa: S608  # a constant of this module
CHECKPOINT_US: Final = 1_800_000_000
"""A checkpoint is kept every half hour of readings: what comes late within it costs little to judge again."""


class JudgementProgress:
    """Keeps how far the strings and locations of a batch are judged; their state rows are locked."""

    def __init__(
        self, connection: AsyncConnection, fleet: FleetIndex, subjects: BatchSubjects, states: SubjectStates
    ) -> None:
        self._connection = connection
        self._string_keys = fleet.strings.keys_at(subjects.strings)
        self._location_keys = fleet.locations.keys_at(subjects.locations)
        self._subjects = subjects
        self._states = states

    async def keep_checkpoints(self, stored: StoredReadings, disorder: Disorder) -> None:
        """Keep what the rules know, before this batch moves it on."""
        states = self._states.strings
        is_due = (states.judged_us != NEVER) & (states.judged_us - states.checkpoint_us >= CHECKPOINT_US)
        due = np.flatnonzero(is_due & disorder.is_string_in_order & (self._newest(stored) > states.judged_us))
        if not len(due):
            return
        await self._connection.exec_driver_sql(_KEEP_CHECKPOINTS, (self._string_keys[due].tolist(),))
        await update_rows(
            self._connection,
            "string_state",
            integers("string_id", self._string_keys[due]),
            [instants("checkpoint_at", states.judged_us[due])],
        )

    async def advance(
        self,
        stored: StoredReadings,
        disorder: Disorder,
        *,
        flatlines: Mapping[int, bytes | None],
        trends: Mapping[int, bytes | None],
    ) -> None:
        """Write up to when the subjects are judged and what the rules keep of them, or from when they wait."""
        strings, locations = self._states.strings, self._states.locations
        newest = self._newest(stored)
        moved = np.flatnonzero(disorder.is_string_in_order & (newest > strings.judged_us))
        slots = moved.tolist()
        await update_rows(
            self._connection,
            "string_state",
            integers("string_id", self._string_keys[moved]),
            [
                instants("judged_until", newest[moved]),
                Column("flatlines", "bytea", [flatlines.get(slot, strings.flatlines[slot]) for slot in slots]),
                Column("trends", "bytea", [trends.get(slot, strings.trends[slot]) for slot in slots]),
            ],
        )
        newest = _newest_of(locations.judged_us, stored.locations.slot, stored.locations)
        moved = np.flatnonzero(disorder.is_location_in_order & (newest > locations.judged_us))
        await update_rows(
            self._connection,
            "location_state",
            integers("location_id", self._location_keys[moved]),
            [instants("judged_until", newest[moved])],
        )
        await self._wait("string", self._string_keys, disorder.string_from_us)
        await self._wait("location", self._location_keys, disorder.location_from_us)

    def due_again(self, disorder: Disorder) -> DueAgain:
        """Return what has to be judged again after the commit."""
        return DueAgain(
            tuple(self._string_keys[~disorder.is_string_in_order].tolist()),
            tuple(self._location_keys[~disorder.is_location_in_order].tolist()),
        )

    def _newest(self, stored: StoredReadings) -> IntArray:
        judged_us = self._states.strings.judged_us
        newest = _newest_of(judged_us, self._subjects.strings_of(stored.batteries.slot), stored.batteries)
        return _newest_of(newest, stored.strings.slot, stored.strings)

    async def _wait(self, kind: Kind, keys: Keys, from_us: IntArray) -> None:
        waiting = np.flatnonzero(from_us != IN_ORDER)
        await update_rows(
            self._connection,
            f"{kind}_state",
            integers(f"{kind}_id", keys[waiting]),
            [instants("rejudge_from", from_us[waiting])],
        )


def _newest_of(newest_us: IntArray, slot: BatchSlots, rows: StoredRows) -> IntArray:
    newest = newest_us.copy()
    np.maximum.at(newest, slot, rows.time_us)
    return newest
