"""The synthetic world side by side with a plain loop, its own kernel, other files and COPY: G20, G21 and G22.

Run: python benchmarks/synthesis.py.
"""

import asyncio
import io
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

from battery_servicekit.testing.postgres import DURABLE_SETTINGS, embedded_server
from battery_synth.catalogue import DEFAULT_SEED, build_catalogue
from battery_synth.datasets import fleets
from battery_synth.datasets.maker import make_dataset
from battery_synth.engine import kernel
from battery_synth.engine.plan import plan_span
from battery_synth.engine.plant import Plant
from battery_synth.state.arrays import TrueRows
from battery_synth.storage.files import TableFile
from battery_synth.world import World

SEED = 20_260_101
ROUNDS = 5
BATTERIES, DAYS = 24, 90
ROWS = BATTERIES * DAYS * 1440
LOOP_MINUTES = 240
PANDAS_ROWS = 200_000
LIVE_START, LIVE_SECONDS = datetime(2026, 2, 10, tzinfo=UTC), 100
# Without the truth of every reading, which is as many rows again.
SPEC = replace(fleets.reference(SEED, start=date(2025, 1, 1), days=DAYS), with_samples_of_truth=False)


def new_plant() -> Plant:
    """Return the reference string at its beginning."""
    return Plant(SEED, SPEC.fleet, start_s=SPEC.start.timestamp(), policy=SPEC.policy)


def seconds(work: Callable[[], object]) -> float:
    """Return how long something takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def per_row_loop() -> float:
    """Return rows/s of the same equations without a compiler: one Python step per block and one dict per row."""
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", __file__, "--loop"],
        check=True,
        capture_output=True,
        text=True,
        env=environment,
    )
    return float(done.stdout)


def loop_rows_per_second() -> float:
    """Run in the process without a compiler."""
    plant = new_plant()
    plant.run(plant.time_s + 60.0, SPEC.sampling)
    began = time.perf_counter()
    readings = plant.run(plant.time_s + 60.0 * LOOP_MINUTES, SPEC.sampling)
    rows = []
    for look in range(len(readings)):
        for block, name in enumerate(plant.layout.battery_ids):
            rows.append(
                {
                    "time": int(readings.at_us[look]),
                    "battery_id": name,
                    "voltage_v": float(readings.voltage_v[look, block]),
                    "current_a": float(readings.current_a[look]),
                    "temperature_c": float(readings.temperature_c[look, block]),
                    "internal_resistance_mohm": float(readings.internal_resistance_mohm[look, block]),
                }
            )
    return readings.voltage_v.size / (time.perf_counter() - began)


def bare_kernel() -> float:
    """Return rows/s of the kernel alone: no sensors, no faults, no tables."""
    plant = new_plant()
    day = plant._day  # noqa: SLF001  # what is measured is inside
    plan = plan_span(day, day.start_s, day.start_s + 86_400.0, 1, SPEC.sampling)
    rows = TrueRows.empty(int(plan.first_row[-1]), BATTERIES)
    spent = seconds(lambda: kernel.run(plant._state, plant._blocks, plant._flow, plan, rows))  # noqa: SLF001
    return float(rows.voltage_v.size) / spent


def live_second() -> float:
    """Return the computing time of one simulated second of the whole fleet, as a share of a real second."""
    world = World.create(build_catalogue(DEFAULT_SEED, as_of=LIVE_START.date()), seed=DEFAULT_SEED, start=LIVE_START)
    spent = []
    for _ in range(LIVE_SECONDS):
        began = time.perf_counter()
        world.advance(world.time + timedelta(seconds=1))
        world.observe(world.string_ids[:2])
        spent.append(time.perf_counter() - began)
    return statistics.median(spent)


def generator(folder: Path) -> float:
    """Return rows/s of the whole: world, sensors, faults, tables, Parquet, truth, manifest."""
    shutil.rmtree(folder, ignore_errors=True)
    return ROWS / seconds(lambda: make_dataset(SPEC, folder, progress=lambda _done, _total: None))


def writers(table: pa.Table, folder: Path) -> dict[str, tuple[float, float]]:
    """Return rows/s and bytes per row of ways to write one table."""
    found = {}
    sample = table.slice(0, PANDAS_ROWS)
    frame = sample.to_pandas()
    target = folder / "way"

    def note(name: str, rows: int, work: Callable[[], object], path: Path = target) -> None:
        spent = seconds(work)
        found[name] = (rows / spent, path.stat().st_size / rows)
        path.unlink()

    note("pandas to_csv", len(frame), lambda: frame.to_csv(target, index=False))
    note("pyarrow csv", table.num_rows, lambda: pc.write_csv(table.drop_columns(["battery_id"]), target))
    note("parquet snappy", table.num_rows, lambda: pq.write_table(table, target))
    mine = TableFile(folder / "mine.parquet", table.schema)

    def write() -> None:
        mine.add(table)
        mine.finish()

    note("ours", table.num_rows, write, folder / "mine.parquet")
    return found


async def copy_rows_per_second(dsn: str, table: pa.Table) -> float:
    """Return rows/s of COPY of the same rows into PostgreSQL with its key."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("drop table if exists reading")
        await connection.execute(
            "create table reading (battery_id int, time timestamptz, voltage_v real, current_a real, "
            "temperature_c real, internal_resistance_mohm real, primary key (battery_id, time))"
        )
        buffer = io.BytesIO(_binary(table))
        began = time.perf_counter()
        await connection.copy_to_table("reading", source=buffer, format="binary")
        rows_per_s: float = table.num_rows / (time.perf_counter() - began)
        return rows_per_s
    finally:
        await connection.close()


