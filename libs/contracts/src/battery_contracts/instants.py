"""Instants and days in requests: written out, never as a number.

Pydantic also takes numbers, as seconds or as milliseconds since 1970 by their size. A register that sends 0.5, or a
clock that counts from 2000, then names an instant that nobody meant.
"""

from datetime import date
from typing import Annotated, Any, Final

from pydantic import AfterValidator, AwareDatetime, BeforeValidator

FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 2199
_BUDDHIST_YEARS: Final = 543


def _written_out(value: Any) -> Any:
    # A year and a hyphen; whatever follows is for the parser to judge.
    if isinstance(value, str) and not (len(value) > 4 and value[:4].isdigit() and value[4] == "-"):
        raise ValueError("write it as in 2026-11-20T08:00:00+07:00, with the year first and the offset")
    if isinstance(value, (int, float)):
        raise ValueError("write it as text, as in 2026-11-20T08:00:00+07:00; a number of seconds is not clear")  # noqa: TRY004  # pydantic reports a ValueError
    return value


def _day_written_out(value: Any) -> Any:
    if isinstance(value, (int, float)) or (isinstance(value, str) and not (len(value) == 10 and value[4] == "-")):
        raise ValueError("write it as text, as in 2026-11-20")
    return value


def _within_our_time(value: Any) -> Any:
    """Keep out what no battery lives to see, and what another time zone has no date for."""
    year = value.year
    if FIRST_YEAR <= year <= LAST_YEAR:
        return value
    if FIRST_YEAR <= year - _BUDDHIST_YEARS <= LAST_YEAR:
        raise ValueError(f"{year} looks like a year of the Buddhist era; write {year - _BUDDHIST_YEARS}")
    raise ValueError(f"the year must be from {FIRST_YEAR} to {LAST_YEAR}")


Instant = Annotated[AwareDatetime, BeforeValidator(_written_out), AfterValidator(_within_our_time)]
"""An instant in a request, with its offset from UTC."""
Day = Annotated[date, BeforeValidator(_day_written_out), AfterValidator(_within_our_time)]
"""A day in a request."""
