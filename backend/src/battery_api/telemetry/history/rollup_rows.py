"""Roll-ups of a loaded history, computed from its rows in memory instead of by the server row by row."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from battery_api.db.tables.telemetry import ROLLUP_CHANNELS
from battery_api.telemetry.history.binary_copy import CopyField, instant_field, int_field, real_field
from battery_api.telemetry.history.files import HistoryRows
from battery_api.telemetry.store.columns import FloatArray, IntArray
from battery_api.telemetry.store.instants import day_floor, hour_floor


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures (b,) of one channel by bucket; NaN where the bucket has no value of it."""

    count: IntArray
    low: FloatArray
    high: FloatArray
    total: FloatArray
    last: FloatArray


@dataclass(frozen=True, slots=True)
class Buckets:
    """Roll-up rows (b,), sorted by battery and bucket."""

    battery: IntArray
    bucket_us: IntArray
    row_count: IntArray
    channels: dict[str, Figures]

    def __len__(self) -> int:
        return len(self.battery)

    def part(self, rows: slice) -> "Buckets":
        """Return some of the buckets."""
        channels = {
            name: Figures(
                figures.count[rows], figures.low[rows], figures.high[rows], figures.total[rows], figures.last[rows]
            )
            for name, figures in self.channels.items()
        }
        return Buckets(self.battery[rows], self.bucket_us[rows], self.row_count[rows], channels)

    def fields(self) -> list[CopyField]:
        """Return the buckets as columns of the copy format, in the order of the roll-up tables."""
        fields = [
            int_field("battery_id", self.battery),
            instant_field("bucket", self.bucket_us),
            int_field("row_count", self.row_count),
        ]
        for name in ROLLUP_CHANNELS:
            figures = self.channels.get(name)
            if figures is None:
                fields += _unmeasured(name, len(self))
                continue
            fields += [
                int_field(f"{name}_count", figures.count),
                real_field(f"{name}_min", figures.low),
                real_field(f"{name}_max", figures.high),
                real_field(f"{name}_sum", figures.total, double=True),
                real_field(f"{name}_last", figures.last),
            ]
        return fields


def _unmeasured(name: str, count: int) -> list[CopyField]:
    nothing = np.full(count, np.nan)
    fields = [int_field(f"{name}_count", np.zeros(count, np.int64))]
    return fields + [real_field(f"{name}_{figure}", nothing) for figure in ("min", "max", "sum", "last")]


def hourly_buckets(rows: HistoryRows) -> Buckets:
    """Return the hourly roll-up of rows sorted by battery and time."""
    bucket_us = hour_floor(rows.time_us)
    starts = _starts(rows.key, bucket_us)
    channels = {}
    for name, column in rows.reals.items():
        values = column.astype(np.float64)
        known = ~np.isnan(values)
        ones = known.astype(np.int64)
        channels[name] = Figures(
            count=np.add.reduceat(ones, starts),
            low=_reduced(np.minimum, np.where(known, values, np.inf), starts),
            high=_reduced(np.maximum, np.where(known, values, -np.inf), starts),
            total=_emptied(np.add.reduceat(np.where(known, values, 0.0), starts), np.add.reduceat(ones, starts)),
            last=_last(values, known, starts),
        )
    sizes = np.diff(np.append(starts, len(rows)))
    return Buckets(rows.key[starts], bucket_us[starts], sizes, channels)


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
        )
    return Buckets(hourly.battery[starts], bucket_us[starts], np.add.reduceat(hourly.row_count, starts), channels)


def _starts(battery: IntArray, bucket_us: IntArray) -> IntArray:
    begins = np.ones(len(battery), bool)
    begins[1:] = (battery[1:] != battery[:-1]) | (bucket_us[1:] != bucket_us[:-1])
    return np.flatnonzero(begins)


def _reduced(function: Any, values: FloatArray, starts: IntArray) -> FloatArray:
    reduced: FloatArray = function.reduceat(values, starts)
    return np.where(np.isinf(reduced), np.nan, reduced)


def _emptied(total: FloatArray, count: IntArray) -> FloatArray:
    return np.where(count == 0, np.nan, total)


def _last(values: FloatArray, known: Any, starts: IntArray) -> FloatArray:
    row = np.maximum.reduceat(np.where(known, np.arange(len(values)), -1), starts)
    return np.where(row < 0, np.nan, values[np.maximum(row, 0)])
