"""The signals of the rules, computed for all readings of a batch at once."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from battery_api.alerts.engine.comparison import FloatArray

STRING_CLAIMS: Final = (
    "mode_contradicted",
    "current_contradicted",
    "voltage_of_nominal_pct",
    "voltage_off_sum_pct",
    "float_current_ma_per_ah",
    "float_current_off_a",
)
"""Signals that hold what a string says of itself against what else is known."""


def battery_signals(
    values: Mapping[str, FloatArray],
    *,
    reference: Mapping[str, FloatArray],
    flat_s: Mapping[str, FloatArray],
    room_c: FloatArray,
    drift_pct: FloatArray,
    over_nominal_pct: FloatArray,
    age_s: Mapping[str, FloatArray],
) -> dict[str, FloatArray]:
    """Return every battery signal of readings (m,) in time order; NaN where it is unknown.

    Parameters
    ----------
    reference
        By channel, (m,) what a healthy battery of the string shows then.
    flat_s
        By channel, (m,) how long the value has been a flat line.
    room_c
        (m,) room temperature at that time.
    drift_pct
        (m,) resistance above the battery's own baseline, both at 25 °C.
    over_nominal_pct
        (m,) resistance above its model's nominal one at 25 °C, where it has no baseline of its own.
    age_s
        By channel, (m,) how long ago the battery last measured it.
    """
    unknown = np.full(len(room_c), np.nan)
    voltage_v = values.get("voltage_v", unknown)
    temperature_c = values.get("temperature_c", unknown)
    vs_string_v = voltage_v - reference.get("voltage_v", unknown)
    return {
        "voltage_v": voltage_v,
        "voltage_vs_string_v": vs_string_v,
        "voltage_spread_v": np.abs(vs_string_v),
        "temperature_c": temperature_c,
        "temperature_over_room_c": temperature_c - room_c,
        "temperature_over_string_c": temperature_c - reference.get("temperature_c", unknown),
        "resistance_drift_pct": drift_pct,
        "resistance_over_nominal_pct": over_nominal_pct,
        "voltage_age_s": age_s.get("voltage_v", unknown),
        "temperature_age_s": age_s.get("temperature_c", unknown),
        "voltage_flat_s": flat_s.get("voltage_v", unknown),
        "temperature_flat_s": flat_s.get("temperature_c", unknown),
    }


STRING_TRENDS: Final = (
    "runaway_score",
    "runaway_heat_score",
    "float_current_ratio",
    "over_room_c",
    "rise_c_per_h",
)
"""Signals that follow from more than one reading, see `trends`."""


def string_signals(values: Mapping[str, FloatArray], count: int) -> dict[str, FloatArray]:
    """Return every string signal of ``count`` readings."""
    unknown = np.full(count, np.nan)
    current_a = values.get("current_a", unknown)
    return {
        "charge_current_a": current_a,
        "discharge_current_a": -current_a,
        **{name: values.get(name, unknown) for name in (*STRING_CLAIMS, *STRING_TRENDS)},
    }


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
        "mains_losses_24h": values.get("mains_losses_24h", unknown),
        "hvac_loss": hvac_loss,
        "room_c": values.get("ambient_c", unknown),
    }
