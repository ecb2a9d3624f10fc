"""Every row of a selection as a file, generated and sent piece by piece."""

from collections.abc import AsyncIterator, Callable, Sequence
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
from battery_api.telemetry.queries.selection import SelectedBattery
from battery_contracts.enums import ReadingQuality

_CHANNELS: Final = ("voltage_v", "current_a", "temperature_c", "internal_resistance_mohm", "soc_pct", "soh_pct")
_PAGE_ROWS: Final = 5_000
# Parquet compresses well only in larger pieces; this many rows are in memory at once.
_GROUP_ROWS: Final = 50_000
_PAGE: Final = (
    f"select time, {', '.join(_CHANNELS)}, quality from telemetry "
    f"where battery_id = $1 and time >= $2 and time < $3 order by time limit {_PAGE_ROWS}"
)


def _schema(time: pa.DataType) -> pa.Schema:
    values = ((name, pa.float32()) for name in _CHANNELS)
    return pa.schema([("battery_id", pa.string()), ("time", time), *values, ("quality", pa.string())])


_SCHEMA: Final = _schema(pa.timestamp("us", "UTC"))
# Formatted here: the CSV writer would put a space where ISO 8601 has a T.
_TEXT_SCHEMA: Final = _schema(pa.string())


class ExportFormat(StrEnum):
    """File format."""

    CSV = "csv"
    PARQUET = "parquet"


MEDIA_TYPES: Final = {
    ExportFormat.CSV: "text/csv; charset=utf-8",
    ExportFormat.PARQUET: "application/vnd.apache.parquet",
}


async def export(
    database: Database, batteries: Sequence[SelectedBattery], start: datetime, end: datetime, file_format: ExportFormat
) -> AsyncIterator[bytes]:
    """Yield the file piece by piece; rows are in order of battery and time.

    Each piece is one read along the primary key, so a slow client holds neither a connection nor a snapshot, and memory
    stays bounded whatever the span.
    """
    sink = BytesIO()
    batch_rows = _PAGE_ROWS if file_format is ExportFormat.CSV else _GROUP_ROWS
    with _writer(file_format, sink) as writer:
        waiting: list[pa.RecordBatch] = []
        async for page in _pages(database, batteries, start, end):
            waiting.append(page)
            if sum(map(len, waiting)) >= batch_rows:
                writer.write_table(_table(waiting, file_format))
                waiting = []
                yield _drain(sink)
        writer.write_table(_table(waiting, file_format))
    yield _drain(sink)


async def _pages(
    database: Database, batteries: Sequence[SelectedBattery], start: datetime, end: datetime
) -> AsyncIterator[pa.RecordBatch]:
    for battery in batteries:
        since = start
        while True:
            async with database.begin() as connection:
                rows = await fetch_all(connection, _PAGE, (battery.key, since, end))
            if rows:
                yield _record_batch(battery.code, rows)
            if len(rows) < _PAGE_ROWS:
                break
            since = rows[-1][0] + timedelta(microseconds=1)


def _record_batch(code: str, rows: Sequence[Any]) -> pa.RecordBatch:
    time, *values, quality = zip(*rows, strict=True)
    names = {flags: " ".join(ReadingQuality(flags).codes()) for flags in set(quality)}
    columns = [
        pa.array([code] * len(rows), pa.string()),
        pa.array([instant.astimezone(UTC) for instant in time], pa.timestamp("us", "UTC")),
        *(pa.array(column, pa.float32()) for column in values),
        pa.array([names[flags] for flags in quality], pa.string()),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=_SCHEMA)


def _table(batches: Sequence[pa.RecordBatch], file_format: ExportFormat) -> pa.Table:
    table = pa.Table.from_batches(batches, _SCHEMA)
    if file_format is ExportFormat.PARQUET:
        return table
    text = pc.strftime(table.column("time"), "%Y-%m-%dT%H:%M:%SZ")
    return pa.Table.from_arrays([table.column(0), text, *table.columns[2:]], schema=_TEXT_SCHEMA)


def _writer(file_format: ExportFormat, sink: BytesIO) -> Any:
    make: Callable[[], Any] = (
        (lambda: pacsv.CSVWriter(sink, _TEXT_SCHEMA, write_options=pacsv.WriteOptions(quoting_style="needed")))
        if file_format is ExportFormat.CSV
        else (lambda: pq.ParquetWriter(sink, _SCHEMA, compression="zstd"))
    )
    return make()


def _drain(sink: BytesIO) -> bytes:
    piece = sink.getvalue()
    sink.seek(0)
    sink.truncate()
    return piece
