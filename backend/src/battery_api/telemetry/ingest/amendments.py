"""Second messages of one instant: they complete or correct the stored row; only what says the same is a repeat."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.telemetry.ingest.checks import quality_of
from battery_api.telemetry.ingest.readings import BATTERY_SHAPE, LOCATION_SHAPE, STRING_SHAPE, ReadingShape
from battery_api.telemetry.store.columns import BoolArray, Column, FloatArray, IntArray, instants, integers, reals
from battery_api.telemetry.store.indices import Keys
from battery_api.telemetry.store.instants import instant
from battery_api.telemetry.store.outcomes import ReadingOutcome
from battery_api.telemetry.store.statements import amend_rows, read_rows
from battery_contracts.enums import ReadingQuality

DANGEROUS_CURRENT_A: Final = 1000.0
"""A string current beyond this is a short circuit."""
_ESTIMATES: Final = ("soc_pct", "soh_pct")
_OVERWRITTEN: Final = (
    "insert into overwritten_reading (kind, subject_id, time, values, is_dangerous) "
    "select $1::text, subject_id, time, stored::jsonb, is_dangerous "
    "from unnest($2::int[], $3::timestamptz[], $4::text[], $5::bool[]) as given(subject_id, time, stored, is_dangerous)"
)


@dataclass(frozen=True, slots=True)
class SeriesTable:
    """A table of readings: its name, the reading it holds, and the column and SQL type of each category."""

    name: str
    shape: ReadingShape
    category_columns: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Name of the key column."""
        return f"{self.shape.kind}_id"

    @property
    def names(self) -> list[str]:
        """Columns of the channels and categories."""
        return [*self.shape.channel_names, *(column for column, _ in self.category_columns.values())]

    def columns_of(self, categories: Mapping[str, Sequence[Any]]) -> list[Column]:
        """Return the columns of categories as they are stored."""
        return [
            Column(column, kind, [None if value is None else _stored(value) for value in categories[name]])
            for name, (column, kind) in self.category_columns.items()
        ]


BATTERY_TABLE: Final = SeriesTable("telemetry", BATTERY_SHAPE)
STRING_TABLE: Final = SeriesTable("string_telemetry", STRING_SHAPE, {"mode": ("reported_mode", "text")})
LOCATION_TABLE: Final = SeriesTable(
    "site_environment", LOCATION_SHAPE, {"hvac": ("hvac", "text"), "mains": ("mains", "smallint")}
)


@dataclass(frozen=True, slots=True)
class SentRows:
    """Readings (k,) of instants that are stored already.

    ``values`` are as sent; ``filled`` are the same with what the gateway derives, for rows replaced as a whole.
    """

    keys: Keys
    time_us: IntArray
    values: Mapping[str, FloatArray]
    categories: Mapping[str, Sequence[Any]]
    filled: Mapping[str, FloatArray]
    quality: IntArray | None = None


@dataclass(frozen=True, slots=True)
class AmendedRows:
    """The stored rows (k,) after the messages: the `ReadingOutcome` of each, and what is stored now."""

    outcome: IntArray
    values: Mapping[str, FloatArray]
    categories: Mapping[str, Sequence[Any]]
    quality: IntArray | None


async def amend(connection: AsyncConnection, table: SeriesTable, sent: SentRows) -> AmendedRows:
    """Bring stored rows up to date with second messages; the caller holds the locks of their subjects."""
    stored = await _read(connection, table, sent)
    numbers: dict[str, FloatArray] = {
        name: column.astype(np.float32).astype(np.float64) for name, column in sent.values.items()
    }
    numbers |= _as_numbers(table.shape, sent.categories)
    is_replaced = np.zeros(len(sent.keys), bool)
    known = dict(stored.numbers)
    if stored.quality is not None:
        is_replaced = (stored.quality & int(ReadingQuality.BULK_LOADED)) != 0
        # A current that was filled in from the string is no measurement that the battery's own could contradict.
        is_filled = (stored.quality & int(ReadingQuality.CURRENT_FROM_STRING)) != 0
        known["current_a"] = np.where(is_filled, np.nan, known["current_a"])
    outcome = np.where(is_replaced, int(ReadingOutcome.NEW), _compare(known, numbers))
    final = {
        name: np.where(np.isnan(numbers[name]), stored.numbers[name], numbers[name])
        for name in (*sent.values, *sent.categories)
    }
    final |= {
        name: np.where(is_replaced, column, final.get(name, stored.numbers[name]))
        for name, column in (dict(sent.filled) | {name: numbers[name] for name in sent.categories}).items()
    }
    if table is BATTERY_TABLE:
        final |= {name: np.where(is_replaced, np.nan, stored.numbers[name]) for name in _ESTIMATES}
    quality = _quality(stored, sent, final, outcome, is_replaced=is_replaced)
    changed = np.flatnonzero(outcome != ReadingOutcome.DUPLICATE)
    await amend_rows(connection, table.name, _changed_columns(table, sent, final, quality, changed))
    await _keep_overwritten(connection, table, sent, stored, np.flatnonzero(outcome == ReadingOutcome.CORRECTED))
    return AmendedRows(
        outcome,
        {name: column for name, column in final.items() if name not in table.shape.categories},
        _as_categories(table.shape, final),
        quality,
    )


@dataclass(frozen=True, slots=True)
class _StoredNow:
    """Stored rows (k,): every value as a number, categories by their index among the options."""

    numbers: Mapping[str, FloatArray]
    quality: IntArray | None


