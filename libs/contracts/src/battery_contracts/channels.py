"""Description table of the measured channels: unit, physical limits and sensor resolution.

Limits bound what can be a measurement at all; a value outside them is rejected. A value inside them may still be
dangerous (0 V, cell reversal, 70 C): such values are stored and raise alarms. To add a channel, add a row.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Channel:
    """One measured quantity.

    Parameters
    ----------
    low, high
        Physical limits in ``unit``, both included.
    scale_hint
        Factor that corrects the most common wrong unit (13,650 mV sent as V: 1e-3), or None.
    scale_hint_unit
        Name of that wrong unit.
    decimals
        Digits after the point that the sensor resolves; live messages are rounded to it.
    """

    name: str
    unit: str
    low: float
    high: float
    decimals: int
    scale_hint: float | None = None
    scale_hint_unit: str | None = None


BATTERY_CHANNELS: Final = (
    Channel("voltage_v", "V", -30.0, 30.0, 3, 1e-3, "mV"),
    Channel("current_a", "A", -3000.0, 3000.0, 1, 1e-3, "mA"),
    Channel("temperature_c", "°C", -40.0, 150.0, 1, None, "K or °F"),
    Channel("internal_resistance_mohm", "mΩ", 0.01, 1000.0, 2, 1e-3, "µΩ"),
)
"""Channels of a battery reading, in the column order of the store.

A resistance above 1 Ω is an open circuit of the meter, not a value.
"""

STRING_CHANNELS: Final = (
    Channel("voltage_v", "V", -800.0, 800.0, 2, 1e-3, "mV"),
    Channel("current_a", "A", -3000.0, 3000.0, 1, 1e-3, "mA"),
    Channel("float_current_ma", "mA", -100_000.0, 100_000.0, 1, None, None),
    Channel("ripple_voltage_v", "V", 0.0, 100.0, 3, 1e-3, "mV"),
    Channel("ripple_current_a", "A", 0.0, 1000.0, 2, 1e-3, "mA"),
)
LOCATION_CHANNELS: Final = (
    Channel("ambient_c", "°C", -40.0, 80.0, 1, None, "K or °F"),
    Channel("humidity_pct", "%", 0.0, 100.0, 0, None, None),
)
LIVE_DECIMALS: Final = {channel.name: channel.decimals for channel in BATTERY_CHANNELS} | {"soc_pct": 1, "soh_pct": 1}
"""Digits after the point of a battery's live values, by name: the resolution of the sensor or the estimate."""
