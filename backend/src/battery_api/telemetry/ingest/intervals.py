"""The reporting interval of a subject, learned from the gaps between its readings."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from battery_api.telemetry.store.columns import FloatArray, IntArray
from battery_api.telemetry.store.indices import BatchSlots
from battery_api.telemetry.store.instants import NEVER

_GAIN: Final = 0.3
# One gap moves the logarithm of the estimate by at most this much, so that an outage hardly counts and a new rate is
# learned within about twenty readings.
_LARGEST_STEP: Final = 0.7


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
    before = np.where(np.isnan(interval_s), gap_s, interval_s)
    step = np.clip(np.log(gap_s / before), -_LARGEST_STEP, _LARGEST_STEP)
    updated: FloatArray = before * np.exp(_GAIN * step)
    return updated
