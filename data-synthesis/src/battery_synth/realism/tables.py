"""Tables of a dataset folder as arrays, read column by column."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.dataset as pd

from battery_contracts.fleet import FleetRow
from battery_synth.catalogue import read_catalogue_csv

FloatArray = npt.NDArray[np.float64]
_DAY_US: Final = 86_400_000_000
_BASELINE_DAYS: Final = 20
"""Measurements that a baseline of a battery's own needs."""


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

    def batches(self, table: str, columns: list[str]) -> Iterator[Any]:
        """Yield columns of a table in record batches, so that its length takes no memory."""
        source: Any = pd.dataset(self.folder / table, partitioning=None, format=self.manifest["file_format"])
        for batch in source.to_batches(columns=columns, batch_readahead=2, fragment_readahead=1):
            if len(batch):
                yield batch

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
    return _instants_us(table["time"])


def words(table: pa.Table, name: str) -> npt.NDArray[np.str_]:
    """Return a column of text."""
    return _texts(table[name].unify_dictionaries().combine_chunks())


def strings_of(table: pa.Table) -> npt.NDArray[np.int64]:
    """Return the string (k,) of each battery of a column of ids, as its rank among all of them."""
    column = table["battery_id"].unify_dictionaries().combine_chunks()
    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    _, rank = np.unique([name[4:-4] for name in coded.dictionary.to_pylist()], return_inverse=True)
    return np.asarray(rank[coded.indices.to_numpy(zero_copy_only=False)], np.int64)


def _instants_us(column: Any) -> npt.NDArray[np.int64]:
    at_us: npt.NDArray[np.int64] = column.to_numpy(zero_copy_only=False).astype("datetime64[us]").astype(np.int64)
    return at_us


def _texts(column: Any) -> npt.NDArray[np.str_]:
    """Return text from its few different values: one Python string each, not one a row."""
    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    values = np.array(coded.dictionary.to_pylist())
    texts: npt.NDArray[np.str_] = values[coded.indices.to_numpy(zero_copy_only=False)]
    return texts


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
    """Return a run-to-failure population from a training set, in memory that its length does not add to.

    A battery's baseline is the mean of its measurements 90 to 180 days after installation, or the catalogue's baseline
    if it is older than the record.

    Raises
    ------
    NotADataset
        The daily aggregates and the truth cover different days.
    """
    lives = _Lives.of(data)
    seen, baseline = _seen_days(data, lives, every_days)
    truth = _true_days(data, lives, every_days)
    if seen.rows != truth.rows or not all(map(np.array_equal, seen.key, truth.key)):
        raise NotADataset("the daily aggregates and the truth cover different days")
    growth = seen.measured / baseline[seen.life] - 1.0
    valid = np.isfinite(growth)
    battery = lives.names[seen.key[0][valid]]
    return Population(
        battery=battery,
        generation=seen.generation[valid],
        age_days=(seen.key[1] - lives.installed_us[seen.life])[valid] / _DAY_US,
        health=truth.health[valid],
        growth=growth[valid],
        mechanism=truth.mechanism[valid],
        location=np.array([name[4:13] for name in battery.tolist()]),
    )


@dataclass(frozen=True)
class _Lives:
    """Lives of a training set: each battery (n,) and generation, and when it was installed (lives,)."""

    names: npt.NDArray[np.str_]
    index: npt.NDArray[np.int64]
    """(n, generations) the life of each battery and generation, -1 for none."""
    installed_us: npt.NDArray[np.int64]
    listed_mohm: FloatArray
    """(lives,) baseline of the catalogue, NaN for a battery that it does not list."""

    @classmethod
    def of(cls, data: DatasetTables) -> Self:
        installed = _installations(data)
        names = sorted({name for name, _ in installed})
        row_of = {name: row for row, name in enumerate(names)}
        index = np.full((len(names), 1 + max(generation for _, generation in installed)), -1, np.int64)
        for life, (name, generation) in enumerate(installed):
            index[row_of[name], generation] = life
        listed = {row.battery_id: row.baseline_resistance_mohm or np.nan for row in data.fleet}
        mohm = [listed[name] if generation == 0 else np.nan for name, generation in installed]
        return cls(np.array(names), index, np.array(list(installed.values())), np.array(mohm, np.float64))

    def rows(self, column: Any) -> npt.NDArray[np.int64]:
        """Return the battery (k,) of each entry of a column of ids."""
        coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
        rank = np.searchsorted(self.names, np.array(coded.dictionary.to_pylist()))
        return np.asarray(rank[coded.indices.to_numpy(zero_copy_only=False)], np.int64)


