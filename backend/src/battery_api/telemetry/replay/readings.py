"""Read the stored readings of a string or location, as ingest would hand them to the rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.db.fetching import fetch_all
from battery_api.telemetry.ingest.checks import ValidRows
from battery_api.telemetry.ingest.readings import BATTERY_SHAPE, LOCATION_SHAPE, STRING_SHAPE
from battery_api.telemetry.store.columns import BoolArray, FloatArray, IntArray, as_stored
from battery_api.telemetry.store.indices import FleetSlots, Keys
from battery_api.telemetry.store.instants import microseconds_of
from battery_contracts.enums import HvacState, ReadingQuality, StringMode

_GENERATED: Final = int(ReadingQuality.BULK_LOADED)
_FILLED: Final = int(ReadingQuality.CURRENT_FROM_STRING)
# A value that a correction overwrote is judged before the corrected one if it was dangerous.
_BATTERIES: Final = """
    select battery_id, time, voltage_v, case when quality & $5::int = 0 then current_a end, temperature_c,
           internal_resistance_mohm, 1 as rank, quality, current_a
    from telemetry where battery_id = any($1::int[]) and time > $2 and time <= $3 and quality & $4::int = 0
    union all
    select subject_id, time, (values ->> 'voltage_v')::real, (values ->> 'current_a')::real,
           (values ->> 'temperature_c')::real, (values ->> 'internal_resistance_mohm')::real, 0, 0, null
    from overwritten_reading
    where kind = 'battery' and subject_id = any($1::int[]) and time > $2 and time <= $3 and is_dangerous
"""
_STRINGS: Final = """
    select string_id, time, voltage_v, current_a, float_current_ma, ripple_voltage_v, ripple_current_a, reported_mode,
           mode
    from string_telemetry where string_id = $1 and time > $2 and time <= $3 order by time
"""
_LOCATIONS: Final = """
    select location_id, time, ambient_c, humidity_pct, hvac, mains
    from site_environment where location_id = $1 and time > $2 and time <= $3 order by time
"""
_NEXT: Final = """
    select min(found.time) from (
        select (select min(t.time) from telemetry t
                where t.battery_id = given.id and t.time > $3 and t.quality & $4::int = 0) as time
        from unnest($1::int[]) as given(id)
        union all select min(time) from string_telemetry where string_id = $2 and time > $3
    ) as found
"""


@dataclass(frozen=True, slots=True)
class StoredBatteryReadings:
    """Battery readings (m,) to judge, and of each what is stored of its current; overwritten ones are not stored."""

    rows: ValidRows
    is_stored: BoolArray
    quality: IntArray
    stored_current_a: FloatArray


@dataclass(frozen=True, slots=True)
class StoredStringReadings:
    """String readings (m,) to judge, and the mode that is stored with each."""

    rows: ValidRows
    stored_mode: Sequence[str | None]


async def read_batteries(
    connection: AsyncConnection, slots: FleetSlots, keys: Keys, *, after: datetime, until: datetime
) -> StoredBatteryReadings:
    """Read the measured readings of batteries, sorted by battery and time; generated history is left out.

    A current that was filled in from the string is left out of the rows too: the replay fills it in again.
    """
    rows = await fetch_all(connection, _BATTERIES, (keys.tolist(), after, until, _GENERATED, _FILLED))
    slot_of = dict(zip(keys.tolist(), slots.tolist(), strict=True))
    slot = np.array([slot_of[row[0]] for row in rows], np.int64)
    time_us = microseconds_of([row[1] for row in rows])
    rank = np.array([row[6] for row in rows], np.int64)
    order = np.lexsort((rank, time_us, slot))
    values = _values(rows, BATTERY_SHAPE.channel_names)
    return StoredBatteryReadings(
        ValidRows(
            FleetSlots(slot[order]), time_us[order], {name: column[order] for name, column in values.items()}, {}
        ),
        is_stored=rank[order] == 1,
        quality=np.array([row[7] for row in rows], np.int64)[order],
        stored_current_a=as_stored(np.array([row[8] for row in rows], np.float64))[order],
    )


async def read_string(
    connection: AsyncConnection, slot: int, key: int, *, after: datetime, until: datetime
) -> StoredStringReadings:
    """Read the readings of a string in order of time."""
    rows = await fetch_all(connection, _STRINGS, (key, after, until))
    modes = [None if row[7] is None else StringMode(row[7]) for row in rows]
    return StoredStringReadings(
        ValidRows(_repeated(slot, rows), _times(rows), _values(rows, STRING_SHAPE.channel_names), {"mode": modes}),
        [row[8] for row in rows],
    )


async def read_location(
    connection: AsyncConnection, slot: int, key: int, *, after: datetime, until: datetime
) -> ValidRows:
    """Read the readings of a location in order of time."""
    rows = await fetch_all(connection, _LOCATIONS, (key, after, until))
    categories: dict[str, list[Any]] = {
        "hvac": [None if row[4] is None else HvacState(row[4]) for row in rows],
        "mains": [None if row[5] is None else bool(row[5]) for row in rows],
    }
    return ValidRows(_repeated(slot, rows), _times(rows), _values(rows, LOCATION_SHAPE.channel_names), categories)


async def next_reading_at(
    connection: AsyncConnection, battery_keys: Keys, string_key: int, after: datetime, *, generated: bool = False
) -> datetime | None:
    """Return the time of the first reading of a string or its batteries after an instant.

    Readings of batteries that were generated count only if ``generated`` is set.
    """
    left_out = 0 if generated else _GENERATED
    ((found,),) = await fetch_all(connection, _NEXT, (battery_keys.tolist(), string_key, after, left_out))
    at: datetime | None = found
    return at


def _values(rows: Sequence[Any], names: Sequence[str]) -> dict[str, FloatArray]:
    return {name: as_stored(np.array([row[2 + rank] for row in rows], np.float64)) for rank, name in enumerate(names)}


def _times(rows: Sequence[Any]) -> IntArray:
    return microseconds_of([row[1] for row in rows])


def _repeated(slot: int, rows: Sequence[Any]) -> FleetSlots:
    return FleetSlots(np.full(len(rows), slot, np.int64))
