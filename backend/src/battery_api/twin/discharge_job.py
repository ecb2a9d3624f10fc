"""The job that records discharges where readings are marked, and each battery's estimate of the day.

Ingest and the history load write marks in the transaction of their rows; a mark is deleted in the transaction that
processes it. So a restart loses nothing, late rows are processed too, and a run with nothing to do costs two queries.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from prometheus_client import Counter
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.context import ProcessContext
from battery_api.telemetry.store.instants import instant, microseconds
from battery_api.twin import discharge_repository as repository
from battery_api.twin.discharge_batteries import write_batteries
from battery_api.twin.discharge_repository import EventValues, StringReadingRow
from battery_api.twin.discharges import (
    EVIDENCE_FROM_PCT,
    GAP_US,
    Discharge,
    StringReadings,
    find_discharges,
    touches_edge,
)

_RECORDED: Final = Counter("discharges_recorded_total", "Discharges written or processed again.")
# Spans closer together than this are read at once.
_MARGIN_US: Final = 2 * GAP_US
_GROWTH_US: Final = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, in microseconds, both ends included."""

    start_us: int
    end_us: int


async def run_once(context: ProcessContext) -> int:
    """Bring the record up to date; return how many discharges were written or processed again."""
    now = context.clock.now()
    async with context.database.begin() as connection:
        strings = await repository.list_pending_strings(connection)
    written = 0
    for string in strings:
        # One transaction per string: a long history is processed piece by piece, and a failure costs one piece.
        async with context.database.begin() as connection:
            written += await record_string(connection, string, now)
    async with context.database.begin() as connection:
        await repository.write_daily_estimates(connection, now)
    _RECORDED.inc(written)
    return written


async def record_string(connection: AsyncConnection, string: int, now: datetime) -> int:
    """Process the marked spans of a string and its open discharges; return how many discharges were written."""
    # If the lease changes hands during a run, the two runners take turns.
    await repository.lock_records(connection)
    if await repository.has_not_grown(connection, string, now):
        return 0
    marks = await repository.take_spans(connection, string)
    if not marks:
        return 0
    rated_ah = await repository.find_rated_capacity_ah(connection, string)
    if rated_ah is None:
        return 0
    written, processed_us = 0, None
    for span in merged([Span(microseconds(mark.start_at), microseconds(mark.end_at)) for mark in marks]):
        if processed_us is not None and span.end_us <= processed_us:
            continue
        readings, read = await _read_whole(connection, string, span)
        discharges = [one for one in find_discharges(readings, microseconds(now)) if read.start_us <= one.start_us]
        await _write(connection, string, read, discharges, rated_ah)
        written, processed_us = written + len(discharges), read.end_us
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


async def _read_whole(connection: AsyncConnection, string: int, span: Span) -> tuple[StringReadings, Span]:
    """Read a span, wider until no discharge is cut off at its ends; also return the span that was read."""
    growth_us = _GROWTH_US
    while True:
        readings = await _read(connection, string, span)
        at_start, at_end = touches_edge(readings, span.start_us, span.end_us)
        if not (at_start or at_end):
            return readings, span
        span = Span(span.start_us - growth_us * at_start, span.end_us + growth_us * at_end)
        growth_us *= 2


async def _read(connection: AsyncConnection, string: int, span: Span) -> StringReadings:
    start, end = instant(span.start_us), instant(span.end_us)
    rows = await repository.list_string_readings(connection, string, start, end)
    if not any(span.start_us <= row.time_us <= span.end_us for row in rows):
        rows = await repository.list_battery_currents(connection, string, start, end)
    return _as_columns(rows)


def _as_columns(rows: Sequence[StringReadingRow]) -> StringReadings:
    return StringReadings(
        time_us=np.array([row.time_us for row in rows], np.int64),
        current_a=np.array([row.current_a for row in rows], np.float64),
        voltage_v=np.array([row.voltage_v for row in rows], np.float64),
        is_test=np.array([row.is_test for row in rows], np.bool_),
    )


async def _write(
    connection: AsyncConnection, string: int, read: Span, discharges: Sequence[Discharge], rated_ah: float
) -> None:
    starts = [instant(one.start_us) for one in discharges]
    start, end = instant(read.start_us), instant(read.end_us)
    await repository.delete_other_events(connection, string, start, end, starts)
    for discharge in discharges:
        event = _event(discharge, rated_ah)
        key = await repository.write_event(connection, string, event)
        # The batteries of an open discharge are evaluated once, when it has ended.
        if not discharge.is_open:
            is_evidence = event.depth_pct >= EVIDENCE_FROM_PCT
            await write_batteries(connection, key, string, event, is_evidence=is_evidence)


def _event(discharge: Discharge, rated_ah: float) -> EventValues:
    return EventValues(
        started_at=instant(discharge.start_us),
        ended_at=instant(discharge.end_us),
        mode="test" if discharge.is_test else "discharge",
        drawn_ah=discharge.drawn_ah,
        depth_pct=100.0 * discharge.drawn_ah / rated_ah,
        mean_current_a=discharge.mean_current_a,
        min_voltage_v=discharge.min_voltage_v,
        complete=discharge.complete,
        is_open=discharge.is_open,
    )
