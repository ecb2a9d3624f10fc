"""CSV text as trimmed cells with their line numbers; whatever has another shape than its header is named."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

DELIMITERS: Final = {",": "a comma", ";": "a semicolon", "\t": "a tab"}
_SEPARATOR_LINE: Final = re.compile(r"\s*sep=(.*)", re.IGNORECASE)


class RecordingRefused(ValueError):
    """The file or an option cannot be used; the message names the line or the option, and the remedy."""


@dataclass(frozen=True, slots=True)
class CsvRow:
    """Trimmed cells of one row; ``line`` is where the row ends in the file, 1 is the first line."""

    line: int
    cells: Sequence[str]
    is_unterminated: bool
    """The file ends within this row's line: no line break follows it."""


@dataclass(frozen=True, slots=True)
class CsvTable:
    """Header and rows of a CSV file; the number of cells in a row is for the caller to check."""

    names: Sequence[str]
    header_line: int
    delimiter: str
    rows: Sequence[CsvRow]

    def shape_fault(self, row: CsvRow) -> str | None:
        """Return why a row does not fit the header, None when it does."""
        count, expected = len(row.cells), len(self.names)
        if count == expected:
            return None
        if row.is_unterminated and count < expected:
            return (
                f"the file ends within this line, after {count} of {expected} cells; "
                "the recording is torn: complete the line or delete it"
            )
        if count > expected and self.delimiter == ",":
            return (
                f"{count} cells where the header has {expected}; decimal commas are the usual cause: "
                "write 13.62, or separate the cells with semicolons"
            )
        return f"{count} cells where the header has {expected}; complete the line or delete it"


def parse_csv(text: str) -> CsvTable:
    """Split CSV text with a header into cells.

    The separator is the one that the header uses, or that a first line ``sep=;`` names. Rows without any content are
    left out.

    Raises
    ------
    RecordingRefused
        No header, an unclear separator, or quotes that do not match.
    """
    if "\0" in text:
        raise RecordingRefused("the file contains NUL characters; save it as CSV in UTF-8.")
    lines = io.StringIO(text, newline="")
    first = lines.readline()
    declared = _SEPARATOR_LINE.fullmatch(first.rstrip("\r\n"))
    if declared is None:
        lines.seek(0)
    delimiter = _delimiter(declared.group(1), first) if declared else _delimiter_of(_first_filled_line(text))
    skipped = 1 if declared else 0
    unterminated = -1 if text.endswith(("\n", "\r")) else len(text)
    rows = _rows(lines, delimiter, skipped, unterminated)
    header = next(rows, None)
    if header is None:
        return CsvTable([], skipped + 1, delimiter, [])
    return CsvTable(header.cells, header.line, delimiter, list(rows))


def _rows(lines: io.StringIO, delimiter: str, skipped: int, unterminated: int) -> Iterator[CsvRow]:
    """Yield the rows with content; ``unterminated`` is where a line without a break at its end stops, or -1."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            trimmed = [cell.strip() for cell in cells]
            if any(trimmed):
                yield CsvRow(reader.line_num + skipped, trimmed, lines.tell() == unterminated)
    except csv.Error as error:
        raise RecordingRefused(
            f"line {reader.line_num + skipped}: {error}; remove the quotes or close them."
        ) from error


def _first_filled_line(text: str) -> str:
    return next((line for line in text.splitlines() if line.strip()), "")


def _delimiter(named: str, line: str) -> str:
    # `sep=\t` is a tab by itself; a trailing separator is what spreadsheets add when they save such a file.
    named = named if len(named) == 1 else named.strip()[:1] or named[:1]
    if named not in DELIMITERS:
        raise RecordingRefused(
            f"line 1: {line.strip()[:40]!r} names no separator that is understood; write sep=, or sep=; or remove it."
        )
    return named


def _delimiter_of(header: str) -> str:
    used = [delimiter for delimiter in DELIMITERS if delimiter in header]
    if len(used) > 1:
        listed = " and ".join(DELIMITERS[delimiter] for delimiter in used)
        raise RecordingRefused(f"line 1: the header contains {listed}; separate the names by one of them.")
    return used[0] if used else ","
