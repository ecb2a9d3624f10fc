"""The state rows of the subjects of a batch, read with or without locks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

import numpy as np
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.db.fetching import fetch_all
from battery_api.fleet.catalogue import is_current
from battery_api.telemetry.ingest.battery_states import BatteryStates, decoded_rule_state, read_batteries
from battery_api.telemetry.ingest.subjects import BatchSubjects
from battery_api.telemetry.store.columns import FloatArray, IntArray, RuleState, as_stored
from battery_api.telemetry.store.fleet_index import FleetIndex, Kind
from battery_api.telemetry.store.indices import Keys
from battery_api.telemetry.store.instants import microseconds_of
from battery_api.telemetry.store.mains import MainsHistory
from battery_api.telemetry.store.string_modes import ModeState
from battery_contracts.enums import StringMode


class FleetOutdated(Exception):
    """The fleet changed after the batch was checked against it; nothing was written."""


class _LocationRow(NamedTuple):
    location_id: int
    seq: int
    time: datetime | None
    known_ambient_c: float | None
    known_ambient_at: datetime | None
    reporting_interval_s: float | None
    judged_until: datetime | None
    rejudge_from: datetime | None
    mains_history: bytes | None
    rule_state: Any


class _StringRow(NamedTuple):
    string_id: int
    time: datetime | None
    known_current_a: float | None
    known_current_at: datetime | None
    mode: str | None
    mode_since: datetime | None
    last_discharge_at: datetime | None
    reporting_interval_s: float | None
    judged_until: datetime | None
    rejudge_from: datetime | None
    checkpoint_at: datetime | None
    reestimate_from: datetime | None
    snapshot_at: datetime | None
    known_float_current_ma: float | None
    known_float_current_at: datetime | None
    flatlines: bytes | None
    trends: bytes | None
    rule_state: Any


def _select(kind: Kind, row: type[NamedTuple]) -> str:
    names = ", ".join(row._fields)
    return f"select {names} from {kind}_state where {kind}_id = any($1::int[]) order by {kind}_id"  # noqa: S608  # names of the code


_LOCATIONS: Final = _select("location", _LocationRow)
_STRINGS: Final = _select("string", _StringRow)


@dataclass(frozen=True, slots=True)
class LocationStates:
    """Rows (n,) of ``location_state`` by batch slot."""

    seq: IntArray
    last_us: IntArray
    ambient_c: FloatArray
    """Newest room temperature that was measured, at ``ambient_us``."""
    ambient_us: IntArray
    interval_s: FloatArray
    judged_us: IntArray
    """Up to when the rules have judged the location's readings."""
    rejudge_us: IntArray
    """From when they have to judge them again, `NEVER` where not."""
    mains: Sequence[MainsHistory]
    rule_state: Sequence[RuleState | None]


@dataclass(frozen=True, slots=True)
class StringStates:
    """Rows (n,) of ``string_state`` by batch slot."""

    last_us: IntArray
    current_a: FloatArray
    """Newest current that was measured, at ``current_us``."""
    current_us: IntArray
    interval_s: FloatArray
    mode: Sequence[ModeState]
    judged_us: IntArray
    """Up to when the rules have judged the readings of the string and its batteries."""
    rejudge_us: IntArray
    """From when they have to judge them again, `NEVER` where not."""
    checkpoint_us: IntArray
    """Time of the newest checkpoint of what the rules know."""
    reestimate_us: IntArray
    """From when readings wait for the digital twin, `NEVER` where none does."""
    snapshot_us: IntArray
    """Time of the newest snapshot of what the twin knows."""
    float_current_ma: FloatArray
    """Newest float current that was measured, at ``float_current_us``."""
    float_current_us: IntArray
    flatlines: Sequence[bytes | None]
    """What the rules keep of how the channels of its batteries move."""
    trends: Sequence[bytes | None]
    """What the rules keep of its slow trends."""
    rule_state: Sequence[RuleState | None]


@dataclass(frozen=True, slots=True)
class SubjectStates:
    """Every state row that a batch touches."""

    locations: LocationStates
    strings: StringStates
    batteries: BatteryStates


