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


async def rebuild_from_readings(connection: AsyncConnection, marked: MarkedDay) -> None:
    """Replace the rows of a string and day by what its stored readings give."""
    start = midnight_of(marked.day)
    await connection.exec_driver_sql(_CLEAR, (marked.string_key, marked.day))
    parameters = (marked.string_key, start, start + timedelta(days=1), marked.day)
    await connection.exec_driver_sql(FROM_READINGS, parameters)


async def fill_from_rollups(connection: AsyncConnection, marked: MarkedDay) -> None:
    """Add what the roll-ups know of a string and day; rows that exist stay, since they come from readings."""
    await connection.exec_driver_sql(FROM_ROLLUPS, (marked.string_key, midnight_of(marked.day), marked.day))
