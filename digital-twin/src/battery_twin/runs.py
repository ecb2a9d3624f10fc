"""Recorded runs of one battery, read from CSV and checked; an error names the column and row."""

import csv
import gzip
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from battery_twin.arrays import FloatArray

COLUMNS = ("time_s", "current_a", "voltage_v", "temperature_c")
# The bounds of the gateway for readings; outside them a sensor or a unit is wrong, not a battery.
LIMITS: Mapping[str, tuple[float, float]] = {
    "current_a": (-3000.0, 3000.0),
    "voltage_v": (-30.0, 30.0),
    "temperature_c": (-40.0, 150.0),
}
MAX_ROWS = 2_000_000


class RunInvalid(ValueError):
    """A run cannot be read; carries the column and, where there is one, the row (1 is the first row of data)."""

    def __init__(self, detail: str, *, column: str | None = None, row: int | None = None) -> None:
        parts = [f"row {row}"] if row else []
        if column:
            parts.append(f"column {column}")
        super().__init__(f"{', '.join(parts)}: {detail}" if parts else detail)
        self.column = column
        self.row = row


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """Sensor readings of one battery (m,), oldest first; current is positive while charging."""

    time_s: FloatArray
    current_a: FloatArray
    voltage_v: FloatArray
    temperature_c: FloatArray

    @classmethod
    def of(cls, columns: Mapping[str, Sequence[float] | FloatArray]) -> Self:
        """Build a run from columns of numbers; raises `RunInvalid` for values that no sensor records."""
        arrays = {name: np.asarray(columns[name], dtype=np.float64) for name in COLUMNS}
        lengths = {name: len(values) for name, values in arrays.items()}
        for name, length in lengths.items():
            if length != lengths["time_s"]:
                raise RunInvalid(f"has {length} values where time_s has {lengths['time_s']}", column=name)
        if lengths["time_s"] < 2:
            raise RunInvalid("a run needs at least two rows")
        if lengths["time_s"] > MAX_ROWS:
            raise RunInvalid(f"a run may have at most {MAX_ROWS} rows, this one has {lengths['time_s']}")
        _check_values(arrays)
        return cls(**arrays)

    def __len__(self) -> int:
        return len(self.time_s)

    @property
    def dt_s(self) -> FloatArray:
        """Seconds since the previous row (m,); 0 for the first."""
        return np.diff(self.time_s, prepend=self.time_s[0])

    @property
    def charge_ah(self) -> FloatArray:
        """Ampere-hours counted from the first row (m,), by the trapezoidal rule; falls while discharging."""
        mean_a = 0.5 * (self.current_a[1:] + self.current_a[:-1])
        return np.concatenate(([0.0], np.cumsum(mean_a * np.diff(self.time_s)) / 3600.0))

    @property
    def duration_s(self) -> float:
        """Seconds from the first to the last row."""
        return float(self.time_s[-1] - self.time_s[0])

    def part(self, start: int, stop: int) -> "RecordedRun":
        """Return rows ``start`` to ``stop`` (exclusive), with their original times."""
        window = slice(start, stop)
        return RecordedRun(
            self.time_s[window], self.current_a[window], self.voltage_v[window], self.temperature_c[window]
        )


def read_run(path: Path) -> RecordedRun:
    """Read a run from a CSV file with a header, plain or gzipped; other columns are ignored.

    Raises `RunInvalid` when the file cannot be read or a value is wrong.
    """
    try:
        content = path.read_bytes()
        text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError) as failure:
        raise RunInvalid(f"{path} cannot be read: {failure}") from failure
    return parse_run(text)


def parse_run(text: str) -> RecordedRun:
    """Read a run from the text of a CSV file; raises `RunInvalid` when a value is wrong."""
    reader = csv.reader(io.StringIO(text))
    header = [name.strip() for name in next(reader, [])]
    for name in COLUMNS:
        if header.count(name) != 1:
            problem = "twice" if name in header else "missing"
            raise RunInvalid(f"{problem} in the header ({', '.join(header) or 'empty file'})", column=name)
    positions = [header.index(name) for name in COLUMNS]
    rows = list(_numbers(reader, positions, width=len(header)))
    if not rows:
        raise RunInvalid("no rows below the header")
    return RecordedRun.of(dict(zip(COLUMNS, np.asarray(rows).T, strict=True)))


def _numbers(reader: Iterator[list[str]], positions: list[int], *, width: int) -> Iterator[list[float]]:
    for number, cells in enumerate(reader, start=1):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != width:
            raise RunInvalid(f"has {len(cells)} cells, the header has {width}", row=number)
        values = []
        for name, position in zip(COLUMNS, positions, strict=True):
            try:
                values.append(float(cells[position]))
            except ValueError:
                raise RunInvalid(f"{cells[position]!r} is not a number", column=name, row=number) from None
        yield values


def _check_values(arrays: Mapping[str, FloatArray]) -> None:
    for name, values in arrays.items():
        wrong = ~np.isfinite(values)
        if name in LIMITS:
            low, high = LIMITS[name]
            wrong |= (values < low) | (values > high)
        if wrong.any():
            row = int(np.argmax(wrong))
            bounds = f" within {LIMITS[name][0]:g} to {LIMITS[name][1]:g}" if name in LIMITS else ""
            raise RunInvalid(f"{values[row]!r} is not a finite number{bounds}", column=name, row=row + 1)
    steps = np.diff(arrays["time_s"])
    if (steps <= 0).any():
        row = int(np.argmax(steps <= 0))
        before, after = arrays["time_s"][row : row + 2]
        relation = "repeats" if math.isclose(before, after) else "is earlier than"
        raise RunInvalid(f"{after:g} s {relation} {before:g} s of the row above", column="time_s", row=row + 2)