class _SeenDays(NamedTuple):
    """What was measured on some days (k,), by battery and time, and of how many rows they are a part."""

    key: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]
    generation: npt.NDArray[np.int64]
    life: npt.NDArray[np.int64]
    measured: FloatArray
    rows: int


class _TrueDays(NamedTuple):
    """The truth of some days (k,), by battery and time, and of how many rows they are a part."""

    key: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]
    health: FloatArray
    mechanism: npt.NDArray[np.str_]
    rows: int


def _seen_days(data: DatasetTables, lives: _Lives, every_days: int) -> tuple[_SeenDays, FloatArray]:
    """Return the measurements of one day in so many, and the baseline of each life (lives,)."""
    total, count = np.zeros(len(lives.installed_us)), np.zeros(len(lives.installed_us))
    parts, rows = [], 0
    for batch in data.batches("telemetry_daily", ["time", "battery_id", "generation", "resistance_25c_mohm"]):
        at_us, battery = _instants_us(batch["time"]), lives.rows(batch["battery_id"])
        generation = batch["generation"].to_numpy(zero_copy_only=False).astype(np.int64)
        measured = batch["resistance_25c_mohm"].to_numpy(zero_copy_only=False).astype(np.float64)
        life = lives.index[battery, generation]
        age_days = (at_us - lives.installed_us[life]) / _DAY_US
        young = (age_days >= 90) & (age_days <= 180) & np.isfinite(measured)
        count += np.bincount(life[young], minlength=len(count))
        total += np.bincount(life[young], measured[young], minlength=len(total))
        thin, rows = (at_us // _DAY_US) % every_days == 0, rows + len(at_us)
        parts.append((battery[thin], at_us[thin], generation[thin], life[thin], measured[thin]))
    battery, at_us, generation, life, measured = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((at_us, battery))
    with np.errstate(invalid="ignore"):
        baseline = np.where(count >= _BASELINE_DAYS, total / count, lives.listed_mohm)
    key = (battery[order], at_us[order])
    return _SeenDays(key, generation[order], life[order], measured[order], rows), baseline


def _true_days(data: DatasetTables, lives: _Lives, every_days: int) -> _TrueDays:
    """Return the truth of one day in so many."""
    parts, rows = [], 0
    for batch in data.batches("truth/daily", ["time", "battery_id", "health", "mechanism"]):
        at_us, battery = _instants_us(batch["time"]), lives.rows(batch["battery_id"])
        thin, rows = np.flatnonzero((at_us // _DAY_US) % every_days == 0), rows + len(at_us)
        health = batch["health"].to_numpy(zero_copy_only=False).astype(np.float64)
        parts.append((battery[thin], at_us[thin], health[thin], _texts(batch["mechanism"].take(pa.array(thin)))))
    battery, at_us, health, mechanism = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((at_us, battery))
    return _TrueDays((battery[order], at_us[order]), health[order], mechanism[order], rows)


def _installations(data: DatasetTables) -> dict[tuple[str, int], int]:
    lives = data.read("events/lives", ["time", "kind", "battery_id", "generation"]).to_pylist()
    return {
        (event["battery_id"], event["generation"]): round(event["time"].timestamp() * 1e6)
        for event in lives
        if event["kind"] == "installed"
    }
