"""Which readings of a call belong to one battery, one after another."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from battery_twin.arrays import IntArray

NO_READING = -1


@dataclass(frozen=True, slots=True)
class BatterySeries:
    """The readings (n,) of a call as series of batteries.

    Parameters
    ----------
    previous
        Slot of the reading of the same battery before each (n,), `NO_READING` for the first.
    rounds
        Slots in rounds: each holds at most one reading of a battery, and the readings before it are in earlier ones.
    """

    previous: IntArray
    rounds: Sequence[IntArray]

    @classmethod
    def of(cls, battery_id: Sequence[str]) -> Self:
        """Find the series of batteries, whose readings are in order of time."""
        count = len(battery_id)
        if len(set(battery_id)) == count:
            return cls(np.full(count, NO_READING), [np.arange(count)])
        newest: dict[str, int] = {}
        previous, rank = np.full(count, NO_READING), np.zeros(count, np.int64)
        for slot, battery in enumerate(battery_id):
            before = newest.get(battery, NO_READING)
            if before != NO_READING:
                previous[slot], rank[slot] = before, rank[before] + 1
            newest[battery] = slot
        order = np.argsort(rank, kind="stable")
        return cls(previous, np.split(order, np.cumsum(np.bincount(rank))[:-1]))
