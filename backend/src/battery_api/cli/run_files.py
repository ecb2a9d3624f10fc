"""Recordings of real monitors as CSV files: read, checked, and split into batches for the gateway.

A run has ``time_s`` (seconds from its start) and any of the channels of a battery. Other columns, such as an estimate
of the state of charge, are ignored: senders never set what the platform estimates.
"""

import csv
import gzip
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import orjson

from battery_contracts.channels import BATTERY_CHANNELS

_TIME = "time_s"
_CHANNELS = tuple(channel.name for channel in BATTERY_CHANNELS)


class RecordingRefused(ValueError):
    """The file or an option cannot be used; the message names the line or the option, and the remedy."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A run: increasing ``time_s`` (n,) and the channels that the file has, None where a field is empty."""

    time_s: Sequence[float]
    channels: dict[str, Sequence[float | None]]

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


def read_recording(path: Path) -> Recording:
    """Read a run from CSV, gzipped or not.

    Raises
    ------
    RecordingRefused
        No such file, not CSV, no ``time_s``, no channel, a field that is not a number, or a time that does not rise.
    """
    reader = csv.DictReader(io.StringIO(_text(path)))
    names = [name.strip() for name in reader.fieldnames or []]
    if _TIME not in names:
        raise RecordingRefused(f"{path.name} has no column {_TIME}; its header is: {', '.join(names) or 'empty'}.")
    present = [name for name in _CHANNELS if name in names]
    if not present:
        raise RecordingRefused(f"{path.name} has none of the channels {', '.join(_CHANNELS)}.")
    times: list[float] = []
    values: dict[str, list[float | None]] = {name: [] for name in present}
    for row in reader:
        line = reader.line_num
        time_s = _number(row.get(_TIME), _TIME, line)
        if time_s is None or not math.isfinite(time_s):
            raise RecordingRefused(f"line {line}: {_TIME} is missing or not finite.")
        if times and time_s <= times[-1]:
            raise RecordingRefused(f"line {line}: {_TIME} {time_s:g} is not later than {times[-1]:g}.")
        times.append(time_s)
        for name in present:
            values[name].append(_number(row.get(name), name, line))
    if not times:
        raise RecordingRefused(f"{path.name} has a header but no rows.")
    return Recording(times, dict(values))


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


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
        return (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise RecordingRefused(f"{path}: cannot be read as CSV text ({type(error).__name__}).") from error


def _number(text: str | None, name: str, line: int) -> float | None:
    if text is None or not text.strip():
        return None
    try:
        return float(text)
    except ValueError as error:
        raise RecordingRefused(f"line {line}: {name} is {text!r}, not a number.") from error
