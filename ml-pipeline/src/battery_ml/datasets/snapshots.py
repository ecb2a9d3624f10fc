"""Snapshots of lives: features as serving would compute them on a day, and what came after it."""

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields, replace
from functools import partial
from multiprocessing import get_context
from typing import Final

import numpy as np
import numpy.typing as npt

from battery_ml.datasets.folder import DAY_US, Dataset, FloatArray, IntArray, Part
from battery_ml.datasets.lives import Lives, read_lives
from battery_ml.features.days import NEEDED_DAYS
from battery_ml.features.history import DailyHistory
from battery_ml.features.table import FeatureTable
from battery_ml.features.windows import mean_of_last

LEAST_AGE_DAYS: Final = 60
# Conductance rises in the first months; a baseline is taken after them.
_BASELINE_FROM_DAYS, _BASELINE_UNTIL_DAYS = 150, 210


@dataclass(frozen=True, slots=True)
class Snapshots:
    """Jars on days: features (n, features) and, for each, (n,) what it is and what came.

    ``days_to_end`` is until the end of the life, or until it was seen last where ``is_censored``.
    """

    features: npt.NDArray[np.float32]
    place: IntArray
    generation: IntArray
    day: IntArray
    days_to_end: FloatArray
    is_censored: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        """Count the snapshots."""
        return len(self.place)

    def where(self, chosen: npt.NDArray[np.bool_]) -> "Snapshots":
        """Return some of them."""
        return Snapshots(**{field.name: getattr(self, field.name)[chosen] for field in fields(self)})

    def with_features(self, features: npt.NDArray[np.float32]) -> "Snapshots":
        """Return the same snapshots with other features."""
        return replace(self, features=features)

    def seen_from(self, day: int) -> "Snapshots":
        """Return what was known on a day (since 1970): no later snapshots; lives that went on are censored there."""
        earlier = self.where(self.day < day)
        left = (day - 1 - earlier.day).astype(np.float64)
        return replace(
            earlier,
            days_to_end=np.minimum(earlier.days_to_end, left),
            is_censored=earlier.is_censored | (earlier.days_to_end > left),
        ).where(left > 0.0)

    @staticmethod
    def joined(pieces: Sequence["Snapshots"]) -> "Snapshots":
        """Return several as one."""
        return Snapshots(
            **{
                field.name: np.concatenate([getattr(piece, field.name) for piece in pieces])
                for field in fields(Snapshots)
            }
        )


def take_snapshots(
    data: Dataset,
    table: FeatureTable,
    *,
    every_days: int,
    locations: Sequence[str] | None = None,
    workers: int = 1,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> Snapshots:
    """Compute features of every living jar at each ``every_days``, part by part.

    Parameters
    ----------
    workers
        Processes; each holds one part in memory.
    progress
        Told parts done and parts in all.
    """
    lives = read_lives(data)
    names = data.part_names(locations)
    work = partial(_of_part, data, lives, table, every_days)
    pieces: list[Snapshots] = []
    if workers == 1 or len(names) == 1:
        for name in names:
            pieces.append(work(name))
            progress(len(pieces), len(names))
        return Snapshots.joined(pieces)
    with ProcessPoolExecutor(min(workers, len(names)), mp_context=get_context("spawn")) as pool:
        for piece in pool.map(work, names):
            pieces.append(piece)
            progress(len(pieces), len(names))
    return Snapshots.joined(pieces)


def _of_part(data: Dataset, lives: Lives, table: FeatureTable, every_days: int, name: str) -> Snapshots:
    lived = _Lived(data, lives, data.part(name))
    columns = range(every_days - 1, lived.part.generation.shape[1], every_days)
    return Snapshots.joined([lived.on(column, table) for column in columns])


class _Lived:
    """A part with the lives that were led there."""

    def __init__(self, data: Dataset, lives: Lives, part: Part) -> None:
        self.data, self.lives, self.part = data, lives, part
        row_of = {place: row for row, place in enumerate(part.place.tolist())}
        self._jar_of = np.full((len(part.place), int(lives.generation.max()) + 1), -1, np.int64)
        for jar, (place, generation) in enumerate(zip(lives.place.tolist(), lives.generation.tolist(), strict=True)):
            if place in row_of:
                self._jar_of[row_of[place], generation] = jar
        self._baseline_mohm = self._baselines()

    def _baselines(self) -> FloatArray:
        """Return what each jar (batteries, generations) measured when new: the catalogue's, or its sixth month's."""
        found = np.full(self._jar_of.shape, np.nan)
        found[:, 0] = self.data.baseline_mohm[self.part.place]
        resistance = self.part.days["resistance_25c_mohm"]
        for row, generation in zip(*np.nonzero(self._jar_of[:, 1:] >= 0), strict=True):
            installed_us = self.lives.installed_us[self._jar_of[row, generation + 1]]
            first = int(installed_us // DAY_US) - self.part.first_day
            months = resistance[row, first + _BASELINE_FROM_DAYS : first + _BASELINE_UNTIL_DAYS]
            found[row, generation + 1] = mean_of_last(months[None, :].astype(np.float64), _BASELINE_UNTIL_DAYS)[0]
        return found

    def on(self, column: int, table: FeatureTable) -> Snapshots:
        """Return the jars that live at the end of a day, with the features of the days until then."""
        data, lives, part = self.data, self.lives, self.part
        # The days of a history end with the last whole one; the answer is given at the midnight after it.
        at_us = (part.first_day + column + 1) * DAY_US
        rows, generation = np.arange(len(part.place)), part.generation[:, column].astype(np.int64)
        jar = np.where(generation >= 0, self._jar_of[rows, generation], -1)
        age_days = np.where(jar >= 0, (at_us - lives.installed_us[jar]) / DAY_US, np.nan)
        # Nobody knows the mean of a month that is still to come.
        is_measured = (generation == 0) | (age_days > _BASELINE_UNTIL_DAYS)
        history = DailyHistory(
            battery_ids=tuple(data.battery_ids[place] for place in part.place),
            string_ids=tuple(data.string_ids[place] for place in part.place),
            days={
                name: values[:, max(column + 1 - NEEDED_DAYS, 0) : column + 1].astype(np.float64)
                for name, values in part.days.items()
            },
            age_days=age_days,
            rated_ah=data.rated_ah[part.place],
            design_life_years=data.design_life_years[part.place],
            baseline_resistance_mohm=np.where(is_measured, self._baseline_mohm[rows, generation], np.nan),
        )
        chosen = np.flatnonzero((jar >= 0) & (age_days >= LEAST_AGE_DAYS) & (lives.until_us[jar] > at_us))
        return Snapshots(
            features=table.compute(history)[chosen].astype(np.float32),
            place=part.place[chosen],
            generation=generation[chosen],
            day=np.full(len(chosen), part.first_day + column),
            days_to_end=(lives.until_us[jar[chosen]] - at_us) / DAY_US,
            is_censored=~lives.ended[jar[chosen]],
        )
