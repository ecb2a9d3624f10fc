"""Numbers in the cells of a recording: plain decimals, nothing that one reader takes for another number than the next.

A decimal comma is read where the file proves that it is one. ``1,234`` alone proves nothing: it may be 1.234 or 1234.
"""

import math
import re
from collections.abc import Iterable
from typing import Final

_NUMBER: Final = re.compile(r"[+-]?[0-9]+(?:[.][0-9]+)?(?:[eE][+-]?[0-9]+)?")
_WITH_COMMA: Final = re.compile(r"[+-]?[0-9]+,[0-9]+(?:[eE][+-]?[0-9]+)?")
_THOUSANDS: Final = re.compile(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}")
_NOT_FINITE: Final = re.compile(r"[+-]?(?:inf|infinity|nan)", re.IGNORECASE)
_ABSENT: Final = frozenset({"-", "--", "---", "na", "n/a", "#n/a", "null", "none"})


class NotANumber(ValueError):
    """A cell is not a number; the message says what it is and the remedy."""


def number_in(cell: str) -> float:
    """Return the finite number in a trimmed cell with content; a decimal comma counts as a point.

    Raises
    ------
    NotANumber
        The cell holds something else.
    """
    if not (_NUMBER.fullmatch(cell) or _WITH_COMMA.fullmatch(cell)):
        raise NotANumber(_fault(cell))
    number = float(cell.replace(",", "."))
    if not math.isfinite(number):
        raise NotANumber(f"is {_shown(cell)}, too large to be a number")
    return number


def decimals_in(cell: str) -> int:
    """Return how many digits follow the decimal point or comma of a number."""
    return len(re.split("[eE]", cell)[0].replace(",", ".").partition(".")[2])


def has_comma(cell: str) -> bool:
    """Return whether a cell is a number with a comma."""
    return _WITH_COMMA.fullmatch(cell) is not None


def has_point(cell: str) -> bool:
    """Return whether a cell is a number with a decimal point."""
    return "." in cell and _NUMBER.fullmatch(cell) is not None


def are_decimal_commas(cells: Iterable[str]) -> bool:
    """Return whether at least one of these numbers proves that a comma is a decimal one, as 13,62 and 0,125 do."""
    return any(has_comma(cell) and not _THOUSANDS.fullmatch(cell) for cell in cells)


def _fault(cell: str) -> str:
    shown = _shown(cell)
    if _NOT_FINITE.fullmatch(cell):
        return f"is {shown}, which is not finite; leave the cell empty"
    if cell.lower() in _ABSENT:
        return f"is {shown}, not a number; leave the cell empty where nothing was measured"
    if re.fullmatch(r"[+-]?[0-9]+[.,]", cell):
        return f"is {shown}, a number without its last digits; complete it or leave the cell empty"
    if any(not character.isascii() for character in cell):
        return f"is {shown}, not a number in the digits 0 to 9; write it like 13.62"
    return f"is {shown}, not a number; write it like 13.62, without units"


def _shown(cell: str) -> str:
    return repr(cell if len(cell) <= 40 else f"{cell[:40]}...")
