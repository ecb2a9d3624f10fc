"""The reporting interval of a subject, learned from the gaps between its readings.

Many senders have no single interval: a module sends a burst of readings and sleeps, or samples every two seconds while
it discharges. What staleness and holds need is the longest gap that is still usual, so the interval is that of the gap
in which the time is spent: an expectile of the logarithm of the gaps, each weighted by its length.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from battery_api.telemetry.store.columns import FloatArray, IntArray
from battery_api.telemetry.store.indices import BatchSlots
from battery_api.telemetry.store.instants import NEVER

_MEMORY_S: Final = 1800.0
"""Time in gaps of another length after which those have become usual (EJ)."""
_LARGEST_GAIN: Final = 0.3
_LARGEST_STEP: Final = 1.5
"""Bound on what one gap says of the logarithm, so that an outage does not pass for a new rhythm."""
_LONGER_WEIGHT: Final = 2.0
"""How much more a longer gap counts: short readings in between must not make the usual pause look like silence."""
_LARGEST_FIRST_S: Final = 3600.0
"""A first gap beyond this may as well be an outage; a slower sender is learned within days."""


@dataclass(frozen=True, slots=True)
class Intervals:
    """Reporting intervals after all new readings (n,), and as known before and after each of them (m,)."""

    final_s: FloatArray
    before_s: FloatArray
    after_s: FloatArray


def learn_intervals(interval_s: FloatArray, last_us: IntArray, slot: BatchSlots, time_us: IntArray) -> Intervals:
    """Learn the reporting intervals (n,) of subjects from their new readings, one after another.

    Parameters
    ----------
    interval_s, last_us
        Estimate and newest reading before the batch: NaN and `NEVER` where there is none.
    slot, time_us
        New readings (m,), sorted by subject and then time.
    """
    learned = interval_s.copy()
    before, after = np.full(len(slot), np.nan), np.full(len(slot), np.nan)
    if not len(slot):
        return Intervals(learned, before, after)
    previous = np.concatenate([[NEVER], time_us[:-1]])
    begins = np.concatenate([[True], slot[1:] != slot[:-1]])
    previous[begins] = last_us[slot[begins]]
    gap_s = (time_us - previous) / 1e6
    gap_s[previous == NEVER] = np.nan
    rank = np.arange(len(slot)) - np.flatnonzero(begins)[np.cumsum(begins) - 1]
    by_rank = np.argsort(rank, kind="stable")
    for rows in np.split(by_rank, np.cumsum(np.bincount(rank))[:-1]):
        before[rows] = learned[slot[rows]]
        is_usable = gap_s[rows] > 0
        usable = rows[is_usable]
        learned[slot[usable]] = _updated(learned[slot[usable]], gap_s[usable])
        after[rows] = learned[slot[rows]]
    return Intervals(learned, before, after)


def _updated(interval_s: FloatArray, gap_s: FloatArray) -> FloatArray:
    before = np.where(np.isnan(interval_s), np.minimum(gap_s, _LARGEST_FIRST_S), interval_s)
    ratio = np.log(gap_s / before)
    step = np.clip(ratio, -_LARGEST_STEP, _LARGEST_STEP) * np.where(ratio > 0, _LONGER_WEIGHT, 1.0)
    updated = before * np.exp(np.minimum(_LARGEST_GAIN, gap_s / _MEMORY_S) * step)
    # In single precision, as it is stored, so that the cut of the readings into batches does not matter.
    rounded: FloatArray = updated.astype(np.float32).astype(np.float64)
    return rounded
