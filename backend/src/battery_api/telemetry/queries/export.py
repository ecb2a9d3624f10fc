"""Every row of a selection as a file, generated and sent piece by piece."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from io import BytesIO
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from battery_api.db.fetching import fetch_all
from battery_api.db.session import Database
from battery_api.telemetry.queries.recorded_tables import (
    BATTERY_READINGS,
    ROOM_READINGS,
    STRING_READINGS,
    YES_OR_NO,
    RecordedTable,
)
from battery_api.telemetry.queries.selection import SelectedSubject, Series
from battery_contracts.enums import ReadingQuality

_PAGE_ROWS: Final = 5_000
# Parquet compresses well only in larger pieces; this many rows are in memory at once.
_GROUP_ROWS: Final = 50_000
_TABLES: Final = {
    Series.BATTERY: BATTERY_READINGS,
    Series.STRING: STRING_READINGS,
    Series.ENVIRONMENT: ROOM_READINGS,
}


@dataclass(frozen=True, slots=True)
class _Layout:
    """Columns of a file, and the statement that reads a page of its rows."""

    table: RecordedTable

    @property
    def page(self) -> str:
        """The statement; its parameters are the key and the span."""
        quality = ("quality",) if self.has_quality else ()
        columns = ", ".join((*self.table.channels, *self.table.states, *quality))
        return (
            f"select time, {columns} from {self.table.name} "
            f"where {self.table.key} = $1 and time >= $2 and time < $3 order by time limit {_PAGE_ROWS}"
        )

    @property
    def has_quality(self) -> bool:
        """Only readings of batteries carry flags."""
        return self.table is BATTERY_READINGS

    def schema(self, time: pa.DataType) -> pa.Schema:
        """Return the columns of the file, its instants of a given type."""
        values = [(name, pa.float32()) for name in self.table.channels]
        states = [(name, pa.bool_() if name in YES_OR_NO else pa.string()) for name in self.table.states]
        quality = [("quality", pa.string())] if self.has_quality else []
        return pa.schema([(self.table.key, pa.string()), ("time", time), *values, *states, *quality])

    def batch(self, code: str, rows: Sequence[Any]) -> pa.RecordBatch:
        """Return rows of one subject in columns."""
        schema = self.schema(_INSTANT)
        time, *values = zip(*rows, strict=True)
        columns = [pa.array([code] * len(rows), pa.string()), pa.array([at.astimezone(UTC) for at in time], _INSTANT)]
        for column, field in zip(values, list(schema)[2:], strict=True):
            if field.name == "quality":
                names = {flags: " ".join(ReadingQuality(flags).codes()) for flags in set(column)}
                columns.append(pa.array([names[flags] for flags in column], pa.string()))
            elif field.name in YES_OR_NO:
                columns.append(pa.array([None if value is None else bool(value) for value in column], pa.bool_()))
            else:
                columns.append(pa.array(column, field.type))
        return pa.RecordBatch.from_arrays(columns, schema=schema)


_INSTANT: Final = pa.timestamp("us", "UTC")


class ExportFormat(StrEnum):
    """File format."""

    CSV = "csv"
    PARQUET = "parquet"


MEDIA_TYPES: Final = {
    ExportFormat.CSV: "text/csv; charset=utf-8",
    ExportFormat.PARQUET: "application/vnd.apache.parquet",
}


async def export(  # a span and a format are four values
    database: Database,
    series: Series,
    subjects: Sequence[SelectedSubject],
    start: datetime,
    end: datetime,
    *,
    file_format: ExportFormat,
) -> AsyncIterator[bytes]:
    """Yield the file piece by piece; rows are in order of battery, string or location, and of time.

    Each piece is one read along the primary key, so a slow client holds neither a connection nor a snapshot, and memory
    stays bounded whatever the span.
    """
    layout = _Layout(_TABLES[series])
    sink = BytesIO()
    batch_rows = _PAGE_ROWS if file_format is ExportFormat.CSV else _GROUP_ROWS
    with _writer(layout, file_format, sink) as writer:
        waiting: list[pa.RecordBatch] = []
        async for page in _pages(database, layout, subjects, start, end):
            waiting.append(page)
            if sum(map(len, waiting)) >= batch_rows:
                writer.write_table(_table(layout, waiting, file_format))
                waiting = []
                yield _drain(sink)
        writer.write_table(_table(layout, waiting, file_format))
    yield _drain(sink)


async def _pages(
    database: Database, layout: _Layout, subjects: Sequence[SelectedSubject], start: datetime, end: datetime
) -> AsyncIterator[pa.RecordBatch]:
    for subject in subjects:
        since = start
        while True:
            async with database.begin() as connection:
                rows = await fetch_all(connection, layout.page, (subject.key, since, end))
            if rows:
                yield layout.batch(subject.code, rows)
            if len(rows) < _PAGE_ROWS:
                break
            since = rows[-1][0] + timedelta(microseconds=1)


def _table(layout: _Layout, batches: Sequence[pa.RecordBatch], file_format: ExportFormat) -> pa.Table:
    table = pa.Table.from_batches(batches, layout.schema(_INSTANT))
    if file_format is ExportFormat.PARQUET:
        return table
    # Formatted here: the CSV writer would put a space where ISO 8601 has a T.
    text = pc.strftime(table.column("time"), "%Y-%m-%dT%H:%M:%SZ")
    return pa.Table.from_arrays([table.column(0), text, *table.columns[2:]], schema=layout.schema(pa.string()))


def _writer(layout: _Layout, file_format: ExportFormat, sink: BytesIO) -> Any:
    if file_format is ExportFormat.PARQUET:
        return pq.ParquetWriter(sink, layout.schema(_INSTANT), compression="zstd")
    options = pacsv.WriteOptions(quoting_style="needed")
    return pacsv.CSVWriter(sink, layout.schema(pa.string()), write_options=options)


def _drain(sink: BytesIO) -> bytes:
    piece = sink.getvalue()
    sink.seek(0)
    sink.truncate()
    return piece
