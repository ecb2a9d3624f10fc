"""Readings of a location as tables."""

from collections.abc import Sequence
from enum import StrEnum

import numpy as np
import pyarrow as pa

from battery_synth.state.readings import HVAC_STATES, MODES, Int8Array, Int64Array, SimulatedReadings
from battery_synth.storage.schemas import SITE_ENVIRONMENT, STRING_TELEMETRY, TELEMETRY


def telemetry_table(readings: SimulatedReadings, battery_ids: Sequence[str]) -> pa.Table:
    """Return the block readings (R x w rows); ``battery_ids`` are the location's, string by string."""
    width = readings.voltage_v.shape[1]
    code = readings.string[:, None] * width + np.arange(width, dtype=np.int32)
    resistance = readings.internal_resistance_mohm.ravel()
    columns = {
        "time": instants(np.repeat(readings.at_us, width)),
        "battery_id": pa.DictionaryArray.from_arrays(code.astype(np.int32).ravel(), pa.array(battery_ids, pa.string())),
        "voltage_v": _measured(readings.voltage_v.ravel()),
        "current_a": _measured(np.repeat(readings.current_a, width)),
        "temperature_c": _measured(readings.temperature_c.ravel()),
        "internal_resistance_mohm": _measured(resistance),
    }
    return pa.table(columns, schema=TELEMETRY)


def string_table(readings: SimulatedReadings, string_ids: Sequence[str]) -> pa.Table:
    """Return the string readings (R rows)."""
    columns = {
        "time": instants(readings.at_us),
        "string_id": pa.DictionaryArray.from_arrays(readings.string, pa.array(string_ids, pa.string())),
        "voltage_v": _measured(readings.string_voltage_v),
        "current_a": _measured(readings.current_a),
        "float_current_ma": _measured(readings.float_current_ma),
        "ripple_voltage_v": _measured(readings.ripple_voltage_v),
        "ripple_current_a": _measured(readings.ripple_current_a),
        "mode": _words(readings.mode, MODES),
    }
    return pa.table(columns, schema=STRING_TELEMETRY)


def environment_table(readings: SimulatedReadings, location_id: str) -> pa.Table:
    """Return the readings of the room and mains sensors (S rows)."""
    code = pa.array(np.zeros(len(readings.location_at_us), np.int32))
    columns = {
        "time": instants(readings.location_at_us),
        "location_id": pa.DictionaryArray.from_arrays(code, pa.array([location_id])),
        "ambient_c": readings.ambient_c,
        "humidity_pct": readings.humidity_pct,
        "hvac": _words(readings.hvac, HVAC_STATES),
        "mains": readings.mains,
    }
    return pa.table(columns, schema=SITE_ENVIRONMENT)


def samples_of_truth(readings: SimulatedReadings, battery_ids: Sequence[str]) -> pa.Table:
    """Return true state of charge and mode for every reading (R x w rows); for tests and benchmarks only."""
    width = readings.soc.shape[1]
    code = readings.string[:, None] * width + np.arange(width, dtype=np.int32)
    return pa.table(
        {
            "time": instants(np.repeat(readings.at_us, width)),
            "battery_id": pa.DictionaryArray.from_arrays(code.astype(np.int32).ravel(), pa.array(battery_ids)),
            "soc": pa.array(np.round(readings.soc.ravel(), 5)),
            "mode": _words(np.repeat(readings.mode, width), MODES),
        }
    )


def instants(at_us: Int64Array) -> pa.Array:
    """Return instants in us since 1970 as a column."""
    return pa.array(at_us).view(TELEMETRY.field("time").type)


def _words(codes: Int8Array, words: Sequence[StrEnum]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(codes.astype(np.int8), pa.array([word.value for word in words]))


def _measured(values: "np.ndarray[tuple[int, ...], np.dtype[np.float32]]") -> pa.Array:
    """Return a column whose NaN values, which mark missing readings, are null."""
    missing = np.isnan(values)
    return pa.array(values, mask=missing) if missing.any() else pa.array(values)
