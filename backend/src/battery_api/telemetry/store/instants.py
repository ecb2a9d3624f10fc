"""Instants as whole microseconds since 1970 in UTC: the form of every column of times here."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np

from battery_api.db.bangkok import DAY_ORIGIN
from battery_api.telemetry.store.columns import IntArray

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
NEVER: Final = int(np.iinfo(np.int64).min // 2)
"""No instant; earlier than any."""
DAY_US: Final = 86_400_000_000
HOUR_US: Final = 3_600_000_000
_MICROSECOND: Final = timedelta(microseconds=1)
_DAY_ORIGIN_US: Final = (DAY_ORIGIN - EPOCH) // _MICROSECOND


def microseconds(when: datetime) -> int:
    """Return an instant as microseconds."""
    return (when - EPOCH) // _MICROSECOND


def microseconds_of(instants: Sequence[datetime | None]) -> IntArray:
    """Return instants as microseconds, `NEVER` for None."""
    return np.array([NEVER if one is None else (one - EPOCH) // _MICROSECOND for one in instants], np.int64)


def instant(time_us: int) -> datetime:
    """Return microseconds as an instant."""
    return EPOCH + timedelta(microseconds=time_us)


def instants_of(times_us: IntArray) -> list[Any]:
    """Return microseconds as instants, None for `NEVER`; a sweep shares few instants, so each is converted once."""
    by_time = {time_us: instant(time_us) for time_us in set(times_us.tolist()) if time_us != NEVER}
    return [by_time.get(time_us) for time_us in times_us.tolist()]


def day_floor(times_us: IntArray) -> IntArray:
    """Return the midnight in Asia/Bangkok that begins the day of each instant."""
    days: IntArray = (times_us - _DAY_ORIGIN_US) // DAY_US * DAY_US + _DAY_ORIGIN_US
    return days


def hour_floor(times_us: IntArray) -> IntArray:
    """Return the full hour that begins the hour of each instant."""
    hours: IntArray = times_us // HOUR_US * HOUR_US
    return hours


def newest_at_or_before(group: IntArray, time_us: IntArray, query_group: IntArray, query_us: IntArray) -> IntArray:
    """Return, for each query (k,), the newest row of its group at or before its instant, or -1.

    Parameters
    ----------
    group, time_us
        Rows (m,), sorted by group and then time; groups are small integers from 0.
    query_group, query_us
        Group and instant (k,) of each query.
    """
    if not len(group):
        return np.full(len(query_group), -1)
    order = np.lexsort((query_us, query_group))
    # Rank both sides on one scale of (group, time) without packing them into one number, which could overflow.
    all_group = np.concatenate([group, query_group[order]])
    all_time = np.concatenate([time_us, query_us[order]])
    is_query = np.concatenate([np.zeros(len(group), np.int8), np.ones(len(order), np.int8)])
    merged = np.lexsort((is_query, all_time, all_group))
    newest = np.maximum.accumulate(np.where(merged < len(group), merged, -1))
    row = np.full(len(query_group), -1)
    queries = merged >= len(group)
    row[order[merged[queries] - len(group)]] = newest[queries]
    is_same_group = (row >= 0) & (group[np.maximum(row, 0)] == query_group)
    matched: IntArray = np.where(is_same_group, row, -1)
    return matched
