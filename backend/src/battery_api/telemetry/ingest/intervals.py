"""The reporting interval of a subject, learned from the gaps between its readings."""

from typing import Final

import numpy as np

from battery_api.telemetry.store.columns import FloatArray, IntArray
from battery_api.telemetry.store.indices import BatchSlots
from battery_api.telemetry.store.instants import NEVER

_GAIN: Final = 0.3
# One gap moves the logarithm of the estimate by at most this much, so that an outage hardly counts and a new rate is
# learned within about twenty readings.
_LARGEST_STEP: Final = 0.7
_ROUNDS: Final = 32


def learn_interval(interval_s: FloatArray, last_us: IntArray, slot: BatchSlots, time_us: IntArray) -> FloatArray:
    """Return the reporting intervals (n,) of subjects after their new readings.

    Parameters
    ----------
    interval_s, last_us
        Estimate and newest reading before the batch: NaN and `NEVER` where there is none.
    slot, time_us
        New readings (m,), sorted by subject and then time.
    """
    learned = interval_s.copy()
    if not len(slot):
        return learned
    previous = np.concatenate([[NEVER], time_us[:-1]])
    begins = np.concatenate([[True], slot[1:] != slot[:-1]])
    previous[begins] = last_us[slot[begins]]
    gap_s = (time_us - previous) / 1e6
    gap_s[previous == NEVER] = np.nan
    # The last readings of a long backlog are enough.
    length = np.bincount(slot, minlength=len(interval_s))
    from_end = length[slot] - 1 - (np.arange(len(slot)) - np.flatnonzero(begins)[np.cumsum(begins) - 1])
    for distance in range(min(_ROUNDS, int(from_end.max()) + 1) - 1, -1, -1):
        rows = np.flatnonzero((from_end == distance) & (gap_s > 0))
        learned[slot[rows]] = _updated(learned[slot[rows]], gap_s[rows])
    return learned


def _updated(interval_s: FloatArray, gap_s: FloatArray) -> FloatArray:
    before = np.where(np.isnan(interval_s), gap_s, interval_s)
    step = np.clip(np.log(gap_s / before), -_LARGEST_STEP, _LARGEST_STEP)
    updated: FloatArray = before * np.exp(_GAIN * step)
    return updated
