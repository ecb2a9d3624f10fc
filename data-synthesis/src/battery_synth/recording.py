"""Rows of the history on their way to Parquet: gathered in arrays, written block by block, whole or not at all."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from battery_contracts.ids import location_of
from battery_synth.observation import Observation, SiteObservation

IntArray = npt.NDArray[np.int64]

_TIME: Final = ("time", pa.timestamp("us", tz="UTC"))
SCHEMAS: Final = {
    "telemetry": pa.schema(
        [
            _TIME,
            ("battery_id", pa.dictionary(pa.int32(), pa.string())),
            ("voltage_v", pa.float32()),
            ("current_a", pa.float32()),
            ("temperature_c", pa.float32()),
            ("internal_resistance_mohm", pa.float32()),
        ]
    ),
    "string_telemetry": pa.schema(
        [
            _TIME,
            ("string_id", pa.dictionary(pa.int32(), pa.string())),
            ("voltage_v", pa.float32()),
            ("current_a", pa.float32()),
            ("float_current_ma", pa.float32()),
            ("ripple_voltage_v", pa.float32()),
            ("ripple_current_a", pa.float32()),
            ("mode", pa.string()),
        ]
    ),
    "site_environment": pa.schema(
        [
            _TIME,
            ("location_id", pa.string()),
            ("ambient_c", pa.float32()),
            ("humidity_pct", pa.float32()),
            ("hvac", pa.string()),
            ("mains", pa.bool_()),
        ]
    ),
}


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all, also after a crash."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(path.suffix + ".part")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


@dataclass(slots=True)
class TableFile:
    """One Parquet file in the making, under another name until `finish`."""

    table: str
    location_id: str
    path: Path
    rows: int = 0
    _waiting: list[pa.Table] = field(default_factory=list)
    _writer: pq.ParquetWriter | None = None

    @property
    def temporary(self) -> Path:
        """Where the rows stand until the file is whole."""
        return self.path.with_suffix(".parquet.part")

    def open(self) -> None:
        """Create the file; it fails here if the place cannot be written."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._writer = pq.ParquetWriter(self.temporary, SCHEMAS[self.table], compression="zstd")

    def add(self, columns: dict[str, Any]) -> None:
        """Append rows."""
        self._waiting.append(pa.table(columns, schema=SCHEMAS[self.table]))

    def flush(self) -> None:
        """Write what waits as one row group."""
        if self._waiting and self._writer is not None:
            block = pa.concat_tables(self._waiting).unify_dictionaries().combine_chunks()
            self._writer.write_table(block)
            self.rows += block.num_rows
        self._waiting.clear()

    def finish(self) -> dict[str, Any]:
        """Close and rename the file; return its line of the manifest."""
        self.flush()
        self._close()
        with self.temporary.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            os.fsync(file.fileno())
        self.temporary.replace(self.path)
        return {"table": self.table, "location_id": self.location_id, "rows": self.rows, "sha256": digest}

    def discard(self) -> None:
        """Leave nothing behind."""
        self._close()
        self.temporary.unlink(missing_ok=True)

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None


@dataclass(slots=True)
class _Batch:
    """Observations that wait to become columns."""

    looks: list[Observation] = field(default_factory=list)
    sites: list[SiteObservation] = field(default_factory=list)


