"""How often a source reports, learned from the gaps between its readings."""

from typing import Final

import numpy as np

from battery_api.telemetry.instants import NEVER
from battery_api.telemetry.rows import FloatArray, IntArray

_GAIN: Final = 0.3
# One gap moves the estimate by at most this factor (in logarithms), so an outage hardly counts and a new rate is
# learned within some twenty readings.
_LARGEST_STEP: Final = 0.7
_ROUNDS: Final = 32


def learn_interval(interval_s: FloatArray, last_us: IntArray, subject: IntArray, time_us: IntArray) -> FloatArray:
    """Return the reporting intervals (n,) of subjects after their new readings.

    Parameters
    ----------
    interval_s, last_us
        What was known before: NaN and `NEVER` where nothing was.
    subject, time_us
        New readings (m,), sorted by subject and then time.
    """
    learned = interval_s.copy()
    if not len(subject):
        return learned
    previous = np.concatenate([[NEVER], time_us[:-1]])
    begins = np.concatenate([[True], subject[1:] != subject[:-1]])
    previous[begins] = last_us[subject[begins]]
    gap_s = (time_us - previous) / 1e6
    gap_s[previous == NEVER] = np.nan
    # Of a long backlog the last readings tell enough.
    length = np.bincount(subject, minlength=len(interval_s))
    from_end = length[subject] - 1 - (np.arange(len(subject)) - np.flatnonzero(begins)[np.cumsum(begins) - 1])
    for distance in range(min(_ROUNDS, int(from_end.max()) + 1) - 1, -1, -1):
        rows = np.flatnonzero((from_end == distance) & (gap_s > 0))
        learned[subject[rows]] = _after(learned[subject[rows]], gap_s[rows])
    return learned


def _after(interval_s: FloatArray, gap_s: FloatArray) -> FloatArray:
    known = np.where(np.isnan(interval_s), gap_s, interval_s)
    step = np.clip(np.log(gap_s / known), -_LARGEST_STEP, _LARGEST_STEP)
    after: FloatArray = known * np.exp(_GAIN * step)
    return after
