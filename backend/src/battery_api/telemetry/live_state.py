"""The state rows of a batch, read under their locks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import orjson
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.telemetry.fleet_index import FleetIndex
from battery_api.telemetry.instants import microseconds_of
from battery_api.telemetry.modes import ModeState
from battery_api.telemetry.ports import RuleState
from battery_api.telemetry.rows import FloatArray, IntArray
from battery_contracts.enums import StringMode

_LOCATIONS: Final = (
    "select location_id, seq, time, ambient_c, reporting_interval_s, rule_state "
    "from location_state where location_id = any($1::int[]) order by location_id for update"
)
_STRINGS: Final = (
    "select string_id, time, current_a, mode, mode_since, last_discharge_at, reporting_interval_s, rule_state "
    "from string_state where string_id = any($1::int[]) order by string_id for update"
)
_BATTERIES: Final = (
    "select battery_id, seq, time, reporting_interval_s, resistance_at, rule_state, open_info, open_warning, "
    "open_critical, twin_state_version, count_day "
    "from battery_state where battery_id = any($1::int[]) order by battery_id for update"
)


@dataclass(frozen=True, slots=True)
class LocationStates:
    """Locked rows (n,) of ``location_state``; ``place`` is that of the fleet index, ascending."""

    place: IntArray
    seq: IntArray
    last_us: IntArray
    ambient_c: FloatArray
    interval_s: FloatArray
    rule_state: Sequence[RuleState | None]


@dataclass(frozen=True, slots=True)
class StringStates:
    """Locked rows (n,) of ``string_state``."""

    place: IntArray
    last_us: IntArray
    current_a: FloatArray
    interval_s: FloatArray
    mode: Sequence[ModeState]
    rule_state: Sequence[RuleState | None]


@dataclass(frozen=True, slots=True)
class BatteryStates:
    """Locked rows (n,) of ``battery_state``."""

    place: IntArray
    seq: IntArray
    last_us: IntArray
    interval_s: FloatArray
    resistance_us: IntArray
    rule_state: Sequence[RuleState | None]
    open_counts: "np.ndarray[Any, np.dtype[np.int16]]"
    twin_version: IntArray
    count_day_us: IntArray


@dataclass(frozen=True, slots=True)
class LockedStates:
    """Every state row that a batch touches, locked in the order location, string, battery."""

    locations: LocationStates
    strings: StringStates
    batteries: BatteryStates


async def lock_states(
    connection: AsyncConnection, fleet: FleetIndex, *, batteries: IntArray, strings: IntArray, locations: IntArray
) -> LockedStates:
    """Lock the state rows of some places (ascending) in key order and read them.

    Two batches that touch the same rows take turns, and because all take them in one order none waits in a circle.
    """
    location_rows = await _locked(connection, _LOCATIONS, "location", fleet, locations)
    string_rows = await _locked(connection, _STRINGS, "string", fleet, strings)
    battery_rows = await _locked(connection, _BATTERIES, "battery", fleet, batteries)
    return LockedStates(
        locations=LocationStates(
            place=locations,
            seq=_ints(location_rows, 1),
            last_us=_instants(location_rows, 2),
            ambient_c=_floats(location_rows, 3),
            interval_s=_floats(location_rows, 4),
            rule_state=_rule_states(location_rows, 5),
        ),
        strings=StringStates(
            place=strings,
            last_us=_instants(string_rows, 1),
            current_a=_floats(string_rows, 2),
            interval_s=_floats(string_rows, 6),
            mode=_modes(string_rows),
            rule_state=_rule_states(string_rows, 7),
        ),
        batteries=BatteryStates(
            place=batteries,
            seq=_ints(battery_rows, 1),
            last_us=_instants(battery_rows, 2),
            interval_s=_floats(battery_rows, 3),
            resistance_us=_instants(battery_rows, 4),
            rule_state=_rule_states(battery_rows, 5),
            open_counts=np.array([row[6:9] for row in battery_rows], np.int16).reshape(-1, 3),
            twin_version=_ints(battery_rows, 9),
            count_day_us=_instants(battery_rows, 10),
        ),
    )


async def _locked(
    connection: AsyncConnection, statement: str, kind: str, fleet: FleetIndex, places: IntArray
) -> Sequence[Row[Any]]:
    if not len(places):
        return []
    keys = fleet.key[kind][places].tolist()
    rows = (await connection.exec_driver_sql(statement, (keys,))).all()
    if len(rows) < len(keys):
        # The importer makes a state row with each entry; should one be missing, a reading must not fail for it.
        insert = f"insert into {kind}_state ({kind}_id) select unnest($1::int[]) on conflict do nothing"
        await connection.exec_driver_sql(insert, (keys,))
        rows = (await connection.exec_driver_sql(statement, (keys,))).all()
    return rows


def _ints(rows: Sequence[Row[Any]], at: int) -> IntArray:
    return np.array([row[at] for row in rows], np.int64)


def _floats(rows: Sequence[Row[Any]], at: int) -> FloatArray:
    return np.array([row[at] for row in rows], np.float64)


def _instants(rows: Sequence[Row[Any]], at: int) -> IntArray:
    return microseconds_of([row[at] for row in rows])


def _rule_states(rows: Sequence[Row[Any]], at: int) -> list[RuleState | None]:
    return [None if row[at] is None else _json(row[at]) for row in rows]


def _json(value: Any) -> RuleState:
    state: RuleState = orjson.loads(value) if isinstance(value, str | bytes) else value
    return state


def _modes(rows: Sequence[Row[Any]]) -> list[ModeState]:
    since, discharged = _instants(rows, 4).tolist(), _instants(rows, 5).tolist()
    return [
        ModeState(None if row[3] is None else StringMode(row[3]), since_us, discharged_us)
        for row, since_us, discharged_us in zip(rows, since, discharged, strict=True)
    ]
