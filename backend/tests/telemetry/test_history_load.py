import hashlib
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from battery_api.telemetry.history.load import HistoryRefused, history_is_loaded, load_history
from battery_api.telemetry.store.rollups import run_once
from battery_contracts.enums import ReadingQuality

from .test_rollups import assert_same, rolled_up
from .world import BATTERIES, LOCATIONS, NOW, STRINGS, Gateway, ago, columns, reading

END = NOW - timedelta(hours=2)
START = END - timedelta(days=9)


class MadeHistory:
    """A small history on disk, in the layout of the generator."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: list[dict[str, Any]] = []
        dice = np.random.default_rng(4)
        for location in LOCATIONS:
            members = [code for code in BATTERIES if location in code]
            # The last reading of an hour holds into the next one.
            times = [START + timedelta(minutes=20 * at + 18) for at in range(9 * 72)]
            count = len(times) * len(members)
            ohmic = np.where(dice.random(count) < 0.05, dice.uniform(3, 4, count), np.nan)
            self._write(
                "telemetry",
                location,
                {
                    "time": pa.array([time for time in times for _ in members], pa.timestamp("us", "UTC")),
                    "battery_id": pa.array(members * len(times)).dictionary_encode(),
                    "voltage_v": dice.uniform(13, 14, count).astype("f4"),
                    "current_a": dice.uniform(-1, 1, count).astype("f4"),
                    "temperature_c": dice.uniform(20, 30, count).astype("f4"),
                    "internal_resistance_mohm": pa.array(ohmic.astype("f4"), from_pandas=True),
                },
            )
            strings = [code for code in STRINGS if location in code]
            nulls = pa.nulls(len(times) * len(strings), pa.float32())
            self._write(
                "string_telemetry",
                location,
                {
                    "time": pa.array([time for time in times for _ in strings], pa.timestamp("us", "UTC")),
                    "string_id": pa.array(strings * len(times)),
                    "voltage_v": dice.uniform(300, 330, len(nulls)).astype("f4"),
                    **dict.fromkeys(("current_a", "float_current_ma", "ripple_voltage_v", "ripple_current_a"), nulls),
                    "mode": pa.array((["float", "discharge", None] * len(nulls))[: len(nulls)]),
                },
            )
            self._write(
                "site_environment",
                location,
                {
                    "time": pa.array(times, pa.timestamp("us", "UTC")),
                    "location_id": pa.array([location] * len(times)),
                    "ambient_c": dice.uniform(20, 30, len(times)).astype("f4"),
                    "humidity_pct": dice.uniform(20, 90, len(times)).astype("f4"),
                    "hvac": pa.array((["running", "failed"] * len(times))[: len(times)]),
                    "mains": pa.array(([True, False, None] * len(times))[: len(times)]),
                },
            )
        self.sign()

    @property
    def battery_rows(self) -> int:
        return sum(file["rows"] for file in self.files if file["table"] == "telemetry")

    def sign(self) -> None:
        for file in self.files:
            file["sha256"] = hashlib.sha256((self.folder / file["path"]).read_bytes()).hexdigest()
        content = {"version": 1, "seed": 1, "start": START.isoformat(), "end": END.isoformat(), "files": self.files}
        (self.folder / "manifest.json").write_text(json.dumps(content))

    def _write(self, table: str, location: str, values: dict[str, Any]) -> None:
        path = Path(table) / f"{location}.parquet"
        (self.folder / path).parent.mkdir(exist_ok=True)
        made = pa.table(values)
        pq.write_table(made, self.folder / path, compression="zstd")
        self.files.append({"table": table, "location_id": location, "path": str(path), "rows": len(made)})


@pytest.fixture
def history(tmp_path: Path) -> MadeHistory:
    return MadeHistory(tmp_path)


def silent(_: int, __: int) -> None:
    """Take progress without showing it."""


async def counts(gateway: Gateway) -> dict[str, int]:
    tables = ("telemetry", "string_telemetry", "site_environment", "telemetry_hourly", "telemetry_daily")
    return {table: (await gateway.rows(f"select count(*) from {table}"))[0]["count"] for table in tables}


async def test_every_row_comes_in_once_however_often_it_is_loaded(gateway: Gateway, history: MadeHistory) -> None:
    shown: list[tuple[int, int]] = []
    total = await load_history(gateway.database, history.folder, lambda done, of: shown.append((done, of)))
    first = await counts(gateway)
    assert shown[-1] == (total, total)
    assert first["telemetry"] == history.battery_rows
    assert await history_is_loaded(gateway.database)
    async with gateway.database.begin() as connection:
        await connection.exec_driver_sql("delete from job")
    assert not await history_is_loaded(gateway.database)
    await load_history(gateway.database, history.folder, silent)
    assert await counts(gateway) == first
    flags = await gateway.rows("select distinct quality from telemetry")
    assert all(row["quality"] & ReadingQuality.BULK_LOADED for row in flags)
    counted = await gateway.rows("select sum(received) as received, sum(accepted) as accepted from reading_count")
    assert {name: int(value) for name, value in counted[0].items()} == {
        "received": history.battery_rows,
        "accepted": history.battery_rows,
    }


async def test_values_arrive_as_they_were_made(gateway: Gateway, history: MadeHistory) -> None:
    await load_history(gateway.database, history.folder, silent)
    for file in history.files:
        made = pq.read_table(history.folder / file["path"])
        kind = {"telemetry": "battery", "string_telemetry": "string", "site_environment": "location"}[file["table"]]
        stored = await gateway.rows(
            f"select k.code, t.* from {file['table']} t join {kind} k on k.id = t.{kind}_id where k.code like $1",
            (f"%{file['location_id']}%",),
        )
        by_key = {(row["code"], row["time"]): row for row in stored}
        assert len(by_key) == len(made)
        for row in made.to_pylist()[::7]:
            found = by_key[row[f"{kind}_id"], row["time"]]
            for name, value in row.items():
                if name not in {f"{kind}_id", "time"}:
                    assert found[name] == value, name


async def test_roll_ups_equal_those_of_the_job(gateway: Gateway, history: MadeHistory) -> None:
    await load_history(gateway.database, history.folder, silent)
    loaded = {name: await rolled_up(gateway, name) for name in ("telemetry_hourly", "telemetry_daily")}
    async with gateway.database.begin() as connection:
        await connection.exec_driver_sql("truncate telemetry_hourly, telemetry_daily")
        await connection.exec_driver_sql(
            "insert into rollup_mark (string_id, hour) "
            "select distinct b.string_id, date_trunc('hour', t.time + hold) from telemetry t "
            "join battery b on b.id = t.battery_id, (values (interval '0'), (interval '5 minutes')) as later(hold)"
        )
    await run_once(gateway.context)
    assert {figures["row_count"] for figures in loaded["telemetry_hourly"].values()} == {0, 3}
    for name, figures in loaded.items():
        assert_same(figures, await rolled_up(gateway, name))


class Interrupted(Exception):
    """Stands for the end of the process."""


async def test_an_interrupted_load_goes_on(gateway: Gateway, history: MadeHistory) -> None:
    def die_half_way(done: int, total: int) -> None:
        if done > total // 2:
            raise Interrupted

    with pytest.raises(Interrupted):
        await load_history(gateway.database, history.folder, die_half_way)
    assert not await history_is_loaded(gateway.database)
    partly = await counts(gateway)
    assert 0 < partly["telemetry"] <= history.battery_rows
    await load_history(gateway.database, history.folder, silent)
    assert (await counts(gateway))["telemetry"] == history.battery_rows
    assert (await counts(gateway))["string_telemetry"] == sum(
        file["rows"] for file in history.files if file["table"] == "string_telemetry"
    )


async def test_live_readings_stay_and_count_in_the_roll_ups(gateway: Gateway, history: MadeHistory) -> None:
    live = [reading(at=END - timedelta(minutes=at, seconds=5), voltage_v=9.0) for at in range(1, 30)]
    await gateway.post(columns(live))
    await run_once(gateway.context)
    await load_history(gateway.database, history.folder, silent)
    await run_once(gateway.context)
    hourly = await rolled_up(gateway, "telemetry_hourly")
    assert sum(figures["row_count"] for figures in hourly.values()) == history.battery_rows + len(live)
    newest = hourly[BATTERIES[0], (END - timedelta(minutes=30)).replace(minute=0)]
    assert newest["voltage_v_min"] == 9.0
    assert newest["row_count"] > len(live)


async def test_the_newest_ohmic_value_reaches_the_state_unless_a_live_one_is_newer(
    gateway: Gateway, history: MadeHistory
) -> None:
    await gateway.post({"readings": [reading(at=ago(60), internal_resistance_mohm=9.0)]})
    await load_history(gateway.database, history.folder, silent)
    rows = await gateway.rows(
        "select b.code, s.internal_resistance_mohm, s.resistance_at, (select max(time) from telemetry t "
        "where t.battery_id = b.id and t.internal_resistance_mohm is not null) as newest "
        "from battery_state s join battery b on b.id = s.battery_id order by 1"
    )
    by_code = {row["code"]: row for row in rows}
    assert by_code[BATTERIES[0]]["internal_resistance_mohm"] == 9.0
    assert all(row["resistance_at"] == row["newest"] for row in rows)


def cut_off(history: MadeHistory) -> None:
    path = history.folder / history.files[0]["path"]
    path.write_bytes(path.read_bytes()[:-100])


def remove_a_file(history: MadeHistory) -> None:
    (history.folder / history.files[-1]["path"]).unlink()


def remove_the_manifest(history: MadeHistory) -> None:
    (history.folder / "manifest.json").unlink()


def name_unknown_batteries(history: MadeHistory) -> None:
    path = history.folder / history.files[0]["path"]
    table = pq.read_table(path)
    strangers = pa.array(["BAT-DC-ZZZ-01-UPS-01-STR-01-001"] * len(table))
    at = table.column_names.index("battery_id")
    pq.write_table(table.set_column(at, "battery_id", strangers), path)
    history.sign()


def leave_the_folder(history: MadeHistory) -> None:
    history.files[0]["path"] = "../../etc/passwd"
    (history.folder / "manifest.json").write_text(
        json.dumps({"start": START.isoformat(), "end": END.isoformat(), "files": history.files})
    )


@pytest.mark.parametrize(
    "harm", [cut_off, remove_a_file, remove_the_manifest, name_unknown_batteries, leave_the_folder]
)
async def test_a_broken_history_is_refused_whole(gateway: Gateway, history: MadeHistory, harm: Any) -> None:
    harm(history)
    with pytest.raises(HistoryRefused):
        await load_history(gateway.database, history.folder, silent)
    assert set((await counts(gateway)).values()) == {0}


def test_the_made_history_spans_a_midnight_in_bangkok() -> None:
    assert START < datetime(2026, 11, 15, 17, tzinfo=START.tzinfo) < END
