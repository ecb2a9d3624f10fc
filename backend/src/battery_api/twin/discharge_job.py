"""The job that writes the record: discharges where readings were marked, and each battery's estimate of the day.

Ingest and the history load leave marks in the transaction of their rows; a mark is deleted in the transaction that
judged it. So a restart loses nothing, late rows are judged again, and a run with nothing to do asks two questions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from prometheus_client import Counter
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.context import ProcessContext
from battery_api.db.fetching import fetch_all
from battery_api.telemetry.store.columns import FloatArray
from battery_api.telemetry.store.instants import instant, microseconds
from battery_api.twin.discharges import GAP_US, Discharge, StringRows, find_discharges, touches_edge

EVIDENCE_FROM_PCT: Final = 15.0
"""A shallower discharge says nothing of capacity."""
_WRITTEN: Final = Counter("discharges_recorded_total", "Discharges written or judged again.")
# What lies this close together is read at once.
_MARGIN_US: Final = 2 * GAP_US
_GROWTH_US: Final = 3_600_000_000
_LOCK: Final = "select pg_advisory_xact_lock(7204861957)"
_STRINGS: Final = (
    "select string_id from discharge_mark union select string_id from discharge_event where is_open order by 1"
)
# A discharge that lasts, or a stuck sensor that pretends to one, is read anew when it has grown by this share: what a
# minute costs must not grow with it.
_GROWN_BY: Final = 0.02
_WAITS: Final = """
    select exists (
        select from discharge_event e where e.string_id = $1 and e.is_open
        and $2::timestamptz - e.ended_at < (e.ended_at - e.started_at) * $3::float8
        and not exists (select from discharge_mark m where m.string_id = $1 and m.start_at <= e.ended_at)
    )
