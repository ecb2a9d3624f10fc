"""Rows and marks of the daily history in the database."""

from datetime import date, timedelta
from typing import Final, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.db.bangkok import midnight_of
from battery_api.db.fetching import fetch_all
from battery_api.telemetry.days.definition import FROM_READINGS, FROM_ROLLUPS

# The newest first: a prediction needs the last days more than those of a backlog.
_TAKE: Final = (
    "with chosen as (select distinct day, string_id from battery_day_mark where day < $1::date "
    "order by day desc, string_id limit $2), "
    "taken as (delete from battery_day_mark m using chosen c where m.day = c.day and m.string_id = c.string_id) "
    "select string_id, day from chosen order by day desc, string_id"
)
_CLEAR: Final = (
    "delete from battery_day where day = $2::date and battery_id in (select id from battery where string_id = $1::int)"
)


class MarkedDay(NamedTuple):
    """A day of a string whose rows are out of date."""

    string_key: int
    day: date


async def take_marks(connection: AsyncConnection, *, before: date, count: int) -> list[MarkedDay]:
    """Take the marks of at most ``count`` days of strings, all earlier than ``before``, newest first."""
    return [MarkedDay(*row) for row in await fetch_all(connection, _TAKE, (before, count))]


async def count_past_days(connection: AsyncConnection, count: int) -> None:
    """Add to the number of days of strings before the last whole one that were ever computed."""
    await connection.exec_driver_sql("update battery_day_progress set past_day_count = past_day_count + $1", (count,))


async def read_progress(connection: AsyncConnection, before: date) -> tuple[int, bool]:
    """Return the number of past days of strings ever computed, and whether days earlier than ``before`` still wait."""
    rows = await fetch_all(
        connection,
        "select past_day_count, exists (select from battery_day_mark where day < $1::date) from battery_day_progress",
        (before,),
    )
    (count, is_waiting) = rows[0]
    return count, is_waiting


async def rebuild_from_readings(connection: AsyncConnection, marked: MarkedDay) -> None:
    """Replace the rows of a string and day by what its stored readings give."""
    start = midnight_of(marked.day)
    await connection.exec_driver_sql(_CLEAR, (marked.string_key, marked.day))
    parameters = (marked.string_key, start, start + timedelta(days=1), marked.day)
    await connection.exec_driver_sql(FROM_READINGS, parameters)


async def fill_from_rollups(connection: AsyncConnection, marked: MarkedDay) -> None:
    """Add what the roll-ups know of a string and day; rows that exist stay, since they come from readings."""
    await connection.exec_driver_sql(FROM_ROLLUPS, (marked.string_key, midnight_of(marked.day), marked.day))
