"""Keep the hourly and daily roll-ups, and on plain PostgreSQL the partitions of the raw rows.

One job keeps the roll-ups of both engines. Until it has run, queries answer for marked hours from the raw rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.context import ProcessContext
from battery_api.db.bangkok import operating_day
from battery_api.db.fetching import fetch_all
from battery_api.db.session import Database
from battery_api.db.tables.telemetry import ROLLUP_CHANNELS
from battery_api.db.timescale import ROLLUPS, Engine, bucket_expression, detect_engine, maintain_partitions
from battery_api.settings import GatewaySettings
from battery_api.telemetry.store.day_marks import mark_rolled_up_days
from battery_api.telemetry.store.time_weights import composed_figures, figures_of_hour, held_in_any_channel

BATTERY_DAYS_KEPT: Final = 830
"""Days of the daily history that are kept at least: the ML service looks 800 days back."""
_FIGURES: Final = ("count", "min", "max", "sum", "last", "integral", "held_s")
COLUMNS: Final = ("row_count", *(f"{channel}_{figure}" for channel in ROLLUP_CHANNELS for figure in _FIGURES))
"""Columns of a roll-up after its key, in the order of the table."""
_ASSIGNED: Final = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS)
_NAMED: Final = ", ".join(COLUMNS)
_MADE: Final = ", ".join(f"made.{name}" for name in COLUMNS)
# A transaction takes this many marks, so that a backlog is processed in several short ones: 200 hours of a string of 24
# with a reading every two seconds are 8.6 million rows, about as many as the statement timeout allows.
_MARKS_PER_RUN: Final = 200
# The newest first: live readings do not wait behind a backlog.
_TAKE_MARKS: Final = (
    "with newest as (select id from rollup_mark order by id desc limit $1), "
    "taken as (delete from rollup_mark using newest where rollup_mark.id = newest.id returning string_id, hour) "
    "select distinct string_id, hour from taken"
)
_TOUCHED: Final = (
    "(select distinct b.id as battery_id, given.bucket from unnest($1::int[], $2::timestamptz[]) "
    "as given(string_id, bucket) join battery b on b.string_id = given.string_id) as touched"
)


def _hourly_statement() -> str:
    # One index range per battery and hour: the cost follows the changes, not the size of the table.
    return (
        f"insert into telemetry_hourly (battery_id, bucket, {_NAMED}) "
        f"select touched.battery_id, touched.bucket, {_MADE} "
        f"from {_TOUCHED} cross join lateral ({figures_of_hour('touched.battery_id', 'touched.bucket')}) as made "
        f"where made.row_count > 0 or {held_in_any_channel('made')} {_upsert('telemetry_hourly')}"
    )


def _daily_statement() -> str:
    return (
        f"insert into telemetry_daily (battery_id, bucket, {_NAMED}) "
        f"select touched.battery_id, touched.bucket, {_MADE} "
        f"from {_TOUCHED} cross join lateral (select {composed_figures()} from telemetry_hourly "
        "where battery_id = touched.battery_id and bucket >= touched.bucket "
        "and bucket < touched.bucket + interval '1 day') as made "
        f"where made.row_count is not null {_upsert('telemetry_daily')}"
    )


def _upsert(relation: str) -> str:
    # Where the raw rows of a bucket are deleted, at most a value that holds from before is found; what is kept stays.
    return (
        f"on conflict (battery_id, bucket) do update set {_ASSIGNED} "
        f"where excluded.row_count > 0 or {relation}.row_count = 0"
    )


_HOURLY: Final = _hourly_statement()
_DAILY: Final = _daily_statement()
_DAYS: Final = (
    "select distinct string_id, "
    f"{bucket_expression(ROLLUPS['telemetry_daily'], timescale=False, column='hour')} "
    "from unnest($1::int[], $2::timestamptz[]) as given(string_id, hour)"
)


@dataclass(frozen=True, slots=True)
class RollupRun:
    """Buckets that one run of the job rebuilt."""

    hours: int
    days: int


async def run_once(context: ProcessContext) -> RollupRun:
    """Bring the roll-ups up to date with what was stored since the last run."""
    hours = days = 0
    while True:
        async with context.database.begin() as connection:
            run = await roll_up_marked(connection)
        hours += run.hours
        days += run.days
        if run.hours == 0:
            return RollupRun(hours, days)


async def roll_up_marked(connection: AsyncConnection) -> RollupRun:
    """Take marks and rebuild their buckets, in the caller's transaction.

    A batch that commits meanwhile leaves its own mark, so nothing is missed; if the transaction fails, the marks stay.
    """
    marks = await fetch_all(connection, _TAKE_MARKS, (_MARKS_PER_RUN,))
    if not marks:
        return RollupRun(0, 0)
    buckets = ([mark[0] for mark in marks], [mark[1] for mark in marks])
    days = await roll_up(connection, *buckets)
    await mark_rolled_up_days(connection, *buckets)
    return RollupRun(len(marks), days)


async def lock_rollups(connection: AsyncConnection) -> None:
    """Let one writer of roll-ups or of the daily history work at a time until the end of the transaction."""
    # Two writers of one bucket would fail; the lease allows one runner, and this lock makes a second one wait.
    await connection.exec_driver_sql("select pg_advisory_xact_lock(7204861955)")


async def roll_up(connection: AsyncConnection, string_keys: Sequence[int], hours: Sequence[datetime]) -> int:
    """Rebuild the given (string, hour) buckets and their days; return the number of days."""
    await lock_rollups(connection)
    parameters = (list(string_keys), list(hours))
    await connection.exec_driver_sql(_HOURLY, parameters)
    days = await fetch_all(connection, _DAYS, parameters)
    await connection.exec_driver_sql(_DAILY, ([day[0] for day in days], [day[1] for day in days]))
    return len(days)


async def maintain_storage(context: ProcessContext) -> None:
    """Create the partitions ahead of time and drop what is older than the retention."""
    await maintain_storage_of(context.database, context.settings, now=context.clock.now())


async def maintain_storage_of(database: Database, settings: GatewaySettings, *, now: datetime | None = None) -> None:
    """Do the same for a database without a running gateway."""
    async with database.begin() as connection:
        present = now or datetime.now(UTC)
        await maintain_partitions(connection, now=present, retention_days=settings.telemetry_retention_days)
        await connection.exec_driver_sql(
            "delete from reading_count where day < $1", (present - timedelta(days=settings.rollup_retention_days),)
        )
        await connection.exec_driver_sql(
            "delete from battery_day where day < $1",
            (operating_day(present) - timedelta(days=max(BATTERY_DAYS_KEPT, settings.rollup_retention_days)),),
        )
        if await detect_engine(connection) is Engine.TIMESCALE:
            return
        # On TimescaleDB a policy of each roll-up does this.
        for rollup in ROLLUPS:
            await connection.exec_driver_sql(
                f"delete from {rollup} where bucket < $1", (present - timedelta(days=settings.rollup_retention_days),)
            )
