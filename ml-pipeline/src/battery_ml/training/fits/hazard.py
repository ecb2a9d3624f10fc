"""Fit of the discrete-time hazard to battery-periods."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
from catboost import Pool

from battery_ml.arrays import BoolArray, FloatArray, IntArray
from battery_ml.datasets.snapshots import Snapshots
from battery_ml.models.hazard import PERIOD_EDGES_DAYS, HazardModel, hazard_pool
from battery_ml.training.fits.boosting import TREES, Report, boost

MAX_ROWS: Final = 600_000
"""Periods without a failure are sampled beyond this, so that memory and time do not grow with the world."""
_MIN_FAILED_LIVES: Final = 30
"""Fewer failures in a period say nothing of its hazard (EJ)."""


@dataclass(frozen=True, slots=True)
class BatteryPeriods:
    """A row per snapshot and coming period that it was at risk in and that was seen whole, (rows,) each."""

    snapshot: IntArray
    period: IntArray
    has_failed: BoolArray
    weight: FloatArray

    @property
    def count(self) -> int:
        """Number of rows."""
        return len(self.snapshot)


def battery_periods(
    snapshots: Snapshots, edges_days: FloatArray, *, max_rows: int = MAX_ROWS, seed: int = 0
) -> BatteryPeriods:
    """Return the rows of snapshots; those without a failure are sampled and weighted if there are too many.

    A period counts only if the observation would have covered it whole, whether or not the battery failed in it: to
    keep failures in periods that end after the observation would make late failures look frequent.
    """
    parts: list[tuple[npt.NDArray[np.int64], int, BoolArray]] = []
    for period, (begin, end) in enumerate(pairwise(edges_days.tolist())):
        has_failed = ~snapshots.is_censored & (snapshots.days_to_end <= end)
        is_seen_whole = (snapshots.follow_up_days >= end) & (has_failed | (snapshots.days_to_end >= end))
        rows = np.flatnonzero((snapshots.days_to_end > begin) & is_seen_whole)
        parts.append((rows, period, has_failed[rows]))
    snapshot = np.concatenate([rows for rows, _, _ in parts])
    period_of = np.concatenate([np.full(len(rows), period) for rows, period, _ in parts])
    failed = np.concatenate([marks for _, _, marks in parts])
    failures = int(failed.sum())
    share = min(1.0, max(max_rows - failures, failures) / max(len(failed) - failures, 1))
    kept = failed | (np.random.default_rng(seed).random(len(failed)) < share)
    weight = np.where(failed, 1.0, 1.0 / share)
    return BatteryPeriods(snapshot[kept], period_of[kept], failed[kept], weight[kept])


def supported_edges_days(snapshots: Snapshots) -> FloatArray:
    """Return the edges of the periods up to the last one in which enough lives of the training fleet failed."""
    edges_days = np.asarray(PERIOD_EDGES_DAYS)
    rows = battery_periods(snapshots, edges_days, max_rows=np.iinfo(np.int64).max)
    lives = np.column_stack([snapshots.battery_slot, snapshots.generation])[rows.snapshot[rows.has_failed]]
    failed = np.unique(np.column_stack([rows.period[rows.has_failed], lives]), axis=0)[:, 0]
    count = np.bincount(failed, minlength=len(edges_days) - 1)
    periods = int(np.argmin(np.append(count >= _MIN_FAILED_LIVES, False)))  # the end of the array
    return edges_days[: max(periods, 1) + 1]


def fit_hazard(
    training: Snapshots,
    validation: Snapshots,
    names: tuple[str, ...],
    edges_days: FloatArray,
    *,
    seed: int,
    trees: int = TREES,
    progress: Report = lambda _share: None,
) -> HazardModel:
    """Fit the hazards of periods between ``edges_days`` (periods + 1,) by their likelihood."""
    model = boost(
        _pool(training, edges_days, names, seed),
        _pool(validation, edges_days, names, seed),
        seed=seed,
        trees=trees,
        progress=progress,
        loss_function="Logloss",
    )
    return HazardModel(model, edges_days)


def _pool(snapshots: Snapshots, edges_days: FloatArray, names: tuple[str, ...], seed: int) -> Pool:
    rows = battery_periods(snapshots, edges_days, seed=seed)
    label = rows.has_failed.astype(np.float64)
    features = snapshots.features[rows.snapshot]
    return hazard_pool(features, rows.period, edges_days, names, label=label, weight=rows.weight)
