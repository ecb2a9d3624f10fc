"""Roll-ups of a loaded history, computed from its rows in memory instead of by the server row by row."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from battery_api.db.tables.telemetry import ROLLUP_CHANNELS
from battery_api.telemetry.history.binary_copy import CopyField, instant_field, int_field, real_field
from battery_api.telemetry.history.files import HistoryRows
from battery_api.telemetry.store.columns import BoolArray, FloatArray, IntArray
from battery_api.telemetry.store.instants import HOUR_US, day_floor, hour_floor
from battery_api.telemetry.store.time_weights import MAX_HOLD_US


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures (b,) of one channel by bucket; NaN where the bucket has no value of it."""

    count: IntArray
    low: FloatArray
    high: FloatArray
    total: FloatArray
    last: FloatArray
    integral: FloatArray
    """Values times the seconds for which they hold within the bucket."""
    held_s: FloatArray


@dataclass(frozen=True, slots=True)
class Buckets:
    """Roll-up rows (b,), sorted by battery and bucket."""

    battery: IntArray
    bucket_us: IntArray
    row_count: IntArray
    channels: dict[str, Figures]

    def __len__(self) -> int:
        return len(self.battery)

    def part(self, rows: slice | BoolArray) -> "Buckets":
        """Return some of the buckets."""
        channels = {
            name: Figures(**{field.name: getattr(figures, field.name)[rows] for field in fields(Figures)})
            for name, figures in self.channels.items()
        }
        return Buckets(self.battery[rows], self.bucket_us[rows], self.row_count[rows], channels)

    def copy_fields(self) -> list[CopyField]:
        """Return the buckets as columns of the copy format, in the order of the roll-up tables."""
        columns = [
            int_field("battery_id", self.battery),
            instant_field("bucket", self.bucket_us),
            int_field("row_count", self.row_count),
        ]
        for name in ROLLUP_CHANNELS:
            figures = self.channels.get(name)
            if figures is None:
                columns += _unmeasured(name, len(self))
                continue
            columns += [
                int_field(f"{name}_count", figures.count),
                real_field(f"{name}_min", figures.low),
                real_field(f"{name}_max", figures.high),
                real_field(f"{name}_sum", figures.total, double=True),
                real_field(f"{name}_last", figures.last),
                real_field(f"{name}_integral", figures.integral, double=True),
                real_field(f"{name}_held_s", figures.held_s, double=True),
            ]
        return columns


def _unmeasured(name: str, count: int) -> list[CopyField]:
    nothing, zero = np.full(count, np.nan), np.zeros(count)
    return [
        int_field(f"{name}_count", np.zeros(count, np.int64)),
        *(real_field(f"{name}_{figure}", nothing) for figure in ("min", "max", "sum", "last")),
        *(real_field(f"{name}_{figure}", zero, double=True) for figure in ("integral", "held_s")),
    ]


def hourly_buckets(rows: HistoryRows) -> Buckets:
    """Return the hourly roll-up of rows sorted by battery and time.

    What holds beyond an hour counts in the next one, which exists then even without rows (a row count of 0).
    """
    row_hour_us = hour_floor(rows.time_us)
    starts = _starts(rows.key, row_hour_us)
    ends = np.append(starts[1:], len(rows)) - 1
    reaches = hour_floor(rows.time_us[ends] + MAX_HOLD_US - 1) > row_hour_us[ends]
    battery = np.concatenate([rows.key[starts], rows.key[ends[reaches]]])
    hour_us = np.concatenate([row_hour_us[starts], row_hour_us[ends[reaches]] + HOUR_US])
    first, slot = _distinct(battery, hour_us)
    own = slot[: len(starts)]
    # (m,) the bucket of each row, and (b,) the one after each bucket, where there is one.
    bucket = np.repeat(own, np.diff(np.append(starts, len(rows))))
    row_count = np.bincount(bucket, minlength=len(first))
    channels = {
        name: _hourly_figures(column.astype(np.float64), rows, bucket, own, starts=starts, count=len(first))
        for name, column in rows.reals.items()
    }
    hourly = Buckets(battery[first], hour_us[first], row_count, channels)
    holds = np.sum([figures.held_s for figures in channels.values()], axis=0) > 0
    return hourly.part((row_count > 0) | holds)


