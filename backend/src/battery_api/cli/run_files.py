"""Recordings of real monitors as CSV files: read, checked, and split into batches for the gateway.

A run has ``time_s`` (seconds from its start) and any of the channels of a battery. The reader is as strict as the API
behind it: a line is either understood as it was meant, or refused by its number.
"""

import gzip
import zlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import orjson

from battery_api.cli.csv_cells import CsvTable, RecordingRefused, parse_csv
from battery_api.cli.run_columns import ChosenColumns, choose_columns
from battery_api.cli.run_rows import LineFault, RunRow, read_rows

_SHOWN_FAULTS = 10


@dataclass(frozen=True, slots=True)
class Recording:
    """A run: increasing ``time_s`` (n,) and the channels that the file has, None where a field is empty."""

    time_s: Sequence[float]
    channels: dict[str, Sequence[float | None]]
    line: Sequence[int] = ()
    """Line of the file (n,) that each row was read from."""
    ignored: Sequence[str] = ()
    """Columns of the file that are not sent."""
    faults: Sequence[LineFault] = field(default=())
    """Lines that were refused; empty unless the reader was asked to go on without them."""

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


def read_recording(path: Path, *, ignore: Collection[str] = (), skip_refused: bool = False) -> Recording:
    """Read a run from CSV, gzipped or not.

    Parameters
    ----------
    ignore
        Columns of the file that are not sent.
    skip_refused
        Whether to go on without the lines that are refused, and list them in `Recording.faults`.

    Raises
    ------
    RecordingRefused
        No such file, not CSV, no ``time_s``, no channel, a column that is unknown or occurs twice; or, unless
        ``skip_refused``, a line that is not understood: another number of cells than the header, a field that is not
        a number, no value, a time that does not rise or is no duration.
    """
    table = parse_csv(_text(path))
    columns = choose_columns(table, path.name, ignore)
    rows, faults = read_rows(table, columns)
    if faults and not skip_refused:
        raise RecordingRefused(_refusal(table, faults))
    if not rows:
        raise RecordingRefused(f"{path.name} has a header but no rows{' that can be sent' if faults else ''}.")
    return _recording(columns, rows, faults)


def batches(
    recording: Recording, battery_id: str, start: datetime, *, speed: float = 1.0, size: int = 1000
) -> Iterator[RecordedBatch]:
    """Split a run into batches of at most ``size`` rows; ``speed`` divides the time between rows."""
    for first in range(0, recording.row_count, size):
        rows = slice(first, first + size)
        instants = [start + timedelta(seconds=time_s / speed) for time_s in recording.time_s[rows]]
        columns = {
            "battery_id": [battery_id] * len(instants),
            "time": [instant.isoformat().replace("+00:00", "Z") for instant in instants],
            **{name: list(values[rows]) for name, values in recording.channels.items()},
        }
        yield RecordedBatch(orjson.dumps({"columns": columns}), first, len(instants), instants[-1])


def _recording(columns: ChosenColumns, rows: Sequence[RunRow], faults: Sequence[LineFault]) -> Recording:
    return Recording(
        time_s=[row.time_s for row in rows],
        channels={name: [row.values[slot] for row in rows] for slot, name in enumerate(columns.channels)},
        line=[row.line for row in rows],
        ignored=columns.ignored,
        faults=faults,
    )


def _refusal(table: CsvTable, faults: Sequence[LineFault]) -> str:
    shown = [str(fault) for fault in faults[:_SHOWN_FAULTS]]
    hidden = len(faults) - len(shown)
    if hidden:
        shown.append(f"and {hidden} more lines.")
    total = len(table.rows)
    shown.append(
        f"Nothing was sent: {len(faults)} of {total} lines {'is' if len(faults) == 1 else 'are'} refused. "
        "Correct the file, or send the other lines with --skip-refused."
    )
    return "\n".join(shown)


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
        return (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RecordingRefused(f"{path}: cannot be read as CSV text; save it as CSV in UTF-8.") from error
    except (OSError, EOFError, zlib.error) as error:
        raise RecordingRefused(f"{path}: cannot be read as CSV text ({type(error).__name__}).") from error
