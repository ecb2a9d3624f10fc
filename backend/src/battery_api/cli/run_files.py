"""Recordings of real monitors as files: read, checked, and split into batches for the gateway.

A run has times (``time_s``, seconds from its start, or instants) and any of the channels of a battery. The reader is as
strict as the API behind it: a line is either understood as it was meant, or refused by its number.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import orjson

from battery_api.cli.recording_refused import RecordingRefused
from battery_api.cli.run_columns import ChosenColumns, choose_columns, is_known
from battery_api.cli.run_rows import LineFault, RunRow, read_rows
from battery_api.cli.run_times import TimeOptions, instants_of
from battery_api.cli.unit_faults import unit_fault
from battery_api.tables.model import Table, TableRefused
from battery_api.tables.reader import read_table_file

_SHOWN_FAULTS: Final = 10


@dataclass(frozen=True, slots=True)
class Recording:
    """A run: times ``time_s`` (n,) and the channels that the file has, None where a field is empty."""

    time_s: Sequence[float]
    """Seconds since the start of the run, or since ``origin``; they rise for each battery."""
    channels: dict[str, Sequence[float | None]]
    line: Sequence[int] = ()
    """Line of the file (n,) that each row was read from."""
    ignored: Sequence[str] = ()
    """Columns of the file that are not sent."""
    faults: Sequence[LineFault] = field(default=())
    """Lines that were refused; empty unless the reader was asked to go on without them."""
    origin: datetime | None = None
    """Instant of ``time_s`` = 0 as the file states it; None for a file with durations."""
    battery_ids: Sequence[str] = ()
    """Battery of each row (n,); empty if the file names none."""
    conversions: dict[str, str] = field(default_factory=dict)
    """How the values of a channel were converted, where its column has another unit."""
    time_description: str = ""
    """How the instants were understood; empty for a file with durations."""

    @property
    def row_count(self) -> int:
        """Number of rows."""
        return len(self.time_s)


@dataclass(frozen=True, slots=True)
class RecordedBatch:
    """Consecutive rows as a request body."""

    body: bytes
    first_row: int
    row_count: int
    last_time: datetime


def read_recording(
    path: Path,
    *,
    ignore: Collection[str] = (),
    skip_refused: bool = False,
    sheet: str | None = None,
    times: TimeOptions | None = None,
    keep_units: bool = False,
) -> Recording:
    """Read a run from CSV text, gzipped or not, or from an XLSX workbook.

    Parameters
    ----------
    ignore
        Columns of the file that are not sent.
    skip_refused
        Whether to go on without the lines that are refused, and list them in `Recording.faults`.
    sheet
        Sheet of a workbook; needed where several hold data.
    times
        What the sender says of the instants in the file.
    keep_units
        Whether to send values that the nameplates do not allow in the unit of their heading.

    Raises
    ------
    RecordingRefused
        No table, no time, no channel, a column that is unknown or occurs twice, instants or units that are not clear;
        or, unless ``skip_refused``, a line that is not understood: another number of cells than the header, a field
        that is not a number, no value, a time that does not rise or is no duration.
    """
    table = _table(path, sheet)
    columns = choose_columns(table, path.name, ignore)
    instants = None
    if columns.time.seconds is None:
        instants = instants_of(table, columns.time, times or TimeOptions())
    elif times is not None and times != TimeOptions():
        raise RecordingRefused(
            "--zone, --date-order and --calendar are for a column of instants; the file has durations."
        )
    rows, faults = read_rows(table, columns, instants.read if instants else None)
    if faults and not skip_refused:
        raise RecordingRefused(_refusal(table, faults))
    if not rows:
        raise RecordingRefused(f"{path.name} has a header but no rows{' that can be sent' if faults else ''}.")
    recording = _recording(columns, rows, faults, instants.description if instants else "")
    if not keep_units:
        _require_units(columns, recording)
    return recording


def batches(
    recording: Recording, battery_id: str | None, start: datetime, *, speed: float = 1.0, size: int = 1000
) -> Iterator[RecordedBatch]:
    """Split a run into batches of at most ``size`` rows; ``speed`` divides the time between rows.

    ``battery_id`` is that of every row, None if the file names them.
    """
    for first in range(0, recording.row_count, size):
        rows = slice(first, first + size)
        instants = [start + timedelta(seconds=time_s / speed) for time_s in recording.time_s[rows]]
        columns: dict[str, Sequence[str | float | None]] = {
            "battery_id": recording.battery_ids[rows] if recording.battery_ids else [battery_id] * len(instants),
            "time": [instant.isoformat().replace("+00:00", "Z") for instant in instants],
            **{name: list(values[rows]) for name, values in recording.channels.items()},
        }
        yield RecordedBatch(orjson.dumps({"columns": columns}), first, len(instants), max(instants))


def _recording(
    columns: ChosenColumns, rows: Sequence[RunRow], faults: Sequence[LineFault], time_description: str
) -> Recording:
    origin = rows[0].time if isinstance(rows[0].time, datetime) else None
    units = {column.channel: column for column in columns.channels if column.heading.unit.description}
    return Recording(
        time_s=[_seconds(row.time, origin) for row in rows],
        channels={column.channel: [row.values[slot] for row in rows] for slot, column in enumerate(columns.channels)},
        line=[row.line for row in rows],
        ignored=columns.ignored,
        faults=faults,
        origin=origin,
        battery_ids=[row.battery_id for row in rows if row.battery_id is not None],
        conversions={
            channel: f"{column.name!r} in {column.heading.unit.symbol}, {column.heading.unit.description}"
            for channel, column in units.items()
        },
        time_description=time_description,
    )


def _seconds(time: float | datetime, origin: datetime | None) -> float:
    if isinstance(time, datetime):
        assert origin is not None
        return (time - origin).total_seconds()
    return time


def _require_units(columns: ChosenColumns, recording: Recording) -> None:
    for column in columns.channels:
        fault = unit_fault(column, recording.channels[column.channel])
        if fault is not None:
            raise RecordingRefused(fault)


def _refusal(table: Table, faults: Sequence[LineFault]) -> str:
    shown = [str(fault) for fault in faults[:_SHOWN_FAULTS]]
    hidden = len(faults) - len(shown)
    if hidden:
        shown.append(f"and {hidden} more {table.row_word}s.")
    shown.append(
        f"Nothing was sent: {len(faults)} of {len(table.rows)} {table.row_word}s {'is' if len(faults) == 1 else 'are'} "
        "refused. Correct the file, or send the others with --skip-refused."
    )
    return "\n".join(shown)


def _table(path: Path, sheet: str | None) -> Table:
    try:
        table = read_table_file(path, is_known, sheet=sheet)
    except TableRefused as refused:
        raise RecordingRefused(f"{path}: {refused}") from refused
    if table.broken is not None:
        raise RecordingRefused(f"{path}: {table.row_word} {table.broken.number}: {table.broken.detail}.")
    return table
