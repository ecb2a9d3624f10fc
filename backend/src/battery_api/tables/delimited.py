"""Text with separated cells (CSV): separator, quotes, header and the line on which each row begins."""

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from battery_api.tables.model import SEPARATORS, RowFault, Table, TableRefused, TableRow, cleaned, shown

MAX_ROWS: Final = 1_000_000
_SEPARATOR_LINE: Final = re.compile(r'\s*"?sep=(.*)', re.IGNORECASE)
_QUOTED: Final = re.compile(r'"(?:[^"]|"")*"')
_QUOTES: Final = "close its quotation marks, and double those within a value"


def read_delimited(text: str, is_known: Callable[[str], bool]) -> Table:
    """Split text with a header into cells.

    The separator is the one that a first line ``sep=;`` names, or the one that occurs in the header; of several, the
    one that finds the most names that ``is_known``.

    Raises
    ------
    TableRefused
        No header, an unclear separator, a header with quotation marks that do not match, too many rows.
    """
    first_number, first = _first_filled_line(text)
    declared = _SEPARATOR_LINE.fullmatch(first)
    skipped = first_number if declared else 0
    separator = _declared(declared[1], first, first_number) if declared else _found(first, first_number, is_known)
    lines = io.StringIO(text, newline="")
    for _ in range(skipped):
        lines.readline()
    reader = _Rows(lines, separator, skipped, unterminated=-1 if text.endswith(("\n", "\r")) else len(text))
    rows = iter(reader)
    header = next(rows, None)
    if header is None:
        if reader.broken is not None:
            raise TableRefused(f"line {reader.broken.number}: {reader.broken.detail}.")
        raise TableRefused("the file is empty: it holds no header.")
    names = [cleaned(str(cell)) for cell in header.cells]
    return Table(names, header.number, list(rows), separator, broken=reader.broken)


class _Rows:
    """Iterator over the rows with content; a row with wrong quotes is the last one."""

    def __init__(self, lines: io.StringIO, separator: str, skipped: int, *, unterminated: int) -> None:
        self._lines = lines
        self._separator = separator
        self._skipped = skipped
        self._unterminated = unterminated
        self.broken: RowFault | None = None

    def __iter__(self) -> Iterator[TableRow]:
        reader = csv.reader(self._lines, delimiter=self._separator, strict=True)
        begin = self._skipped + 1
        count = 0
        try:
            for cells in reader:
                number, begin = begin, reader.line_num + self._skipped + 1
                trimmed = [cell.strip() for cell in cells]
                if any(trimmed):
                    count += 1
                    if count > MAX_ROWS + 1:
                        raise TableRefused(f"it has more than {MAX_ROWS:,} rows; split it.")
                    yield TableRow(number, trimmed, self._lines.tell() == self._unterminated)
        except csv.Error as error:
            self.broken = RowFault(begin, "not_csv", f"the record is not CSV ({error}); {_QUOTES}")


def _first_filled_line(text: str) -> tuple[int, str]:
    for number, line in enumerate(io.StringIO(text, newline=None), 1):
        if line.strip():
            return number, line.rstrip("\n")
    return 1, ""


def _declared(named: str, line: str, number: int) -> str:
    # `sep=\t` is a tab by itself; a trailing separator is what spreadsheets add when they save such a file.
    named = named if len(named) == 1 else named.strip(' "')[:1]
    if named not in SEPARATORS:
        raise TableRefused(
            f"line {number}: {shown(line.strip())!r} names no separator that is understood; write sep=, or sep=; "
            "or remove it."
        )
    return named


def _found(header: str, number: int, is_known: Callable[[str], bool]) -> str:
    unquoted = _QUOTED.sub("", header)
    used = [separator for separator in SEPARATORS if separator in unquoted]
    if len(used) <= 1:
        return used[0] if used else ","
    counts = {separator: _known_count(header, separator, is_known) for separator in used}
    best = [separator for separator in used if counts[separator] == max(counts.values())]
    if len(best) == 1:
        return best[0]
    listed = " and ".join(f"a {SEPARATORS[separator]}" for separator in used)
    raise TableRefused(f"line {number}: the header contains {listed}; separate the names by one of them.")


def _known_count(header: str, separator: str, is_known: Callable[[str], bool]) -> int:
    try:
        names: Sequence[str] = next(csv.reader([header], delimiter=separator), [])
    except csv.Error:
        return 0
    return sum(is_known(cleaned(name)) for name in names)
