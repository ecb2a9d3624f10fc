"""Values in the cells of a recording: numbers of a workbook as they are, texts by the grammar of plain decimals."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from battery_api.cli.number_cells import (
    NotANumber,
    are_decimal_commas,
    decimals_in,
    has_comma,
    has_point,
    number_in,
)
from battery_api.cli.recording_refused import RecordingRefused
from battery_api.tables.model import CellValue, Table, TableRow, text_of

_TORN_AFTER: Final = 2
"""So many values with equal decimals show how many decimals a column has."""


def number_of(cell: CellValue) -> float | None:
    """Return the number in a cell, None if it is empty.

    Raises
    ------
    NotANumber
        The cell holds something else; the message says what it is and the remedy.
    """
    if isinstance(cell, float):
        return cell
    if isinstance(cell, (datetime, timedelta)):
        kind = "date" if isinstance(cell, datetime) else "time of day"
        raise NotANumber(f"is the {kind} {text_of(cell)} in the workbook; format the column as numbers, write it again")
    return number_in(cell) if cell else None


def require_clear_commas(table: Table, positions: Sequence[int]) -> None:
    """Check that it is clear what the commas in the numbers of a table mean.

    Raises
    ------
    RecordingRefused
        Some numbers have commas and others points, or the commas may separate thousands.
    """
    texts = [
        (row, position, cell)
        for row in table.rows
        if table.shape_fault(row) is None
        for position in positions
        if isinstance(cell := row.cells[position], str)
    ]
    comma = next(((row, position, cell) for row, position, cell in texts if has_comma(cell)), None)
    if comma is None:
        return
    point = next(((row, position, cell) for row, position, cell in texts if has_point(cell)), None)
    first = f"{table.row_word} {comma[0].number}: {table.label(comma[0], comma[1])} is {comma[2]!r}"
    if point is not None:
        raise RecordingRefused(
            f"{first}, but {table.row_word} {point[0].number} has {table.label(point[0], point[1])} {point[2]!r}; "
            "write every number with a decimal point."
        )
    if not are_decimal_commas(cell for _, _, cell in texts):
        raise RecordingRefused(
            f"{first}, which is a decimal comma or a separator of thousands; write every number with a decimal point."
        )


def torn_value(table: Table, positions: Sequence[int], row: TableRow) -> str | None:
    """Return why the last value of a line without a line break may be torn.

    It is missing, or shorter than every value above it.
    """
    position = len(row.cells) - 1
    if position not in positions:
        return None
    above = [text_of(other.cells[position]) for other in table.rows if other is not row and len(other.cells) > position]
    decimals = {decimals_in(cell) if cell else -1 for cell in above}
    text = text_of(row.cells[position])
    own = decimals_in(text) if text else -1
    if len(above) < _TORN_AFTER or len(decimals) != 1 or own >= min(decimals):
        return None
    shown = f"{text} has fewer decimals than" if own >= 0 else "is empty, unlike"
    return (
        f"{table.names[position]} {shown} the lines above, and no line break follows it; the recording may be "
        "torn: complete the number, or end the line if it is complete"
    )
