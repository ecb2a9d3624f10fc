"""The instants of a batch at which something was measured of a string or its batteries, and its trends then."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from battery_api.alerts.engine.comparison import StringValues
from battery_api.alerts.engine.trends import StringInstants, Trends, TrendTracker
from battery_api.telemetry.ingest.string_context import stale_after_us
from battery_api.telemetry.ports import JudgedBatch, Readings
from battery_api.telemetry.store.columns import BoolArray, FloatArray, IntArray

_FLOAT_CURRENT = "float_current_ma_per_ah"
_RESISTANCE = "internal_resistance_mohm"


@dataclass(frozen=True, slots=True)
class BatchTrends:
    """Instants (k,) of the strings of a batch in time order with the trends at each.

    ``battery_is_disturbed`` (m,) and ``string_is_disturbed`` (j,) say of the readings whether an ohmic test disturbs
    their string. ``changed`` holds what is to be stored, by batch slot of the string.
    """

    instants: StringInstants
    trends: Trends
    battery_is_disturbed: BoolArray
    string_is_disturbed: BoolArray
    changed: Mapping[int, bytes | None]


def follow_trends(batch: JudgedBatch, temperatures: StringValues) -> BatchTrends:
    """Follow the trends of the strings of a batch through its readings.

    Parameters
    ----------
    temperatures
        (m,) what the string of each battery reading shows of its temperatures then.
    """
    rows, readings = _rows(batch, temperatures), batch.battery_readings
    instants, instant_of = _by_instant(rows)
    tracker = TrendTracker(batch.strings.trends)
    trends = tracker.follow(instants)
    is_disturbed = trends.is_disturbed[instant_of]
    before = batch.strings.trends
    return BatchTrends(
        instants,
        trends,
        battery_is_disturbed=is_disturbed[: len(readings)],
        string_is_disturbed=is_disturbed[len(readings) :],
        changed={slot: after for slot, after in enumerate(tracker.stored()) if after != before[slot]},
    )


def _rows(batch: JudgedBatch, temperatures: StringValues) -> StringInstants:
    """Return the readings of the batteries (m,) and then those of the strings (j,) as instants of strings."""
    batteries, strings = batch.battery_readings, batch.string_readings
    time_us = np.concatenate([_time_us(batteries), _time_us(strings)])
    discharged_us = np.concatenate([batch.discharged_us, batch.string_discharged_us])
    absent = np.full(len(strings), np.nan)
    return StringInstants(
        string=np.concatenate([batch.batteries.string_index[batteries.subject], strings.subject]),
        time_us=time_us,
        valid_us=stale_after_us(np.concatenate([batteries.interval_s, strings.interval_s])),
        hottest_c=np.concatenate([temperatures.highest, absent]),
        present=np.concatenate([temperatures.present, np.zeros(len(strings), np.int64)]),
        room_c=np.concatenate([batch.room_c, batch.string_room_c]),
        float_current_ma_per_ah=np.concatenate([_unknown(batteries), strings.values.get(_FLOAT_CURRENT, absent)]),
        has_resistance=np.concatenate(
            [~np.isnan(batteries.values.get(_RESISTANCE, _unknown(batteries))), np.zeros(len(strings), np.bool_)]
        ),
        settled=np.concatenate([batch.settled, batch.string_settled]),
        since_discharge_us=time_us - discharged_us,
    )


def _by_instant(rows: StringInstants) -> tuple[StringInstants, IntArray]:
    """Join rows (r,) of one string and time to instants (k,) in time order; also return the instant of each row."""
    order = np.lexsort((rows.string, rows.time_us))
    begins = np.ones(len(order), np.bool_)
    begins[1:] = (np.diff(rows.time_us[order]) != 0) | (np.diff(rows.string[order]) != 0)
    start = np.flatnonzero(begins)
    instant_of = np.empty(len(order), np.int64)
    instant_of[order] = np.cumsum(begins) - 1
    if not len(order):
        return rows, instant_of

    def highest(values: FloatArray) -> FloatArray:
        joined: FloatArray = np.fmax.reduceat(values[order], start)
        return joined

    first = order[start]
    return (
        StringInstants(
            string=rows.string[first],
            time_us=rows.time_us[first],
            valid_us=np.maximum.reduceat(rows.valid_us[order], start),
            hottest_c=highest(rows.hottest_c),
            present=np.maximum.reduceat(rows.present[order], start),
            room_c=highest(rows.room_c),
            float_current_ma_per_ah=highest(rows.float_current_ma_per_ah),
            has_resistance=np.logical_or.reduceat(rows.has_resistance[order], start),
            settled=np.logical_and.reduceat(rows.settled[order], start),
            since_discharge_us=np.minimum.reduceat(rows.since_discharge_us[order], start),
        ),
        instant_of,
    )


def _unknown(readings: Readings) -> FloatArray:
    return np.full(len(readings), np.nan)


def _time_us(readings: Readings) -> IntArray:
    times: IntArray = readings.time.astype("datetime64[us]").view(np.int64)
    return times
