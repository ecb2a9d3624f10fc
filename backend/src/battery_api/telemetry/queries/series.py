"""The history of one battery as a series of points, from the raw rows or from the roll-up that fits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.accounts.principal import Principal
from battery_api.db.bangkok import DAY_ORIGIN
from battery_api.db.fetching import fetch_all
from battery_api.db.tables.telemetry import ROLLUP_CHANNELS
from battery_api.fleet.errors import BatteryNotFound
from battery_api.telemetry.errors import InvalidSpan
from battery_api.telemetry.queries.buckets import BUCKETS_OF_DAYS, BUCKETS_OF_HOURS, BUCKETS_OF_RAW
from battery_api.telemetry.queries.resolution import Grain, Resolution, choose_grain, explicit_grain, too_fine
from battery_api.telemetry.store.indices import BatteryKey

FIGURES: Final = ("min", "max", "mean", "last")
"""Figures of a channel in a bucket, in their order in a row."""
_BUCKETS: Final = {
    "telemetry": BUCKETS_OF_RAW,
    "telemetry_hourly": BUCKETS_OF_HOURS,
    "telemetry_daily": BUCKETS_OF_DAYS,
}
_DEFAULT_SPAN: Final = timedelta(hours=24)
MEAN_DECIMALS: Final = 4
"""Means of single-precision values carry no more than these digits."""


@dataclass(frozen=True, slots=True)
class SeriesRequest:
    """The requested part of a history, and its resolution."""

    subject_id: str
    start: datetime
    end: datetime
    resolution: Resolution
    max_points: int


@dataclass(frozen=True, slots=True)
class Points:
    """Points of a series column by column; each channel has one column per figure."""

    grain: Grain | None
    time: Sequence[datetime]
    count: Sequence[int]
    channels: dict[str, dict[str, Any]]


def span_of(start: datetime | None, end: datetime | None, now: datetime) -> tuple[datetime, datetime]:
    """Return the span of a query; by default the last 24 h."""
    until = end or now
    since = start or until - _DEFAULT_SPAN
    if since >= until:
        raise InvalidSpan("start must be before end.")
    return since, until


def raw_available_from(now: datetime, retention_days: int) -> datetime:
    """Return the instant from which raw rows are kept; before it only the roll-ups answer."""
    return now - timedelta(days=retention_days)


async def find_battery(connection: AsyncConnection, battery_id: str, principal: Principal) -> BatteryKey:
    """Return the key of a battery that the caller may see.

    Raises
    ------
    BatteryNotFound
        There is no such battery.
    """
    statement = (
        "select b.id, l.code from battery b join location l on l.id = b.location_id "
        "where b.code = $1 and b.removed_at is null"
    )
    row = (await connection.exec_driver_sql(statement, (battery_id,))).first()
    if row is None or not principal.may_see(row.code):
        raise BatteryNotFound(f"No battery {battery_id} that you may see.")
    return BatteryKey(row.id)


async def read_series(
    connection: AsyncConnection, battery_key: BatteryKey, request: SeriesRequest, *, raw_available_from: datetime
) -> bytes:
    """Return a series as JSON, never with more than the requested number of points and never cut silently.

    Raises
    ------
    ResolutionTooFine
        The requested resolution gives too many points.
    """
    points = await _read_points(connection, battery_key, request, raw_available_from)
    grain = points.grain
    content = {
        "battery_id": request.subject_id,
        "start": request.start,
        "end": request.end,
        "resolution": Resolution.RAW if grain is None else grain.label,
        "bucket_s": None if grain is None else grain.bucket_s,
        "source": "telemetry" if grain is None else grain.source,
        "point_count": len(points.time),
        "raw_available_from": raw_available_from,
        "columns": {"time": points.time, "count": points.count, **points.channels},
    }
    return orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_UTC_Z)


async def _read_points(
    connection: AsyncConnection, battery_key: BatteryKey, request: SeriesRequest, raw_available_from: datetime
) -> Points:
    start, end, resolution = request.start, request.end, request.resolution
    if resolution is Resolution.RAW or (resolution is Resolution.AUTO and start >= raw_available_from):
        span = (battery_key, start, end, request.max_points)
        # The index answers whether one row too many exists, without fetching rows that would not be shown.
        if not await fetch_all(connection, BEYOND, span):
            return _raw_points(await fetch_all(connection, RAW, span))
        if resolution is Resolution.RAW:
            raise too_fine(resolution, request.max_points, f"more than {request.max_points:,} points")
    if resolution is Resolution.AUTO:
        grain = choose_grain(start, end, request.max_points, raw_available_from=raw_available_from)
    else:
        grain = explicit_grain(resolution, start, end, request.max_points)
    width = timedelta(seconds=grain.bucket_s)
    if grain.source != "telemetry":
        # A roll-up has whole buckets only, so the bucket in which the span begins belongs to it.
        start -= (start - DAY_ORIGIN) % width
    rows = await fetch_all(connection, _BUCKETS[grain.source], (battery_key, start, end, width))
    return _bucket_points(grain, rows)


RAW: Final = (
    f"select time, {', '.join(ROLLUP_CHANNELS)} from telemetry "
    "where battery_id = $1 and time >= $2 and time < $3 order by time limit $4"
)

BEYOND: Final = (
    "select 1 from telemetry where battery_id = $1 and time >= $2 and time < $3 order by time offset $4 limit 1"
)


def _raw_points(rows: Sequence[Any]) -> Points:
    columns = list(zip(*rows, strict=True)) if rows else [()] * (1 + len(ROLLUP_CHANNELS))
    channels = {}
    for column, name in zip(columns[1:], ROLLUP_CHANNELS, strict=True):
        values = single(column)
        channels[name] = dict.fromkeys(FIGURES, values)
    return Points(None, columns[0], [1] * len(rows), channels)


def _bucket_points(grain: Grain, rows: Sequence[Any]) -> Points:
    width = len(FIGURES)
    columns = list(zip(*rows, strict=True)) if rows else [()] * (2 + width * len(ROLLUP_CHANNELS))
    channels = {}
    for number, name in enumerate(ROLLUP_CHANNELS):
        low, high, mean, last = columns[2 + number * width : 2 + (number + 1) * width]
        channels[name] = {
            "min": single(low),
            "max": single(high),
            "mean": np.round(np.array(mean, np.float64), MEAN_DECIMALS),
            "last": single(last),
        }
    return Points(grain, columns[0], [int(count) for count in columns[1]], channels)


def single(values: Sequence[float | None]) -> Any:
    """Return values so that JSON shows them as they were sent."""
    # Single precision prints as the value that was sent, double precision with sixteen digits.
    return np.array(values, np.float32)
