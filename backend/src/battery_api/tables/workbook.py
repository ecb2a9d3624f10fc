"""Sheets of XLSX workbooks: numbers and dates stay what they are, errors and merged headers are named by address."""

import io
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Final

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum, XmlError

from battery_api.tables.delimited import MAX_ROWS
from battery_api.tables.model import CellValue, Table, TableRefused, TableRow, cleaned, column_letters, shown
from battery_api.tables.workbook_parts import SheetPart, scan_sheet

_MAX_CELLS: Final = 20_000_000
_SHOWN_ADDRESSES: Final = 5
_RawCell = int | float | str | bool | time | date | datetime | timedelta


def read_workbook(content: bytes, sheet: str | None = None) -> Table:
    """Read the only sheet with data of a workbook, or the one that is named.

    Raises
    ------
    TableRefused
        Several sheets hold data and none is named, there is no such sheet, the workbook is damaged or too large, a
        cell holds an error or a formula without a value, or the header has merged or empty cells.
    """
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
        name = _checked_name(content, workbook, sheet)
        part = _bounded(content, name)
        return _table(workbook.get_sheet_by_name(name), part)
    except (CalamineError, XmlError) as error:
        raise TableRefused(f"the workbook cannot be read ({error}); save it again.") from error


def _checked_name(content: bytes, workbook: CalamineWorkbook, sheet: str | None) -> str:
    sheets = [entry for entry in workbook.sheets_metadata if entry.typ == SheetTypeEnum.WorkSheet]
    names = [entry.name for entry in sheets]
    if sheet is not None:
        if sheet not in names:
            raise TableRefused(f"the workbook has no sheet {shown(sheet)!r}; its sheets are: {_listed(names)}.")
        return sheet
    visible = [entry.name for entry in sheets if entry.visible == SheetVisibleEnum.Visible]
    filled = [name for name in visible if scan_sheet(content, name).row_count] if len(visible) > 1 else visible
    if len(filled) > 1:
        raise TableRefused(f"several sheets hold data: {_listed(filled)}; name one of them with sheet.")
    if not filled:
        raise TableRefused("the workbook holds no data in a visible sheet; name the sheet, or fill one in.")
    return filled[0]


def _bounded(content: bytes, name: str) -> SheetPart:
    part = scan_sheet(content, name)
    if part.row_count > MAX_ROWS + 1 or part.row_count * part.column_count > _MAX_CELLS:
        last = f"{column_letters(part.column_count)}{part.row_count}"
        raise TableRefused(
            f"sheet {name!r} reaches to {last}, and at most {MAX_ROWS:,} rows and {_MAX_CELLS:,} cells are read; "
            "delete what lies beyond the table, or split it."
        )
    return part


def _table(sheet: CalamineSheet, part: SheetPart) -> Table:
    rows = _filled_rows(sheet)
    header = next(rows, None)
    if header is None:
        raise TableRefused(f"the file is empty: sheet {sheet.name!r} holds no header.")
    body = list(rows)
    _refuse_addresses(part)
    _require_single_cells(sheet, header.number)
    columns = _columns(header, body)
    names = [_name(header.cells[column]) for column in columns]
    listed = [TableRow(row.number, [row.cells[column] for column in columns]) for row in body]
    return Table(names, header.number, listed, None, columns=[column + 1 for column in columns])


def _filled_rows(sheet: CalamineSheet) -> Iterator[TableRow]:
    for number, raw in enumerate(sheet.to_python(skip_empty_area=False), 1):
        cells = [_value(cell) for cell in raw]
        if any(cell != "" for cell in cells):
            yield TableRow(number, cells)


def _columns(header: TableRow, body: Sequence[TableRow]) -> list[int]:
    """Return the columns with a name; refuse one that holds values and has none."""
    named = []
    for column, cell in enumerate(header.cells):
        if _name(cell):
            named.append(column)
            continue
        below = next((row for row in body if row.cells[column] != ""), None)
        if below is not None:
            letters = column_letters(column + 1)
            raise TableRefused(
                f"row {header.number}: column {letters} has no name in {letters}{header.number}, but a value in "
                f"{letters}{below.number}; name it or delete it."
            )
    return named


def _require_single_cells(sheet: CalamineSheet, number: int) -> None:
    for (first_row, first_column), (last_row, last_column) in sheet.merged_cell_ranges or ():
        if first_row < number <= last_row + 1:
            first = f"{column_letters(first_column + 1)}{first_row + 1}"
            last = f"{column_letters(last_column + 1)}{last_row + 1}"
            raise TableRefused(
                f"row {number}: the cells {first}:{last} of the header are merged; split them and name each column in "
                "one row."
            )


def _refuse_addresses(part: SheetPart) -> None:
    if part.errors:
        address, error = next(iter(part.errors.items()))
        raise TableRefused(
            f"cell {address} holds the error {error}{_others(list(part.errors))}; write the value or empty the cell."
        )
    if part.without_value:
        raise TableRefused(
            f"cell {part.without_value[0]} holds a formula without a value{_others(part.without_value)}; open the "
            "workbook in a spreadsheet and save it, or write the value."
        )


def _others(addresses: Sequence[str]) -> str:
    if len(addresses) == 1:
        return ""
    shown_others = ", ".join(addresses[1 : 1 + _SHOWN_ADDRESSES])
    hidden = len(addresses) - 1 - _SHOWN_ADDRESSES
    return f" (also {shown_others}{f' and {hidden} more' if hidden > 0 else ''})"


def _value(cell: _RawCell) -> CellValue:
    if isinstance(cell, str):
        return cleaned(cell)
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, (int, float)):
        return float(cell)
    if isinstance(cell, (datetime, timedelta)):
        return cell
    if isinstance(cell, date):
        return datetime.combine(cell, time())
    return timedelta(hours=cell.hour, minutes=cell.minute, seconds=cell.second, microseconds=cell.microsecond)


def _name(cell: CellValue) -> str:
    return cell if isinstance(cell, str) else str(cell)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(repr(shown(name)) for name in names) or "none"
