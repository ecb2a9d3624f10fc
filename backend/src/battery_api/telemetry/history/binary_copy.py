"""Rows in the binary COPY format of PostgreSQL, built by numpy: a few large memory copies, no object per value.

Rows that lack the same fields have the same layout, so each such group is written as one structured array.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from battery_api.telemetry.store.columns import BoolArray, FloatArray, IntArray

SIGNATURE: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER: Final = b"\xff\xff"
_EPOCH_2000_US: Final = 946_684_800_000_000


@dataclass(frozen=True, slots=True)
class CopyField:
    """One column: values in the server's byte order and which rows (m,) have one."""

    name: str
    values: npt.NDArray[Any]
    present: BoolArray | None = None
    """None: every row has a value."""


def int_field(name: str, values: IntArray, *, width: int = 4) -> CopyField:
    """Make a column of integers of 2, 4 or 8 bytes."""
    return CopyField(name, values.astype(f">i{width}"))


def instant_field(name: str, times_us: IntArray) -> CopyField:
    """Make a column of instants given in microseconds since 1970."""
    return CopyField(name, (times_us - _EPOCH_2000_US).astype(">i8"))


def real_field(name: str, values: FloatArray | npt.NDArray[np.float32], *, double: bool = False) -> CopyField:
    """Make a column of measured values, null where NaN."""
    return CopyField(name, values.astype(">f8" if double else ">f4"), ~np.isnan(values))


def encode_rows(fields: Sequence[CopyField]) -> bytes:
    """Return rows in the binary COPY format, without signature and trailer.

    The order of the rows is kept among those with the same fields missing.
    """
    count = len(fields[0].values)
    if not count:
        return b""
    optional = [field for field in fields if field.present is not None and not field.present.all()]
    pattern = np.zeros(count, np.int64)
    for bit, field in enumerate(optional):
        assert field.present is not None
        pattern |= field.present.astype(np.int64) << bit
    parts = []
    for code in np.unique(pattern).tolist():
        rows = np.flatnonzero(pattern == code) if optional else slice(None)
        missing = {field.name for bit, field in enumerate(optional) if not code >> bit & 1}
        parts.append(_encode_alike(fields, rows, missing))
    return b"".join(parts)


def _encode_alike(fields: Sequence[CopyField], rows: IntArray | slice, missing: set[str]) -> bytes:
    layout: list[tuple[str, str]] = [("columns", ">i2")]
    for field in fields:
        layout.append((f"{field.name}_length", ">i4"))
        if field.name not in missing:
            layout.append((field.name, field.values.dtype.str))
    length = len(fields[0].values[rows])
    table = np.empty(length, np.dtype(layout))
    table["columns"] = len(fields)
    for field in fields:
        if field.name in missing:
            table[f"{field.name}_length"] = -1
        else:
            table[f"{field.name}_length"] = field.values.dtype.itemsize
            table[field.name] = field.values[rows]
    return table.tobytes()
