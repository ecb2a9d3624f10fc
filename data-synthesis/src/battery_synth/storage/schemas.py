"""Columns of the generated tables; names carry the units, times are UTC."""

from typing import Final

import pyarrow as pa

_TIME: Final = ("time", pa.timestamp("us", tz="UTC"))
_ID: Final = pa.dictionary(pa.int32(), pa.string())
_WORD: Final = pa.dictionary(pa.int8(), pa.string())

TELEMETRY: Final = pa.schema(
    [
        _TIME,
        ("battery_id", _ID),
        ("voltage_v", pa.float32()),
        ("current_a", pa.float32()),
        ("temperature_c", pa.float32()),
        ("internal_resistance_mohm", pa.float32()),
    ]
)
STRING_TELEMETRY: Final = pa.schema(
    [
        _TIME,
        ("string_id", _ID),
        ("voltage_v", pa.float32()),
        ("current_a", pa.float32()),
        ("float_current_ma", pa.float32()),
        ("ripple_voltage_v", pa.float32()),
        ("ripple_current_a", pa.float32()),
        ("mode", _WORD),
    ]
)
SITE_ENVIRONMENT: Final = pa.schema(
    [
        _TIME,
        ("location_id", _ID),
        ("ambient_c", pa.float32()),
        ("humidity_pct", pa.float32()),
        ("hvac", _WORD),
        ("mains", pa.bool_()),
    ]
)
SCHEMAS: Final = {
    "telemetry": TELEMETRY,
    "string_telemetry": STRING_TELEMETRY,
    "site_environment": SITE_ENVIRONMENT,
}
"""Schemas of the tables of sensor readings by name."""
