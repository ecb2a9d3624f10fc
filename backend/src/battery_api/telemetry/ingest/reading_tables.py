"""Fields of readings from the lists of a batch, joined to columns; shared by the fast and the lenient parser."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from battery_api.telemetry.errors import MalformedBatch, TooManyReadings
from battery_api.telemetry.ingest.readings import (
    BATTERY_SHAPE,
    LOCATION_SHAPE,
    STRING_SHAPE,
    ListName,
    ParsedBatch,
    ParsedRows,
    ReadingShape,
    select_rows,
)
from battery_api.telemetry.ingest.times import parse_time
from battery_api.telemetry.store.columns import FloatArray, IntArray
from battery_contracts.enums import RejectCode
from battery_contracts.telemetry import MAX_BATCH_ROWS, Rejection


@dataclass(frozen=True, slots=True)
class ReadingTable:
    """Fields of readings (m,) from one list of the batch, column by column; None for a column that was not sent."""

    source: ListName
    index: Sequence[int]
    columns: Mapping[str, Sequence[Any] | None]


@dataclass(frozen=True, slots=True)
class ParseRejections:
    """Rejections gathered while the lists of a batch are parsed."""

    rejected: list[Rejection] = field(default_factory=list)
    battery_codes: list[str] = field(default_factory=list)

    def add(self, shape: ReadingShape, rejection: Rejection, code: object) -> None:
        """Record a rejected reading and the id that it gave."""
        self.rejected.append(rejection)
        if shape is BATTERY_SHAPE and isinstance(code, str):
            self.battery_codes.append(code)


def join_batch(
    batteries: Sequence[ReadingTable],
    strings: ReadingTable,
    locations: ReadingTable,
    rejections: ParseRejections | None = None,
) -> ParsedBatch:
    """Join the tables of a batch, rejecting the readings whose time cannot be parsed.

    Raises
    ------
    TooManyReadings
        The tables hold more rows than one batch may.
    """
    require_row_limit(sum(len(table.index) for table in (*batteries, strings, locations)))
    rejections = rejections or ParseRejections()
    times = _TimeParser()
    return ParsedBatch(
        batteries=_join_tables(BATTERY_SHAPE, batteries, times, rejections),
        strings=_join_tables(STRING_SHAPE, [strings], times, rejections),
        locations=_join_tables(LOCATION_SHAPE, [locations], times, rejections),
        rejected=rejections.rejected,
        unreadable_battery_codes=rejections.battery_codes,
    )


def require_row_limit(count: int) -> None:
    """Raise `TooManyReadings` above the limit of one batch."""
    if count > MAX_BATCH_ROWS:
        raise too_many_readings(count)


def too_many_readings(count: int | None = None) -> TooManyReadings:
    """Return the error of a batch with too many readings."""
    actual = f"This batch holds {count:,} readings; " if count else ""
    return TooManyReadings(f"{actual}one batch may hold {MAX_BATCH_ROWS:,}. Send the rest in further batches.")


def require_equal_lengths(columns: Mapping[str, Sequence[Any] | None]) -> None:
    """Raise `MalformedBatch` if the columns that were sent differ in length."""
    lengths = {name: len(column) for name, column in columns.items() if column is not None}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise MalformedBatch(f"columns differ in length: {listed}.")


def _join_tables(
    shape: ReadingShape, tables: Sequence[ReadingTable], times: "_TimeParser", rejections: ParseRejections
) -> ParsedRows:
    filled = [table for table in tables if len(table.index)]
    if len(filled) > 1:
        source: Sequence[ListName] = [table.source for table in filled for _ in table.index]
    else:
        source = _RepeatedName(filled[0].source, len(filled[0].index)) if filled else ()
    code = [code for table in filled for code in table.columns[shape.id_field] or ()]
    time_text = [text for table in filled for text in table.columns["time"] or ()]
    time_us, invalid = times.parse(time_text)
    rows = ParsedRows(
        shape=shape,
        source=source,
        index=np.concatenate([np.fromiter(table.index, np.int64, len(table.index)) for table in tables]),
        code=code,
        time_us=time_us,
        values={name: np.concatenate([_floats(table, name) for table in tables]) for name in shape.channel_names},
        categories={
            name: [value for table in filled for value in table.columns[name] or [None] * len(table.index)]
            for name in shape.categories
        },
    )
    if not invalid:
        return rows
    for row, detail in invalid.items():
        rejections.add(shape, rows.rejection(row, RejectCode.BAD_TIME, detail), code[row])
    return select_rows(rows, [row for row in range(len(rows)) if row not in invalid])


class _RepeatedName(Sequence[ListName]):
    """One list name for every row, without a list of them."""

    def __init__(self, name: ListName, length: int) -> None:
        self._name = name
        self._length = length

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, row: Any) -> Any:
        return self._name


def _floats(table: ReadingTable, name: str) -> FloatArray:
    column = table.columns[name]
    if column is None:
        return np.full(len(table.index), np.nan)
    return np.array(column, dtype=np.float64)


class _TimeParser:
    """Parses times; the readings of a sweep share few instants, so each text is parsed once."""

    def __init__(self) -> None:
        self._parsed: dict[str, int | str] = {}

    def parse(self, texts: Sequence[str]) -> tuple[IntArray, dict[int, str]]:
        """Return microseconds since 1970 (m,) and, by row, why a text is not a time."""
        parsed = self._parsed
        for text in set(texts):
            if text not in parsed:
                parsed[text] = parse_time(text)
        times = [parsed[text] for text in texts]
        invalid = {row: value for row, value in enumerate(times) if isinstance(value, str)}
        return np.array([0 if isinstance(value, str) else value for value in times], np.int64), invalid
