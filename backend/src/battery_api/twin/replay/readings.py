"""The stored readings of a string, as the twin takes them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.db.bangkok import day_start
from battery_api.db.fetching import fetch_all
from battery_api.telemetry.ingest.checks import ValidRows
from battery_api.telemetry.ingest.readings import BATTERY_SHAPE
from battery_api.telemetry.replay.readings import StoredStringReadings, read_string
from battery_api.telemetry.store.array_columns import ArrayColumn, read_arrays
from battery_api.telemetry.store.columns import FloatArray, IntArray, as_stored
from battery_api.telemetry.store.fleet_index import FleetIndex
from battery_api.telemetry.store.indices import FleetSlots, Keys
from battery_api.telemetry.store.instants import NEVER
from battery_api.telemetry.store.string_modes import DISCHARGE_BELOW_A
from battery_contracts.enums import ReadingQuality

_COLUMNS: Final = (
    ArrayColumn("battery_id", "int"),
    ArrayColumn("time", "instant"),
    *(ArrayColumn(name, "real") for name in (*BATTERY_SHAPE.channel_names, "soc_pct", "soh_pct")),
    ArrayColumn("quality", "smallint"),
)
_ROWS: Final = """
    select * from telemetry where battery_id = any($1::int[]) and time > $2 and time <= $3 order by battery_id, time
"""
_IS_GENERATED: Final = f"""
    select bool_and(quality & {int(ReadingQuality.BULK_LOADED)} <> 0) from telemetry
    where battery_id = any($1::int[]) and time >= $2 and time < $2::timestamptz + interval '1 day'
"""
_DISCHARGES: Final = """
    select min(time) from string_telemetry where string_id = $1 and time > $2 and time <= $3 and current_a < $4
"""
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class WaitingReadings:
    """Readings of a string and its batteries in a span, and what is stored of the estimates of the latter (m,)."""

    batteries: ValidRows
    strings: StoredStringReadings
    quality: IntArray
    soc_pct: FloatArray
    soh_pct: FloatArray

    @property
    def last_us(self) -> int:
        """Time of the last reading of the span."""
        return max(int(self.batteries.time_us.max(initial=NEVER)), int(self.strings.rows.time_us.max(initial=NEVER)))

    def __len__(self) -> int:
        return len(self.batteries) + len(self.strings.rows)


async def is_generated(connection: AsyncConnection, battery_keys: Keys, first: datetime) -> bool:
    """Return whether what the batteries report from a reading on is a generated history."""
    ((found,),) = await fetch_all(connection, _IS_GENERATED, (battery_keys.tolist(), first))
    return bool(found)


async def end_of_span(
    connection: AsyncConnection, string: int, first: datetime, longest: timedelta, *, by_day: bool, discharges: bool
) -> datetime:
    """Return the end of a span from a reading on: at the latest when a discharge begins after it.

    Parameters
    ----------
    by_day
        Whether it ends with the day of ``first`` as well.
    discharges
        Whether the string is discharging already at ``first``.
    """
    until = first + longest
    if by_day:
        until = min(until, day_start(first) + timedelta(days=1) - _MICROSECOND)
    if discharges:
        return until
    ((begins,),) = await fetch_all(connection, _DISCHARGES, (string, first, until, DISCHARGE_BELOW_A))
    return until if begins is None else begins - _MICROSECOND


async def read_waiting(
    connection: AsyncConnection, fleet: FleetIndex, members: FleetSlots, slot: int, *, after: datetime, until: datetime
) -> WaitingReadings:
    """Read what is stored of the string in a fleet slot and of its batteries, sorted by battery and time."""
    keys = fleet.batteries.keys_at(members)
    columns = await read_arrays(connection, _COLUMNS, _ROWS, (keys.tolist(), after, until))
    slots = FleetSlots(members[np.searchsorted(keys, columns["battery_id"])])
    values = {name: as_stored(columns[name]) for name in BATTERY_SHAPE.channel_names}
    (key,) = fleet.strings.keys_at(FleetSlots(np.array([slot]))).tolist()
    return WaitingReadings(
        ValidRows(slots, columns["time"], values, {}),
        await read_string(connection, slot, key, after=after, until=until),
        columns["quality"],
        columns["soc_pct"],
        columns["soh_pct"],
    )
