"""The fleet as a catalogue file, CSV or workbook, which the import reads again without any change."""

import csv
import io
from collections.abc import Collection, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Final

import numpy as np
import xlsxwriter
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.db.bangkok import ZONE, midnight_of, operating_day
from battery_api.fleet.catalogue_file.formulas import marked
from battery_api.fleet.export_repository import CatalogueRow, catalogue_rows
from battery_contracts.fleet import FLEET_COLUMNS, OPTIONAL_FLEET_COLUMNS

_COLUMNS: Final = (*FLEET_COLUMNS, *OPTIONAL_FLEET_COLUMNS)
_SINGLE: Final = ("altitude_m", "rated_power_kva", "baseline_resistance_mohm", "baseline_temperature_c")
"""Columns that are stored in single precision: their shortest digits are written, 3.51 and not 3.5099999904632568."""
_SHEET: Final = "Fleet"
_Cell = str | int | float | date | None


class CatalogueFormat(StrEnum):
    """Format of a catalogue file."""

    CSV = "csv"
    XLSX = "xlsx"


MEDIA_TYPES: Final = {
    CatalogueFormat.CSV: "text/csv; charset=utf-8",
    CatalogueFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


async def read_catalogue_lines(connection: AsyncConnection, visible: Collection[str] | None) -> list[dict[str, _Cell]]:
    """Return one line per battery in its position, by column; ``visible`` limits them to these locations."""
    return [_line(row) for row in await catalogue_rows(connection, visible)]


def catalogue_file(lines: Sequence[dict[str, _Cell]], file_format: CatalogueFormat) -> bytes:
    """Return a catalogue file of lines."""
    return _csv(lines) if file_format is CatalogueFormat.CSV else _workbook(lines)


def _line(row: CatalogueRow) -> dict[str, _Cell]:
    values = row._asdict()
    installed_at, retired_at = values.pop("installed_at"), values.pop("retired_at")
    values |= {name: _shortest(values[name]) for name in _SINGLE}
    values["installed_on"] = _day_or_instant(installed_at)
    # A retired battery stays as it is when it is imported: the day is enough.
    values["retired_on"] = None if retired_at is None else operating_day(retired_at)
    return {name: values[name] for name in _COLUMNS}


def _shortest(value: float | None) -> float | None:
    return None if value is None else float(str(np.float32(value)))


def _day_or_instant(instant: datetime) -> date | str:
    day = operating_day(instant)
    return day if midnight_of(day) == instant else instant.astimezone(ZONE).isoformat()


def _csv(lines: Sequence[dict[str, _Cell]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    for line in lines:
        writer.writerow([marked(cell) if isinstance(cell, str) else _plain(cell) for cell in line.values()])
    # With the mark a spreadsheet reads Thai names as UTF-8.
    return text.getvalue().encode("utf-8-sig")


def _plain(cell: float | date | None) -> float | date | str:
    if cell is None:
        return ""
    return int(cell) if isinstance(cell, float) and cell.is_integer() else cell


def _workbook(lines: Sequence[dict[str, _Cell]]) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        sheet = book.add_worksheet(_SHEET)
        # With the prefix a text stays one where somebody edits it, also one that looks like a formula.
        as_text = book.add_format({"num_format": "@", "quote_prefix": True})
        as_day = book.add_format({"num_format": "yyyy-mm-dd"})
        # What is added below keeps the format, so that a serial number typed there keeps its leading zeros.
        sheet.set_column(_COLUMNS.index("serial_number"), _COLUMNS.index("serial_number"), 20, as_text)
        sheet.freeze_panes(1, 0)
        for column, name in enumerate(_COLUMNS):
            sheet.write_string(0, column, name)
        for number, line in enumerate(lines, 1):
            for column, cell in enumerate(line.values()):
                if isinstance(cell, str):
                    # The import takes a leading apostrophe for a mark.
                    sheet.write_string(number, column, marked(cell) if cell.startswith("'") else cell, as_text)
                elif isinstance(cell, date):
                    sheet.write_datetime(number, column, datetime.combine(cell, datetime.min.time()), as_day)
                elif cell is not None:
                    sheet.write_number(number, column, cell)
    return buffer.getvalue()
