"""A folder of battery lives, as `battery-synth training` writes it: catalogue, daily values and, apart, the truth."""

import csv
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.parquet as pq

from battery_contracts.fleet import BATTERY_MODELS
from battery_contracts.ml import DAILY_COLUMNS
from battery_ml.arrays import Float32Array, FloatArray, IntArray

DAY_US: Final = 86_400_000_000
_DAILY_TABLE: Final = "telemetry_daily"


class DatasetRefused(ValueError):
    """A folder cannot be used for training or evaluation; the message gives the reason and the remedy."""


@dataclass(frozen=True, slots=True)
class Part:
    """The batteries that share one set of files, with their daily values."""

    battery_slot: IntArray
    """Slot of each battery in the dataset's catalogue, (batteries,)."""
    first_day: int
    """Days since 1970 of the first column."""
    days: dict[str, Float32Array]
    """Daily values by column name, each (batteries, days)."""
    generation: npt.NDArray[np.int16]
    """How many batteries were in the position before, on each day, (batteries, days); -1 where nothing was read."""


@dataclass(frozen=True)
class LifeDataset:
    """A dataset on the disk; the columns of its catalogue hold one entry per battery, ordered by id."""

    folder: Path
    manifest: dict[str, Any]
    battery_ids: tuple[str, ...]
    string_ids: tuple[str, ...]
    location_ids: tuple[str, ...]
    baseline_mohm: FloatArray
    rated_ah: FloatArray
    design_life_years: FloatArray

    @classmethod
    def open(cls, folder: Path) -> "LifeDataset":
        """Open a folder.

        Raises
        ------
        DatasetRefused
            It holds no complete set of lives in Parquet files, or battery models that the catalogue does not have.
        """
        try:
            manifest = json.loads((folder / "manifest.json").read_bytes())
            with (folder / "master" / "fleet.csv").open(newline="") as source:
                rows = sorted(csv.DictReader(source), key=lambda row: row["battery_id"])
        except (OSError, ValueError) as error:
            raise DatasetRefused(f"{folder} holds no complete dataset: {error}") from error
        if not manifest.get("rows", {}).get(_DAILY_TABLE) or not manifest["rows"].get("truth/lives"):
            raise DatasetRefused(
                f"{folder} holds a {manifest.get('kind')} set; lives with their ends come from battery-synth training"
            )
        if manifest.get("file_format") != "parquet":
            raise DatasetRefused(f"{folder} holds {manifest.get('file_format')} files; Parquet is needed")
        unknown = sorted({row["model_id"] for row in rows} - set(BATTERY_MODELS))
        if unknown:
            raise DatasetRefused(f"{folder} has batteries of unknown models: {', '.join(unknown)}")
        models = [BATTERY_MODELS[row["model_id"]] for row in rows]
        return cls(
            folder=folder,
            manifest=manifest,
            battery_ids=tuple(row["battery_id"] for row in rows),
            string_ids=tuple(row["string_id"] for row in rows),
            location_ids=tuple(row["location_id"] for row in rows),
            baseline_mohm=np.array([float(row["baseline_resistance_mohm"] or "nan") for row in rows]),
            rated_ah=np.array([model.rated_capacity_ah for model in models]),
            design_life_years=np.array([model.design_life_years for model in models]),
        )

    @property
    def end_us(self) -> int:
        """End of the observation in microseconds since 1970."""
        return round(datetime.fromisoformat(self.manifest["end"]).timestamp() * 1e6)

    @property
    def sha256(self) -> str:
        """SHA-256 of the manifest, which holds the digest of every file."""
        return hashlib.sha256(json.dumps(self.manifest, sort_keys=True).encode()).hexdigest()

    def read(self, table: str, columns: Sequence[str]) -> pa.Table:
        """Return columns of a table."""
        source: Any = pads.dataset(self.folder / table, partitioning=None, format="parquet")
        rows: pa.Table = source.to_table(columns=list(columns)).unify_dictionaries()
        return rows

    def part_names(self, locations: Sequence[str] | None = None) -> list[str]:
        """Return the names of the parts, restricted to some locations if they are given."""
        files = [entry for entry in self.manifest["files"] if entry["table"] == _DAILY_TABLE]
        return sorted(
            {Path(entry["path"]).stem for entry in files if locations is None or entry["location_id"] in locations}
        )

    def part(self, name: str) -> Part:
        """Read the days of a part, month by month."""
        paths = sorted(
            entry["path"]
            for entry in self.manifest["files"]
            if entry["table"] == _DAILY_TABLE and Path(entry["path"]).stem == name
        )
        return _assemble(self, [_read_month(self, path) for path in paths])


@dataclass(frozen=True, slots=True)
class _Month:
    """Readings of one file, (readings,) each."""

    battery_slot: IntArray
    day: IntArray
    generation: npt.NDArray[np.int16]
    values: dict[str, Float32Array]


def _read_month(data: LifeDataset, path: str) -> _Month:
    columns = ["time", "battery_id", "generation", *DAILY_COLUMNS]
    rows = pq.read_table(data.folder / path, partitioning=None, columns=columns)
    ids = rows["battery_id"].combine_chunks()
    slots = {battery_id: slot for slot, battery_id in enumerate(data.battery_ids)}
    slot_of_code = np.array([slots[battery_id] for battery_id in ids.dictionary.to_pylist()], np.int64)
    return _Month(
        battery_slot=slot_of_code[ids.indices.to_numpy()],
        day=rows["time"].cast("int64").to_numpy() // DAY_US,
        generation=rows["generation"].to_numpy().astype(np.int16),
        values={name: _numbers(rows[name]) for name in DAILY_COLUMNS},
    )


def _numbers(column: pa.ChunkedArray) -> Float32Array:
    values: Float32Array = column.to_numpy(zero_copy_only=False).astype(np.float32)
    return values


def _assemble(data: LifeDataset, months: list[_Month]) -> Part:
    battery_slot = np.unique(np.concatenate([month.battery_slot for month in months]))
    first_day = min(int(month.day.min()) for month in months)
    shape = (len(battery_slot), max(int(month.day.max()) for month in months) - first_day + 1)
    days = {name: np.full(shape, np.nan, np.float32) for name in DAILY_COLUMNS}
    generation = np.full(shape, -1, np.int16)
    row_of = np.full(len(data.battery_ids), -1, np.int64)
    row_of[battery_slot] = np.arange(len(battery_slot))
    for month in months:
        cells = row_of[month.battery_slot], month.day - first_day
        generation[cells] = month.generation
        for name, values in month.values.items():
            days[name][cells] = values
    return Part(battery_slot, first_day, days, generation)
