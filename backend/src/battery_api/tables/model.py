"""A table of cells, and what can be wrong with its rows."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple, TypeAlias

CellValue: TypeAlias = str | float | datetime | timedelta
"""Trimmed text, "" where a cell is empty; of workbooks also real numbers, dates without a zone and times of day."""
SEPARATORS: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_LARGEST_EXACT: Final = 1e15
"""Spreadsheets keep fifteen digits."""
_SHOWN_CHARS: Final = 60


class TableRefused(ValueError):
    """A file cannot be read as a table; the message names the line or cell, and the remedy."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """The cells of one row."""

    number: int
    """Line of a text on which the row begins, row of a workbook's sheet; 1 at the top."""
    cells: Sequence[CellValue]
    is_unterminated: bool = False
    """The file ends within this row's line: no line break follows it."""


class RowFault(NamedTuple):
    """Why the cells of a row cannot be assigned to columns."""

    number: int
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Table:
    """Header and rows of a file; rows without any content are left out."""

    names: Sequence[str]
    header_number: int
    rows: Sequence[TableRow]
    separator: str | None
    """What separates the cells of a text; None in a workbook."""
    broken: RowFault | None = None
    """A row after which nothing more can be read, because its quotation marks do not match."""
    columns: Sequence[int] = ()
    """Number of each column in the sheet of a workbook, 1 for A."""

    @property
    def row_word(self) -> str:
        """What messages call a row."""
        return "row" if self.separator is None else "line"

    def address(self, row: TableRow, position: int) -> str | None:
        """Return the address of a cell, like B7; None in a text."""
        return None if self.separator is not None else f"{column_letters(self.columns[position])}{row.number}"

    def label(self, row: TableRow, position: int) -> str:
        """Return the name of a cell's column, in a workbook with the cell's address."""
        address = self.address(row, position)
        return self.names[position] if address is None else f"{self.names[position]} ({address})"

    def shape_fault(self, row: TableRow, optional: frozenset[str] = frozenset()) -> RowFault | None:
        """Return why a row does not fit the header, None if it does; ``optional`` columns may be absent at its end."""
        count, expected = len(row.cells), len(self.names)
        if count > expected:
            return RowFault(row.number, "surplus_fields", self._surplus(row))
        absent = self.names[count:]
        if optional.issuperset(absent):
            return None
        if row.is_unterminated:
            detail = (
                f"the file ends within this line, after {count} of {expected} cells; "
                "the table is torn: complete the line or delete it"
            )
        else:
            detail = f"{count} cells where the header has {expected}: {', '.join(absent)} "
            detail += f"{'has' if len(absent) == 1 else 'have'} no value; complete the line or delete it"
        return RowFault(row.number, "missing_fields", detail)

    def _surplus(self, row: TableRow) -> str:
        count, expected = len(row.cells), len(self.names)
        text = f"{count} cells where the header has {expected}"
        if self.separator is None:
            return f"{text}; name the columns of the others or delete them"
        quoting = f"put quotation marks round a value that holds a {SEPARATORS[self.separator]}"
        if self.separator == ",":
            return f"{text}; decimal commas are the usual cause: write decimals with a point (13.62), or {quoting}"
        return f"{text}; {quoting}"


def text_of(value: CellValue) -> str:
    """Return a cell as text: plain digits for numbers, ISO for dates, so that a day has no time of day."""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < _LARGEST_EXACT else repr(value)
    if isinstance(value, datetime):
        return value.isoformat() if value.time() != value.min.time() else value.date().isoformat()
    return str(value)


def cleaned(text: str) -> str:
    """Return a text without white space and invisible marks at its ends."""
    stripped = text.strip()
    if stripped.isascii():
        return stripped
    first = next((index for index, char in enumerate(stripped) if not _is_invisible(char)), len(stripped))
    last = next((index for index, char in enumerate(reversed(stripped)) if not _is_invisible(char)), 0)
    return stripped[first : len(stripped) - last]


def _is_invisible(char: str) -> bool:
    return char.isspace() or unicodedata.category(char) == "Cf"


def shown(text: str) -> str:
    """Return a text as messages quote it: shortened, and without characters that break a line."""
    printable = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    return printable if len(printable) <= _SHOWN_CHARS else f"{printable[:_SHOWN_CHARS]}..."


def column_letters(number: int) -> str:
    """Return the letters of a column of a sheet, A for 1."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def column_number(letters: str) -> int:
    """Return the number of a column of a sheet, 1 for A."""
    assert re.fullmatch("[A-Z]+", letters)
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
