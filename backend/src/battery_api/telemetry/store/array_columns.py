"""Columns of many rows as NumPy arrays, read in the server's binary form: no Python object per row and value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.db.fetching import fetch_all
from battery_api.telemetry.store.columns import FloatArray, IntArray
from battery_api.telemetry.store.instants import EPOCH, NEVER, microseconds

ColumnKind = Literal["smallint", "int", "bigint", "real", "instant"]


class _Wire(NamedTuple):
    """How the server sends one element: its width, and what stands for null."""

    dtype: str
    null: str


_WIRE: Final[Mapping[ColumnKind, _Wire]] = {
    "smallint": _Wire(">i2", "0::smallint"),
    "int": _Wire(">i4", "0"),
    "bigint": _Wire(">i8", "0::bigint"),
    "real": _Wire(">f4", "'NaN'::real"),
    "instant": _Wire(">i8", "'-infinity'::timestamptz"),
}
_HEADER_BYTES: Final = 20
"""Of a one-dimensional array: dimensions, null flag, element type, length, lower bound; four bytes each."""
_SERVER_EPOCH_US: Final = microseconds(EPOCH.replace(year=2000))
_NEVER_ON_WIRE: Final = int(np.iinfo(np.int64).min)


@dataclass(frozen=True, slots=True)
class ArrayColumn:
    """A column to read: its name, its kind and the SQL expression, the column itself if empty."""

    name: str
    kind: ColumnKind
    expression: str = ""


async def read_arrays(
    connection: AsyncConnection, columns: Sequence[ArrayColumn], source: str, parameters: tuple[Any, ...]
) -> dict[str, npt.NDArray[Any]]:
    """Return columns (n,) of the rows of ``source``, an SQL query in the order wanted.

    Integers come as int64, null as 0; reals as float64, null as NaN; instants as microseconds since 1970, null as
    `NEVER`.
    """
    return _decoded(columns, await _aggregate(connection, [_sent(column) for column in columns], source, parameters))


async def read_arrays_and_objects(
    connection: AsyncConnection,
    columns: Sequence[ArrayColumn],
    objects: str,
    source: str,
    parameters: tuple[Any, ...],
) -> tuple[dict[str, npt.NDArray[Any]], Sequence[Any]]:
    """Return columns as `read_arrays` does, and one further column as the objects that the driver makes of it."""
    selected = [*(_sent(column) for column in columns), f"array_agg({objects})"]
    *sent, made = await _aggregate(connection, selected, source, parameters)
    return _decoded(columns, sent), made or []


async def _aggregate(
    connection: AsyncConnection, selected: Sequence[str], source: str, parameters: tuple[Any, ...]
) -> Sequence[Any]:
    statement = f"select {', '.join(selected)} from ({source}) as source"  # names of the code
    row: Sequence[Any] = (await fetch_all(connection, statement, parameters))[0]
    return row


def _decoded(columns: Sequence[ArrayColumn], sent: Sequence[bytes | None]) -> dict[str, npt.NDArray[Any]]:
    return {column.name: decode_array(one, column.kind) for column, one in zip(columns, sent, strict=True)}


def _sent(column: ArrayColumn) -> str:
    return f"array_send(array_agg(coalesce({column.expression or column.name}, {_WIRE[column.kind].null})))"


def decode_array(sent: bytes | None, kind: ColumnKind) -> npt.NDArray[Any]:
    """Return the elements of a one-dimensional array without nulls as ``array_send`` gives it, None if it is empty."""
    # Each element is preceded by its length, which is the same throughout.
    element = np.dtype([("length", ">i4"), ("value", _WIRE[kind].dtype)])
    values = np.frombuffer(sent, element, offset=_HEADER_BYTES)["value"] if sent else np.zeros(0, _WIRE[kind].dtype)
    if kind == "real":
        reals: FloatArray = values.astype(np.float64)
        return reals
    integers: IntArray = values.astype(np.int64)
    if kind == "instant":
        return np.where(integers == _NEVER_ON_WIRE, NEVER, integers + _SERVER_EPOCH_US)
    return integers
