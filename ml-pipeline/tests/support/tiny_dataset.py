"""A small simulated dataset of lives on the disk, in the layout of a training set: hot strings fail early."""

import csv
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from battery_contracts.ml import DAILY_COLUMNS

LOCATIONS, STRINGS, BATTERIES, DAYS = ("DC-AAA-01", "DC-BBB-01"), 20, 6, 1500
FIRST_DAY = 15_000
DAY_US = 86_400_000_000


def write_dataset(folder: Path, seed: int, *, lives: bool = True, failures: bool = True) -> Path:
    rng = np.random.default_rng(seed)
    files, events = [], []
    (folder / "master").mkdir(parents=True)
    with (folder / "master" / "fleet.csv").open("w", newline="") as target:
        rows = csv.writer(target)
        rows.writerow(["location_id", "string_id", "battery_id", "model_id", "baseline_resistance_mohm"])
        for location in LOCATIONS:
            ids: list[str] = []
            columns: dict[str, list[np.ndarray]] = {name: [] for name in ("time", "generation", *DAILY_COLUMNS)}
            for number in range(STRINGS):
                string = f"{location}-UPS-01-STR-{number:02}"
                heat_c = rng.uniform(22.0, 34.0)
                for position in range(BATTERIES):
                    battery = f"BAT-{string}-{position:03}"
                    rows.writerow([location, string, battery, "CSB-HX12-120", 3.5])
                    life = float(rng.normal(1000.0, 100.0) * 2.0 ** ((25.0 - heat_c) / 10.0))
                    events += _events(battery, life, failures=failures)
                    ids += [battery] * DAYS
                    _days(columns, rng, heat_c, life)
            path = Path("telemetry_daily") / f"{location}-00.parquet"
            (folder / path).parent.mkdir(exist_ok=True)
            table = {name: np.concatenate(values) for name, values in columns.items()}
            time = pa.array(table.pop("time").astype("datetime64[us]")).cast(pa.timestamp("us", tz="UTC"))
            dictionary = pa.array(ids).dictionary_encode()
            pq.write_table(pa.table({"time": time, "battery_id": dictionary, **table}), folder / path)
            files.append({"table": "telemetry_daily", "location_id": location, "path": str(path)})
    if lives:
        (folder / "truth" / "lives").mkdir(parents=True)
        schema = pa.schema(
            [
                ("time", pa.timestamp("us", tz="UTC")),
                ("kind", pa.string()),
                ("battery_id", pa.string()),
                ("generation", pa.int32()),
            ]
        )
        table = pa.Table.from_pylist(events, schema=schema)
        pq.write_table(table, folder / "truth" / "lives" / "part.parquet")
    end = np.datetime64((FIRST_DAY + DAYS) * DAY_US, "us")
    manifest = {
        "kind": "training",
        "seed": seed,
        "end": f"{end}+00:00",
        "file_format": "parquet",
        "rows": {"telemetry_daily": len(LOCATIONS) * STRINGS * BATTERIES * DAYS, "truth/lives": len(events) * lives},
        "files": files,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def _events(battery: str, life: float, *, failures: bool) -> list[dict[str, object]]:
    def event(day: float, kind: str) -> dict[str, object]:
        time = np.datetime64(int((FIRST_DAY + day) * DAY_US), "us").astype(object)
        return {"time": time, "kind": kind, "battery_id": battery, "generation": 0}

    ends = [event(life, "failed")] if failures and life < DAYS else []
    return [event(0.0, "installed"), *ends]


def _days(columns: dict[str, list[np.ndarray]], rng: np.random.Generator, heat_c: float, life: float) -> None:
    day = np.arange(DAYS)
    worn = np.clip(day / life, 0.0, 1.2)
    tests = np.where(day % 300 == 40, 20.0, 0.0)
    values = {
        "voltage_mean_v": rng.normal(13.6, 0.01, DAYS),
        "voltage_deviation_v": rng.normal(0.0, 0.01, DAYS),
        "string_spread_v": rng.uniform(0.05, 0.06, DAYS),
        "temperature_mean_c": heat_c + rng.normal(0.0, 0.5, DAYS),
        "temperature_min_c": heat_c - rng.uniform(1.0, 2.0, DAYS),
        "temperature_max_c": heat_c + rng.uniform(1.0, 2.0, DAYS),
        "hours_above_30c": np.full(DAYS, 24.0 * (heat_c > 30.0)),
        "hours_above_35c": np.zeros(DAYS),
        "temperature_rise_k": rng.normal(1.0, 0.2, DAYS),
        "resistance_25c_mohm": 3.5 * (1.0 + 0.25 * worn**2) + rng.normal(0.0, 0.02, DAYS),
        "float_current_ma": 40.0 + rng.normal(0.0, 2.0, DAYS),
        "discharge_count": (tests > 0.0).astype(float),
        "discharge_s": 36.0 * tests,
        "discharge_ah": tests,
        "discharge_min_v": np.where(tests > 0.0, 12.4 - 0.3 * worn**2, np.nan),
    }
    columns["time"].append((FIRST_DAY + day) * DAY_US)
    columns["generation"].append(np.zeros(DAYS, np.int32))
    for name, series in values.items():
        columns[name].append(series.astype(np.float32))
