"""The operating day: reports, roll-ups and counts use days of Asia/Bangkok (UTC+7, no daylight saving time)."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

ZONE_NAME: Final = "Asia/Bangkok"
ZONE: Final = ZoneInfo(ZONE_NAME)
DAY_ORIGIN: Final = datetime(2000, 1, 1, tzinfo=UTC) - timedelta(hours=7)
"""A midnight in Asia/Bangkok, from which daily buckets are counted."""
_DAY: Final = timedelta(days=1)


def operating_day(instant: datetime) -> date:
    """Return the day in Asia/Bangkok of an instant."""
    return instant.astimezone(ZONE).date()


def day_start(instant: datetime) -> datetime:
    """Return the midnight in Asia/Bangkok at which the day of an instant begins."""
    return instant - (instant - DAY_ORIGIN) % _DAY


def midnight_of(day: date) -> datetime:
    """Return the instant (UTC) at which a day begins in Asia/Bangkok."""
    return datetime.combine(day, time(), tzinfo=ZONE).astimezone(UTC)


def day_sql(expression: str) -> str:
    """Return an SQL expression for the day in Asia/Bangkok of a timestamptz expression."""
    return f"({expression} at time zone '{ZONE_NAME}')::date"
