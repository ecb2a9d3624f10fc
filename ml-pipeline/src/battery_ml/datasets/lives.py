"""Lives of batteries from the truth of a dataset: installation, failure, and the end of observation.

A battery fails when its capacity at 25 °C first falls below 80 % of rated, when its circuit opens, or when a cell
shorts; after the latter two it has no usable capacity either. A life whose end was not observed is right-censored at
its last observation.
"""

from dataclasses import dataclass

import numpy as np

from battery_ml.arrays import BoolArray, IntArray
from battery_ml.datasets.folder import DatasetRefused, LifeDataset


@dataclass(frozen=True, slots=True)
class BatteryLives:
    """One entry per life, (lives,); times in microseconds since 1970.

    ``until_us`` is the failure where ``has_failed``, and the censoring elsewhere.
    """

    battery_slot: IntArray
    """Slot of the position in the dataset's catalogue; a replacement keeps it."""
    generation: IntArray
    """0 for the first battery in the position, 1 for its replacement, and so on."""
    installed_us: IntArray
    until_us: IntArray
    has_failed: BoolArray


def read_lives(data: LifeDataset) -> BatteryLives:
    """Return the lives of a dataset.

    Raises
    ------
    DatasetRefused
        No battery failed, so the dataset says nothing of remaining life.
    """
    rows = data.read("truth/lives", ["time", "kind", "battery_id", "generation"])
    time_us = rows["time"].cast("int64").to_numpy()
    kind = np.asarray(rows["kind"].to_pylist())
    slots = {battery_id: slot for slot, battery_id in enumerate(data.battery_ids)}
    battery_slot = np.array([slots[battery_id] for battery_id in rows["battery_id"].to_pylist()], np.int64)
    generation = rows["generation"].to_numpy().astype(np.int64)
    if not (kind == "failed").any():
        raise DatasetRefused(f"{data.folder}: no battery failed, so remaining life cannot be trained or evaluated")
    lives, life_of_row = np.unique(np.column_stack([battery_slot, generation]), axis=0, return_inverse=True)
    life_of_row = life_of_row.reshape(-1)
    never = np.iinfo(np.int64).max

    def first_time_us(event: str) -> IntArray:
        first = np.full(len(lives), never, np.int64)
        is_event = kind == event
        np.minimum.at(first, life_of_row[is_event], time_us[is_event])
        return first

    failed_us, removed_us = first_time_us("failed"), first_time_us("removed")
    return BatteryLives(
        battery_slot=lives[:, 0],
        generation=lives[:, 1],
        installed_us=first_time_us("installed"),
        until_us=np.minimum(np.minimum(failed_us, removed_us), data.end_us),
        has_failed=(failed_us <= removed_us) & (failed_us <= data.end_us),
    )
