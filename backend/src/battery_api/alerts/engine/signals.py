"""The signals of the rules, computed for all readings of a batch at once."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

MIN_COMPARED: Final = 4
"""Batteries that must report together before one of them can be compared with its string."""
_SWEEP_US: Final = 60 * 1_000_000
"""Batteries read one after another within this time count as read together."""


def battery_signals(
    values: Mapping[str, FloatArray],
    *,
    string: IntArray,
    time_us: IntArray,
    room_c: FloatArray,
    drift_pct: FloatArray,
) -> dict[str, FloatArray]:
    """Return every battery signal of readings (m,) in time order; NaN where it is unknown.

    Parameters
    ----------
    string
        (m,) the string each reading belongs to.
    room_c
        (m,) room temperature at that time.
    drift_pct
        (m,) resistance above the battery's own baseline, both at 25 °C.
    """
    unknown = np.full(len(time_us), np.nan)
    voltage_v = values.get("voltage_v", unknown)
    temperature_c = values.get("temperature_c", unknown)
    vs_string_v = voltage_v - string_reference(voltage_v, string, time_us)
    return {
        "voltage_v": voltage_v,
        "voltage_vs_string_v": vs_string_v,
        "voltage_spread_v": np.abs(vs_string_v),
        "temperature_c": temperature_c,
        "temperature_over_room_c": temperature_c - room_c,
        "temperature_over_string_c": temperature_c - string_reference(temperature_c, string, time_us),
        "resistance_drift_pct": drift_pct,
    }


def string_signals(values: Mapping[str, FloatArray], count: int) -> dict[str, FloatArray]:
    """Return every string signal of ``count`` readings."""
    current_a = values.get("current_a", np.full(count, np.nan))
    return {"charge_current_a": current_a, "discharge_current_a": -current_a}


def location_signals(values: Mapping[str, FloatArray], count: int, *, hvac_loss: FloatArray) -> dict[str, FloatArray]:
    """Return every location signal of ``count`` readings.

    Parameters
    ----------
    hvac_loss
        (count,) 0 running, 1 degraded, 2 failed or off.
    """
    unknown = np.full(count, np.nan)
    return {
        "mains_lost": 1.0 - values.get("mains", unknown),
        "hvac_loss": hvac_loss,
        "room_c": values.get("ambient_c", unknown),
    }


def string_reference(value: FloatArray, string: IntArray, time_us: IntArray) -> FloatArray:
    """Return the value of a healthy battery of the same string at the time of each reading (m,).

    It is the median over the string: equal to the mean in a healthy string, while one dead battery would move the mean
    by half a volt and so raise alerts for the 23 others. Readings of one instant are compared; where a monitor reads
    the batteries one after another, those of the same minute. NaN where fewer than four can be compared.
    """
    reference = _grouped_median(value, string, time_us)
    unmatched = np.isnan(reference) & ~np.isnan(value)
    if unmatched.any():
        minute = time_us[unmatched] // _SWEEP_US
        reference[unmatched] = _grouped_median(value[unmatched], string[unmatched], minute)
    return reference


def _grouped_median(value: FloatArray, first: IntArray, second: IntArray) -> FloatArray:
    reference = np.full(len(value), np.nan)
    known = np.flatnonzero(~np.isnan(value))
    if len(known) < MIN_COMPARED:
        return reference
    order = known[np.lexsort((value[known], second[known], first[known]))]
    begins = np.concatenate(
        [[True], (first[order][1:] != first[order][:-1]) | (second[order][1:] != second[order][:-1])]
    )
    start = np.flatnonzero(begins)
    size = np.diff(np.append(start, len(order)))
    ordered = value[order]
    median = (ordered[start + (size - 1) // 2] + ordered[start + size // 2]) / 2.0
    median[size < MIN_COMPARED] = np.nan
    reference[order] = np.repeat(median, size)
    return reference
