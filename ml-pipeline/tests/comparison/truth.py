"""What no monitor measures, as features: the floor that no model of measurements can reach."""

from dataclasses import replace
from typing import Final

import numpy as np
import pyarrow.parquet as pq

from battery_ml.arrays import FloatArray
from battery_ml.datasets.folder import DAY_US, LifeDataset
from battery_ml.datasets.snapshots import Snapshots

HIDDEN: Final = ("true_health", "true_fade_in_a_year", "true_mechanism")
_TABLE: Final = "truth/daily"


def with_truth(data: LifeDataset, snapshots: Snapshots) -> Snapshots:
    """Return snapshots of one dataset with three more features: health, its change in a year, and the mechanism."""
    hidden = np.full((len(snapshots), len(HIDDEN)), np.nan, np.float32)
    location = np.asarray(data.location_ids)
    for name in sorted(set(location.tolist())):
        slots = np.flatnonzero(location == name)
        rows = np.flatnonzero(np.isin(snapshots.battery_slot, slots))
        health, mechanism, first_day = _days(data, name, slots)
        slot = np.searchsorted(slots, snapshots.battery_slot[rows])
        column = snapshots.day[rows] - first_day
        hidden[rows, 0] = health[slot, column]
        hidden[rows, 1] = health[slot, column] - health[slot, np.maximum(column - 365, 0)]
        hidden[rows, 2] = mechanism[slot, column]
    return replace(snapshots, features=np.column_stack([snapshots.features, hidden]))


def _days(
    data: LifeDataset, location: str, slots: "np.ndarray[tuple[int], np.dtype[np.int64]]"
) -> tuple[FloatArray, FloatArray, int]:
    """Return health and mechanism (batteries, days) of a location and the day of the first column."""
    paths = sorted(
        entry["path"]
        for entry in data.manifest["files"]
        if entry["table"] == _TABLE and entry["location_id"] == location
    )
    row_of = {data.battery_ids[slot]: row for row, slot in enumerate(slots.tolist())}
    first_day = int(
        pq.read_table(data.folder / paths[0], partitioning=None, columns=["time"])["time"].cast("int64")[0].as_py()
        // DAY_US
    )
    last_day = int(data.end_us // DAY_US)
    shape = (len(slots), last_day - first_day + 1)
    health, mechanism = np.full(shape, np.nan), np.full(shape, np.nan)
    kinds: dict[str, int] = {}
    for path in paths:
        rows = pq.read_table(
            data.folder / path, partitioning=None, columns=["time", "battery_id", "health", "mechanism"]
        )
        ids = rows["battery_id"].combine_chunks()
        row = np.array([row_of[name] for name in ids.dictionary.to_pylist()], np.int64)[ids.indices.to_numpy()]
        day = rows["time"].cast("int64").to_numpy() // DAY_US - first_day
        health[row, day] = rows["health"].to_numpy()
        names = rows["mechanism"].combine_chunks()
        code = np.array([kinds.setdefault(name, len(kinds)) for name in names.dictionary.to_pylist()], np.float64)
        mechanism[row, day] = code[names.indices.to_numpy()]
    return health, mechanism, first_day
