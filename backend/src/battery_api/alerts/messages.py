"""Alert messages in English by message code; clients render other languages from the code and the parameters."""

from collections.abc import Mapping
from typing import Any, Final

MESSAGES: Final[Mapping[str, str]] = {
    "voltage_low": "Voltage {value:.2f} V, below {threshold:.2f} V",
    "voltage_lost": "Voltage {value:.2f} V: open, shorted or reversed battery, or a loose sense lead; isolate it first",
    "voltage_high": "Voltage {value:.2f} V, above {threshold:.2f} V",
    "shorted_cell": "Voltage {value:+.2f} V from its string: a cell is probably shorted",
    "voltage_spread": "Voltage differs by {value:.2f} V from its string, limit {threshold:.2f} V",
    "discharge_weak_block": "Voltage {value:+.2f} V from its string on discharge, limit {threshold:+.2f} V",
    "temperature_high": "Temperature {value:.1f} °C, above {threshold:.1f} °C",
    "temperature_danger": "Temperature {value:.1f} °C: thermal runaway or fire. Stop charging and keep away",
    "temperature_over_room": "{value:.1f} °C warmer than the room, limit {threshold:.1f} °C",
    "temperature_over_string": "{value:.1f} °C warmer than the median of its string, limit {threshold:.1f} °C",
    "resistance_drift": "Resistance {value:.0f} % above its own baseline at 25 °C, limit {threshold:.0f} %",
    "voltage_channel_lost": "No voltage for {value_min:.0f} min, while other values arrive; check the sense leads",
    "temperature_channel_lost": "No temperature for {value_min:.0f} min, while other values arrive; check the sensor",
    "voltage_does_not_follow": "Voltage {value:+.2f} V from its string on discharge: it does not follow the load",
    "mode_contradicted": "The reported mode contradicts the measured current; the current decides",
    "voltage_flat": "Voltage has not moved for {value_min:.0f} min while its string did; check the monitor",
    "temperature_flat": "Temperature has not moved for {value_min:.0f} min while its string did; check the sensor",
    "current_contradicted": "The current says the opposite of the voltages: its sign or its sensor is wrong",
    "string_voltage_off_sum": "String voltage is {value:.1f} % off the sum of its batteries; one of them is wrong",
    "float_current_off": "Float current and string current differ by {value:.1f} A; one of them is wrong",
    "float_current_high": "Float current {value:.1f} mA/Ah, above {threshold:.1f} mA/Ah",
    "clock_behind": "Readings arrive that are dated {value_min:.0f} min ago ({string_id}): set the sender's clock",
    "clock_ahead": "Readings arrive that are dated {value_min:.0f} min ahead ({string_id}): set the sender's clock",
    "resistance_over_nominal": "Resistance {value:.0f} % above the model's nominal; there is no baseline of its own",
    "string_voltage_low": "String voltage is {value:.0f} % of nominal: an open string, or the voltage of one battery",
    "charge_current_high": "Charge current {value:.0f} A, above {threshold:.0f} A",
    "discharge_current_high": "Discharge current {value:.0f} A, above {threshold:.0f} A",
    "thermal_runaway": "Thermal runaway: float current {float_current_ratio:.1f} times its steady value, hottest "
    "battery {over_room_c:.1f} °C warmer than the room, both rising. Stop charging and keep away",
    "thermal_runaway_heat": "Possible thermal runaway: hottest battery {over_room_c:.1f} °C warmer than the room and "
    "rising by {rise_c_per_h:.1f} °C/h; the float current does not confirm it. Stop charging",
    "grid_unstable": "Mains lost {value:.0f} times within 24 hours",
    "mains_lost": "Mains lost",
    "mains_lost_long": "Mains lost for more than {hold_min:.0f} min",
    "hvac_degraded": "Air conditioning degraded",
    "hvac_failed": "Air conditioning failed or off",
    "room_hot": "Room {value:.1f} °C, above {threshold:.1f} °C",
    "rul_warning": "P10 of remaining life {value:.0f} days, limit {threshold:.0f} ({source}); plan the replacement",
    "rul_critical": "P10 of remaining life {value:.0f} days, limit {threshold:.0f} ({source}); replace or test it now",
    "rul_warning_conflict": "P10 of remaining life {value:.0f} days, limit {threshold:.0f}, but model and ageing law "
    "contradict each other (P50 {ml_p50_days:.0f} and {twin_p50_days:.0f} days); test it before ordering",
    "rul_critical_conflict": "P10 of remaining life {value:.0f} days, limit {threshold:.0f}, but model and ageing law "
    "contradict each other (P50 {ml_p50_days:.0f} and {twin_p50_days:.0f} days); test it now",
    "rul_change": "P50 of remaining life fell by {value:.0f} % to {p50_days:.0f} days, limit {threshold:.0f} % "
    "({source}); look for the cause",
    "rul_change_conflict": "P50 of remaining life fell by {value:.0f} % to {p50_days:.0f} days, limit "
    "{threshold:.0f} %, but model and ageing law contradict each other (P50 {ml_p50_days:.0f} and "
    "{twin_p50_days:.0f} days); test it",
    "soh_degraded": "State of health {value:.0f} %, limit {threshold:.0f} % ({provenance}); plan the replacement",
    "soh_degraded_critical": "State of health at most {value:.0f} %, limit {threshold:.0f} % ({provenance}); "
    "replace it",
    "data_stale_battery": "No reading for {value_min:.0f} min",
    "data_stale_string": "No reading from any of the string's {battery_count} batteries for {value_min:.0f} min",
    "data_stale_location": "No reading from any of the location's {battery_count} batteries for {value_min:.0f} min",
}


def render(code: str, params: Mapping[str, Any]) -> str:
    """Return the English text of a message; for an unknown code, the code in words."""
    template = MESSAGES.get(code)
    if template is None:
        return code.replace("_", " ").capitalize()
    try:
        return template.format(**params)
    except (KeyError, ValueError, TypeError):
        # An alert of an earlier version may lack a parameter; it must still be shown.
        return code.replace("_", " ").capitalize()
