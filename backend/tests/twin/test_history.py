import hashlib
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from battery_api.telemetry.history.load import load_history
from battery_contracts.enums import Provenance

from .world import BATTERIES, HERE, LOCATIONS, NOW, PER_STRING, World, every

START = NOW - timedelta(days=9)
OUTAGES = (START + timedelta(days=2, minutes=13), START + timedelta(days=6, hours=3))
MINUTES = 24
"""At 60 A a fifth of the capacity: evidence of it."""


class History:
    """Nine days of one string: hourly on float, every 2 s in two outages, every minute for an hour after them."""

    def __init__(self, folder: Path) -> None:
        samples = dict.fromkeys(every(3600, START, 9 * 86_400 - 3600), 0.1)
        for began in OUTAGES:
            samples |= dict.fromkeys(every(60, began + timedelta(minutes=MINUTES, seconds=2), 3600), 20.0)
            samples |= dict.fromkeys(every(2, began, MINUTES * 60), -60.0)
        times = sorted(samples)
        blocks = [code for code in BATTERIES if HERE in code]
        currents = [samples[at] for at in times]
        self._files: list[dict[str, Any]] = []
        self._folder = folder
        nulls = pa.nulls(len(times), pa.float32())
        self._write(
            "string_telemetry",
            {
                "time": pa.array(times, pa.timestamp("us", "UTC")),
                "string_id": pa.array([HERE] * len(times)),
                "voltage_v": pa.array([36.0] * len(times), pa.float32()),
                "current_a": pa.array(currents, pa.float32()),
                **dict.fromkeys(("float_current_ma", "ripple_voltage_v", "ripple_current_a"), nulls),
                "mode": pa.array(["discharge" if current_a < 0 else "float" for current_a in currents]),
            },
        )
        self._write(
            "telemetry",
            {
                "time": pa.array([at for at in times for _ in blocks], pa.timestamp("us", "UTC")),
                "battery_id": pa.array(blocks * len(times)).dictionary_encode(),
                "voltage_v": pa.array([12.0] * PER_STRING * len(times), pa.float32()),
                "current_a": pa.array([current_a for current_a in currents for _ in blocks], pa.float32()),
                "temperature_c": pa.array([25.0] * PER_STRING * len(times), pa.float32()),
                "internal_resistance_mohm": pa.nulls(PER_STRING * len(times), pa.float32()),
            },
        )
        end = (NOW - timedelta(hours=1)).isoformat()
        content = {"version": 1, "seed": 1, "start": START.isoformat(), "end": end, "files": self._files}
        (folder / "manifest.json").write_text(json.dumps(content))

    def _write(self, table: str, values: dict[str, Any]) -> None:
        path = Path(table) / f"{LOCATIONS[0]}.parquet"
        (self._folder / path).parent.mkdir()
        made = pa.table(values)
        pq.write_table(made, self._folder / path)
        digest = hashlib.sha256((self._folder / path).read_bytes()).hexdigest()
        line = {"table": table, "location_id": LOCATIONS[0], "path": str(path), "rows": len(made), "sha256": digest}
        self._files.append(line)


async def test_discharges_of_a_loaded_history_are_recorded(world: World, tmp_path: Path) -> None:
    History(tmp_path)
    await load_history(world.database, tmp_path, lambda *_: None)
    assert await world.record() == len(OUTAGES)
    events = await world.events()
    assert [event["started_at"] for event in events] == list(OUTAGES)
    for event in events:
        assert event["ended_at"] - event["started_at"] == timedelta(minutes=MINUTES)
        assert event["drawn_ah"] == pytest.approx(60 * (MINUTES * 60 + 2) / 3600, rel=1e-5)
        assert (event["complete"], event["is_open"]) == (True, False)
    blocks = await world.rows("select end_voltage_v, soh_pct from discharge_battery")
    # Nothing has estimated these readings yet, so they give no evidence either.
    assert blocks == [{"end_voltage_v": 12.0, "soh_pct": None}] * PER_STRING * len(OUTAGES)


@pytest.mark.parametrize("recorded_first", [False, True])
async def test_the_twin_goes_through_a_loaded_history(world: World, tmp_path: Path, recorded_first: bool) -> None:
    world.twin.soh_pct, world.twin.provenance = 82.0, Provenance.DISCHARGE_INFERRED
    History(tmp_path)
    await load_history(world.database, tmp_path, lambda *_: None)
    if recorded_first:
        await world.record()
    await world.follow_up()
    await world.record()
    blocks = await world.rows("select soh_pct, soh_provenance from discharge_battery")
    assert blocks == [{"soh_pct": 82.0, "soh_provenance": "discharge_inferred"}] * PER_STRING * len(OUTAGES)
    days = await world.rows("select battery_id, count(*) as days from digital_twin_state group by battery_id")
    assert [row["days"] for row in days] == [10] * PER_STRING
    rows = await world.rows("select distinct soc_pct, quality from telemetry")
    # What was generated keeps its marks: no monitor measured it.
    assert rows == [{"soc_pct": None, "quality": 17}]
    # What comes then goes on from it.
    seen = len(world.twin.requests)
    await world.load(0.1, [NOW], volts=13.6)
    assert all(state is not None for state in world.twin.requests[seen].state)


async def test_rows_stored_before_there_were_marks_are_found_by_the_migration(world: World, tmp_path: Path) -> None:
    History(tmp_path)
    await load_history(world.database, tmp_path, lambda *_: None)
    await world.record()
    before = [{**event, "id": None} for event in await world.events()]
    await world.rows("delete from discharge_event")
    # As the migration marks them: a week at a time.
    await world.rows(
        "insert into discharge_mark (string_id, start_at, end_at) select id, week, week + interval '7 days' "
        "from string, generate_series($1::timestamptz, $2, interval '7 days') week",
        START,
        NOW,
    )
    await world.record()
    assert [{**event, "id": None} for event in await world.events()] == before
