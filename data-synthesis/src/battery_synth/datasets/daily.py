"""Daily aggregates of readings, one row per battery: what a gateway keeps for years and models learn from."""

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from battery_synth.compiled import compiled
from battery_synth.datasets.ohmic import resistance_25c_mohm
from battery_synth.engine.strings import DISCHARGE, FLOAT, TEST
from battery_synth.state.readings import SimulatedReadings

Float32Array = npt.NDArray[np.float32]
Int64Array = npt.NDArray[np.int64]

WARM_C, HOT_C = 30.0, 35.0
_LONGEST_GAP_US: Final = 120_000_000
_at_25c: Final = compiled(resistance_25c_mohm)


class Daily(NamedTuple):
    """Aggregates (n,) of one day; NaN where nothing was read. Voltages and deviations are of float readings only."""

    readings: Float32Array
    voltage_mean_v: Float32Array
    voltage_min_v: Float32Array
    voltage_max_v: Float32Array
    voltage_deviation_v: Float32Array
    """Mean of the block minus mean of its string."""
    string_spread_v: Float32Array
    """Mean standard deviation among the blocks of the string."""
    temperature_mean_c: Float32Array
    temperature_min_c: Float32Array
    temperature_max_c: Float32Array
    hours_above_30c: Float32Array
    hours_above_35c: Float32Array
    temperature_rise_k: Float32Array
    """Mean of the block minus mean of the room."""
    resistance_mohm: Float32Array
    """The last measurement of the day."""
    resistance_25c_mohm: Float32Array
    """The same referred to 25 °C, see `battery_synth.datasets.ohmic`."""
    float_current_ma: Float32Array
    """Of the string."""
    discharge_count: Float32Array
    discharge_s: Float32Array
    discharge_ah: Float32Array
    discharge_min_v: Float32Array
    """Lowest voltage of the block while its string fed the load."""

    @classmethod
    def empty(cls, blocks: int) -> "Daily":
        """Return zeroed aggregates."""
        return cls(*(np.zeros(blocks, np.float32) for _ in cls._fields))


def daily_of(readings: SimulatedReadings, *, strings: int, every_s: float, room_c: float) -> Daily:
    """Return the aggregates of a day's readings.

    Parameters
    ----------
    readings
        Rows of one UTC day. Those at multiples of ``every_s`` count for means, all of them for discharges.
    strings
        Number of strings of the location.
    every_s
        Interval of the regular readings.
    room_c
        The room's mean temperature.
    """
    width = readings.voltage_v.shape[1]
    daily = Daily.empty(strings * width)
    regular = readings.at_us % round(every_s * 1e6) == 0
    _means(readings.string, readings.mode, readings.voltage_v, readings.float_current_ma, regular, daily)
    _warmth(readings.string, readings.temperature_c, regular, every_s / 3600.0, room_c, daily)
    _resistance(readings.string, readings.temperature_c, readings.internal_resistance_mohm, daily)
    _discharges(readings.at_us, readings.string, readings.mode, readings.current_a, readings.voltage_v, strings, daily)
    return daily


@compiled
def mean_and_sd(values: Float32Array) -> tuple[float, float]:
    """Return mean and standard deviation of the values that are not NaN."""
    total = square = count = 0.0
    for value in values:
        if not np.isnan(value):
            total += value
            square += value * value
            count += 1.0
    mean = total / max(count, 1.0)
    return mean, math.sqrt(max(square / max(count, 1.0) - mean * mean, 0.0))


