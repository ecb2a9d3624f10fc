"""The only module that distinguishes TimescaleDB from plain PostgreSQL.

On TimescaleDB the time series are hypertables with a columnstore and a retention policy, and so, without columnstore,
are the roll-ups. On plain PostgreSQL the time series are tables partitioned by month and the roll-ups ordinary tables.
One job keeps the roll-ups on both. All other code uses the same relations on both.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.db.bangkok import DAY_ORIGIN
from battery_api.db.tables.telemetry import ROLLUP_CHANNELS


class Engine(StrEnum):
    """Kind of server."""

    TIMESCALE = "timescale"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class TimeSeries:
    """A table partitioned by time; compression groups its rows by ``segment_by``."""

    table: str
    segment_by: str


TIME_SERIES = (
    TimeSeries("telemetry", "battery_id"),
    TimeSeries("string_telemetry", "string_id"),
    TimeSeries("site_environment", "location_id"),
)
ROLLUPS = {"telemetry_hourly": timedelta(hours=1), "telemetry_daily": timedelta(days=1)}

DETECT = "select extversion from pg_extension where extname = 'timescaledb'"
AVAILABLE = "select 1 from pg_available_extensions where name = 'timescaledb'"


async def detect_engine(connection: AsyncConnection) -> Engine:
    """Return which kind of server this is."""
    return Engine.TIMESCALE if (await connection.scalar(text(DETECT))) else Engine.PLAIN


def hypertable_statements(series: TimeSeries, *, retention_days: int) -> Iterator[str]:
    """Turn a table into a hypertable of daily chunks, compressed after a week and dropped after ``retention_days``."""
    yield (
        f"select create_hypertable('{series.table}', by_range('time', interval '1 day'), "
        "create_default_indexes => false)"
    )
    yield (
        f"alter table {series.table} set (timescaledb.compress, "
        f"timescaledb.compress_segmentby = '{series.segment_by}', timescaledb.compress_orderby = 'time')"
    )
    yield f"select add_compression_policy('{series.table}', compress_after => interval '7 days')"
    yield f"select add_retention_policy('{series.table}', drop_after => interval '{retention_days} days')"


def continuous_aggregate_statements(rollup: str, *, retention_days: int) -> Iterator[str]:
    """Create a roll-up as a continuous aggregate: what it was until revision 0008, which the migrations still need."""
    width = ROLLUPS[rollup]
    bucket = bucket_expression(width, timescale=True)
    lag = "1 hour" if width == timedelta(hours=1) else "1 day"
    yield (
        f"create materialized view {rollup} with (timescaledb.continuous, timescaledb.materialized_only = false) as "
        f"select battery_id, {bucket} as bucket, {aggregate_list(timescale=True)} "
        f"from telemetry group by 1, 2 with no data"
    )
    yield (
        f"select add_continuous_aggregate_policy('{rollup}', start_offset => null, end_offset => interval '{lag}', "
        "schedule_interval => interval '10 minutes')"
    )
    yield f"select add_retention_policy('{rollup}', drop_after => interval '{retention_days} days')"


def rollup_hypertable_statements(rollup: str, *, retention_days: int) -> Iterator[str]:
    """Turn a roll-up into a hypertable of some 720 buckets a chunk, dropped after ``retention_days``."""
    days = 720 * ROLLUPS[rollup] // timedelta(days=1)
    yield (
        f"select create_hypertable('{rollup}', by_range('bucket', interval '{days} days'), "
        "create_default_indexes => false)"
    )
    yield f"select add_retention_policy('{rollup}', drop_after => interval '{retention_days} days')"


def bucket_expression(width: timedelta, *, timescale: bool, column: str = "time") -> str:
    """Return an SQL expression for the bucket of a time; days start at midnight in Asia/Bangkok."""
    function = "time_bucket" if timescale else "date_bin"
    origin = DAY_ORIGIN.isoformat()
    return f"{function}(interval '{int(width.total_seconds())} seconds', {column}, timestamptz '{origin}')"


def aggregate_list(*, timescale: bool) -> str:
    """Return the aggregates of a continuous aggregate: row count; count, min, max, sum and last of each channel."""
    parts = ["count(*)::int as row_count"]
    for channel in ROLLUP_CHANNELS:
        present = f"filter (where {channel} is not null)"
        last = (
            f"last({channel}, time) {present}"
            if timescale
            else f"(array_agg({channel} order by time desc) {present})[1]"
        )
        parts += [
            f"count({channel})::int as {channel}_count",
            f"min({channel}) as {channel}_min",
            f"max({channel}) as {channel}_max",
            f"sum({channel}::double precision) as {channel}_sum",
            f"{last} as {channel}_last",
        ]
    return ", ".join(parts)


def month_floor(instant: datetime) -> datetime:
    """Return the first instant (UTC) of an instant's month."""
    return instant.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def months_between(start: datetime, end: datetime) -> Iterator[datetime]:
    """Yield the months that touch a span, as their first instants."""
    month = month_floor(start)
    while month <= end:
        yield month
        month = month_floor(month + timedelta(days=32))


def partition_name(table: str, month: datetime) -> str:
    """Name the partition of a month."""
    return f"{table}_p{month:%Y%m}"


def partition_statement(table: str, month: datetime) -> str:
    """Return the SQL that creates the partition of a month if it is missing."""
    following = month_floor(month + timedelta(days=32))
    return (
        f"create table if not exists {partition_name(table, month)} partition of {table} "
        f"for values from ('{month.isoformat()}') to ('{following.isoformat()}')"
    )


async def maintain_partitions(connection: AsyncConnection, *, now: datetime, retention_days: int) -> None:
    """Create the partitions from the start of the retention to two months ahead, and drop older ones.

    Does nothing on TimescaleDB, where chunks are created automatically and the policy drops them.
    """
    if await detect_engine(connection) is Engine.TIMESCALE:
        return
    oldest = now - timedelta(days=retention_days)
    months = list(months_between(oldest, now + timedelta(days=62)))
    for series in TIME_SERIES:
        present = await _partitions(connection, series.table)
        keep = {partition_name(series.table, month) for month in months}
        for month in months:
            if partition_name(series.table, month) not in present:
                await _create_partition(connection, series.table, month)
        for name in sorted(present - keep):
            if name < partition_name(series.table, months[0]):
                await connection.execute(text("select drop_month_partition(:name)"), {"name": name})


async def create_partitions(connection: AsyncConnection, *, start: datetime, end: datetime) -> None:
    """Create the missing partitions of a span; does nothing on TimescaleDB."""
    if await detect_engine(connection) is Engine.TIMESCALE:
        return
    for series in TIME_SERIES:
        present = await _partitions(connection, series.table)
        for month in months_between(start, end):
            if partition_name(series.table, month) not in present:
                await _create_partition(connection, series.table, month)


async def _create_partition(connection: AsyncConnection, table: str, month: datetime) -> None:
    # By a function of the owner: the role that serves may own no table.
    values = {"series": table, "month": month}
    await connection.execute(text("select create_month_partition(:series, :month)"), values)


async def _partitions(connection: AsyncConnection, table: str) -> set[str]:
    names = await connection.scalars(
        text("select inhrelid::regclass::text from pg_inherits where inhparent = cast(:table as regclass)"),
        {"table": table},
    )
    return set(names)
