"""Files of rows, Parquet or CSV, each complete or absent, even after a crash."""

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
from pyarrow import compute

COMPRESSION_LEVEL: Final = 3


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that it is complete or absent, even after a crash.

    Raises
    ------
    OSError
        The file cannot be written; an earlier one stays as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(path.suffix + ".part")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


@dataclass(slots=True)
class TableFile:
    """One file being written, under a temporary name until `finish`; its suffix decides the format."""

    path: Path
    schema: pa.Schema
    rows: int = 0
    _waiting: list[pa.Table] = field(default_factory=list)
    _writer: pq.ParquetWriter | pc.CSVWriter | None = None

    @property
    def temporary(self) -> Path:
        """Path of the rows until the file is complete."""
        return self.path.with_suffix(f"{self.path.suffix}.part")

    def add(self, table: pa.Table) -> None:
        """Append rows; the file is created with the first flush."""
        self._waiting.append(table)

    def flush(self) -> None:
        """Write the appended rows as one row group."""
        if not self._waiting:
            return
        if self._writer is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = self._opened()
        block = pa.concat_tables(self._waiting)
        self._writer.write_table(_plain(block) if self.path.suffix == ".csv" else block)
        self.rows += block.num_rows
        self._waiting.clear()

    def finish(self) -> dict[str, Any]:
        """Close and rename the file; return its number of rows and its SHA-256."""
        self.flush()
        self._close()
        with self.temporary.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            os.fsync(file.fileno())
        self.temporary.replace(self.path)
        return {"rows": self.rows, "sha256": digest}

    def discard(self) -> None:
        """Close and delete the incomplete file."""
        self._close()
        self.temporary.unlink(missing_ok=True)

    def _opened(self) -> pq.ParquetWriter | pc.CSVWriter:
        if self.path.suffix == ".csv":
            plain = _plain(self.schema.empty_table()).schema
            return pc.CSVWriter(self.temporary, plain)
        # Readings are rounded to their sensor's resolution: a dictionary stores them in a tenth of their bytes.
        coded = [name for name in self.schema.names if name != "time"]
        return pq.ParquetWriter(
            self.temporary,
            self.schema,
            compression="zstd",
            compression_level=COMPRESSION_LEVEL,
            use_dictionary=coded,
            column_encoding={"time": "DELTA_BINARY_PACKED"} if "time" in self.schema.names else None,
        )

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def _plain(table: pa.Table) -> pa.Table:
    """Return a table for CSV: without dictionaries, and with instants as text in ISO 8601."""
    columns = []
    for column in table.columns:
        if pa.types.is_dictionary(column.type):
            columns.append(column.cast(column.type.value_type))
        elif pa.types.is_timestamp(column.type):
            columns.append(compute.strftime(column, format="%Y-%m-%dT%H:%M:%SZ"))
        else:
            columns.append(column)
    return pa.table(columns, names=table.column_names)
