"""Snapshots of lives: the features that serving would compute on a day, and the life that remained."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields, replace
from functools import partial
from multiprocessing import get_context
from typing import Final
from zlib import crc32

import numpy as np

from battery_ml.arrays import BoolArray, Float32Array, FloatArray, IntArray
from battery_ml.datasets.folder import DAY_US, DatasetRefused, LifeDataset, Part
from battery_ml.datasets.lives import BatteryLives, read_lives
from battery_ml.features.days import DAYS_PER_YEAR, HISTORY_DAYS
from battery_ml.features.history import DailyHistory
from battery_ml.features.table import FeatureTable
from battery_ml.features.windows import mean_of_last

MIN_AGE_DAYS: Final = 60
# Conductance rises in the first months; a baseline is taken after them.
_BASELINE_FROM_DAYS, _BASELINE_UNTIL_DAYS = 150, 210


@dataclass(frozen=True, slots=True)
class SnapshotPlan:
    """On which days snapshots are taken, and of how much history.

    Parameters
    ----------
    every_days
        Interval of the snapshots.
    first_years
        Only the days of so many years from the begin; the lives may end later. None for all days.
    short_histories
        Share of the strings, by days of history: on each day so many, drawn by chance, are seen as if their monitor
        had been fitted that long ago. A model that has only seen long histories knows nothing of a new monitor.
    seed
        Of that chance.
    """

    every_days: int
    first_years: float | None = None
    short_histories: tuple[tuple[int, float], ...] = ()
    seed: int = 0

    def columns(self, days: int) -> range:
        """Return the columns of a part of so many days on which snapshots are taken."""
        until = days if self.first_years is None else min(days, round(self.first_years * DAYS_PER_YEAR))
        return range(self.every_days - 1, until, self.every_days)

    def days_seen(self, string_ids: Sequence[str], part: str, column: int) -> IntArray:
        """Return how many days of history each battery (n,) is seen with; all of a string with the same."""
        days = np.full(len(string_ids), HISTORY_DAYS)
        if not self.short_histories:
            return days
        strings, string = np.unique(np.asarray(string_ids), return_inverse=True)
        chance = np.random.default_rng([self.seed, column, crc32(part.encode())]).random(len(strings))[string]
        for length, share in self.short_histories:
            days = np.where((chance >= 0.0) & (chance < share), np.minimum(days, length), days)
            chance = chance - share
        return days


@dataclass(frozen=True, slots=True)
class Snapshots:
    """Batteries on days: features (n, features) and one entry (n,) in every other column.

    ``days_to_end`` counts to the failure, or to the last observation where ``is_censored``; ``follow_up_days`` to the
    end of the data, up to which a failure would have been seen.
    """

    features: Float32Array
    battery_slot: IntArray
    """Slot of the position in the dataset's catalogue."""
    generation: IntArray
    day: IntArray
    """Days since 1970."""
    days_to_end: FloatArray
    is_censored: BoolArray
    follow_up_days: FloatArray

    def __len__(self) -> int:
        """Count the snapshots."""
        return len(self.battery_slot)

    def where(self, chosen: BoolArray) -> "Snapshots":
        """Return the snapshots that a mask (n,) selects."""
        return Snapshots(**{field.name: getattr(self, field.name)[chosen] for field in fields(self)})

    def with_features(self, features: Float32Array) -> "Snapshots":
        """Return the same snapshots with other features."""
        return replace(self, features=features)

    def as_of(self, day: int) -> "Snapshots":
        """Return what was known on a day (since 1970): earlier snapshots, lives that went on censored on that day."""
        earlier = self.where(self.day < day)
        observed_days = (day - 1 - earlier.day).astype(np.float64)
        return replace(
            earlier,
            days_to_end=np.minimum(earlier.days_to_end, observed_days),
            is_censored=earlier.is_censored | (earlier.days_to_end > observed_days),
            follow_up_days=np.minimum(earlier.follow_up_days, observed_days),
        ).where(observed_days > 0.0)

    @staticmethod
    def joined(pieces: Sequence["Snapshots"]) -> "Snapshots":
        """Concatenate several."""
        return Snapshots(
            **{
                field.name: np.concatenate([getattr(piece, field.name) for piece in pieces])
                for field in fields(Snapshots)
            }
        )


def snapshots_by_part(
    data: LifeDataset, table: FeatureTable, plan: SnapshotPlan, *, locations: Sequence[str] | None = None
) -> Iterator[tuple[str, Snapshots]]:
    """Yield the name of each part with its snapshots; one part at a time is in memory.

    Raises
    ------
    DatasetRefused
        No battery of the dataset failed, or the dataset is shorter than the interval of the snapshots.
    """
    lives = read_lives(data)
    for name in data.part_names(locations):
        yield name, _snapshots_of_part(data, lives, table, plan, name)


