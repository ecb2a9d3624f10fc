"""Training sets: snapshots of one or more datasets, each string in one split."""

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from battery_ml.arrays import IntArray
from battery_ml.datasets.folder import DatasetRefused, LifeDataset
from battery_ml.datasets.snapshots import SnapshotPlan, Snapshots, take_snapshots
from battery_ml.features.table import FeatureTable
from battery_ml.training.split import Split, splits_of_batteries

SNAPSHOTS_EVERY_DAYS: Final = 90
SHORT_HISTORIES: Final = ((90, 0.2), (365, 0.2))
"""A fifth of the strings is seen as a monitor of three months sees them, a fifth as one of a year does (EJ)."""
_MIN_FAILURES: Final = 50

ProgressCallback = Callable[[float, str], None]
"""Called with the finished share, 0 to 1, and the step under way."""


def training_plan(seed: int) -> SnapshotPlan:
    """Return the days and the lengths of history of the snapshots to train on; ``seed`` chooses the short ones."""
    return SnapshotPlan(SNAPSHOTS_EVERY_DAYS, short_histories=SHORT_HISTORIES, seed=seed)


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """Snapshots of datasets; ``battery_slot`` counts through the catalogues of all of them."""

    snapshots: Snapshots
    splits: IntArray
    """Of each battery, (batteries,); -1 at a location that is left out."""
    string_of_slot: IntArray
    """Number of each battery's string, (batteries,)."""
    locations: tuple[str, ...]
    data_sha256: str

    def of(self, split: Split) -> Snapshots:
        """Return the snapshots of a split."""
        return self.snapshots.where(self.splits[self.snapshots.battery_slot] == split)

    def strings(self, split: Split) -> int:
        """Count the strings of a split."""
        return len(np.unique(self.string_of_slot[self.splits == split]))


def prepare(
    datasets: Sequence[LifeDataset],
    table: FeatureTable,
    *,
    seed: int,
    without_locations: Sequence[str] = (),
    progress: ProgressCallback = lambda _share, _step: None,
) -> TrainingSet:
    """Take snapshots of the lives to train on and split them.

    Raises
    ------
    DatasetRefused
        A location to leave out does not exist, a dataset is given twice, or there are too few strings or failures.
    """
    known = sorted({location for data in datasets for location in data.location_ids})
    unknown = sorted(set(without_locations) - set(known))
    if unknown:
        raise DatasetRefused(f"{_folders(datasets)}: no location {', '.join(unknown)} to leave out")
    if len({data.sha256 for data in datasets}) < len(datasets):
        raise DatasetRefused(f"{_folders(datasets)}: the same data twice; each string must be in one split")
    locations = tuple(location for location in known if location not in without_locations)
    pieces, splits, strings, slots = [], [], [], 0
    for number, data in enumerate(datasets):

        def report(done: int, of: int, number: int = number) -> None:
            share = (number + done / of) / len(datasets)
            progress(share, f"features of dataset {number + 1} of {len(datasets)}, part {done} of {of}")

        workers = min(2, os.cpu_count() or 1)
        found = take_snapshots(data, table, training_plan(seed), locations=locations, workers=workers, progress=report)
        pieces.append(replace(found, battery_slot=found.battery_slot + slots))
        splits.append(splits_of_batteries(data, frozenset(locations), seed))
        strings += [f"{number}:{string}" for string in data.string_ids]
        slots += len(data.battery_ids)
    _, string_of_slot = np.unique(strings, return_inverse=True)
    digest = "+".join(data.sha256 for data in datasets)
    training_set = TrainingSet(
        Snapshots.joined(pieces),
        np.concatenate(splits),
        string_of_slot,
        locations,
        digest if len(datasets) == 1 else hashlib.sha256(digest.encode()).hexdigest(),
    )
    _require_failures(training_set, _folders(datasets))
    return training_set


def _require_failures(training_set: TrainingSet, folders: str) -> None:
    for split in Split:
        part = training_set.of(split)
        failures = len(np.unique(np.column_stack([part.battery_slot, part.generation])[~part.is_censored], axis=0))
        if failures < _MIN_FAILURES // len(Split):
            raise DatasetRefused(
                f"{folders}: {failures} failed batteries are too few for the {split.name.lower()} split; "
                "generate more strings or more years"
            )


def _folders(datasets: Sequence[LifeDataset]) -> str:
    return ", ".join(str(data.folder) for data in datasets)
