"""Marks, readings and records of discharges in the database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.db.bangkok import day_sql
from battery_api.db.fetching import fetch_all

_LOCK: Final = "select pg_advisory_xact_lock(7204861957)"
_STRINGS: Final = (
    "select string_id from discharge_mark union select string_id from discharge_event where is_open order by 1"
)
# An open discharge, or a stuck sensor that looks like one, is read again once it has grown by this share: the cost of a
# minute must not grow with it.
_GROWN_BY: Final = 0.02
_HAS_NOT_GROWN: Final = """
    select exists (
        select from discharge_event e where e.string_id = $1 and e.is_open
        and $2::timestamptz - e.ended_at < (e.ended_at - e.started_at) * $3::float8
        and not exists (select from discharge_mark m where m.string_id = $1 and m.start_at <= e.ended_at)
    )
"""
_TAKE_MARKS: Final = "delete from discharge_mark where string_id = $1 returning start_at, end_at"
_OPEN_SPANS: Final = "select started_at, ended_at from discharge_event where string_id = $1 and is_open"
# Two readings before the span and one after it show whether its edges were observed.
_STRING_READINGS: Final = """
    select (extract(epoch from time) * 1000000)::bigint, current_a, voltage_v, coalesce(mode = 'test', false) from (
        (select * from string_telemetry where string_id = $1 and time >= $2::timestamptz - interval '1 day'
            and time < $2 and current_a is not null order by time desc limit 2)
        union all
        (select * from string_telemetry where string_id = $1 and time between $2 and $3 and current_a is not null)
        union all
        (select * from string_telemetry where string_id = $1 and time > $3
            and time <= $3::timestamptz + interval '1 day' and current_a is not null order by time limit 1)
    ) as row order by time
"""
# For a string without readings of its own, the mean current of its batteries.
_BATTERY_READINGS: Final = """
    select (extract(epoch from time) * 1000000)::bigint, avg(current_a), null, false
    from telemetry
    where battery_id in (select id from battery where string_id = $1) and current_a is not null
      and time between $2::timestamptz - interval '1 hour' and $3::timestamptz + interval '1 hour'
    group by time order by time
"""
_RATED_CAPACITY: Final = (
    "select min(m.rated_capacity_ah) from battery b join battery_model m on m.id = b.model_id where b.string_id = $1"
)
_DELETE_OTHERS: Final = (
    "delete from discharge_event where string_id = $1 and started_at between $2 and $3 "
    "and not (started_at = any($4::timestamptz[]))"
)
_UPSERT_EVENT: Final = """
    insert into discharge_event (string_id, started_at, ended_at, mode, drawn_ah, depth_pct, mean_current_a,
                                 min_voltage_v, complete, is_open)
    values ($1, $2, $3, $4, $5::real, $6::real, $7::real, $8::real, $9, $10)
    on conflict (string_id, started_at) do update set
        ended_at = excluded.ended_at, mode = excluded.mode, drawn_ah = excluded.drawn_ah,
        depth_pct = excluded.depth_pct, mean_current_a = excluded.mean_current_a,
        min_voltage_v = excluded.min_voltage_v, complete = excluded.complete, is_open = excluded.is_open
    returning id
"""
# A day is the operating day of the reading itself. A day that has ended may still be added, never changed.
_DAILY: Final = f"""
    insert into digital_twin_state (battery_id, day, time, soc_pct, soc_sd_pct, soc_provenance,
                                    soh_pct, soh_sd_pct, soh_provenance, resistance_mohm, resistance_sd_mohm)
    select battery_id, {day_sql("time")}, time, soc_pct, soc_sd_pct, soc_provenance,
           soh_pct, soh_sd_pct, soh_provenance, resistance_estimate_mohm, resistance_estimate_sd_mohm
    from battery_state where time is not null and (soc_pct is not null or soh_pct is not null)
    on conflict (battery_id, day) do update set
        time = excluded.time,
        soc_pct = excluded.soc_pct, soc_sd_pct = excluded.soc_sd_pct, soc_provenance = excluded.soc_provenance,
        soh_pct = excluded.soh_pct, soh_sd_pct = excluded.soh_sd_pct, soh_provenance = excluded.soh_provenance,
        resistance_mohm = excluded.resistance_mohm, resistance_sd_mohm = excluded.resistance_sd_mohm
    where digital_twin_state.time < excluded.time
      and digital_twin_state.day >= {day_sql("$1::timestamptz")}