async def read_states(
    connection: AsyncConnection, fleet: FleetIndex, subjects: BatchSubjects, *, lock: bool
) -> SubjectStates:
    """Read the state rows that a batch touches, locking them in key order if asked.

    Two batches that touch the same rows take turns; since all lock in one order, no deadlock arises.
    """
    location_keys = fleet.locations.keys_at(subjects.locations)
    string_keys = fleet.strings.keys_at(subjects.strings)
    battery_keys = fleet.batteries.keys_at(subjects.batteries)
    locations = [_LocationRow(*row) for row in await _rows(connection, _LOCATIONS, "location", location_keys, lock)]
    strings = [_StringRow(*row) for row in await _rows(connection, _STRINGS, "string", string_keys, lock)]
    batteries = await read_batteries(connection, battery_keys, lock=lock)
    if len(batteries.seq) < len(battery_keys):
        await _create_rows(connection, "battery", battery_keys)
        batteries = await read_batteries(connection, battery_keys, lock=lock)
    return SubjectStates(_location_states(locations), _string_states(strings), batteries)


async def require_current_fleet(connection: AsyncConnection, fleet: FleetIndex) -> None:
    """Raise `FleetOutdated` if a battery was replaced or retired since the batch was checked.

    Called with the state rows locked, for which a change of the fleet waits: otherwise a reading could raise an alert
    about a battery whose alerts have just ended.
    """
    if not await is_current(connection, fleet.catalogue):
        raise FleetOutdated


async def _rows(connection: AsyncConnection, statement: str, kind: Kind, keys: Keys, lock: bool) -> Sequence[Any]:
    if not len(keys):
        return []
    query, parameters = f"{statement} for update" if lock else statement, (keys.tolist(),)
    rows = await fetch_all(connection, query, parameters)
    if len(rows) < len(keys):
        await _create_rows(connection, kind, keys)
        rows = await fetch_all(connection, query, parameters)
    return rows


async def _create_rows(connection: AsyncConnection, kind: Kind, keys: Keys) -> None:
    """Create the state rows that are missing; the importer does with each subject, and a reading must not fail."""
    insert = f"insert into {kind}_state ({kind}_id) select unnest($1::int[]) on conflict do nothing"
    await connection.exec_driver_sql(insert, (keys.tolist(),))


def _location_states(rows: Sequence[_LocationRow]) -> LocationStates:
    return LocationStates(
        seq=np.array([row.seq for row in rows], np.int64),
        last_us=microseconds_of([row.time for row in rows]),
        ambient_c=as_stored(np.array([row.known_ambient_c for row in rows], np.float64)),
        ambient_us=microseconds_of([row.known_ambient_at for row in rows]),
        interval_s=np.array([row.reporting_interval_s for row in rows], np.float64),
        judged_us=microseconds_of([row.judged_until for row in rows]),
        rejudge_us=microseconds_of([row.rejudge_from for row in rows]),
        mains=[MainsHistory.of_stored(row.mains_history) for row in rows],
        rule_state=[decoded_rule_state(row.rule_state) for row in rows],
    )


def _string_states(rows: Sequence[_StringRow]) -> StringStates:
    since = microseconds_of([row.mode_since for row in rows]).tolist()
    discharged = microseconds_of([row.last_discharge_at for row in rows]).tolist()
    return StringStates(
        last_us=microseconds_of([row.time for row in rows]),
        current_a=as_stored(np.array([row.known_current_a for row in rows], np.float64)),
        current_us=microseconds_of([row.known_current_at for row in rows]),
        interval_s=np.array([row.reporting_interval_s for row in rows], np.float64),
        mode=[
            ModeState(None if row.mode is None else StringMode(row.mode), since_us, discharged_us)
            for row, since_us, discharged_us in zip(rows, since, discharged, strict=True)
        ],
        judged_us=microseconds_of([row.judged_until for row in rows]),
        rejudge_us=microseconds_of([row.rejudge_from for row in rows]),
        checkpoint_us=microseconds_of([row.checkpoint_at for row in rows]),
        reestimate_us=microseconds_of([row.reestimate_from for row in rows]),
        snapshot_us=microseconds_of([row.snapshot_at for row in rows]),
        float_current_ma=as_stored(np.array([row.known_float_current_ma for row in rows], np.float64)),
        float_current_us=microseconds_of([row.known_float_current_at for row in rows]),
        flatlines=[row.flatlines for row in rows],
        trends=[row.trends for row in rows],
        rule_state=[decoded_rule_state(row.rule_state) for row in rows],
    )