"""
_TAKE: Final = "delete from discharge_mark where string_id = $1 returning start_at, end_at"
_OPEN: Final = "select started_at, ended_at from discharge_event where string_id = $1 and is_open"
# Two readings before the span and one after it say whether its edges were seen.
_ROWS: Final = """
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
# A string that says nothing itself is heard through its blocks.
_ROWS_OF_BLOCKS: Final = """
    select (extract(epoch from time) * 1000000)::bigint, avg(current_a), null, false
    from telemetry
    where battery_id in (select id from battery where string_id = $1) and current_a is not null
      and time between $2::timestamptz - interval '1 hour' and $3::timestamptz + interval '1 hour'
    group by time order by time
"""
_RATED: Final = (
    "select min(m.rated_capacity_ah) from battery b join battery_model m on m.id = b.model_id where b.string_id = $1"
)
_FORGET: Final = (
    "delete from discharge_event where string_id = $1 and started_at between $2 and $3 "
    "and not (started_at = any($4::timestamptz[]))"
)
_WRITE: Final = """
    insert into discharge_event (string_id, started_at, ended_at, mode, drawn_ah, depth_pct, mean_current_a,
                                 min_voltage_v, complete, is_open)
    values ($1, $2, $3, $4, $5::real, $6::real, $7::real, $8::real, $9, $10)
    on conflict (string_id, started_at) do update set
        ended_at = excluded.ended_at, mode = excluded.mode, drawn_ah = excluded.drawn_ah,
        depth_pct = excluded.depth_pct, mean_current_a = excluded.mean_current_a,
        min_voltage_v = excluded.min_voltage_v, complete = excluded.complete, is_open = excluded.is_open
    returning id
"""
# What the twin made of a discharge is what it holds within a day after, unless the string has discharged again: then it
# may stem from that one. So may that of a twin which was away while this one lasted.
_WRITE_BLOCKS: Final = """
    with again as materialized (
        select exists (select from string_telemetry where string_id = $2 and current_a < -2
                       and time > $4::timestamptz + interval '5 minutes'
                       and time <= $4::timestamptz + interval '1 day') as seen
    )
    insert into discharge_battery (event_id, battery_id, end_voltage_v, min_voltage_v, mean_temperature_c,
                                   soh_pct, soh_sd_pct, soh_provenance)
    select $1, t.battery_id,
           (array_agg(t.voltage_v order by t.time desc) filter (where t.voltage_v is not null))[1],
           min(t.voltage_v), avg(t.temperature_c),
           case when 2 * count(t.soh_pct) >= count(*) then min(s.soh_pct) end,
           case when 2 * count(t.soh_pct) >= count(*) then min(s.soh_sd_pct) end,
           case when 2 * count(t.soh_pct) >= count(*) then min(s.soh_provenance) end
    from telemetry t
    left join battery_state s on s.battery_id = t.battery_id and $5::boolean
        and not (select seen from again)
        and s.time >= $4 and s.time <= $4::timestamptz + interval '1 day' and s.soh_sd_pct is not null
        and s.soh_provenance in ('measured', 'discharge_inferred')
    where t.battery_id in (select id from battery where string_id = $2 and installed_at <= $4
                           and (removed_at is null or removed_at > $3))
      and t.time between $3 and $4
    group by t.battery_id
    on conflict (event_id, battery_id) do update set
        end_voltage_v = excluded.end_voltage_v, min_voltage_v = excluded.min_voltage_v,
        mean_temperature_c = excluded.mean_temperature_c,
        soh_pct = coalesce(discharge_battery.soh_pct, excluded.soh_pct),
        soh_sd_pct = coalesce(discharge_battery.soh_sd_pct, excluded.soh_sd_pct),
        soh_provenance = coalesce(discharge_battery.soh_provenance, excluded.soh_provenance)
"""
_SUM_UP_BLOCKS: Final = """
    update discharge_event set
        lowest_battery_id = (select battery_id from discharge_battery where event_id = $1
                             order by min_voltage_v nulls last, battery_id limit 1),
        mean_temperature_c = (select avg(mean_temperature_c) from discharge_battery where event_id = $1)
    where id = $1
"""
# A day is the operators' day of the reading itself. One that is over may still be filled in, never changed.
_DAILY: Final = """
    insert into digital_twin_state (battery_id, day, time, soc_pct, soc_sd_pct, soc_provenance,
                                    soh_pct, soh_sd_pct, soh_provenance, resistance_mohm, resistance_sd_mohm)
    select battery_id, (time at time zone 'Asia/Bangkok')::date, time, soc_pct, soc_sd_pct, soc_provenance,
           soh_pct, soh_sd_pct, soh_provenance, resistance_estimate_mohm, resistance_estimate_sd_mohm
    from battery_state where time is not null and (soc_pct is not null or soh_pct is not null)
    on conflict (battery_id, day) do update set
        time = excluded.time,
        soc_pct = excluded.soc_pct, soc_sd_pct = excluded.soc_sd_pct, soc_provenance = excluded.soc_provenance,
        soh_pct = excluded.soh_pct, soh_sd_pct = excluded.soh_sd_pct, soh_provenance = excluded.soh_provenance,
        resistance_mohm = excluded.resistance_mohm, resistance_sd_mohm = excluded.resistance_sd_mohm
    where digital_twin_state.time < excluded.time
      and digital_twin_state.day >= ($1::timestamptz at time zone 'Asia/Bangkok')::date
"""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time to judge, in microseconds, both ends included."""

    start_us: int
    end_us: int


async def run_once(context: ProcessContext) -> int:
    """Bring the record up to what was stored; return how many discharges were written or judged again."""
    now = context.clock.now()
    async with context.database.begin() as connection:
        strings = [row[0] for row in await fetch_all(connection, _STRINGS)]
    written = 0
    for string in strings:
        # A transaction a string: a long history is worked off piece by piece, and a failure costs one piece.
        async with context.database.begin() as connection:
            written += await judge_string(connection, string, now)
    async with context.database.begin() as connection:
        await write_daily(connection, now)
    _WRITTEN.inc(written)
    return written


async def write_daily(connection: AsyncConnection, now: datetime) -> None:
    """Keep each battery's newest estimate as that of its day."""
    await connection.exec_driver_sql(_DAILY, (now,))


