"""What one cell says of an instant, before the zone, the era and the order of day and month are known."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from battery_api.tables.model import CellValue, shown, text_of

BUDDHIST_YEARS: Final = range(2400, 2701)
BUDDHIST_LEAD: Final = 543
_YEARS: Final = range(1990, 2100)
_SERIAL_DAY_0: Final = datetime.fromisoformat("1899-12-30")
_SERIAL_DAYS: Final = (36_526.0, 73_051.0)
"""2000-01-01 and 2100-01-01 as days of a spreadsheet."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_SECONDS: Final = (946_684_800.0, 4_102_444_800.0)
"""2000-01-01 and 2100-01-01. The ranges of the units do not meet, so a number has one unit at most."""
_CLOCK: Final = (
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"(?:\s?(?P<half>AM|PM))?"
)
_ZONE: Final = r"\s?(?P<zone>Z|[+-]\d{2}(?::?\d{2})?)?"
_YEAR_FIRST: Final = re.compile(
    rf"(?P<year>\d{{4}})(?P<mark>[-/.])(?P<month>\d{{1,2}})(?P=mark)(?P<day>\d{{1,2}})(?:[T\s]\s*{_CLOCK}{_ZONE})?",
    re.ASCII | re.IGNORECASE,
)
_YEAR_LAST: Final = re.compile(
    rf"(?P<first>\d{{1,2}})(?P<mark>[-/.])(?P<second_number>\d{{1,2}})(?P=mark)(?P<year>\d{{4}}|\d{{2}})"
    rf"(?:[T\s,]\s*{_CLOCK}{_ZONE})?",
    re.ASCII | re.IGNORECASE,
)
_NUMBER: Final = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
_CLOCK_ALONE: Final = re.compile(_CLOCK, re.ASCII | re.IGNORECASE)


class TimeForm(StrEnum):
    """How a file writes its times; a file has one form."""

    ZONED = "ISO 8601 with a zone"
    LOCAL = "year, month and day without a zone"
    DAY_MONTH = "day, month and year in an order of their own"
    DATE_CELL = "dates of the workbook"
    SERIAL = "days of a spreadsheet since 1899-12-30"
    EPOCH_S = "seconds since 1970"
    EPOCH_MS = "milliseconds since 1970"
    EPOCH_US = "microseconds since 1970"
    EPOCH_NS = "nanoseconds since 1970"

    @property
    def needs_zone(self) -> bool:
        """Whether the times are those of a place whose zone the file does not name."""
        return self in {TimeForm.LOCAL, TimeForm.DAY_MONTH, TimeForm.DATE_CELL, TimeForm.SERIAL}


_PER_SECOND: Final = {TimeForm.EPOCH_S: 1, TimeForm.EPOCH_MS: 1e3, TimeForm.EPOCH_US: 1e6, TimeForm.EPOCH_NS: 1e9}


class NotATime(ValueError):
    """A cell is no time; the message says what it is and the remedy."""


@dataclass(frozen=True, slots=True)
class WrittenTime:
    """A time as it is written."""

    form: TimeForm
    text: str
    year: int
    """As written, perhaps of the Buddhist era."""
    numbers: tuple[int, int]
    """Month and day; of `TimeForm.DAY_MONTH` the first and the second number."""
    time_of_day: timedelta = timedelta()
    zone: str | None = None


def written_time(cell: CellValue, time_of_day: CellValue | None = None) -> WrittenTime:
    """Return what a cell says, or a day and a time of day in two cells.

    Raises
    ------
    NotATime
        It says no day, no time of day, or something else.
    """
    if isinstance(cell, datetime):
        return _of_date_cell(cell, time_of_day)
    if isinstance(cell, timedelta):
        raise NotATime(f"{text_of(cell)} is a time of day without its day; add a column date")
    text = text_of(cell) if time_of_day is None else f"{text_of(cell)} {text_of(time_of_day)}"
    if _NUMBER.fullmatch(text):
        return _of_number(text)
    for pattern in (_YEAR_FIRST, _YEAR_LAST):
        found = pattern.fullmatch(text)
        if found is not None:
            return _of_match(text, found)
    raise NotATime(_appearance(text))


