"""Snapshots whose lives are known: those of the days on which all batteries in service were later seen to fail."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from battery_ml.arrays import IntArray
from battery_ml.datasets.folder import DAY_US, LifeDataset
from battery_ml.datasets.lives import BatteryLives, read_lives
from battery_ml.datasets.snapshots import SnapshotPlan, Snapshots, take_snapshots
from battery_ml.features.days import DAYS_PER_YEAR
from battery_ml.features.table import FeatureTable

SNAPSHOTS_EVERY_DAYS: Final = 61
_MAX_UNSEEN_SHARE: Final = 0.02
"""Share of the batteries in service whose end may be missing on a day that is judged."""
_MIN_YEARS: Final = 1.0


@dataclass(frozen=True, slots=True)
class JudgedSnapshots:
    """Snapshots to judge on.

    With ``is_seen_to_end`` they are of the first ``years``, whose lives were followed to their ends; otherwise the data
    hold no such year, and the failures that were seen are weighted for those that were not.
    """

    snapshots: Snapshots
    string_of_slot: IntArray
    location_of_slot: "np.ndarray[tuple[int], np.dtype[np.str_]]"
    years: float
    is_seen_to_end: bool


def judged_snapshots(
    data: LifeDataset,
    table: FeatureTable,
    progress: Callable[[float, str], None] = lambda _share, _step: None,
) -> JudgedSnapshots:
    """Take snapshots of a dataset, one every other month, of the years whose batteries were all seen to fail.

    Raises
    ------
    DatasetRefused
        No battery failed.
    """
    lives = read_lives(data)
    seen_years, all_years = years_seen_to_end(lives), _years(lives, data)
    is_seen_to_end = seen_years >= _MIN_YEARS
    years = seen_years if is_seen_to_end else all_years
    snapshots = take_snapshots(
        data,
        table,
        SnapshotPlan(SNAPSHOTS_EVERY_DAYS, first_years=years),
        workers=min(2, os.cpu_count() or 1),
        progress=lambda done, of: progress(done / of, f"features, part {done} of {of}"),
    )
    _, string_of_slot = np.unique(data.string_ids, return_inverse=True)
    return JudgedSnapshots(
        snapshots=snapshots.where(~snapshots.is_censored) if is_seen_to_end else snapshots,
        string_of_slot=string_of_slot,
        location_of_slot=np.asarray(data.location_ids),
        years=years,
        is_seen_to_end=is_seen_to_end,
    )


def years_seen_to_end(lives: BatteryLives) -> float:
    """Return the years from the first installation in which nearly all batteries in service were later seen to fail."""
    begin_us = int(lives.installed_us.min())
    month_us = SNAPSHOTS_EVERY_DAYS * DAY_US
    now_us, last_us = begin_us + month_us, begin_us
    while True:
        in_service = (lives.installed_us <= now_us) & (lives.until_us > now_us)
        if not in_service.any() or (~lives.has_failed[in_service]).mean() > _MAX_UNSEEN_SHARE:
            return (last_us - begin_us) / DAY_US / DAYS_PER_YEAR
        last_us, now_us = now_us, now_us + month_us


def _years(lives: BatteryLives, data: LifeDataset) -> float:
    return (data.end_us - int(lives.installed_us.min())) / DAY_US / DAYS_PER_YEAR
