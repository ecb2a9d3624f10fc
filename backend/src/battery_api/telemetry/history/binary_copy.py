"""Rows in PostgreSQL's binary COPY format, made by numpy: a few large copies of memory instead of an object a value.

Rows with the same fields missing have the same layout, so they are written as one structured array each.
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
class Field:
    """One column: values in the server's byte order and which rows (m,) have one."""

    name: str
    values: npt.NDArray[Any]
    present: BoolArray | None = None
    """None: every row has a value."""


def int_field(name: str, values: IntArray, *, width: int = 4) -> Field:
    """Make a column of whole numbers of 2, 4 or 8 bytes."""
    return Field(name, values.astype(f">i{width}"))


def instant_field(name: str, times_us: IntArray) -> Field:
    """Make a column of instants given in microseconds since 1970."""
    return Field(name, (times_us - _EPOCH_2000_US).astype(">i8"))


def real_field(name: str, values: FloatArray | npt.NDArray[np.float32], *, double: bool = False) -> Field:
    """Make a column of measured values, null where NaN."""
    return Field(name, values.astype(">f8" if double else ">f4"), ~np.isnan(values))


def encode_rows(fields: Sequence[Field]) -> bytes:
    """Return rows in the binary COPY format, without signature and trailer.

    The order of the rows is kept among those with the same fields missing.
    """
    count = len(fields[0].values)
    if not count:
        return b""
    optional = [field for field in fields if field.present is not None and not field.present.all()]
    pattern = np.zeros(count, np.int64)
    for at, field in enumerate(optional):
        assert field.present is not None
        pattern |= field.present.astype(np.int64) << at
    parts = []
    for code in np.unique(pattern).tolist():
        rows = np.flatnonzero(pattern == code) if optional else slice(None)
        missing = {field.name for at, field in enumerate(optional) if not code >> at & 1}
        parts.append(_encode_alike(fields, rows, missing))
    return b"".join(parts)


def _encode_alike(fields: Sequence[Field], rows: IntArray | slice, missing: set[str]) -> bytes:
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