def _of_date_cell(cell: datetime, time_of_day: CellValue | None) -> WrittenTime:
    clock = timedelta(hours=cell.hour, minutes=cell.minute, seconds=cell.second, microseconds=cell.microsecond)
    text = cell.isoformat(" ")
    if time_of_day is not None:
        if clock:
            raise NotATime(f"{text} has a time of day of its own, beside the one in the other column; keep one")
        clock = _clock(time_of_day)
    return WrittenTime(TimeForm.DATE_CELL, text, cell.year, (cell.month, cell.day), clock)


def _clock(cell: CellValue) -> timedelta:
    if isinstance(cell, timedelta):
        return cell
    # A date of the workbook that holds only a time of day counts from its day 0.
    found = _CLOCK_ALONE.fullmatch(text_of(cell))
    if found is None:
        raise NotATime(f"{shown(text_of(cell)) or 'an empty cell'} is no time of day; write it like 08:15:00")
    return _clock_of(found, text_of(cell))


def _of_number(text: str) -> WrittenTime:
    number = float(text)
    if _SERIAL_DAYS[0] <= number <= _SERIAL_DAYS[1]:
        # Days of a spreadsheet have fifteen digits, which is less than a millisecond.
        moment = _SERIAL_DAY_0 + timedelta(milliseconds=round(number * 86_400_000))
        return _of_moment(TimeForm.SERIAL, text, moment)
    for form, per_second in _PER_SECOND.items():
        if _EPOCH_SECONDS[0] * per_second <= number < _EPOCH_SECONDS[1] * per_second:
            whole, _, fraction = text.partition(".")
            # Integers keep every digit, floats do not.
            scale = round(1e6 / per_second) if per_second <= 1e6 else 0
            micros = int(whole) * scale + round(float(f"0.{fraction or 0}") * scale) if scale else int(whole) // 1000
            return _of_moment(form, text, _EPOCH + timedelta(microseconds=micros))
    raise NotATime(
        f"{shown(text)} is in no unit that is clear: neither a day of a spreadsheet nor seconds, milli-, micro- or "
        "nanoseconds since 1970 between 2000 and 2100; write 2026-01-31T08:15:00+07:00"
    )


def _of_moment(form: TimeForm, text: str, moment: datetime) -> WrittenTime:
    clock = moment - moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return WrittenTime(form, text, moment.year, (moment.month, moment.day), clock, None if form.needs_zone else "Z")


def _of_match(text: str, found: re.Match[str]) -> WrittenTime:
    if found["hour"] is None:
        raise NotATime(f"{text} has no time of day; write it like 2026-01-31T08:15:00, or add a column time")
    year = int(found["year"])
    if len(found["year"]) == 2:
        raise NotATime(f"{text} has a year of two digits, whose century is not known; write four")
    if year not in _YEARS and year not in BUDDHIST_YEARS:
        raise NotATime(f"{text} is in the year {year}, outside {_YEARS[0]} to {_YEARS[-1]}; correct the year")
    clock, zone = _clock_of(found, text), found["zone"]
    if "month" in found.re.groupindex:
        form = TimeForm.LOCAL if zone is None else TimeForm.ZONED
        return WrittenTime(form, text, year, (int(found["month"]), int(found["day"])), clock, zone)
    if zone is not None:
        raise NotATime(f"{text} has a zone but its date is not ISO 8601; write it like 2026-01-31T08:15:00+07:00")
    return WrittenTime(TimeForm.DAY_MONTH, text, year, (int(found["first"]), int(found["second_number"])), clock)


def _clock_of(found: re.Match[str], text: str) -> timedelta:
    hour, half = int(found["hour"]), (found["half"] or "").upper()
    minute, second = int(found["minute"]), int(found["second"] or 0)
    if (half and not 1 <= hour <= 12) or hour > 23 or minute > 59 or second > 59:
        raise NotATime(f"{text} has a time of day that does not exist; write it like 08:15:00")
    if half:
        hour = hour % 12 + 12 * (half == "PM")
    micros = int((found["fraction"] or "0")[:6].ljust(6, "0"))
    return timedelta(hours=hour, minutes=minute, seconds=second, microseconds=micros)


def _appearance(text: str) -> str:
    if not text:
        return "is missing"
    if _CLOCK_ALONE.fullmatch(text):
        return f"{text} is a time of day without its day; add a column date"
    return f"{shown(text)!r} is not a time; write ISO 8601 with a zone, like 2026-01-31T08:15:00+07:00"
