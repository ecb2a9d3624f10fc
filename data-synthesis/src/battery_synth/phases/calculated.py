"""Telemetry worked out from telemetry: what a reading means beside its string, its room and its baseline."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from battery_synth.block.charger import COLDEST_C, COMPENSATION_V_PER_K, SET_CELL_V, WARMEST_C
from battery_synth.block.electrics import CELLS
from battery_synth.phases.folder import RESISTANCE_PER_K, FloatArray, fleet_of, months
from battery_synth.realism.tables import Dataset, instants_us, numbers, words


def make(data: Dataset) -> Iterator[tuple[str, pa.Table]]:
    """Yield a row for every block reading."""
    baseline = {name: row.baseline_resistance_mohm or np.nan for name, row in fleet_of(data).items()}
    rooms = [
        (words(site, "location_id")[0], instants_us(site), numbers(site, "ambient_c"))
        for site in months(data, "site_environment")
    ]
    for rows in months(data, "telemetry"):
        at, names = instants_us(rows), words(rows, "battery_id")
        volts, warmth = numbers(rows, "voltage_v"), numbers(rows, "temperature_c")
        string = np.array([name[4:-4] for name in names.tolist()])
        _, look = np.unique(np.char.add(string, at.astype(str)), return_inverse=True)
        known = np.isfinite(volts)
        count = np.maximum(np.bincount(look, known), 1)
        mean_v = (np.bincount(look, np.where(known, volts, 0.0)) / count)[look]
        mean_c = (np.bincount(look, np.nan_to_num(warmth, nan=25.0)) / np.bincount(look))[look]
        set_v = CELLS * (SET_CELL_V + COMPENSATION_V_PER_K * (np.clip(mean_c, COLDEST_C, WARMEST_C) - 25.0))
        resistance_25c = numbers(rows, "internal_resistance_mohm") * np.exp(RESISTANCE_PER_K * (warmth - 25.0))
        own = np.array([baseline[name] for name in names.tolist()])
        yield (
            "calculated",
            pa.table(
                {
                    "time": rows["time"],
                    "battery_id": rows["battery_id"],
                    "voltage_deviation_v": _column(volts - mean_v),
                    "set_point_deviation_v": _column(mean_v - set_v),
                    "temperature_rise_k": _column(warmth - _ambient(rooms, names, at)),
                    "resistance_25c_mohm": _column(resistance_25c),
                    "resistance_growth_pct": _column(100.0 * (resistance_25c / own - 1.0)),
                }
            ),
        )


def _ambient(rooms: list[tuple[str, np.ndarray, np.ndarray]], names: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return the room's temperature at each reading, straight between its own."""
    location = str(names[0])[4:13]
    parts = [(times, values) for place, times, values in rooms if place == location]
    times, values = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(times)
    ambient: FloatArray = np.interp(at, times[order], values[order])
    return ambient


def _column(values: np.ndarray) -> pa.Array:
    return pa.array(np.round(values, 4).astype(np.float32), mask=~np.isfinite(values))
