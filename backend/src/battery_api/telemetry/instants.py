"""Instants as whole microseconds since 1970 in UTC, the form that columns of times take here."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np

from battery_api.db.timescale import DAY_ORIGIN
from battery_api.telemetry.rows import IntArray

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
NEVER: Final = int(np.iinfo(np.int64).min // 2)
"""Stands for no instant; earlier than any."""
DAY_US: Final = 86_400_000_000
_MICROSECOND: Final = timedelta(microseconds=1)
_DAY_ORIGIN_US: Final = (DAY_ORIGIN - EPOCH) // _MICROSECOND
_HOUR_US: Final = 3_600_000_000


def microseconds(at: datetime) -> int:
    """Return an instant as microseconds."""
    return (at - EPOCH) // _MICROSECOND


def microseconds_of(instants: Sequence[datetime | None]) -> IntArray:
    """Return instants as microseconds, `NEVER` for None."""
    return np.array([NEVER if at is None else (at - EPOCH) // _MICROSECOND for at in instants], np.int64)


def instant(at_us: int) -> datetime:
    """Return microseconds as an instant."""
    return EPOCH + timedelta(microseconds=at_us)


def instants_of(times_us: IntArray) -> list[Any]:
    """Return microseconds as instants, None for `NEVER`; the readings of a sweep share few, so each is made once."""
    made: dict[int, datetime | None] = {at: instant(at) for at in set(times_us.tolist()) if at != NEVER}
    return [made.get(at) for at in times_us.tolist()]


def day_floor(times_us: IntArray) -> IntArray:
    """Return the midnights (Asia/Bangkok) that begin the days of some instants."""
    days: IntArray = (times_us - _DAY_ORIGIN_US) // DAY_US * DAY_US + _DAY_ORIGIN_US
    return days


def hour_floor(times_us: IntArray) -> IntArray:
    """Return the full hours that begin the hours of some instants."""
    hours: IntArray = times_us // _HOUR_US * _HOUR_US
    return hours


def newest_at_or_before(group: IntArray, time_us: IntArray, wanted_group: IntArray, wanted_us: IntArray) -> IntArray:
    """Return, for each wanted group and instant, the row of that group that is newest then, or -1.

    Parameters
    ----------
    group, time_us
        Rows (m,), sorted by group and then time; groups are small whole numbers from 0.
    """
    if not len(group):
        return np.full(len(wanted_group), -1)
    order = np.lexsort((wanted_us, wanted_group))
    # Rank both sides on one scale of (group, time) without packing them into one number, which could overflow.
    all_group = np.concatenate([group, wanted_group[order]])
    all_time = np.concatenate([time_us, wanted_us[order]])
    is_wanted = np.concatenate([np.zeros(len(group), np.int8), np.ones(len(order), np.int8)])
    merged = np.lexsort((is_wanted, all_time, all_group))
    newest = np.maximum.accumulate(np.where(merged < len(group), merged, -1))
    found = np.full(len(wanted_group), -1)
    asked = merged >= len(group)
    found[order[merged[asked] - len(group)]] = newest[asked]
    same = (found >= 0) & (group[np.maximum(found, 0)] == wanted_group)
    matched: IntArray = np.where(same, found, -1)
    return matched