@compiled
def _means(
    string: npt.NDArray[np.int32],
    mode: npt.NDArray[np.int8],
    voltage_v: Float32Array,
    float_current_ma: Float32Array,
    regular: npt.NDArray[np.bool_],
    daily: Daily,
) -> None:
    """Fill in the aggregates of float readings: voltages, deviations within the string, and the string's current."""
    count, width = daily.readings.shape[0], voltage_v.shape[1]
    floating, volt, deviation, spread = np.zeros(count), np.zeros(count), np.zeros(count), np.zeros(count)
    probe, probes = np.zeros(count), np.zeros(count)
    daily.voltage_min_v[:] = daily.voltage_max_v[:] = np.nan
    for row in np.flatnonzero(regular):
        first = string[row] * width
        mean, sd = mean_and_sd(voltage_v[row])
        for j in range(width):
            i, value = first + j, voltage_v[row, j]
            daily.readings[i] += 1.0
            if mode[row] != FLOAT or np.isnan(value):
                continue
            floating[i] += 1.0
            volt[i] += value
            deviation[i] += value - mean
            spread[i] += sd
            daily.voltage_min_v[i] = np.fmin(daily.voltage_min_v[i], value)
            daily.voltage_max_v[i] = np.fmax(daily.voltage_max_v[i], value)
            if not np.isnan(float_current_ma[row]):
                probe[i] += float_current_ma[row]
                probes[i] += 1.0
    for i in range(count):
        daily.voltage_mean_v[i] = volt[i] / floating[i]
        daily.voltage_deviation_v[i] = deviation[i] / floating[i]
        daily.string_spread_v[i] = spread[i] / floating[i]
        daily.float_current_ma[i] = probe[i] / probes[i]


@compiled
def _warmth(
    string: npt.NDArray[np.int32],
    temperature_c: Float32Array,
    regular: npt.NDArray[np.bool_],
    hours: float,
    room_c: float,
    daily: Daily,
) -> None:
    """Fill in temperatures; each regular reading counts for ``hours``."""
    count, width = daily.readings.shape[0], temperature_c.shape[1]
    total, valid = np.zeros(count), np.zeros(count)
    daily.temperature_min_c[:] = daily.temperature_max_c[:] = np.nan
    for row in np.flatnonzero(regular):
        for j in range(width):
            i, value = string[row] * width + j, temperature_c[row, j]
            if np.isnan(value):
                continue
            valid[i] += 1.0
            total[i] += value
            daily.temperature_min_c[i] = np.fmin(daily.temperature_min_c[i], value)
            daily.temperature_max_c[i] = np.fmax(daily.temperature_max_c[i], value)
            daily.hours_above_30c[i] += hours if value > WARM_C else 0.0
            daily.hours_above_35c[i] += hours if value > HOT_C else 0.0
    for i in range(count):
        daily.temperature_mean_c[i] = total[i] / valid[i]
        daily.temperature_rise_k[i] = total[i] / valid[i] - room_c


@compiled
def _resistance(
    string: npt.NDArray[np.int32], temperature_c: Float32Array, resistance_mohm: Float32Array, daily: Daily
) -> None:
    """Fill in the last measurement of the day, as read and referred to 25 °C."""
    width = resistance_mohm.shape[1]
    daily.resistance_mohm[:] = daily.resistance_25c_mohm[:] = np.nan
    for row in range(string.shape[0]):
        for j in range(width):
            value = resistance_mohm[row, j]
            if not np.isnan(value):
                i = string[row] * width + j
                daily.resistance_mohm[i] = value
                daily.resistance_25c_mohm[i] = _at_25c(value, temperature_c[row, j])


@compiled
def _discharges(
    at_us: Int64Array,
    string: npt.NDArray[np.int32],
    mode: npt.NDArray[np.int8],
    current_a: Float32Array,
    voltage_v: Float32Array,
    strings: int,
    daily: Daily,
) -> None:
    """Add up the discharges of strings: each reading holds until the next one of its string."""
    width = voltage_v.shape[1]
    daily.discharge_min_v[:] = np.nan
    before_us, before_a = np.zeros(strings, np.int64), np.zeros(strings)
    working = np.zeros(strings, np.bool_)
    for row in range(string.shape[0]):
        s = string[row]
        is_working = mode[row] == DISCHARGE or mode[row] == TEST
        span_us = min(at_us[row] - before_us[s], _LONGEST_GAP_US) if working[s] else 0
        for j in range(width):
            i = s * width + j
            if working[s]:
                daily.discharge_s[i] += span_us / 1e6
                daily.discharge_ah[i] += before_a[s] * span_us / 3.6e9
            if is_working:
                daily.discharge_count[i] += 0.0 if working[s] else 1.0
                daily.discharge_min_v[i] = np.fmin(daily.discharge_min_v[i], voltage_v[row, j])
        before_us[s], before_a[s], working[s] = at_us[row], -current_a[row], is_working