async def _read(connection: AsyncConnection, table: SeriesTable, sent: SentRows) -> _StoredNow:
    names = [*table.names, *([*_ESTIMATES, "quality"] if table is BATTERY_TABLE else [])]
    rows = await read_rows(connection, table.name, table.key, names, keys=sent.keys, time_us=sent.time_us)
    columns = {name: [row[rank] for row in rows] for rank, name in enumerate(names)}
    categories = {name: columns.pop(column) for name, (column, _) in table.category_columns.items()}
    numbers = {name: np.array(column, np.float64) for name, column in columns.items() if name != "quality"}
    numbers |= _as_numbers(table.shape, categories)
    quality = np.array(columns["quality"], np.int64) if "quality" in columns else None
    return _StoredNow(numbers, quality)


def _compare(known: Mapping[str, FloatArray], sent: Mapping[str, FloatArray]) -> IntArray:
    """Return the outcome (k,) of messages against what is known of their instant."""
    completes = np.zeros(len(next(iter(sent.values()))), bool)
    corrects = completes.copy()
    for name, column in sent.items():
        is_sent, was_known = ~np.isnan(column), ~np.isnan(known[name])
        completes |= is_sent & ~was_known
        corrects |= is_sent & was_known & (column != known[name])
    outcome: IntArray = np.where(
        corrects,
        int(ReadingOutcome.CORRECTED),
        np.where(completes, int(ReadingOutcome.MERGED), int(ReadingOutcome.DUPLICATE)),
    )
    return outcome


def _quality(
    stored: _StoredNow, sent: SentRows, final: Mapping[str, FloatArray], outcome: IntArray, *, is_replaced: BoolArray
) -> IntArray | None:
    if stored.quality is None or sent.quality is None:
        return None
    derived = int(ReadingQuality.DANGEROUS | ReadingQuality.VOLTAGE_MISSING)
    kept = stored.quality & ~int(ReadingQuality.VOLTAGE_MISSING)
    has_own_current = ~np.isnan(sent.values["current_a"])
    kept &= np.where(has_own_current, ~int(ReadingQuality.CURRENT_FROM_STRING), ~0)
    kept |= quality_of(final) & derived
    kept |= np.where(outcome == ReadingOutcome.CORRECTED, int(ReadingQuality.CORRECTED), 0)
    quality: IntArray = np.where(is_replaced, sent.quality, kept)
    return quality


def _changed_columns(
    table: SeriesTable, sent: SentRows, final: Mapping[str, FloatArray], quality: IntArray | None, changed: IntArray
) -> list[Column]:
    categories = _as_categories(table.shape, {name: column[changed] for name, column in final.items()})
    columns = [
        integers(table.key, sent.keys[changed]),
        instants("time", sent.time_us[changed]),
        *(reals(name, column[changed]) for name, column in final.items() if name not in table.shape.categories),
        *table.columns_of(categories),
    ]
    if quality is not None:
        columns.append(integers("quality", quality[changed], kind="smallint"))
    return columns


async def _keep_overwritten(
    connection: AsyncConnection, table: SeriesTable, sent: SentRows, stored: _StoredNow, corrected: IntArray
) -> None:
    if not len(corrected):
        return
    measured = [*table.shape.channel_names, *table.shape.categories]
    before = {name: stored.numbers[name][corrected] for name in measured}
    shown: dict[str, Sequence[Any]] = {name: column.tolist() for name, column in before.items()}
    shown |= _as_categories(table.shape, before)
    kept = [
        orjson.dumps({name: column[row] for name, column in shown.items() if column[row] == column[row]}).decode()
        for row in range(len(corrected))
    ]
    times = [instant(time_us) for time_us in sent.time_us[corrected].tolist()]
    dangerous = _is_dangerous(table, before).tolist()
    await connection.exec_driver_sql(
        _OVERWRITTEN, (table.shape.kind, sent.keys[corrected].tolist(), times, kept, dangerous)
    )


def _is_dangerous(table: SeriesTable, values: Mapping[str, FloatArray]) -> BoolArray:
    dangerous = np.zeros(len(next(iter(values.values()))), bool)
    if table is BATTERY_TABLE:
        dangerous = (quality_of(values) & int(ReadingQuality.DANGEROUS)) != 0
    elif table is STRING_TABLE:
        dangerous = np.abs(values["current_a"]) > DANGEROUS_CURRENT_A
    return dangerous


def _as_numbers(shape: ReadingShape, categories: Mapping[str, Sequence[Any]]) -> dict[str, FloatArray]:
    """Return categories by their index among the options, NaN where missing."""
    numbers = {}
    for name, options in shape.categories.items():
        index = {_stored(option): float(number) for number, option in enumerate(options)}
        values = [np.nan if value is None else index[_stored(value)] for value in categories[name]]
        numbers[name] = np.array(values, np.float64)
    return numbers


def _as_categories(shape: ReadingShape, numbers: Mapping[str, FloatArray]) -> dict[str, list[Any]]:
    return {
        name: [None if number != number else options[int(number)] for number in numbers[name].tolist()]  # noqa: PLR0124  # NaN alone differs from itself
        for name, options in shape.categories.items()
    }


def _stored(value: Any) -> Any:
    """Return a category as the database holds it."""
    return int(value) if isinstance(value, bool) else value if isinstance(value, int) else str(value)
