"""The history of a string or of a location's room, from the raw rows; there are no roll-ups of these."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import numpy as np
import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.accounts.principal import Principal
from battery_api.db.fetching import fetch_all
from battery_api.fleet.errors import LocationNotFound, StringNotFound
from battery_api.telemetry.errors import InvalidSpan
from battery_api.telemetry.queries.buckets import raw_buckets
from battery_api.telemetry.queries.recorded_tables import ROOM_READINGS, STRING_READINGS, YES_OR_NO, RecordedTable
from battery_api.telemetry.queries.resolution import Grain, Resolution, choose_grain, explicit_grain, too_fine
from battery_api.telemetry.queries.series import FIGURES, MEAN_DECIMALS, SeriesRequest, single

MAX_SPAN: Final = timedelta(days=92)
"""Longest span in one answer: without roll-ups each reading of it is read."""
_BUCKETS: Final = {table.name: raw_buckets(table) for table in (STRING_READINGS, ROOM_READINGS)}


@dataclass(frozen=True, slots=True)
class HistorySubject:
    """Whose history it is: its key in the table of its readings."""

    table: RecordedTable
    key: int


async def find_string(connection: AsyncConnection, string_id: str, principal: Principal) -> HistorySubject:
    """Return a string that the caller may see.

    Raises
    ------
    StringNotFound
        There is no such string.
    """
    statement = "select s.id, l.code from string s join location l on l.id = s.location_id where s.code = $1"
    row = (await connection.exec_driver_sql(statement, (string_id,))).first()
    if row is None or not principal.may_see(row.code):
        raise StringNotFound(f"No string {string_id} that you may see.")
    return HistorySubject(STRING_READINGS, row.id)


async def find_room(connection: AsyncConnection, location_id: str, principal: Principal) -> HistorySubject:
    """Return the room of a location that the caller may see.

    Raises
    ------
    LocationNotFound
        There is no such location.
    """
    row = (await connection.exec_driver_sql("select id from location where code = $1", (location_id,))).first()
    if row is None or not principal.may_see(location_id):
        raise LocationNotFound(f"No location {location_id} that you may see.")
    return HistorySubject(ROOM_READINGS, row.id)


async def read_raw_series(connection: AsyncConnection, subject: HistorySubject, request: SeriesRequest) -> bytes:
    """Return a series as JSON, never with more than the requested number of points and never cut silently.

    Raises
    ------
    InvalidSpan
        The span is longer than `MAX_SPAN`.
    ResolutionTooFine
        The requested resolution gives too many points.
    """
    if request.end - request.start > MAX_SPAN:
        raise InvalidSpan(
            f"The span may be at most {MAX_SPAN.days} days; ask for shorter ones, or for telemetry/export."
        )
    grain, rows = await _read_rows(connection, subject, request)
    columns = list(zip(*rows, strict=True)) if rows else []
    content = {
        subject.table.key: request.subject_id,
        "start": request.start,
        "end": request.end,
        "resolution": Resolution.RAW if grain is None else grain.label,
        "bucket_s": None if grain is None else grain.bucket_s,
        "point_count": len(rows),
        "columns": _raw_columns(subject.table, columns) if grain is None else _bucket_columns(subject.table, columns),
    }
    return orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_UTC_Z)


async def _read_rows(
    connection: AsyncConnection, subject: HistorySubject, request: SeriesRequest
) -> tuple[Grain | None, Sequence[Any]]:
    table, start, end = subject.table, request.start, request.end
    if request.resolution in {Resolution.RAW, Resolution.AUTO}:
        values = ", ".join((*table.channels, *table.states))
        statement = (
            f"select time, {values} from {table.name} where {table.key} = $1 and time >= $2 and time < $3 "
            "order by time limit $4"
        )
        rows = await fetch_all(connection, statement, (subject.key, start, end, request.max_points + 1))
        if len(rows) <= request.max_points:
            return None, rows
        if request.resolution is Resolution.RAW:
            raise too_fine(request.resolution, request.max_points, f"more than {request.max_points:,} points")
        grain = choose_grain(start, end, request.max_points, raw_available_from=start)
    else:
        grain = explicit_grain(request.resolution, start, end, request.max_points)
    width = timedelta(seconds=grain.bucket_s)
    return grain, await fetch_all(connection, _BUCKETS[table.name], (subject.key, start, end, width))


def _raw_columns(table: RecordedTable, columns: Sequence[Sequence[Any]]) -> dict[str, Any]:
    time = columns[0] if columns else ()
    read = iter(columns[1:])
    content: dict[str, Any] = {"time": time, "count": [1] * len(time)}
    for channel in table.channels:
        content[channel] = dict.fromkeys(FIGURES, single(next(read, ())))
    for state in table.states:
        last = [_state(state, value) for value in next(read, ())]
        content[state] = {"last": last, "seen": [[] if value is None else [value] for value in last]}
    return content


def _bucket_columns(table: RecordedTable, columns: Sequence[Sequence[Any]]) -> dict[str, Any]:
    read = iter(columns)
    content: dict[str, Any] = {"time": next(read, ()), "count": [int(count) for count in next(read, ())]}
    for channel in table.channels:
        low, high, mean, last = (next(read, ()) for _ in FIGURES)
        means = np.round(np.array(mean, np.float64), MEAN_DECIMALS)
        content[channel] = {"min": single(low), "max": single(high), "mean": means, "last": single(last)}
    for state in table.states:
        last = [_state(state, value) for value in next(read, ())]
        seen = [[_state(state, value) for value in values or ()] for values in next(read, ())]
        content[state] = {"last": last, "seen": seen}
    return content


def _state(name: str, value: Any) -> Any:
    return bool(value) if name in YES_OR_NO and value is not None else value
