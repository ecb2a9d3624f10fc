"""Injected time: production reads the system clock, tests set it."""

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Source of the current time."""

    def now(self) -> datetime:
        """Return the current time, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the machine's current time in UTC."""
        return datetime.now(UTC)


class FixedClock:
    """A clock that moves only when a test moves it."""

    def __init__(self, instant: datetime) -> None:
        self._now = _in_utc(instant)

    def now(self) -> datetime:
        """Return the instant that was set."""
        return self._now

    def advance(self, step: timedelta) -> datetime:
        """Move forward by ``step`` and return the new instant."""
        self._now += step
        return self._now

    def set(self, instant: datetime) -> None:
        """Jump to an instant."""
        self._now = _in_utc(instant)


def _in_utc(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError("the instant needs a time zone")
    return instant.astimezone(UTC)