def _hourly_figures(
    values: FloatArray, rows: HistoryRows, bucket: IntArray, own: IntArray, *, starts: IntArray, count: int
) -> Figures:
    known = ~np.isnan(values)
    number = np.add.reduceat(known.astype(np.int64), starts)
    integral, held_s = _held(values, rows, bucket, np.flatnonzero(known), count=count)

    def spread(figures: Any, nothing: float = np.nan) -> Any:
        spreading = np.full(count, nothing, figures.dtype)
        spreading[own] = figures
        return spreading

    return Figures(
        count=spread(number, 0),
        low=spread(_reduced(np.minimum, np.where(known, values, np.inf), starts)),
        high=spread(_reduced(np.maximum, np.where(known, values, -np.inf), starts)),
        total=spread(_emptied(np.add.reduceat(np.where(known, values, 0.0), starts), number)),
        last=spread(_last(values, known, starts)),
        integral=integral,
        held_s=held_s,
    )


def _held(
    values: FloatArray, rows: HistoryRows, bucket: IntArray, known: IntArray, *, count: int
) -> tuple[FloatArray, FloatArray]:
    """Return integral and held time (b,) of one channel, whose values are in the rows ``known`` (k,)."""
    time_us, battery = rows.time_us[known], rows.key[known]
    until_us = time_us + MAX_HOLD_US
    follows = battery[1:] == battery[:-1]
    until_us[:-1] = np.where(follows, np.minimum(until_us[:-1], time_us[1:]), until_us[:-1])
    end_us = hour_floor(time_us) + HOUR_US
    inside_s = (np.minimum(until_us, end_us) - time_us) / 1e6
    beyond_s = np.maximum(until_us - end_us, 0) / 1e6
    # Buckets are sorted, so the next hour is the next bucket; the last bucket has nothing beyond it.
    slots = np.concatenate([bucket[known], np.minimum(bucket[known] + 1, count - 1)])
    held_s = np.concatenate([inside_s, beyond_s])
    integrals = np.tile(values[known], 2) * held_s
    return _summed(integrals, slots, count), _summed(held_s, slots, count)


def daily_buckets(hourly: Buckets) -> Buckets:
    """Return the daily roll-up of an hourly one."""
    bucket_us = day_floor(hourly.bucket_us)
    starts = _starts(hourly.battery, bucket_us)
    channels = {}
    for name, figures in hourly.channels.items():
        count = np.add.reduceat(figures.count, starts)
        channels[name] = Figures(
            count=count,
            low=_reduced(np.fmin, np.where(np.isnan(figures.low), np.inf, figures.low), starts),
            high=_reduced(np.fmax, np.where(np.isnan(figures.high), -np.inf, figures.high), starts),
            total=_emptied(np.add.reduceat(np.nan_to_num(figures.total), starts), count),
            last=_last(figures.last, ~np.isnan(figures.last), starts),
            integral=np.add.reduceat(figures.integral, starts),
            held_s=np.add.reduceat(figures.held_s, starts),
        )
    return Buckets(hourly.battery[starts], bucket_us[starts], np.add.reduceat(hourly.row_count, starts), channels)


def _starts(battery: IntArray, bucket_us: IntArray) -> IntArray:
    begins = np.ones(len(battery), bool)
    begins[1:] = (battery[1:] != battery[:-1]) | (bucket_us[1:] != bucket_us[:-1])
    return np.flatnonzero(begins)


def _summed(values: FloatArray, slots: IntArray, count: int) -> FloatArray:
    sums = np.zeros(count)
    np.add.at(sums, slots, values)
    return sums


def _distinct(battery: IntArray, hour_us: IntArray) -> tuple[IntArray, IntArray]:
    """Return the row (b,) of each distinct pair, sorted, and the number (n,) of each row's pair among them."""
    order = np.lexsort((hour_us, battery))
    is_first = np.zeros(len(order), bool)
    is_first[_starts(battery[order], hour_us[order])] = True
    number = np.empty(len(order), np.int64)
    number[order] = np.cumsum(is_first) - 1
    return order[is_first], number


def _reduced(function: Any, values: FloatArray, starts: IntArray) -> FloatArray:
    reduced: FloatArray = function.reduceat(values, starts)
    return np.where(np.isinf(reduced), np.nan, reduced)


def _emptied(total: FloatArray, count: IntArray) -> FloatArray:
    return np.where(count == 0, np.nan, total)


def _last(values: FloatArray, known: Any, starts: IntArray) -> FloatArray:
    row = np.maximum.reduceat(np.where(known, np.arange(len(values)), -1), starts)
    return np.where(row < 0, np.nan, values[np.maximum(row, 0)])