class Recorder:
    """Splits observations by location and writes them to that location's files."""

    def __init__(self, directory: Path, strings_of: dict[str, tuple[str, ...]], battery_ids: Sequence[str]) -> None:
        self._directory = directory
        self._location_of = {string: location for location, members in strings_of.items() for string in members}
        # Each location's files carry a dictionary of its own ids only.
        batteries = {location: [b for b in battery_ids if location_of(b) == location] for location in strings_of}
        self._battery_code = {battery: code for ids in batteries.values() for code, battery in enumerate(ids)}
        self._string_code = {string: code for ids in strings_of.values() for code, string in enumerate(ids)}
        self._battery_names = {location: pa.array(ids, pa.string()) for location, ids in batteries.items()}
        self._string_names = {location: pa.array(ids, pa.string()) for location, ids in strings_of.items()}
        self._batch = _Batch()
        self._files = {
            (table, location): TableFile(table, location, directory / table / f"{location}.parquet")
            for location in strings_of
            for table in SCHEMAS
        }

    def __enter__(self) -> Self:
        try:
            for file in self._files.values():
                file.open()
        except OSError:
            self._discard()
            raise
        return self

    def __exit__(self, *failure: object) -> None:
        # Finished files have another name by now: what is left here is half.
        self._discard()

    def add(self, seen: Observation, sites: SiteObservation) -> None:
        """Take what the sensors said at an instant."""
        self._batch.looks.append(seen)
        self._batch.sites.append(sites)

    def flush(self) -> None:
        """Write what was taken; memory stays flat however long the history is."""
        batch, self._batch = self._batch, _Batch()
        if batch.looks:
            self._add_strings(batch.looks)
        if batch.sites:
            self._add_sites(batch.sites)
        for file in self._files.values():
            file.flush()

    def finish(self) -> list[dict[str, Any]]:
        """Complete the files; return the manifest's lines."""
        self.flush()
        lines = []
        for file in self._files.values():
            line = file.finish()
            lines.append({**line, "path": str(file.path.relative_to(self._directory))})
        return lines

    def _add_strings(self, looks: list[Observation]) -> None:
        string_ids = [string for look in looks for string in look.string_id]
        battery_ids = [battery for look in looks for battery in look.battery_id]
        string_code = np.array([self._string_code[string] for string in string_ids], np.int32)
        battery_code = np.array([self._battery_code[battery] for battery in battery_ids], np.int32)
        location = np.array([self._location_of[string] for string in string_ids])
        width = len(battery_ids) // len(string_ids)
        at = np.repeat(_instants([look.time for look in looks]), [len(look.string_id) for look in looks])
        mode = np.array([mode.value for look in looks for mode in look.mode])
        block = {name: _joined(looks, name) for name in SCHEMAS["telemetry"].names[2:]}
        string = {name: _joined(looks, f"string_{name}") for name in ("voltage_v", "current_a")}
        names = ("float_current_ma", "ripple_voltage_v", "ripple_current_a")
        string |= {name: _joined(looks, name) for name in names}
        for place in sorted(set(location)):
            rows = np.flatnonzero(location == place)
            blocks = (rows[:, None] * width + np.arange(width)).ravel()
            resistance = block["internal_resistance_mohm"][blocks]
            self._files["telemetry", str(place)].add(
                {
                    "time": _utc(np.repeat(at[rows], width)),
                    "battery_id": pa.DictionaryArray.from_arrays(battery_code[blocks], self._battery_names[str(place)]),
                    **{name: column[blocks] for name, column in block.items()},
                    "internal_resistance_mohm": pa.array(resistance, mask=np.isnan(resistance)),
                }
            )
            self._files["string_telemetry", str(place)].add(
                {
                    "time": _utc(at[rows]),
                    "string_id": pa.DictionaryArray.from_arrays(string_code[rows], self._string_names[str(place)]),
                    **{name: column[rows] for name, column in string.items()},
                    "mode": mode[rows],
                }
            )

    def _add_sites(self, sites: list[SiteObservation]) -> None:
        location = np.array([location for look in sites for location in look.location_id])
        at = np.repeat(_instants([look.time for look in sites]), [len(look.location_id) for look in sites])
        hvac = np.array([state.value for look in sites for state in look.hvac])
        mains = np.array([mains for look in sites for mains in look.mains])
        ambient, humidity = (_joined(sites, name) for name in ("ambient_c", "humidity_pct"))
        for place in sorted(set(location)):
            rows = np.flatnonzero(location == place)
            columns = {"location_id": location, "ambient_c": ambient, "humidity_pct": humidity, "hvac": hvac}
            self._files["site_environment", str(place)].add(
                {
                    "time": _utc(at[rows]),
                    **{name: column[rows] for name, column in columns.items()},
                    "mains": mains[rows],
                }
            )

    def _discard(self) -> None:
        for file in self._files.values():
            file.discard()


def _joined(looks: Sequence[Observation] | Sequence[SiteObservation], name: str) -> npt.NDArray[np.float32]:
    return np.concatenate([getattr(look, name) for look in looks]).astype(np.float32)


def _instants(times: list[datetime]) -> npt.NDArray[np.datetime64]:
    return np.array([time.replace(tzinfo=None) for time in times], dtype="datetime64[us]")


def _utc(instants: npt.NDArray[np.datetime64]) -> pa.Array:
    return pa.array(instants).cast(SCHEMAS["telemetry"].field("time").type)
