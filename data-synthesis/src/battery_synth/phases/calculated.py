"""Telemetry calculated from telemetry: each reading relative to its string, its room and its baseline."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from battery_synth.block.charger import COLDEST_C, COMPENSATION_V_PER_K, SET_CELL_V, WARMEST_C
from battery_synth.block.electrics import CELLS
from battery_synth.datasets.ohmic import resistance_25c_mohm
from battery_synth.phases.folder import FloatArray, fleet_of, months
from battery_synth.realism.tables import DatasetTables, instants_us, numbers, words


def make(data: DatasetTables) -> Iterator[tuple[str, pa.Table]]:
    """Yield one row per block reading."""
    baseline = {name: row.baseline_resistance_mohm or np.nan for name, row in fleet_of(data).items()}
    rooms = [
        (words(location, "location_id")[0], instants_us(location), numbers(location, "ambient_c"))
        for location in months(data, "site_environment")
    ]
    for rows in months(data, "telemetry"):
        at_us, names = instants_us(rows), words(rows, "battery_id")
        volts, warmth = numbers(rows, "voltage_v"), numbers(rows, "temperature_c")
        string = np.array([name[4:-4] for name in names.tolist()])
        _, sample = np.unique(np.char.add(string, at_us.astype(str)), return_inverse=True)
        valid = np.isfinite(volts)
        count = np.maximum(np.bincount(sample, valid), 1)
        mean_v = (np.bincount(sample, np.where(valid, volts, 0.0)) / count)[sample]
        mean_c = (np.bincount(sample, np.nan_to_num(warmth, nan=25.0)) / np.bincount(sample))[sample]
        set_v = CELLS * (SET_CELL_V + COMPENSATION_V_PER_K * (np.clip(mean_c, COLDEST_C, WARMEST_C) - 25.0))
        resistance_25c = resistance_25c_mohm(numbers(rows, "internal_resistance_mohm"), warmth)
        own = np.array([baseline[name] for name in names.tolist()])
        yield (
            "calculated",
            pa.table(
                {
                    "time": rows["time"],
                    "battery_id": rows["battery_id"],
                    "voltage_deviation_v": _column(volts - mean_v),
                    "set_point_deviation_v": _column(mean_v - set_v),
                    "temperature_rise_k": _column(warmth - _ambient(rooms, names, at_us)),
                    "resistance_25c_mohm": _column(resistance_25c),
                    "resistance_growth_pct": _column(100.0 * (resistance_25c / own - 1.0)),
                }
            ),
        )


def _ambient(rooms: list[tuple[str, np.ndarray, np.ndarray]], names: np.ndarray, at_us: np.ndarray) -> np.ndarray:
    """Return the room temperature in °C at each reading, linear between its measurements."""
    location = str(names[0])[4:13]
    parts = [(times, values) for code, times, values in rooms if code == location]
    times, values = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(times)
    ambient: FloatArray = np.interp(at_us, times[order], values[order])
    return ambient


def _column(values: np.ndarray) -> pa.Array:
    return pa.array(np.round(values, 4).astype(np.float32), mask=~np.isfinite(values))
