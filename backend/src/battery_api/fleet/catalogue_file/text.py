"""The text of a fleet file as records: encoding, delimiter, header, and the line on which each record begins."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from battery_api.fleet.errors import ImportRefused
from battery_contracts.fleet import FLEET_COLUMNS, OPTIONAL_FLEET_COLUMNS, FleetRow

OPTIONAL_COLUMNS: Final = frozenset(name for name, field in FleetRow.model_fields.items() if not field.is_required())
_DELIMITERS: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_SPREADSHEET_HINT: Final = re.compile(r'"?sep=(.)"?', re.ASCII)
_UTF_16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Record:
    """The cells of one record by column, trimmed; an empty cell is an empty text."""

    line: int
    """Line of the file on which the record begins, 1 at the top; blank lines and line breaks in quotes count."""
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class BrokenRecord:
    """A record whose cells cannot be told apart."""

    line: int
    code: str
    detail: str


def read_records(content: bytes) -> Iterator[Record | BrokenRecord]:
    """Yield the records of a file in UTF-8, separated by commas, semicolons, tabs or bars, with a header.

    A record without any value is a blank line. After a quotation mark that is never closed nothing more can be read:
    it is the last record.

    Raises
    ------
    ImportRefused
        The file is not such a text, or its header does not name each column once.
    """
    text = decoded(content)
    delimiter = _delimiter(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    columns: list[str] | None = None
    first_line = 1
    try:
        for fields in reader:
            line, first_line = first_line, reader.line_num + 1
            values = [value.strip() for value in fields]
            if not any(values) or (columns is None and _is_spreadsheet_hint(values, delimiter)):
                continue
            if columns is None:
                columns = _checked_header(values, line, delimiter)
            else:
                yield _record(values, columns, line, delimiter)
    except csv.Error as error:
        detail = f"The record is not CSV ({error}); close its quotation marks, and double those within a value."
        if columns is None:
            raise ImportRefused(f"Line {first_line}: {detail}") from error
        yield BrokenRecord(first_line, "not_csv", detail)
    if columns is None:
        raise ImportRefused(f"The file is empty; its first line must name the columns {', '.join(FLEET_COLUMNS)}.")


def decoded(content: bytes) -> str:
    """Return the text of a file.

    Raises
    ------
    ImportRefused
        It is not UTF-8, or holds NUL bytes.
    """
    if content.startswith(_UTF_16_MARKS):
        raise ImportRefused("The file is not UTF-8 but UTF-16 text; save it as CSV UTF-8.")
    nul = content.find(b"\0")
    if nul >= 0:
        raise ImportRefused(
            f"Line {_line_of(content, nul)} holds a NUL byte (byte {nul}): the file is damaged or not text "
            "(a workbook, or UTF-16); save it as CSV UTF-8."
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ImportRefused(
            f"Line {_line_of(content, error.start)} is not UTF-8 text (byte {error.start}; a Thai spreadsheet "
            "saves plain CSV in Windows-874); save it as CSV UTF-8."
        ) from error


def _line_of(content: bytes, index: int) -> int:
    return len(re.findall(rb"\r\n|\r|\n", content[:index])) + 1


def _delimiter(text: str) -> str:
    """Return the delimiter that finds the most columns in the header; a comma if none finds any."""
    for line in text.splitlines():
        hint = _SPREADSHEET_HINT.fullmatch(line.strip(" "))
        if hint and hint[1] in _DELIMITERS:
            return hint[1]
        if line.strip():
            return max(_DELIMITERS, key=lambda delimiter: _column_count(line, delimiter))
    return ","


def _column_count(header: str, delimiter: str) -> int:
    names = (name.strip().strip('"').strip() for name in header.split(delimiter))
    return sum(name in FLEET_COLUMNS for name in names)


def _is_spreadsheet_hint(values: Sequence[str], delimiter: str) -> bool:
    # The delimiter splits the line that names it.
    return _SPREADSHEET_HINT.fullmatch(delimiter.join(values)) is not None or list(values) == ["sep=", ""]


def _checked_header(names: list[str], line: int, delimiter: str) -> list[str]:
    missing = [name for name in FLEET_COLUMNS if name not in names]
    repeated = sorted({name for name in names if name and names.count(name) > 1})
    unknown = [
        _described(number, name)
        for number, name in enumerate(names, 1)
        if name not in (*FLEET_COLUMNS, *OPTIONAL_FLEET_COLUMNS)
    ]
    if not (missing or repeated or unknown):
        return names
    detail = f"Line {line} must name each column once, separated by {_DELIMITERS[delimiter]}s."
    detail += f" Missing: {', '.join(missing)}; add them." if missing else ""
    detail += f" More than once: {', '.join(repeated)}; keep one of each." if repeated else ""
    detail += f" Unknown: {', '.join(unknown)}; remove or rename them." if unknown else ""
    raise ImportRefused(detail)


def _described(number: int, name: str) -> str:
    if not name:
        return f"column {number} without a name"
    similar = get_close_matches(name.lower().replace(" ", "_"), FLEET_COLUMNS, n=1, cutoff=0.8)
    shown = name if len(name) <= 60 else name[:60] + "..."
    return f"{shown} ({similar[0]}?)" if similar else shown


def _record(values: list[str], columns: list[str], line: int, delimiter: str) -> Record | BrokenRecord:
    if len(values) > len(columns):
        detail = f"The record has {len(values)} fields, the header {len(columns)}; put quotation marks round a value"
        detail += f" that holds a {_DELIMITERS[delimiter]}"
        detail += ", and write decimals with a point." if delimiter == "," else "."
        return BrokenRecord(line, "surplus_fields", detail)
    absent = columns[len(values) :]
    if not OPTIONAL_COLUMNS.issuperset(absent):
        detail = f"The record has {len(values)} fields, the header {len(columns)}: {', '.join(absent)} "
        detail += "have no value; write every field, an empty one too."
        return BrokenRecord(line, "missing_fields", detail)
    return Record(line, dict(zip(columns, values + [""] * len(absent), strict=True)))
