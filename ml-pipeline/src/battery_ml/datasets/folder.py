"""A folder of lives as `battery-synth training` writes it: catalogue, days and, apart from them, the truth."""

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

DAY_US: Final = 86_400_000_000
_DAYS: Final = "telemetry_daily"
FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]


class DatasetRefused(ValueError):
    """A folder cannot be learnt from; says why and what to do."""


@dataclass(frozen=True, slots=True)
class Part:
    """Batteries that stand in the same files, with their days; (batteries, days) each."""

    place: IntArray
    """Of each battery in the dataset's catalogue, (batteries,)."""
    first_day: int
    """Days since 1970 of the first column."""
    days: dict[str, Float32Array]
    generation: npt.NDArray[np.int16]
    """Which jar stood at the place that day; -1 where nothing was read."""


@dataclass(frozen=True)
class Dataset:
    """A dataset on the disk; the columns of its catalogue are of its batteries, in order of their ids."""

    folder: Path
    manifest: dict[str, Any]
    battery_ids: tuple[str, ...]
    string_ids: tuple[str, ...]
    location_ids: tuple[str, ...]
    baseline_mohm: FloatArray
    rated_ah: FloatArray
    design_life_years: FloatArray

    @classmethod
    def at(cls, folder: Path) -> "Dataset":
        """Open a folder.

        Raises
        ------
        DatasetRefused
            It holds no whole set of lives.
        """
        try:
            manifest = json.loads((folder / "manifest.json").read_bytes())
            with (folder / "master" / "fleet.csv").open(newline="") as source:
                rows = sorted(csv.DictReader(source), key=lambda row: row["battery_id"])
        except (OSError, ValueError) as error:
            raise DatasetRefused(f"{folder} holds no whole dataset: {error}") from error
        if not manifest.get("rows", {}).get(_DAYS) or not manifest["rows"].get("truth/lives"):
            raise DatasetRefused(
                f"{folder} holds a {manifest.get('kind')} set; lives with their ends come from battery-synth training"
            )
        if manifest.get("file_format") != "parquet":
            raise DatasetRefused(f"{folder} holds {manifest.get('file_format')} files; Parquet is needed")
        unknown = sorted({row["model_id"] for row in rows} - set(BATTERY_MODELS))
        if unknown:
            raise DatasetRefused(f"{folder} has batteries of models that are not known here: {', '.join(unknown)}")
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
        """Until when lives were seen, in us since 1970."""
        return round(datetime.fromisoformat(self.manifest["end"]).timestamp() * 1e6)

    @property
    def sha256(self) -> str:
        """Of what the manifest says of every file, their own digests included."""
        return hashlib.sha256(json.dumps(self.manifest, sort_keys=True).encode()).hexdigest()

    def read(self, table: str, columns: Sequence[str]) -> pa.Table:
        """Return columns of a table."""
        source: Any = pads.dataset(self.folder / table, partitioning=None, format="parquet")
        rows: pa.Table = source.to_table(columns=list(columns)).unify_dictionaries()
        return rows

    def part_names(self, locations: Sequence[str] | None = None) -> list[str]:
        """Return the names of the parts, those of some locations if they are named."""
        files = [entry for entry in self.manifest["files"] if entry["table"] == _DAYS]
        return sorted(
            {Path(entry["path"]).stem for entry in files if locations is None or entry["location_id"] in locations}
        )

    def part(self, name: str) -> Part:
        """Read the days of a part, month by month."""
        paths = sorted(
            entry["path"]
            for entry in self.manifest["files"]
            if entry["table"] == _DAYS and Path(entry["path"]).stem == name
        )
        return _assembled(self, [_month(self, path) for path in paths])


@dataclass(frozen=True, slots=True)
class _Month:
    place: IntArray
    day: IntArray
    generation: npt.NDArray[np.int16]
    values: dict[str, Float32Array]


def _month(data: Dataset, path: str) -> _Month:
    wanted = ["time", "battery_id", "generation", *DAILY_COLUMNS]
    rows = pq.read_table(data.folder / path, partitioning=None, columns=wanted)
    ids = rows["battery_id"].combine_chunks()
    places = {battery_id: place for place, battery_id in enumerate(data.battery_ids)}
    place_of_code = np.array([places[battery_id] for battery_id in ids.dictionary.to_pylist()], np.int64)
    return _Month(
        place=place_of_code[ids.indices.to_numpy()],
        day=rows["time"].cast("int64").to_numpy() // DAY_US,
        generation=rows["generation"].to_numpy().astype(np.int16),
        values={name: _numbers(rows[name]) for name in DAILY_COLUMNS},
    )


def _numbers(column: pa.ChunkedArray) -> Float32Array:
    values: Float32Array = column.to_numpy(zero_copy_only=False).astype(np.float32)
    return values


def _assembled(data: Dataset, months: list[_Month]) -> Part:
    place = np.unique(np.concatenate([month.place for month in months]))
    first_day = min(int(month.day.min()) for month in months)
    shape = (len(place), max(int(month.day.max()) for month in months) - first_day + 1)
    days = {name: np.full(shape, np.nan, np.float32) for name in DAILY_COLUMNS}
    generation = np.full(shape, -1, np.int16)
    row_of = np.full(len(data.battery_ids), -1, np.int64)
    row_of[place] = np.arange(len(place))
    for month in months:
        at = row_of[month.place], month.day - first_day
        generation[at] = month.generation
        for name, values in month.values.items():
            days[name][at] = values
    return Part(place, first_day, days, generation)
