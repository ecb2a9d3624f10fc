"""The state rows of a batch, read under their locks or before them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.telemetry.checks import CheckedBatch
from battery_api.telemetry.fetching import fetch_all
from battery_api.telemetry.fleet_index import FleetIndex
from battery_api.telemetry.instants import microseconds_of
from battery_api.telemetry.modes import ModeState
from battery_api.telemetry.ports import RuleState
from battery_api.telemetry.rows import FloatArray, IntArray
from battery_contracts.enums import StringMode

_LOCATIONS: Final = (
    "select location_id, seq, time, ambient_c, reporting_interval_s, rule_state "
    "from location_state where location_id = any($1::int[]) order by location_id"
)
_STRINGS: Final = (
    "select string_id, time, current_a, mode, mode_since, last_discharge_at, reporting_interval_s, rule_state "
    "from string_state where string_id = any($1::int[]) order by string_id"
)
_BATTERIES: Final = (
    "select battery_id, seq, time, reporting_interval_s, resistance_at, rule_state, open_info, open_warning, "
    "open_critical, twin_state_version, count_day "
    "from battery_state where battery_id = any($1::int[]) order by battery_id"
)


@dataclass(frozen=True, slots=True)
class LocationStates:
    """Rows (n,) of ``location_state``; ``place`` is that of the fleet index, ascending."""

    place: IntArray
    seq: IntArray
    last_us: IntArray
    ambient_c: FloatArray
    interval_s: FloatArray
    rule_state: Sequence[RuleState | None]


@dataclass(frozen=True, slots=True)
class StringStates:
    """Rows (n,) of ``string_state``."""

    place: IntArray
    last_us: IntArray
    current_a: FloatArray
    interval_s: FloatArray
    mode: Sequence[ModeState]
    rule_state: Sequence[RuleState | None]


@dataclass(frozen=True, slots=True)
class BatteryStates:
    """Rows (n,) of ``battery_state``."""

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
    """Every state row that a batch touches."""

    locations: LocationStates
    strings: StringStates
    batteries: BatteryStates


@dataclass(frozen=True, slots=True)
class Places:
    """The entries that a batch touches, ascending, and how they hang together by position in these lists."""

    batteries: IntArray
    strings: IntArray
    locations: IntArray
    string_of_battery: IntArray
    location_of_battery: IntArray

    @classmethod
    def of(cls, checked: CheckedBatch, fleet: FleetIndex) -> "Places":
        """Gather the entries of a batch and those above them."""
        counted = np.array([place for place, _ in (*checked.repeated, *checked.refused)], np.int64)
        batteries = np.unique(np.concatenate([checked.batteries.place, counted]))
        string_of = fleet.string_of_battery[batteries]
        strings = np.unique(np.concatenate([string_of, checked.strings.place]))
        location_of = fleet.location_of["battery"][batteries]
        locations = np.unique(np.concatenate([location_of, fleet.location_of["string"][strings], checked.sites.place]))
        return cls(
            batteries=batteries,
            strings=strings,
            locations=locations,
            string_of_battery=np.searchsorted(strings, string_of),
            location_of_battery=np.searchsorted(locations, location_of),
        )


async def read_states(connection: AsyncConnection, fleet: FleetIndex, places: Places, *, lock: bool) -> LockedStates:
    """Read the state rows that a batch touches, locking them in key order if asked.

    Two batches that touch the same rows take turns, and because all take them in one order none waits in a circle.
    """
    location_rows = await _rows(connection, _LOCATIONS, "location", fleet.key["location"][places.locations], lock=lock)
    string_rows = await _rows(connection, _STRINGS, "string", fleet.key["string"][places.strings], lock=lock)
    battery_rows = await _rows(connection, _BATTERIES, "battery", fleet.key["battery"][places.batteries], lock=lock)
    return LockedStates(
        locations=LocationStates(
            place=places.locations,
            seq=_ints(location_rows, 1),
            last_us=_instants(location_rows, 2),
            ambient_c=_floats(location_rows, 3),
            interval_s=_floats(location_rows, 4),
            rule_state=_rule_states(location_rows, 5),
        ),
        strings=StringStates(
            place=places.strings,
            last_us=_instants(string_rows, 1),
            current_a=_floats(string_rows, 2),
            interval_s=_floats(string_rows, 6),
            mode=_modes(string_rows),
            rule_state=_rule_states(string_rows, 7),
        ),
        batteries=BatteryStates(
            place=places.batteries,
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


async def _rows(connection: AsyncConnection, statement: str, kind: str, keys: IntArray, *, lock: bool) -> Sequence[Any]:
    if not len(keys):
        return []
    wanted = keys.tolist()
    query = f"{statement} for update" if lock else statement
    rows = await fetch_all(connection, query, (wanted,))
    if len(rows) < len(wanted):
        # The importer makes a state row with each entry; should one be missing, a reading must not fail for it.
        insert = f"insert into {kind}_state ({kind}_id) select unnest($1::int[]) on conflict do nothing"
        await connection.exec_driver_sql(insert, (wanted,))
        rows = await fetch_all(connection, query, (wanted,))
    return rows


def _ints(rows: Sequence[Any], at: int) -> IntArray:
    return np.array([row[at] for row in rows], np.int64)


def _floats(rows: Sequence[Any], at: int) -> FloatArray:
    return np.array([row[at] for row in rows], np.float64)


def _instants(rows: Sequence[Any], at: int) -> IntArray:
    return microseconds_of([row[at] for row in rows])


def _rule_states(rows: Sequence[Any], at: int) -> list[RuleState | None]:
    return [None if row[at] is None else _json(row[at]) for row in rows]


def _json(value: Any) -> RuleState:
    state: RuleState = orjson.loads(value) if isinstance(value, str | bytes) else value
    return state


def _modes(rows: Sequence[Any]) -> list[ModeState]:
    since, discharged = _instants(rows, 4).tolist(), _instants(rows, 5).tolist()
    return [
        ModeState(None if row[3] is None else StringMode(row[3]), since_us, discharged_us)
        for row, since_us, discharged_us in zip(rows, since, discharged, strict=True)
    ]
