"""Tables of a dataset folder as arrays, read column by column."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.dataset as pd

from battery_contracts.fleet import FleetRow
from battery_synth.catalogue import read_catalogue_csv

FloatArray = npt.NDArray[np.float64]
_DAY_US = 86_400_000_000


class NotADataset(ValueError):
    """The folder does not hold a complete dataset."""


@dataclass(frozen=True)
class DatasetTables:
    """A dataset on disk."""

    folder: Path
    manifest: dict[str, Any]

    @classmethod
    def open(cls, folder: Path) -> "DatasetTables":
        """Open a folder.

        Raises
        ------
        NotADataset
            The folder has no manifest: its content is incomplete, or something else.
        """
        try:
            return cls(folder, json.loads((folder / "manifest.json").read_bytes()))
        except (OSError, ValueError) as error:
            raise NotADataset(f"{folder} holds no complete dataset: {error}") from error

    def has(self, table: str) -> bool:
        """Return whether a table has rows."""
        return bool(self.manifest["rows"].get(table))

    def read(self, table: str, columns: list[str], where: Any = None) -> pa.Table:
        """Return columns of a table, of the rows that match ``where`` if it is given."""
        source: Any = pd.dataset(self.folder / table, partitioning=None, format=self.manifest["file_format"])
        rows: pa.Table = source.to_table(columns=columns, filter=where)
        return rows

    @cached_property
    def fleet(self) -> tuple[FleetRow, ...]:
        """The catalogue of its batteries."""
        return read_catalogue_csv(self.folder / "master" / "fleet.csv")


def numbers(table: pa.Table, name: str) -> FloatArray:
    """Return a column as floats, NaN where it is null."""
    values: FloatArray = table[name].to_numpy(zero_copy_only=False).astype(np.float64)
    return values


def instants_us(table: pa.Table) -> npt.NDArray[np.int64]:
    """Return the time column in us since 1970."""
    at_us: npt.NDArray[np.int64] = table["time"].to_numpy().astype("datetime64[us]").astype(np.int64)
    return at_us


def words(table: pa.Table, name: str) -> npt.NDArray[np.str_]:
    """Return a column of text."""
    return np.array(table[name].to_pylist())


@dataclass(frozen=True)
class Population:
    """Battery days (k,), one in thirty: what the monitor measured beside the truth."""

    battery: npt.NDArray[np.str_]
    generation: npt.NDArray[np.int64]
    age_days: FloatArray
    health: FloatArray
    growth: FloatArray
    """Measured resistance at 25 °C over the battery's own baseline, minus 1."""
    mechanism: npt.NDArray[np.str_]
    location: npt.NDArray[np.str_]


def population(data: DatasetTables, *, every_days: int = 30) -> Population:
    """Return a run-to-failure population from a training set.

    A battery's baseline is the mean of its measurements 90 to 180 days after installation, or the catalogue's baseline
    if it is older than the record.

    Raises
    ------
    NotADataset
        The daily aggregates and the truth cover different days.
    """
    days = data.read("telemetry_daily", ["time", "battery_id", "generation", "resistance_25c_mohm"])
    truth = data.read("truth/daily", ["time", "battery_id", "health", "mechanism"])
    at_us, code, names = instants_us(days), *_coded(days)
    generation, measured = numbers(days, "generation").astype(np.int64), numbers(days, "resistance_25c_mohm")
    order = np.lexsort((at_us, code))
    truth_code, truth_names = _coded(truth)
    truth_order = np.lexsort((instants_us(truth), truth_code))
    if names != truth_names or not np.array_equal(at_us[order], instants_us(truth)[truth_order]):
        raise NotADataset("the daily aggregates and the truth cover different days")
    installed = _installations(data)
    battery_key = code.astype(np.int64) * 1000 + generation
    keys, index = np.unique(battery_key, return_inverse=True)
    installed_us = np.array([installed[names[number // 1000], int(number % 1000)] for number in keys])
    age_days = (at_us - installed_us[index]) / _DAY_US
    young = (age_days >= 90) & (age_days <= 180) & np.isfinite(measured)
    count = np.bincount(index[young], minlength=len(keys))
    with np.errstate(invalid="ignore"):
        own = np.bincount(index[young], measured[young], minlength=len(keys)) / count
    listed = {row.battery_id: row.baseline_resistance_mohm or np.nan for row in data.fleet}
    fallback = np.array([listed[names[number // 1000]] if number % 1000 == 0 else np.nan for number in keys])
    baseline = np.where(count >= 20, own, fallback)[index]
    kind = words(truth, "mechanism")[truth_order]
    health = numbers(truth, "health")[truth_order]
    thin = (at_us[order] // _DAY_US) % every_days == 0
    chosen = order[thin]
    valid = np.isfinite(measured[chosen]) & np.isfinite(baseline[chosen])
    battery = np.array(names)[code[chosen]][valid]
    return Population(
        battery=battery,
        generation=generation[chosen][valid],
        age_days=age_days[chosen][valid],
        health=health[thin][valid],
        growth=(measured[chosen] / baseline[chosen] - 1.0)[valid],
        mechanism=kind[thin][valid],
        location=np.array([name[4:13] for name in battery.tolist()]),
    )


def _coded(table: pa.Table) -> tuple[npt.NDArray[np.int64], list[str]]:
    column = table["battery_id"].unify_dictionaries().combine_chunks()
    column = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    names = column.dictionary.to_pylist()
    rank = np.argsort(np.argsort(names))
    return rank[column.indices.to_numpy()].astype(np.int64), sorted(names)


def _installations(data: DatasetTables) -> dict[tuple[str, int], int]:
    lives = data.read("events/lives", ["time", "kind", "battery_id", "generation"]).to_pylist()
    return {
        (event["battery_id"], event["generation"]): round(event["time"].timestamp() * 1e6)
        for event in lives
        if event["kind"] == "installed"
    }
