"""The files of a generated history: their manifest, checked before anything is loaded, and their rows as columns."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import AwareDatetime, BaseModel, ValidationError

from battery_api.telemetry.history.binary_copy import CopyField, instant_field, int_field, real_field
from battery_api.telemetry.store.columns import IntArray
from battery_contracts.enums import ReadingQuality

MANIFEST: Final = "manifest.json"


class HistoryRefused(Exception):
    """The folder does not hold a complete, valid history of this fleet; nothing of it was loaded."""


class HistoryFile(BaseModel):
    """One file of the manifest."""

    table: str
    location_id: str
    path: str
    rows: int
    sha256: str


class HistoryManifest(BaseModel):
    """Contents of a history; written last, so that its presence means that the files are complete."""

    start: AwareDatetime
    end: AwareDatetime
    files: list[HistoryFile]


@dataclass(frozen=True, slots=True)
class HistoryTable:
    """How the rows of one kind of file become rows of a table."""

    table: str
    key: str
    reals: tuple[str, ...]
    categories: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()


TABLES: Final = {
    "telemetry": HistoryTable(
        "telemetry", "battery_id", ("voltage_v", "current_a", "temperature_c", "internal_resistance_mohm")
    ),
    "string_telemetry": HistoryTable(
        "string_telemetry",
        "string_id",
        ("voltage_v", "current_a", "float_current_ma", "ripple_voltage_v", "ripple_current_a"),
        categories=("mode",),
    ),
    "site_environment": HistoryTable(
        "site_environment", "location_id", ("ambient_c", "humidity_pct"), categories=("hvac",), flags=("mains",)
    ),
}


@dataclass(frozen=True, slots=True)
class HistoryRows:
    """Rows (m,) of one file, sorted by subject and time."""

    spec: HistoryTable
    key: IntArray
    time_us: IntArray
    reals: dict[str, Any]
    categories: dict[str, Any]
    flags: dict[str, Any]

    def __len__(self) -> int:
        return len(self.key)

    def columns(self) -> list[str]:
        """Return the columns that `fields` fills, in its order."""
        quality = ["quality"] if self.spec.table == "telemetry" else []
        return [self.spec.key, "time", *self.spec.reals, *self.spec.flags, *quality, *self.spec.categories]

    def part(self, rows: slice) -> "HistoryRows":
        """Return some of the rows."""
        return HistoryRows(
            self.spec,
            self.key[rows],
            self.time_us[rows],
            {name: column[rows] for name, column in self.reals.items()},
            {name: (codes[rows], dictionary) for name, (codes, dictionary) in self.categories.items()},
            {name: column[rows] for name, column in self.flags.items()},
        )

    def by_category(self) -> list[tuple[dict[str, str | None], "HistoryRows"]]:
        """Split the rows by category, since text has no fixed width in the copy format."""
        if not self.spec.categories:
            return [({}, self)]
        (name,) = self.spec.categories
        codes, categories = self.categories[name]
        parts = []
        for code in np.unique(codes).tolist():
            chosen = np.flatnonzero(codes == code)
            rows = HistoryRows(
                self.spec,
                self.key[chosen],
                self.time_us[chosen],
                {column: values[chosen] for column, values in self.reals.items()},
                {},
                {column: values[chosen] for column, values in self.flags.items()},
            )
            parts.append(({name: None if code < 0 else categories[code]}, rows))
        return parts

    def fields(self, categories: dict[str, str | None]) -> list[CopyField]:
        """Return the rows as columns of the copy format."""
        fields = [int_field(self.spec.key, self.key), instant_field("time", self.time_us)]
        fields += [real_field(name, self.reals[name]) for name in self.spec.reals]
        for name in self.spec.flags:
            values = self.flags[name]
            fields.append(CopyField(name, np.maximum(values, 0).astype(">i2"), values >= 0))
        if self.spec.table == "telemetry":
            quality = int(ReadingQuality.BULK_LOADED | ReadingQuality.TWIN_UNAVAILABLE)
            fields.append(int_field("quality", np.full(len(self), quality), width=2))
        for name, category in categories.items():
            encoded = (category or "x").encode()
            present = None if category is not None else np.zeros(len(self), bool)
            fields.append(CopyField(name, np.full(len(self), encoded, f"S{len(encoded)}"), present))
        return fields


def read_manifest(directory: Path) -> tuple[HistoryManifest, str]:
    """Return the manifest of a history and its fingerprint.

    Raises
    ------
    HistoryRefused
        It is missing or invalid.
    """
    path = directory / MANIFEST
    try:
        content = path.read_bytes()
        manifest = HistoryManifest.model_validate(json.loads(content))
    except FileNotFoundError as error:
        raise HistoryRefused(f"{path} is missing: the history is incomplete.") from error
    except (OSError, ValueError, ValidationError) as error:
        raise HistoryRefused(f"{path} is not a manifest: {error}") from error
    unknown = sorted({file.table for file in manifest.files} - set(TABLES))
    if unknown:
        raise HistoryRefused(f"{path} names the unknown table {unknown[0]!r}.")
    return manifest, hashlib.sha256(content).hexdigest()


def verify_files(directory: Path, files: Sequence[HistoryFile], key_of: Mapping[str, Mapping[str, int]]) -> None:
    """Compare every file with the manifest and its ids with the fleet, before the first row is loaded.

    Raises
    ------
    HistoryRefused
        A file is missing, cut off or changed, or names ids that this fleet does not have.
    """
    for file in files:
        path = (directory / file.path).resolve()
        if not path.is_relative_to(directory.resolve()):
            raise HistoryRefused(f"{file.path} is outside the folder of the history.")
        try:
            with path.open("rb") as content:
                digest = hashlib.file_digest(content, "sha256").hexdigest()
        except OSError as error:
            raise HistoryRefused(f"{file.path} cannot be read: {error.strerror}.") from error
        if digest != file.sha256:
            raise HistoryRefused(f"{file.path} differs from its checksum in the manifest.")
        _verify_content(path, file, key_of)


def _verify_content(path: Path, file: HistoryFile, key_of: Mapping[str, Mapping[str, int]]) -> None:
    spec = TABLES[file.table]
    try:
        table = pq.read_table(path, columns=[spec.key])
        keys = _keys(table, spec, key_of[spec.key], file)
    except (pa.ArrowException, KeyError) as error:
        raise HistoryRefused(f"{file.path} cannot be read: {error}") from error
    if len(keys) != file.rows:
        raise HistoryRefused(f"{file.path} holds {len(keys):,} rows, the manifest says {file.rows:,}.")


def read_rows(directory: Path, file: HistoryFile, key_of: Mapping[str, int]) -> HistoryRows:
    """Read one file; rows come sorted by subject and time, as the primary key stores them.

    Raises
    ------
    HistoryRefused
        The file lacks a column or cannot be read.
    """
    spec = TABLES[file.table]
    try:
        table = pq.read_table(directory / file.path, memory_map=True)
        key, time_us = _keys(table, spec, key_of, file), _times(table)
        reals = {name: _reals(table, name) for name in spec.reals}
        categories = {name: _categories(table, name) for name in spec.categories}
        flags = {name: _flags(table, name) for name in spec.flags}
    except (pa.ArrowException, KeyError) as error:
        raise HistoryRefused(f"{file.path} cannot be read: {error}") from error
    order = np.lexsort((time_us, key))
    return HistoryRows(
        spec,
        key[order],
        time_us[order],
        {name: column[order] for name, column in reals.items()},
        {name: (codes[order], dictionary) for name, (codes, dictionary) in categories.items()},
        {name: column[order] for name, column in flags.items()},
    )


def _column(table: pa.Table, name: str) -> pa.Array:
    return table.column(name).combine_chunks()


def _keys(table: pa.Table, spec: HistoryTable, key_of: Mapping[str, int], file: HistoryFile) -> IntArray:
    column = _column(table, spec.key)
    if not pa.types.is_dictionary(column.type):
        column = pc.dictionary_encode(column)
    if isinstance(column, pa.ChunkedArray):
        column = column.unify_dictionaries().combine_chunks()
    codes = column.dictionary.to_pylist()
    unknown = [code for code in codes if code not in key_of]
    if unknown:
        shown = ", ".join(map(str, unknown[:5]))
        raise HistoryRefused(f"{file.path} has {len(unknown)} ids that are not in this fleet: {shown} ...")
    keys = np.array([key_of[code] for code in codes], np.int64)
    row_keys: IntArray = keys[column.indices.to_numpy(zero_copy_only=False)]
    return row_keys


def _times(table: pa.Table) -> IntArray:
    times: IntArray = (
        _column(table, "time").cast(pa.timestamp("us", "UTC")).cast(pa.int64()).to_numpy(zero_copy_only=False)
    )
    return times


def _reals(table: pa.Table, name: str) -> Any:
    if name not in table.column_names:
        return np.full(len(table), np.nan, np.float32)
    return _column(table, name).cast(pa.float32()).to_numpy(zero_copy_only=False)


def _categories(table: pa.Table, name: str) -> tuple[Any, list[str]]:
    column = _column(table, name).cast(pa.string()).dictionary_encode()
    codes = column.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return codes, column.dictionary.to_pylist()


def _flags(table: pa.Table, name: str) -> Any:
    return _column(table, name).cast(pa.int16()).fill_null(-1).to_numpy(zero_copy_only=False)