def take_snapshots(
    data: LifeDataset,
    table: FeatureTable,
    plan: SnapshotPlan,
    *,
    locations: Sequence[str] | None = None,
    workers: int = 1,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> Snapshots:
    """Compute the features of every battery in service on the days of a plan, part by part.

    Parameters
    ----------
    locations
        Restricts the snapshots to these; by default all.
    workers
        Processes; each holds one part in memory.
    progress
        Called with the number of finished parts and of all parts.

    Raises
    ------
    DatasetRefused
        No battery of the dataset failed, or the dataset is shorter than the interval of the snapshots.
    """
    names = data.part_names(locations)
    pieces: list[Snapshots] = []
    if workers == 1 or len(names) == 1:
        for _, piece in snapshots_by_part(data, table, plan, locations=locations):
            pieces.append(piece)
            progress(len(pieces), len(names))
        return Snapshots.joined(pieces)
    work = partial(_snapshots_of_part, data, read_lives(data), table, plan)
    with ProcessPoolExecutor(min(workers, len(names)), mp_context=get_context("spawn")) as pool:
        for piece in pool.map(work, names):
            pieces.append(piece)
            progress(len(pieces), len(names))
    return Snapshots.joined(pieces)


def _snapshots_of_part(
    data: LifeDataset, lives: BatteryLives, table: FeatureTable, plan: SnapshotPlan, name: str
) -> Snapshots:
    part_lives = _PartLives(data, lives, data.part(name))
    string_ids = [data.string_ids[slot] for slot in part_lives.part.battery_slot]
    days = part_lives.part.generation.shape[1]
    columns = plan.columns(days)
    if not columns:
        raise DatasetRefused(f"{data.folder}: {days} days, and a snapshot is taken every {plan.every_days}")
    return Snapshots.joined(
        [part_lives.snapshot(column, table, plan.days_seen(string_ids, name, column)) for column in columns]
    )


class _PartLives:
    """A part with the lives of its batteries."""

    def __init__(self, data: LifeDataset, lives: BatteryLives, part: Part) -> None:
        self.data, self.lives, self.part = data, lives, part
        row_of = {slot: row for row, slot in enumerate(part.battery_slot.tolist())}
        self._life_of = np.full((len(part.battery_slot), int(lives.generation.max()) + 1), -1, np.int64)
        for life, (slot, generation) in enumerate(
            zip(lives.battery_slot.tolist(), lives.generation.tolist(), strict=True)
        ):
            if slot in row_of:
                self._life_of[row_of[slot], generation] = life
        self._baseline_mohm = self._baselines()

    def _baselines(self) -> FloatArray:
        """Return the resistance of each battery when new (rows, generations): the catalogue's, or its sixth month's."""
        baseline_mohm = np.full(self._life_of.shape, np.nan)
        baseline_mohm[:, 0] = self.data.baseline_mohm[self.part.battery_slot]
        resistance = self.part.days["resistance_25c_mohm"]
        for row, generation in zip(*np.nonzero(self._life_of[:, 1:] >= 0), strict=True):
            installed_us = self.lives.installed_us[self._life_of[row, generation + 1]]
            first = int(installed_us // DAY_US) - self.part.first_day
            months = resistance[row, first + _BASELINE_FROM_DAYS : first + _BASELINE_UNTIL_DAYS]
            mean = mean_of_last(months[None, :].astype(np.float64), _BASELINE_UNTIL_DAYS)[0]
            baseline_mohm[row, generation + 1] = mean
        return baseline_mohm

    def snapshot(self, column: int, table: FeatureTable, days_seen: IntArray) -> Snapshots:
        """Return the batteries in service at the end of a day, with the features of the days up to then.

        Of each battery (rows,) the last ``days_seen`` are known.
        """
        data, lives, part = self.data, self.lives, self.part
        # The days of a history end with the last whole one; the prediction is made at the midnight after it.
        now_us = (part.first_day + column + 1) * DAY_US
        rows, generation = np.arange(len(part.battery_slot)), part.generation[:, column].astype(np.int64)
        life = np.where(generation >= 0, self._life_of[rows, generation], -1)
        age_days = np.where(life >= 0, (now_us - lives.installed_us[life]) / DAY_US, np.nan)
        # The mean of a month in the future is not known.
        is_measured = (generation == 0) | (age_days > _BASELINE_UNTIL_DAYS)
        history = DailyHistory(
            battery_ids=tuple(data.battery_ids[slot] for slot in part.battery_slot),
            string_ids=tuple(data.string_ids[slot] for slot in part.battery_slot),
            days=self._history(column, days_seen),
            age_days=age_days,
            rated_ah=data.rated_ah[part.battery_slot],
            design_life_years=data.design_life_years[part.battery_slot],
            baseline_resistance_mohm=np.where(is_measured, self._baseline_mohm[rows, generation], np.nan),
        )
        chosen = np.flatnonzero((life >= 0) & (age_days >= MIN_AGE_DAYS) & (lives.until_us[life] > now_us))
        return Snapshots(
            features=table.compute(history)[chosen].astype(np.float32),
            battery_slot=part.battery_slot[chosen],
            generation=generation[chosen],
            day=np.full(len(chosen), part.first_day + column),
            days_to_end=(lives.until_us[life[chosen]] - now_us) / DAY_US,
            is_censored=~lives.has_failed[life[chosen]],
            follow_up_days=np.full(len(chosen), (data.end_us - now_us) / DAY_US),
        )

    def _history(self, column: int, days_seen: IntArray) -> dict[str, FloatArray]:
        first = max(column + 1 - HISTORY_DAYS, 0)
        days_ago = np.arange(column - first, -1, -1)
        is_unseen = days_ago[None, :] >= days_seen[:, None]
        history = {}
        for name, values in self.part.days.items():
            window = values[:, first : column + 1].astype(np.float64)
            window[is_unseen] = np.nan
            history[name] = window
        return history