def _binary(table: pa.Table) -> bytes:
    """Return rows in the binary format of COPY; a missing resistance is NaN here, which is as long."""
    count = table.num_rows
    record = np.dtype(
        [("n", ">i2"), ("l0", ">i4"), ("id", ">i4"), ("l1", ">i4"), ("at", ">i8")]
        + [item for i in range(4) for item in ((f"m{i}", ">i4"), (f"v{i}", ">f4"))]
    )
    rows = np.zeros(count, record)
    rows["n"], rows["l0"], rows["l1"] = 6, 4, 8
    rows["id"] = table["battery_id"].combine_chunks().indices.to_numpy()
    rows["at"] = table["time"].to_numpy().astype("datetime64[us]").astype(np.int64) - 946_684_800_000_000
    for i, name in enumerate(("voltage_v", "current_a", "temperature_c", "internal_resistance_mohm")):
        rows[f"m{i}"], rows[f"v{i}"] = 4, table[name].to_numpy()
    return b"PGCOPY\n\xff\r\n\x00" + bytes(8) + rows.tobytes() + b"\xff\xff"


def main() -> None:
    """Measure, interleaved, and print medians as JSON lines."""
    settings = {**DURABLE_SETTINGS, "shared_buffers": "1GB", "max_wal_size": "4GB"}
    with tempfile.TemporaryDirectory() as name, embedded_server(settings) as server:
        folder = Path(name)
        generator(folder / "set")
        table = pq.ParquetDataset(sorted((folder / "set" / "telemetry").rglob("*.parquet")), partitioning=None).read()
        table = table.unify_dictionaries().combine_chunks()
        seen: dict[str, list[float]] = {}
        live: list[float] = []
        size: dict[str, float] = {}
        for _ in range(ROUNDS):
            rates: dict[str, Any] = {
                "loop": per_row_loop(),
                "kernel": bare_kernel(),
                "generator": generator(folder / "set"),
                "copy": asyncio.run(copy_rows_per_second(server.url, table)),
            }
            live.append(live_second())
            for way, (rows_per_s, bytes_per_row) in writers(table, folder).items():
                rates[way], size[way] = rows_per_s, bytes_per_row
            for case, rows_per_s in rates.items():
                seen.setdefault(case, []).append(rows_per_s)
        rate = {case: statistics.median(values) for case, values in seen.items()}

    def ratio(one: str, other: str) -> float:
        return statistics.median(a / b for a, b in zip(seen[one], seen[other], strict=True))

    report = (
        ("G20", "generator over per-row Python loop", ratio("generator", "loop"), ">= 100"),
        ("G20", "generator over bare kernel", ratio("generator", "kernel"), ">= 0.2"),
        ("G21", "parquet over pandas to_csv", ratio("ours", "pandas to_csv"), ">= 50"),
        ("G21", "bytes per row", size["ours"], "<= 11"),
        ("G22", "time of generation and writing over COPY", 1.0 / ratio("generator", "copy"), "<= 0.3"),
        ("-", "live second of the whole fleet over real time", statistics.median(live), "<= 0.008"),
    )
    for goal, what, measured, reach in report:
        print(json.dumps({"goal": goal, "what": what, "ratio": round(measured, 4), "reach": reach}))
    print(json.dumps({"rows_per_s": {case: round(value) for case, value in rate.items()}}))


if __name__ == "__main__":
    if "--loop" in sys.argv:
        print(loop_rows_per_second())
    else:
        main()
