"""What is stored of batteries, strings and locations: the table, its measured channels and its states."""

from dataclasses import dataclass
from typing import Final

from battery_api.db.tables.telemetry import ROLLUP_CHANNELS


@dataclass(frozen=True, slots=True)
class RecordedTable:
    """A table of readings; ``channels`` are numbers, ``states`` are names or yes and no."""

    name: str
    key: str
    channels: tuple[str, ...]
    states: tuple[str, ...] = ()


BATTERY_READINGS: Final = RecordedTable("telemetry", "battery_id", ROLLUP_CHANNELS)
STRING_READINGS: Final = RecordedTable(
    "string_telemetry",
    "string_id",
    ("voltage_v", "current_a", "float_current_ma", "ripple_voltage_v", "ripple_current_a"),
    ("mode", "reported_mode"),
)
ROOM_READINGS: Final = RecordedTable(
    "site_environment", "location_id", ("ambient_c", "humidity_pct"), ("hvac", "mains")
)
YES_OR_NO: Final = frozenset({"mains"})
"""States that are stored as 0 and 1."""
