"""The statements of a batch: insert readings, mark roll-ups, update state rows and counters.

All of them take arrays and unnest them on the server, which both kinds of server do, one round trip a table.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.telemetry.fetching import fetch_all
from battery_api.telemetry.ports import RuleState
from battery_api.telemetry.rows import BoolArray, FloatArray, IntArray

_INSTANT: Final = "timestamptz 'epoch' + {column} * interval '1 microsecond'"
_WIDE: Final = 200
_MARK: Final = (
    "insert into rollup_mark (string_id, hour) "
    f"select string_id, {_INSTANT.format(column='hour_us')} "
    "from unnest($1::int[], $2::bigint[]) as mark(string_id, hour_us)"
)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of rows to write: its name, its element type and the values (m,)."""

    name: str
    type: str
    values: Sequence[Any]


def reals(name: str, values: FloatArray) -> Column:
    """Make a column of measured values, null where NaN."""
    plain = values.tolist()
    if np.isnan(values).any():
        plain = [None if value != value else value for value in plain]  # noqa: PLR0124  # NaN alone differs from itself
    return Column(name, "real", plain)


def integers(name: str, values: IntArray, *, kind: str = "int") -> Column:
    """Make a column of whole numbers."""
    return Column(name, kind, values.tolist())


def instants(name: str, times_us: IntArray) -> Column:
    """Make a column of instants; whole microseconds travel much cheaper than date objects."""
    return Column(name, "instant", times_us.tolist())


async def insert_rows(connection: AsyncConnection, table: str, columns: Sequence[Column]) -> BoolArray:
    """Insert rows keyed by the first column and ``time``; say of each (m,) whether it is new (true) or was there."""
    count = len(columns[0].values)
    new = np.ones(count, bool)
    if not count:
        return new
    key = columns[0].name
    names = ", ".join(column.name for column in columns)
    statement = (
        f"with input as materialized (select {_selected(columns)}, ordinal from {_unnested(columns)}), "
        f"stored as (insert into {table} ({names}) select {names} from input on conflict do nothing "
        f"returning {key}, time) "
        f"select input.ordinal from input left join stored using ({key}, time) where stored.{key} is null"
    )
    known = await fetch_all(connection, statement, tuple(_parameters(columns)))
    new[np.array([row[0] for row in known], np.int64) - 1] = False
    return new


async def update_rows(
    connection: AsyncConnection,
    table: str,
    key: Column,
    changed: Sequence[Column],
    *,
    inputs: Sequence[Column] = (),
    also: Sequence[str] = (),
    received_at: datetime | None = None,
) -> None:
    """Update the rows that a key names.

    Parameters
    ----------
    inputs
        Columns that are not assigned by themselves but used in ``also``.
    also
        Further assignments in SQL; ``input`` names the given values and ``present`` the row.
    """
    if not key.values:
        return
    columns = [key, *changed, *inputs]
    assignments = [f"{column.name} = input.{column.name}" for column in changed] + list(also)
    parameters = _parameters(columns)
    if received_at is not None:
        parameters.append(received_at)
        assignments.append(f"received_at = ${len(parameters)}::timestamptz")
    statement = (
        f"update {table} as present set {', '.join(assignments)} "
        f"from (select {_selected(columns)} from {_unnested(columns)}) as input "
        f"where present.{key.name} = input.{key.name}"
    )
    await connection.exec_driver_sql(statement, tuple(parameters))


async def mark_rollups(connection: AsyncConnection, string_keys: IntArray, hours_us: IntArray) -> None:
    """Note the (string, hour) buckets whose rows changed."""
    if not len(string_keys):
        return
    pairs = np.unique(np.stack([string_keys, hours_us], axis=1), axis=0)
    await connection.exec_driver_sql(_MARK, (pairs[:, 0].tolist(), pairs[:, 1].tolist()))


async def write_rule_states(
    connection: AsyncConnection, kind: str, keys: Sequence[int], states: Sequence[RuleState | None]
) -> None:
    """Store the rule states that the judge changed."""
    changed = Column("rule_state", "jsonb", [orjson.dumps(state).decode() if state else None for state in states])
    await update_rows(connection, f"{kind}_state", Column(f"{kind}_id", "int", keys), [changed])


async def write_open_counts(connection: AsyncConnection, counts: Mapping[int, tuple[int, int, int]]) -> None:
    """Store the numbers of open alerts that the judge changed, by battery key."""
    keys = sorted(counts)
    names = ("open_info", "open_warning", "open_critical")
    changed = [Column(name, "smallint", [counts[key][at] for key in keys]) for at, name in enumerate(names)]
    await update_rows(connection, "battery_state", Column("battery_id", "int", keys), changed)


def _unnested(columns: Sequence[Column]) -> str:
    varied = [(at, column) for at, column in enumerate(columns, start=1) if not _is_constant(columns, column)]
    arrays = ", ".join(f"${at}::{_wire_type(column)}[]" for at, column in varied)
    names = ", ".join(column.name for _, column in varied)
    return f"unnest({arrays}) with ordinality as given({names}, ordinal)"


def _selected(columns: Sequence[Column]) -> str:
    parts = []
    for at, column in enumerate(columns, start=1):
        value = f"${at}::{_wire_type(column)}" if _is_constant(columns, column) else f"given.{column.name}"
        if column.type == "instant":
            value = _INSTANT.format(column=value)
        parts.append(f"{value} as {column.name}")
    return ", ".join(parts)


def _parameters(columns: Sequence[Column]) -> list[Any]:
    return [column.values[0] if _is_constant(columns, column) else column.values for column in columns]


def _is_constant(columns: Sequence[Column], column: Column) -> bool:
    """Say whether a column of a wide batch holds one value, as times, modes and counts of a sweep do.

    Such a column travels as one parameter. Narrow batches do without: their statements stay the same ones.
    """
    values = column.values
    return column is not columns[0] and len(values) >= _WIDE and values.count(values[0]) == len(values)


def _wire_type(column: Column) -> str:
    return "bigint" if column.type == "instant" else column.type
