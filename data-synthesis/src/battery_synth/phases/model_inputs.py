"""Features for models and, separate from them, their labels: days to 80 % capacity, with censoring."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.dataset as pd

from battery_synth.realism.tables import DatasetTables, instants_us, numbers

WINDOW_DAYS: Final = 90
EVERY_DAYS: Final = 30
_MEANS: Final = (
    "voltage_mean_v", "voltage_deviation_v", "string_spread_v", "temperature_mean_c", "temperature_rise_k",
    "float_current_ma", "resistance_25c_mohm",
)  # fmt: skip
_SUMS: Final = ("hours_above_30c", "hours_above_35c", "discharge_count", "discharge_s", "discharge_ah")
_DAY_US: Final = 86_400_000_000


def make(data: DatasetTables) -> Iterator[tuple[str, pa.Table]]:
    """Yield features by location, and their labels into the truth."""
    fate = _fates(data)
    for location in sorted(
        {entry["location_id"] for entry in data.manifest["files"] if entry["table"] == "telemetry_daily"}
    ):
        paths = [
            entry["path"]
            for entry in data.manifest["files"]
            if entry["table"] == "telemetry_daily" and entry["location_id"] == location
        ]
        features = _features(data, paths)
        yield "model_inputs/features", features
        yield "truth/labels", _labels(features, fate)


def _features(data: DatasetTables, paths: list[str]) -> pa.Table:
    source: Any = pd.dataset([str(data.folder / path) for path in paths], format="parquet")
    rows: pa.Table = source.to_table(columns=["time", "battery_id", "generation", *_MEANS, *_SUMS]).unify_dictionaries()
    column = rows["battery_id"].combine_chunks()
    names, code = column.dictionary.to_pylist(), column.indices.to_numpy()
    at_us, generation = instants_us(rows), numbers(rows, "generation").astype(np.int64)
    order = np.lexsort((at_us, generation, code))
    code, at_us, generation = code[order], at_us[order], generation[order]
    battery = np.cumsum(np.append(0, (np.diff(code) != 0) | (np.diff(generation) != 0)))
    first = np.searchsorted(battery, battery)
    row = np.arange(len(battery))
    begins = np.maximum(first, row - WINDOW_DAYS + 1)
    # A window ends with its own day: it contains nothing of later days.
    chosen = np.flatnonzero(((at_us // _DAY_US) % EVERY_DAYS == 0) & (row - first >= WINDOW_DAYS - 1))
    table: dict[str, Any] = {
        "time": pa.array(at_us[chosen].astype("datetime64[us]")).cast(pa.timestamp("us", tz="UTC")),
        "battery_id": pa.DictionaryArray.from_arrays(code[chosen].astype(np.int32), pa.array(names)),
        "generation": pa.array(generation[chosen].astype(np.int32)),
    }
    for name in (*_MEANS, *_SUMS):
        values = numbers(rows, name)[order]
        valid = np.isfinite(values)
        total = np.append(0.0, np.cumsum(np.where(valid, values, 0.0)))
        count = np.append(0, np.cumsum(valid))
        spans = total[chosen + 1] - total[begins[chosen]], count[chosen + 1] - count[begins[chosen]]
        result = spans[0] if name in _SUMS else spans[0] / np.maximum(spans[1], 1)
        table[f"{name}_{WINDOW_DAYS}d"] = pa.array(result.astype(np.float32), mask=spans[1] == 0)
    return pa.table(table)


def _fates(data: DatasetTables) -> dict[tuple[str, int], tuple[float, bool]]:
    """Return the end of each battery's observation in us since 1970, and whether it was a failure (else censored)."""
    end_us = float(np.datetime64(data.manifest["end"][:19], "us").astype(np.int64))
    fates: dict[tuple[str, int], tuple[float, bool]] = {}
    lives = data.read("truth/lives", ["time", "kind", "battery_id", "generation"]).to_pylist()
    for event in sorted(lives, key=lambda event: event["time"]):
        battery, at_us = (event["battery_id"], event["generation"]), event["time"].timestamp() * 1e6
        if event["kind"] == "installed":
            fates[battery] = (end_us, False)
        elif event["kind"] == "failed":
            fates[battery] = (at_us, True)
        elif not fates[battery][1]:
            fates[battery] = (at_us, False)
    return fates


def _labels(features: pa.Table, fate: dict[tuple[str, int], tuple[float, bool]]) -> pa.Table:
    batteries = zip(features["battery_id"].to_pylist(), features["generation"].to_pylist(), strict=True)
    ends = np.array([fate[battery] for battery in batteries])
    days = (ends[:, 0] - instants_us(features)) / _DAY_US
    return pa.table(
        {
            "time": features["time"],
            "battery_id": features["battery_id"],
            "generation": features["generation"],
            "days_to_end": pa.array(days),
            "is_censored": pa.array(ends[:, 1] == 0.0),
        }
    )
