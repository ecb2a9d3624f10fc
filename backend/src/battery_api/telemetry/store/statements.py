"""The statements of a batch: insert readings, mark roll-ups, update state rows and counters.

All of them send arrays and unnest them on the server, which both engines support: one round trip per table.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import numpy as np
import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.db.fetching import fetch_all
from battery_api.telemetry.store.columns import BoolArray, Column, IntArray, RuleState
from battery_api.telemetry.store.fleet_index import Kind
from battery_api.telemetry.store.indices import BatteryKey, Keys
from battery_api.telemetry.store.instants import hour_floor
from battery_api.telemetry.store.time_weights import MAX_HOLD_US

OpenCounts = tuple[int, int, int]
"""Open alerts of a battery: info, warning, critical."""
_INSTANT: Final = "timestamptz 'epoch' + {column} * interval '1 microsecond'"
_WIDE: Final = 200
_MARK: Final = (
    "insert into rollup_mark (string_id, hour) "
    f"select string_id, {_INSTANT.format(column='hour_us')} "
    "from unnest($1::int[], $2::bigint[]) as mark(string_id, hour_us)"
)


async def insert_rows(connection: AsyncConnection, table: str, columns: Sequence[Column]) -> BoolArray:
    """Insert rows keyed by the first column and ``time``; return for each row (m,) whether it is new."""
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
    present = await fetch_all(connection, statement, tuple(_parameters(columns)))
    new[np.array([row[0] for row in present], np.int64) - 1] = False
    return new


async def read_rows(
    connection: AsyncConnection, table: str, key: str, names: Sequence[str], *, keys: Keys, time_us: IntArray
) -> Sequence[Any]:
    """Return the columns ``names`` of the rows (k,) with these keys and times, in that order; all of them exist."""
    if not len(keys):
        return []
    statement = (
        f"select {', '.join(f'stored.{name}' for name in names)} "
        "from unnest($1::int[], $2::bigint[]) with ordinality as given(key, time_us, ordinal) "
        f"join {table} as stored on stored.{key} = given.key "
        f"and stored.time = {_INSTANT.format(column='given.time_us')} "
        "order by given.ordinal"
    )
    return await fetch_all(connection, statement, (keys.tolist(), time_us.tolist()))


async def amend_rows(connection: AsyncConnection, table: str, columns: Sequence[Column]) -> None:
    """Update the rows that the first two columns, the key and ``time``, name."""
    key, time, *changed = columns
    if not key.values:
        return
    statement = (
        f"update {table} as present set {', '.join(f'{column.name} = input.{column.name}' for column in changed)} "
        f"from (select {_selected(columns)} from {_unnested(columns)}) as input "
        f"where present.{key.name} = input.{key.name} and present.{time.name} = input.{time.name}"
    )
    await connection.exec_driver_sql(statement, tuple(_parameters(columns)))


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
    """Update the rows that a key column names.

    Parameters
    ----------
    inputs
        Columns that are only used in ``also``, not assigned themselves.
    also
        Further assignments in SQL; ``input`` is the row of sent values and ``present`` the stored one.
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


async def mark_rollups(connection: AsyncConnection, string_keys: Keys, times_us: IntArray) -> None:
    """Mark the hours that new readings (m,) change: their own, and the following one if a value may hold into it."""
    if not len(string_keys):
        return
    hours_us = np.concatenate([hour_floor(times_us), hour_floor(times_us + MAX_HOLD_US - 1)])
    pairs = np.unique(np.stack([np.tile(string_keys, 2), hours_us], axis=1), axis=0)
    await connection.exec_driver_sql(_MARK, (pairs[:, 0].tolist(), pairs[:, 1].tolist()))


async def write_rule_states(
    connection: AsyncConnection, kind: Kind, keys: Sequence[int], states: Sequence[RuleState | None]
) -> None:
    """Store the rule states of subjects of one kind; the caller holds the locks of their state rows."""
    changed = Column("rule_state", "jsonb", [orjson.dumps(state).decode() if state else None for state in states])
    await update_rows(connection, f"{kind}_state", Column(f"{kind}_id", "int", keys), [changed])


async def write_open_counts(connection: AsyncConnection, counts: Mapping[BatteryKey, OpenCounts]) -> None:
    """Store the counts of open alerts (info, warning, critical) by battery key; the caller holds the locks."""
    keys = sorted(counts)
    names = ("open_info", "open_warning", "open_critical")
    changed = [Column(name, "smallint", [counts[key][rank] for key in keys]) for rank, name in enumerate(names)]
    await update_rows(connection, "battery_state", Column("battery_id", "int", keys), changed)


def _unnested(columns: Sequence[Column]) -> str:
    varied = [(number, column) for number, column in enumerate(columns, start=1) if not _is_constant(columns, column)]
    arrays = ", ".join(f"${number}::{_wire_type(column)}[]" for number, column in varied)
    names = ", ".join(column.name for _, column in varied)
    return f"unnest({arrays}) with ordinality as given({names}, ordinal)"


def _selected(columns: Sequence[Column]) -> str:
    parts = []
    for number, column in enumerate(columns, start=1):
        value = f"${number}::{_wire_type(column)}" if _is_constant(columns, column) else f"given.{column.name}"
        if column.type == "instant":
            value = _INSTANT.format(column=value)
        parts.append(f"{value} as {column.name}")
    return ", ".join(parts)


def _parameters(columns: Sequence[Column]) -> list[Any]:
    return [column.values[0] if _is_constant(columns, column) else column.values for column in columns]


def _is_constant(columns: Sequence[Column], column: Column) -> bool:
    """Return whether a column of a large batch holds one value throughout, as times, modes and counts of a sweep do.

    Such a column is sent as one parameter. Small batches do without, so that their statements stay the same and the
    server reuses the prepared plans.
    """
    values = column.values
    return column is not columns[0] and len(values) >= _WIDE and values.count(values[0]) == len(values)


def _wire_type(column: Column) -> str:
    return "bigint" if column.type == "instant" else column.type
