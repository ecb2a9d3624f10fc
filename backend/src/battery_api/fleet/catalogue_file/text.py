"""The table of a fleet file as records: its header is checked, and each record names its columns."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Final

from battery_api.fleet.catalogue_file.formulas import unmarked
from battery_api.fleet.errors import ImportRefused
from battery_api.tables.model import SEPARATORS, RowFault, Table, TableRefused, TableRow, column_letters, shown, text_of
from battery_api.tables.reader import read_table
from battery_contracts.fleet import FLEET_COLUMNS, OPTIONAL_FLEET_COLUMNS, FleetRow

OPTIONAL_COLUMNS: Final = frozenset(name for name, field in FleetRow.model_fields.items() if not field.is_required())
_COLUMNS: Final = frozenset((*FLEET_COLUMNS, *OPTIONAL_FLEET_COLUMNS))


@dataclass(frozen=True, slots=True)
class Record:
    """The cells of one record by column, trimmed; an empty cell is an empty text."""

    line: int
    """Line of the file on which the record begins, or row of the sheet; 1 at the top, blank lines count."""
    cells: dict[str, str]
    letters: Mapping[str, str] = field(default_factory=dict)
    """Letters of each column in the sheet; empty for a text."""
    numbers: frozenset[str] = frozenset()
    """Columns whose cells are numbers in the workbook; empty for a text."""
    dates: frozenset[str] = frozenset()
    """Columns whose cells are dates or times in the workbook."""


@dataclass(frozen=True, slots=True)
class BrokenRecord:
    """A record whose cells cannot be assigned to columns."""

    line: int
    code: str
    detail: str


def read_records(content: bytes, *, sheet: str | None = None) -> Iterator[Record | BrokenRecord]:
    """Yield the records of a file: CSV text with a header, or an XLSX workbook.

    A record without any value is a blank line. After a quotation mark that is never closed nothing more can be read:
    it is the last record.

    Parameters
    ----------
    sheet
        Sheet of a workbook; needed where several hold data.

    Raises
    ------
    ImportRefused
        The file holds no such table, or its header does not name each column once.
    """
    try:
        table = read_table(content, _COLUMNS.__contains__, sheet=sheet)
    except TableRefused as refused:
        raise ImportRefused(_sentence(str(refused))) from refused
    _require_header(table)
    letters = {name: column_letters(number) for name, number in zip(table.names, table.columns, strict=False)}
    for row in table.rows:
        fault = table.shape_fault(row, OPTIONAL_COLUMNS)
        yield _record(table, row, letters) if fault is None else _broken(fault)
    if table.broken is not None:
        yield _broken(table.broken)


def _record(table: Table, row: TableRow, letters: Mapping[str, str]) -> Record:
    given = dict(zip(table.names, row.cells, strict=False))
    cells = dict.fromkeys(table.names, "") | {name: unmarked(text_of(cell)) for name, cell in given.items()}
    numbers = frozenset(name for name, cell in given.items() if isinstance(cell, float))
    dates = frozenset(name for name, cell in given.items() if isinstance(cell, (datetime, timedelta)))
    return Record(row.number, cells, letters, numbers, dates)


def _broken(fault: RowFault) -> BrokenRecord:
    return BrokenRecord(fault.number, fault.code, f"{_sentence(fault.detail)}.")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _require_header(table: Table) -> None:
    names = list(table.names)
    missing = [name for name in FLEET_COLUMNS if name not in names]
    repeated = sorted({name for name in names if name and names.count(name) > 1})
    unknown = [_described(number, name) for number, name in enumerate(names, 1) if name not in _COLUMNS]
    if not (missing or repeated or unknown):
        return
    detail = f"{_sentence(table.row_word)} {table.header_number} must name each column once"
    detail += "." if table.separator is None else f", separated by {SEPARATORS[table.separator]}s."
    detail += f" Missing: {', '.join(missing)}; add them." if missing else ""
    detail += f" More than once: {', '.join(repeated)}; keep one of each." if repeated else ""
    detail += f" Unknown: {', '.join(unknown)}; remove or rename them." if unknown else ""
    raise ImportRefused(detail)


def _described(number: int, name: str) -> str:
    if not name:
        return f"column {number} without a name"
    similar = get_close_matches(name.lower().replace(" ", "_"), FLEET_COLUMNS, n=1, cutoff=0.8)
    return f"{shown(name)} ({similar[0]}?)" if similar else shown(name)