async def judge_string(connection: AsyncConnection, string: int, now: datetime) -> int:
    """Judge the marked spans of a string and its open discharges; return how many discharges were written."""
    # Should the lease change hands in the middle of a run, the two take turns.
    await connection.exec_driver_sql(_LOCK)
    if (await fetch_all(connection, _WAITS, (string, now, _GROWN_BY)))[0][0]:
        return 0
    spans = [*await fetch_all(connection, _TAKE, (string,)), *await fetch_all(connection, _OPEN, (string,))]
    if not spans:
        return 0
    rated_ah = (await fetch_all(connection, _RATED, (string,)))[0][0]
    if rated_ah is None:
        return 0
    written, judged_us = 0, None
    for span in merged([Span(microseconds(start), microseconds(end)) for start, end in spans]):
        if judged_us is not None and span.end_us <= judged_us:
            continue
        rows, read = await _whole(connection, string, span)
        found = [one for one in find_discharges(rows, microseconds(now)) if read.start_us <= one.start_us]
        await _write(connection, string, read, found, rated_ah)
        written, judged_us = written + len(found), read.end_us
    return written


def merged(spans: Sequence[Span]) -> list[Span]:
    """Widen spans by their margin and join those that touch, oldest first."""
    joined: list[Span] = []
    for span in sorted(spans, key=lambda span: span.start_us):
        wide = Span(span.start_us - _MARGIN_US, span.end_us + _MARGIN_US)
        if joined and wide.start_us <= joined[-1].end_us:
            joined[-1] = Span(joined[-1].start_us, max(joined[-1].end_us, wide.end_us))
        else:
            joined.append(wide)
    return joined


async def _whole(connection: AsyncConnection, string: int, span: Span) -> tuple[StringRows, Span]:
    """Read a span, wider until no discharge is cut off at its ends."""
    growth_us = _GROWTH_US
    while True:
        rows = await _read(connection, string, span)
        at_start, at_end = touches_edge(rows, span.start_us, span.end_us)
        if not (at_start or at_end):
            return rows, span
        span = Span(span.start_us - growth_us * at_start, span.end_us + growth_us * at_end)
        growth_us *= 2


async def _read(connection: AsyncConnection, string: int, span: Span) -> StringRows:
    parameters = (string, instant(span.start_us), instant(span.end_us))
    found = await fetch_all(connection, _ROWS, parameters)
    if not any(span.start_us <= row[0] <= span.end_us for row in found):
        found = await fetch_all(connection, _ROWS_OF_BLOCKS, parameters)
    return StringRows(
        time_us=np.array([row[0] for row in found], np.int64),
        current_a=_floats([row[1] for row in found]),
        voltage_v=_floats([row[2] for row in found]),
        is_test=np.array([row[3] for row in found], np.bool_),
    )


def _floats(values: Sequence[float | None]) -> FloatArray:
    return np.array(values, np.float64)


async def _write(
    connection: AsyncConnection, string: int, read: Span, found: Sequence[Discharge], rated_ah: float
) -> None:
    starts = [instant(one.start_us) for one in found]
    await connection.exec_driver_sql(_FORGET, (string, instant(read.start_us), instant(read.end_us), starts))
    for one in found:
        start, end = instant(one.start_us), instant(one.end_us)
        depth_pct = 100.0 * one.drawn_ah / rated_ah
        mode = "test" if one.is_test else "discharge"
        values = (string, start, end, mode, one.drawn_ah, depth_pct, one.mean_current_a, one.min_voltage_v)
        ((event,),) = await fetch_all(connection, _WRITE, (*values, one.complete, one.is_open))
        if one.is_open:
            # Its blocks are looked at once, when it is over.
            continue
        tells = depth_pct >= EVIDENCE_FROM_PCT
        await connection.exec_driver_sql(_WRITE_BLOCKS, (event, string, start, end, tells))
        await connection.exec_driver_sql(_SUM_UP_BLOCKS, (event,))
