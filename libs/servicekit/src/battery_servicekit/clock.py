"""Injected time: production asks the system clock, tests set it."""

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Source of the present instant."""

    def now(self) -> datetime:
        """Return the present, time-zone-aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the machine's time in UTC."""
        return datetime.now(UTC)


class FixedClock:
    """A clock that moves only when told; for tests."""

    def __init__(self, at: datetime) -> None:
        if at.tzinfo is None:
            raise ValueError("at needs a time zone")
        self._at = at.astimezone(UTC)

    def now(self) -> datetime:
        """Return the set instant."""
        return self._at

    def advance(self, step: timedelta) -> datetime:
        """Move on by ``step`` and return the new instant."""
        self._at += step
        return self._at

    def set(self, at: datetime) -> None:
        """Jump to an instant."""
        self._at = at.astimezone(UTC)
