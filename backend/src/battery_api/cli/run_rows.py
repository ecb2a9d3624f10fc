"""Rows of a recording as numbers; a line that is not understood becomes a fault with its line and column."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from battery_api.cli.csv_cells import CsvRow, CsvTable, RecordingRefused
from battery_api.cli.number_cells import (
    NotANumber,
    are_decimal_commas,
    decimals_in,
    has_comma,
    has_point,
    number_in,
)
from battery_api.cli.run_columns import TIME, ChosenColumns

_LONGEST_S: Final = 10 * 365.25 * 86_400
"""No monitor records ten years in one run; an instant counted from 1970 is always longer."""
_EPOCH_UNITS: Final = ((1e17, 1e9, "nanoseconds"), (1e14, 1e6, "microseconds"), (1e11, 1e3, "milliseconds"))
_LATEST_EPOCH_S: Final = 4_102_444_800.0
"""2100-01-01."""
_SERIAL_DAYS: Final = (36_526.0, 73_051.0)
"""2000-01-01 and 2100-01-01 as days of a spreadsheet."""
_TORN_AFTER: Final = 2
"""So many values with equal decimals show how many decimals a column has."""


@dataclass(frozen=True, slots=True)
class RunRow:
    """One row: its line in the file, its time [s] and its values in the order of the channels."""

    line: int
    time_s: float
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class LineFault:
    """Why a line is refused."""

    line: int
    detail: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.detail}."


class _FaultInLine(ValueError):
    """The line being read is refused; the message says why."""


def read_rows(table: CsvTable, columns: ChosenColumns) -> tuple[list[RunRow], list[LineFault]]:
    """Return the rows that are understood, and why the other lines are not.

    Raises
    ------
    RecordingRefused
        It is not clear what the commas in the numbers mean, or the times are dates of a spreadsheet.
    """
    _check_commas(table, columns)
    rows: list[RunRow] = []
    faults: list[LineFault] = []
    for row in table.rows:
        try:
            read = _read(table, columns, row)
            _check_order(read, rows)
            if row.is_unterminated:
                _check_complete(table, columns, row)
            rows.append(read)
        except _FaultInLine as fault:
            faults.append(LineFault(row.line, str(fault)))
    _check_serial_days(rows)
    return rows, faults


def _read(table: CsvTable, columns: ChosenColumns, row: CsvRow) -> RunRow:
    shape_fault = table.shape_fault(row)
    if shape_fault is not None:
        raise _FaultInLine(shape_fault)
    time_s = _number(row, TIME, columns.time)
    if time_s is None:
        raise _FaultInLine(f"{TIME} is missing")
    if abs(time_s) > _LONGEST_S:
        raise _FaultInLine(_not_a_duration(time_s))
    values = [_number(row, name, position) for name, position in columns.channels.items()]
    if all(value is None for value in values):
        raise _FaultInLine(f"no value of {', '.join(columns.channels)}; delete the line")
    return RunRow(row.line, time_s, values)


def _number(row: CsvRow, name: str, position: int) -> float | None:
    cell = row.cells[position]
    if not cell:
        return None
    try:
        return number_in(cell)
    except NotANumber as error:
        torn = "; the file ends within this line" if row.is_unterminated else ""
        raise _FaultInLine(f"{name} {error}{torn}") from error


def _check_order(row: RunRow, earlier: Sequence[RunRow]) -> None:
    # Times that differ by less than a microsecond would be one instant to the gateway.
    if earlier and round(row.time_s * 1e6) <= round(earlier[-1].time_s * 1e6):
        raise _FaultInLine(
            f"{TIME} {row.time_s:.15g} is not later than {earlier[-1].time_s:.15g} in line {earlier[-1].line}"
        )


def _check_complete(table: CsvTable, columns: ChosenColumns, row: CsvRow) -> None:
    """Refuse a last line without a line break whose last value is missing or shorter than every value above it."""
    position = len(row.cells) - 1
    if position not in columns.channels.values():
        return
    above = [other.cells[position] for other in table.rows if other is not row and len(other.cells) > position]
    decimals = {decimals_in(cell) if cell else -1 for cell in above}
    own = decimals_in(row.cells[position]) if row.cells[position] else -1
    if len(above) >= _TORN_AFTER and len(decimals) == 1 and own < min(decimals):
        shown = f"{row.cells[position]} has fewer decimals than" if own >= 0 else "is empty, unlike"
        raise _FaultInLine(
            f"{table.names[position]} {shown} the lines above, and no line break follows it; the recording may be "
            "torn: complete the number, or end the line if it is complete"
        )


def _check_commas(table: CsvTable, columns: ChosenColumns) -> None:
    positions = [columns.time, *columns.channels.values()]
    numbers = [
        (row, position, row.cells[position])
        for row in table.rows
        if table.shape_fault(row) is None
        for position in positions
    ]
    comma = next(((row, position) for row, position, cell in numbers if has_comma(cell)), None)
    if comma is None:
        return
    point = next(((row, position) for row, position, cell in numbers if has_point(cell)), None)
    first = f"line {comma[0].line}: {table.names[comma[1]]} is {comma[0].cells[comma[1]]!r}"
    if point is not None:
        raise RecordingRefused(
            f"{first}, but line {point[0].line} has {table.names[point[1]]} {point[0].cells[point[1]]!r}; "
            "write every number with a decimal point."
        )
    if not are_decimal_commas(cell for _, _, cell in numbers):
        raise RecordingRefused(
            f"{first}, which is a decimal comma or a separator of thousands; write every number with a decimal point."
        )


def _check_serial_days(rows: Sequence[RunRow]) -> None:
    if len(rows) < 2 or not _SERIAL_DAYS[0] <= rows[0].time_s <= rows[-1].time_s <= _SERIAL_DAYS[1]:
        return
    mean_step_s = (rows[-1].time_s - rows[0].time_s) / (len(rows) - 1)
    if mean_step_s < 0.1 and any(row.time_s % 1 for row in rows):
        raise RecordingRefused(
            f"line {rows[0].line}: {TIME} counts seconds from --start; {rows[0].time_s:.10g} with steps of "
            f"{mean_step_s:.3g} looks like a date of a spreadsheet in days; multiply by 86400 and subtract the first."
        )


def _not_a_duration(time_s: float) -> str:
    text = f"{TIME} counts seconds from --start; {time_s:.15g}"
    if time_s < 0:
        return f"{text} is more than ten years before it"
    scale, unit = next(((scale, unit) for above, scale, unit in _EPOCH_UNITS if time_s >= above), (1.0, "seconds"))
    epoch_s = time_s / scale
    if not math.isfinite(epoch_s) or epoch_s > _LATEST_EPOCH_S:
        return f"{text} is longer than ten years; this looks like an epoch or another unit"
    began = datetime.fromtimestamp(epoch_s, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return (
        f"{text} is longer than ten years; this looks like an epoch in {unit} ({began}): "
        f"give the first as --start and write {TIME} as the seconds since then"
    )
