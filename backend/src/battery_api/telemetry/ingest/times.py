"""Times of readings: ISO 8601 with a zone, in the forms that senders write."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_SECOND_US: Final = 1_000_000
_YEAR: Final = re.compile(r"([0-9]{4})(?=-|[0-9]{4}(?![0-9]))")
_BUDDHIST_YEARS: Final = range(2400, 2701)
_BUDDHIST_LEAD: Final = 543
_SECOND_60: Final = re.compile(r"(.{8,10}[T ][0-9]{2}(:?)[0-9]{2}\2)60(?![0-9])(.*)", re.IGNORECASE | re.DOTALL)
_DAY_US: Final = 86_400 * _SECOND_US


def parse_time(text: str) -> int | str:
    """Return the microseconds since 1970 that a text stands for, or why it is not a time.

    Digits beyond the microsecond are cut off. The leap second 23:59:60 UTC is the second that follows it, since POSIX
    time has no number of its own for it.
    """
    other_era = buddhist_era_fault(text)
    if other_era is not None:
        return other_era
    shown = repr(text[:40])
    leap = _SECOND_60.fullmatch(text)
    time_us = _microseconds(f"{leap[1]}59{leap[3]}" if leap else text, shown)
    if leap is None or isinstance(time_us, str):
        return time_us
    time_us += _SECOND_US
    if time_us % _DAY_US >= _SECOND_US:
        return f"{shown} has the second 60, which only 23:59:60 UTC has; send 00 to 59"
    return time_us


def buddhist_era_fault(text: str) -> str | None:
    """Return the remedy if a time has a year of the Buddhist era, 543 ahead of the common one; None otherwise."""
    year = _YEAR.match(text)
    if year is None or int(year[1]) not in _BUDDHIST_YEARS:
        return None
    return (
        f"{text[:40]!r} is in the year {year[1]} of the Buddhist era; send the year of the common era, "
        f"{_BUDDHIST_LEAD} less: {int(year[1]) - _BUDDHIST_LEAD}{text[4:40]}"
    )


def _microseconds(text: str, shown: str) -> int | str:
    try:
        # The standard knows the zone Z in capitals alone; RFC 3339 allows both.
        instant = datetime.fromisoformat(f"{text[:-1]}Z" if text.endswith("z") else text)
    except ValueError:
        return f"{shown} is not a time; send ISO 8601 with a zone, like 2026-01-31T08:15:00Z"
    if instant.tzinfo is None:
        return f"{shown} has no zone; add Z for UTC or an offset like +07:00"
    return (instant - _EPOCH) // _MICROSECOND
