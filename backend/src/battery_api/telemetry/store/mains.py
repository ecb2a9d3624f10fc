"""When the mains of a location were lost: what is kept of it, and how it moves on with the readings."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import numpy as np

from battery_api.telemetry.store.columns import FloatArray, IntArray
from battery_api.telemetry.store.indices import BatchSlots
from battery_api.telemetry.store.instants import NEVER

WINDOW_US: Final = 86_400 * 1_000_000
"""Losses of one day of event time are counted."""
_MOST: Final = 100
"""Losses of a day that are kept; a contact that bounces all day counts as this many."""


@dataclass(frozen=True, slots=True)
class MainsHistory:
    """Newest reported state of the mains and its time, and when they were lost within the day before it.

    ``is_on`` is None and ``at_us`` is `NEVER` where a location never reported its mains.
    """

    is_on: bool | None = None
    at_us: int = NEVER
    lost_us: tuple[int, ...] = ()

    @classmethod
    def of_stored(cls, stored: bytes | None) -> "MainsHistory":
        """Read the stored form; nothing is known where there is none."""
        if not stored or len(stored) % 8 or len(stored) < 16:
            return cls()
        at_us, is_on, *lost_us = np.frombuffer(stored, "<i8").tolist()
        return cls(bool(is_on), at_us, tuple(lost_us))

    def stored(self) -> bytes | None:
        """Return the form that is stored."""
        if self.is_on is None:
            return None
        return np.array([self.at_us, int(self.is_on), *self.lost_us], "<i8").tobytes()

    def after(self, time_us: int, is_on: bool) -> "MainsHistory":
        """Return the history after one more report, newer than the last."""
        kept = tuple(lost_us for lost_us in self.lost_us if time_us - lost_us < WINDOW_US)
        begins = not is_on and self.is_on is not False
        return MainsHistory(is_on, time_us, (*kept, time_us)[-_MOST:] if begins else kept)


def follow_mains(
    histories: Sequence[MainsHistory], slot: BatchSlots, time_us: IntArray, mains: FloatArray
) -> tuple[FloatArray, list[MainsHistory]]:
    """Follow the mains of locations (n,) through readings (m,) newer than them, sorted by location and time.

    Parameters
    ----------
    mains
        1 on, 0 lost, NaN where a reading does not say.

    Returns
    -------
    By reading (m,), how often the mains were lost within the day before it, NaN where it does not say; and the
    histories (n,) after the readings.
    """
    counts = np.full(len(slot), np.nan)
    present = list(histories)
    reported = np.flatnonzero(~np.isnan(mains))
    for location, rows in groupby(reported.tolist(), key=lambda row: int(slot[row])):
        history = present[location]
        for row in rows:
            history = history.after(int(time_us[row]), bool(mains[row]))
            counts[row] = len(history.lost_us)
        present[location] = history
    return counts, present