"""


class MarkedSpan(NamedTuple):
    """A stretch of time in which readings may create or change a discharge."""

    start_at: datetime
    end_at: datetime


class StringReadingRow(NamedTuple):
    """One reading of a string's current."""

    time_us: int
    current_a: float
    voltage_v: float | None
    is_test: bool


class EventValues(NamedTuple):
    """A discharge as it is stored."""

    started_at: datetime
    ended_at: datetime
    mode: str
    drawn_ah: float
    depth_pct: float
    mean_current_a: float
    min_voltage_v: float | None
    complete: bool
    is_open: bool


async def lock_records(connection: AsyncConnection) -> None:
    """Let one runner work at a time until the end of the transaction."""
    await connection.exec_driver_sql(_LOCK)


async def list_pending_strings(connection: AsyncConnection) -> list[int]:
    """Return the keys of strings with marks or with an open discharge."""
    return [row[0] for row in await fetch_all(connection, _STRINGS)]


async def has_not_grown(connection: AsyncConnection, string: int, now: datetime) -> bool:
    """Return whether a string's open discharge is too little longer than when it was last read."""
    ((waits,),) = await fetch_all(connection, _HAS_NOT_GROWN, (string, now, _GROWN_BY))
    return bool(waits)


async def take_spans(connection: AsyncConnection, string: int) -> list[MarkedSpan]:
    """Take the marks of a string, and return them with the spans of its open discharges."""
    marks = await fetch_all(connection, _TAKE_MARKS, (string,))
    return [MarkedSpan(*row) for row in (*marks, *await fetch_all(connection, _OPEN_SPANS, (string,)))]


async def find_rated_capacity_ah(connection: AsyncConnection, string: int) -> float | None:
    """Return the smallest rated capacity among a string's batteries, None for an empty string."""
    ((rated_ah,),) = await fetch_all(connection, _RATED_CAPACITY, (string,))
    return None if rated_ah is None else float(rated_ah)


async def list_string_readings(
    connection: AsyncConnection, string: int, start: datetime, end: datetime
) -> list[StringReadingRow]:
    """Return a string's own readings of a span, with two before it and one after it."""
    return [StringReadingRow(*row) for row in await fetch_all(connection, _STRING_READINGS, (string, start, end))]


async def list_battery_currents(
    connection: AsyncConnection, string: int, start: datetime, end: datetime
) -> list[StringReadingRow]:
    """Return the mean current of a string's batteries over a span and an hour around it."""
    return [StringReadingRow(*row) for row in await fetch_all(connection, _BATTERY_READINGS, (string, start, end))]


async def delete_other_events(
    connection: AsyncConnection, string: int, start: datetime, end: datetime, kept: Sequence[datetime]
) -> None:
    """Delete the discharges that started in a span, but for those that started at the ``kept`` instants."""
    await connection.exec_driver_sql(_DELETE_OTHERS, (string, start, end, list(kept)))


async def write_event(connection: AsyncConnection, string: int, event: EventValues) -> int:
    """Insert or update a discharge; return its key."""
    ((key,),) = await fetch_all(connection, _UPSERT_EVENT, (string, *event))
    return int(key)


async def write_daily_estimates(connection: AsyncConnection, now: datetime) -> None:
    """Keep each battery's newest estimate as that of its day."""
    await connection.exec_driver_sql(_DAILY, (now,))
