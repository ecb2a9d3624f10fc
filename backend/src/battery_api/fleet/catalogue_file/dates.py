"""Dates of the fleet file: ISO dates of the common era, not in the future; other spellings are named, never guessed."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

from battery_api.db.bangkok import ZONE, ZONE_NAME, midnight_of, operating_day
from battery_api.fleet.catalogue_file.problems import InvalidCell

EARLIEST: Final = date(1990, 1, 1)
"""Nothing in service is older: VRLA batteries last 5 to 20 years (EJ)."""
BUDDHIST_ERA_YEARS: Final = 543
"""A year of the Buddhist era is the one of the common era plus this."""
_BUDDHIST_ERA: Final = range(2400, 2800)
_EXAMPLE: Final = "2024-01-15"
_SPREADSHEET_DAY_0: Final = date(1899, 12, 30)

_DAY: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
_INSTANT: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)\s?(Z|[+-]\d{2}:\d{2})?", re.ASCII
)
_DAY_NUMBER: Final = re.compile(r"(\d{5})(?:\.\d+)?", re.ASCII)
_COMPACT: Final = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
_EPOCH: Final = re.compile(r"(\d{10})(\d{3})?(?:\.\d+)?", re.ASCII)
_YEAR_FIRST: Final = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})", re.ASCII)
_YEAR_LAST: Final = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d{2})", re.ASCII)


class Installation(NamedTuple):
    """When a battery was installed, as its cell states it."""

    day: date
    """In Asia/Bangkok."""
    instant: datetime
    has_time_of_day: bool
    """False if the cell holds a day only, which begins at midnight in Asia/Bangkok."""


def read_day(text: str, now: datetime) -> date:
    """Read an ISO date that is not in the future (today in Asia/Bangkok at the latest) and not before 1990.

    Raises
    ------
    InvalidCell
        The text is something else; the detail names what it looks like and the remedy.
    """
    found = _DAY.fullmatch(text)
    if found is None:
        raise InvalidCell(*_appearance(text))
    return _checked_day(text, found, operating_day(now))


def read_installation(text: str, now: datetime) -> Installation:
    """Read an ISO date, or an ISO date-time with a zone, as `read_day` does.

    Raises
    ------
    InvalidCell
        As `read_day`; also for a time of day without a zone and for an instant after ``now``.
    """
    found = _INSTANT.fullmatch(text)
    if found is None:
        day = read_day(text, now)
        return Installation(day, midnight_of(day), has_time_of_day=False)
    day_text, time_text, zone = found.groups()
    if zone is None:
        raise InvalidCell(
            "no_zone",
            f"{text} has a time of day without a zone; write the day alone ({day_text}), or add the zone "
            f"({day_text}T{time_text}+07:00).",
        )
    day_found = _DAY.fullmatch(day_text)
    assert day_found is not None
    # A day more, because the zone may be west of Asia/Bangkok; the instant itself is judged below.
    _checked_day(text, day_found, operating_day(now) + timedelta(days=1))
    try:
        instant = datetime.fromisoformat(f"{day_text}T{time_text}{zone}").astimezone(UTC)
    except ValueError as error:
        raise InvalidCell("not_a_date", f"{text} is not a time that exists; write {day_text}T02:00+07:00.") from error
    if instant > now:
        raise InvalidCell(
            "future",
            f"{text} is in the future (now {now.astimezone(ZONE):%Y-%m-%d %H:%M} {ZONE_NAME}); "
            "import the battery once it is installed.",
        )
    return Installation(operating_day(instant), instant, has_time_of_day=True)


def _checked_day(text: str, found: re.Match[str], today: date) -> date:
    year, month, day_of_month = (int(part) for part in found.groups())
    if year in _BUDDHIST_ERA:
        western = year - BUDDHIST_ERA_YEARS
        raise InvalidCell("buddhist_era", f"{year} is a Buddhist-era year; write {western} ({western}{text[4:]}).")
    try:
        day = date(year, month, day_of_month)
    except ValueError as error:
        raise InvalidCell("not_a_date", f"{text} is not a day of the calendar; write a date that exists.") from error
    if day > today:
        raise InvalidCell(
            "future", f"{text} is in the future (today is {today} in {ZONE_NAME}); write the day on which it happened."
        )
    if day < EARLIEST:
        raise InvalidCell("too_old", f"{text} is before {EARLIEST}, which no battery in service is; correct the year.")
    return day


def _appearance(text: str) -> tuple[str, str]:
    """Return the code and the sentence for a text that is not an ISO date."""
    digits = "".join(str(int(char)) if char.isdecimal() else char for char in text)
    if digits != text:
        found = _DAY.fullmatch(digits)
        advice = (found and _common_era(*found.groups())) or f"YYYY-MM-DD, for example {_EXAMPLE}"
        return "not_iso", f"{text} is not written with the digits 0 to 9; write {advice}."
    for look in (_as_day_number, _as_compact, _as_epoch, _as_year_first, _as_year_last):
        sentence = look(text)
        if sentence is not None:
            return "not_iso", sentence
    if _INSTANT.fullmatch(text):
        return "not_iso", f"{text} has a time of day; write the day alone ({text[:10]})."
    return "not_a_date", f"{text} is not an ISO date; write YYYY-MM-DD, for example {_EXAMPLE}."


def _as_day_number(text: str) -> str | None:
    found = _DAY_NUMBER.fullmatch(text)
    if found is None:
        return None
    day = _SPREADSHEET_DAY_0 + timedelta(days=int(found[1]))
    return f"{text} looks like the day number of a spreadsheet; format the column as text YYYY-MM-DD ({day} if it is)."


def _as_compact(text: str) -> str | None:
    found = _COMPACT.fullmatch(text)
    day = found and _common_era(*found.groups())
    return f"{text} looks like a date without hyphens; write {day}." if day else None


def _as_epoch(text: str) -> str | None:
    found = _EPOCH.fullmatch(text)
    if found is None:
        return None
    day = operating_day(datetime.fromtimestamp(int(found[1]), UTC))
    unit = "milliseconds" if found[2] else "seconds"
    return f"{text} looks like {unit} since 1970; write the day ({day} in {ZONE_NAME} if it is)."


def _as_year_first(text: str) -> str | None:
    found = _YEAR_FIRST.fullmatch(text)
    day = found and _common_era(*found.groups())
    return f"{text} is not in ISO form; write {day}." if day else None


def _as_year_last(text: str) -> str | None:
    found = _YEAR_LAST.fullmatch(text)
    if found is None:
        return None
    first, second, year = found.groups()
    in_both_orders = {_common_era(year, second, first), _common_era(year, first, second)} - {None}
    # 03/04/2024 has two readings and 15/01/67 two centuries and eras: which one is meant is for the office to say.
    if len(year) == 4 and len(in_both_orders) == 1:
        return f"{text} looks like a date with its year at the end; write {in_both_orders.pop()}."
    return f"{text} looks like a date with its year at the end; write YYYY-MM-DD with the year of the common era."


def _common_era(year: str, month: str, day: str) -> str | None:
    """Return the ISO date, counted in the common era, or None if there is no such day."""
    number = int(year)
    try:
        return date(number - BUDDHIST_ERA_YEARS * (number in _BUDDHIST_ERA), int(month), int(day)).isoformat()
    except ValueError:
        return None
