"""Rows of a recording as numbers; a line that is not understood becomes a fault with its line and column."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from pydantic import TypeAdapter, ValidationError

from battery_api.cli.number_cells import NotANumber
from battery_api.cli.recording_refused import RecordingRefused
from battery_api.cli.run_columns import BATTERY_ID, ChosenColumns, MeasuredColumn
from battery_api.cli.run_values import number_of, require_clear_commas, torn_value
from battery_api.cli.time_forms import NotATime
from battery_api.tables.model import Table, TableRow, shown, text_of
from battery_contracts.ids import BatteryId

_LONGEST_S: Final = 10 * 365.25 * 86_400
"""No monitor records ten years in one run; an instant counted from 1970 is always longer."""
_EPOCH_UNITS: Final = ((1e17, 1e9, "nanoseconds"), (1e14, 1e6, "microseconds"), (1e11, 1e3, "milliseconds"))
_LATEST_EPOCH_S: Final = 4_102_444_800.0
"""2100-01-01."""
_SERIAL_DAYS: Final = (36_526.0, 73_051.0)
"""2000-01-01 and 2100-01-01 as days of a spreadsheet."""
_BATTERY_IDS: Final = TypeAdapter(BatteryId)
RowTime = Callable[[TableRow], float | datetime]
"""Returns the seconds of a row since the start of the run, or its instant; raises NotATime or NotANumber."""


@dataclass(frozen=True, slots=True)
class RunRow:
    """One row: its line in the file, its time (seconds or instant), battery and values in the order of the channels."""

    line: int
    time: float | datetime
    battery_id: str | None
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class LineFault:
    """Why a line is refused."""

    line: int
    detail: str
    row_word: str = "line"

    def __str__(self) -> str:
        return f"{self.row_word} {self.line}: {self.detail}."


class _FaultInLine(ValueError):
    """The line being read is refused; the message says why."""


def read_rows(table: Table, columns: ChosenColumns, instant_of: RowTime | None) -> tuple[list[RunRow], list[LineFault]]:
    """Return the rows that are understood, and why the other lines are not.

    Parameters
    ----------
    instant_of
        Reads the instant of a row; None for a table with durations.

    Raises
    ------
    RecordingRefused
        It is not clear what the commas in the numbers mean, or the times are dates of a spreadsheet.
    """
    durations = columns.time.positions if instant_of is None else ()
    positions = [*durations, *(column.position for column in columns.channels)]
    require_clear_commas(table, positions)
    time_of = instant_of or _duration(columns)
    rows: list[RunRow] = []
    faults: list[LineFault] = []
    latest: dict[str | None, RunRow] = {}
    for row in table.rows:
        try:
            read = _read(table, columns, row, time_of)
            _check_order(table, columns, read, latest.get(read.battery_id))
            _check_complete(table, columns, row)
            latest[read.battery_id] = read
            rows.append(read)
        except _FaultInLine as fault:
            faults.append(LineFault(row.number, str(fault), table.row_word))
    if instant_of is None:
        _check_serial_days(table, columns, rows)
    return rows, faults


def _read(table: Table, columns: ChosenColumns, row: TableRow, time_of: RowTime) -> RunRow:
    shape_fault = table.shape_fault(row)
    if shape_fault is not None:
        raise _FaultInLine(shape_fault.detail)
    time_label = table.label(row, columns.time.position)
    try:
        time = time_of(row)
    except (NotATime, NotANumber) as error:
        raise _FaultInLine(f"{time_label} {error}") from error
    values = [_value(table, row, column) for column in columns.channels]
    if all(value is None for value in values):
        raise _FaultInLine(f"no value of {', '.join(column.name for column in columns.channels)}; delete the line")
    return RunRow(row.number, time, _battery_id(table, columns, row), values)


def _value(table: Table, row: TableRow, column: MeasuredColumn) -> float | None:
    label = table.label(row, column.position)
    try:
        number = number_of(row.cells[column.position])
        return None if number is None else column.heading.unit.convert(number)
    except ZeroDivisionError as error:
        raise _FaultInLine(f"{label} is a conductance of 0, of which there is no resistance; empty the cell") from error
    except NotANumber as error:
        torn = "; the file ends within this line" if row.is_unterminated else ""
        raise _FaultInLine(f"{label} {error}{torn}") from error


def _battery_id(table: Table, columns: ChosenColumns, row: TableRow) -> str | None:
    if columns.battery is None:
        return None
    text = text_of(row.cells[columns.battery])
    try:
        return _BATTERY_IDS.validate_python(text)
    except ValidationError as error:
        label = table.label(row, columns.battery)
        what = f"is {shown(text)!r}, not a {BATTERY_ID}" if text else "is missing"
        raise _FaultInLine(f"{label} {what}; write it like BAT-DC-CNX-01-UPS-01-STR-01-001") from error


def _duration(columns: ChosenColumns) -> RowTime:
    position, unit_s = columns.time.position, columns.time.seconds or 1.0

    def read(row: TableRow) -> float:
        number = number_of(row.cells[position])
        if number is None:
            raise NotANumber("is missing")
        time_s = number * unit_s
        if abs(time_s) > _LONGEST_S:
            raise NotANumber(_not_a_duration(number, time_s))
        return time_s

    return read


def _check_order(table: Table, columns: ChosenColumns, row: RunRow, earlier: RunRow | None) -> None:
    if earlier is None:
        return
    # Times that differ by less than a microsecond would be one instant to the gateway.
    if isinstance(row.time, datetime) and isinstance(earlier.time, datetime):
        is_later = row.time > earlier.time
    else:
        assert isinstance(row.time, float)
        assert isinstance(earlier.time, float)
        is_later = round(row.time * 1e6) > round(earlier.time * 1e6)
    if is_later:
        return
    of_battery = f" of {row.battery_id}" if row.battery_id else ""
    raise _FaultInLine(
        f"{table.names[columns.time.position]} {_shown_time(row.time)} is not later than {_shown_time(earlier.time)} "
        f"in {table.row_word} {earlier.line}{of_battery}"
    )


def _check_complete(table: Table, columns: ChosenColumns, row: TableRow) -> None:
    torn = torn_value(table, [column.position for column in columns.channels], row) if row.is_unterminated else None
    if torn is not None:
        raise _FaultInLine(torn)


def _shown_time(time: float | datetime) -> str:
    """Return a time as messages show it."""
    if isinstance(time, datetime):
        return time.isoformat().replace("+00:00", "Z")
    return f"{time:.15g}"


def _check_serial_days(table: Table, columns: ChosenColumns, rows: Sequence[RunRow]) -> None:
    times = [row.time for row in rows if isinstance(row.time, float)]
    if len(times) < 2 or not _SERIAL_DAYS[0] <= times[0] <= times[-1] <= _SERIAL_DAYS[1]:
        return
    mean_step_s = (times[-1] - times[0]) / (len(times) - 1)
    if mean_step_s < 0.1 and any(time % 1 for time in times):
        name = table.names[columns.time.position]
        raise RecordingRefused(
            f"{table.row_word} {rows[0].line}: {name} counts seconds from --start; {times[0]:.10g} with steps of "
            f"{mean_step_s:.3g} looks like a date of a spreadsheet in days; name the column time and give --zone."
        )


def _not_a_duration(number: float, time_s: float) -> str:
    text = f"counts seconds from --start; {number:.15g}"
    if time_s < 0:
        return f"{text} is more than ten years before it"
    scale, unit = next(((scale, unit) for above, scale, unit in _EPOCH_UNITS if number >= above), (1.0, "seconds"))
    epoch_s = number / scale
    if not math.isfinite(epoch_s) or epoch_s > _LATEST_EPOCH_S:
        return f"{text} is longer than ten years; this looks like an epoch or another unit"
    began = datetime.fromtimestamp(epoch_s, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return (
        f"{text} is longer than ten years; this looks like an epoch in {unit} ({began}): name the column time instead"
    )
