import math
import random
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from battery_api.db.session import Database
from battery_api.telemetry.store.rollups import COLUMNS, run_once

from .world import BATTERIES, NOW, Gateway, columns, iso

MIDNIGHT = NOW.replace(hour=17) - timedelta(days=2)


def random_readings(seed: int, count: int = 400) -> list[dict[str, Any]]:
    """Readings with missing values, around midnights in Bangkok and over several days, in no order."""
    dice = random.Random(seed)
    made: dict[tuple[str, str], dict[str, Any]] = {}
    for _ in range(count):
        at = MIDNIGHT + timedelta(seconds=dice.choice([-1, 0, 1, dice.randint(-90_000, 90_000)]))
        values: dict[str, Any] = {
            "voltage_v": round(dice.uniform(10, 15), 3),
            "current_a": round(dice.uniform(-50, 50), 1),
            "temperature_c": round(dice.uniform(15, 40), 1),
            "internal_resistance_mohm": round(dice.uniform(3, 5), 2),
        }
        for name in list(values):
            if dice.random() < 0.3:
                values[name] = None
        code = dice.choice(BATTERIES[:5])
        if any(value is not None for value in values.values()):
            made[code, iso(at)] = {"battery_id": code, "time": iso(at), **values}
    return list(made.values())


async def rolled_up(gateway: Gateway, relation: str) -> dict[tuple[Any, ...], dict[str, Any]]:
    names = ", ".join(COLUMNS)
    rows = await gateway.rows(
        f"select b.code, bucket, {names} from {relation} r join battery b on b.id = r.battery_id order by 1, 2"
    )
    return {(row["code"], row["bucket"]): {name: row[name] for name in COLUMNS} for row in rows}


def assert_same(left: dict[tuple[Any, ...], dict[str, Any]], right: dict[tuple[Any, ...], dict[str, Any]]) -> None:
    assert left.keys() == right.keys()
    for bucket, figures in left.items():
        for name, value in figures.items():
            other = right[bucket][name]
            if name.endswith(("_sum", "_integral", "_held_s")) and value is not None and other is not None:
                assert math.isclose(value, other, rel_tol=1e-9, abs_tol=1e-9), (bucket, name)
            else:
                assert value == other, (bucket, name, value, other)


async def test_roll_ups_of_both_engines_are_equal(gateway: Gateway, timescale_gateway: Gateway) -> None:
    made = random_readings(3)
    for start in range(0, len(made), 100):
        body = columns(made[start : start + 100])
        await gateway.post(body)
        await run_once(gateway.context)
        await timescale_gateway.post(body)
        await run_once(timescale_gateway.context)
    for relation in ("telemetry_hourly", "telemetry_daily"):
        plain = await rolled_up(gateway, relation)
        assert sum(figures["row_count"] for figures in plain.values()) == len(made)
        assert_same(plain, await rolled_up(timescale_gateway, relation))


async def test_roll_ups_follow_their_definition(gateway: Gateway) -> None:
    made = random_readings(5)
    await gateway.post(columns(made))
    await run_once(gateway.context)
    daily = await rolled_up(gateway, "telemetry_daily")
    assert {bucket.hour for _, bucket in daily} == {17}
    for (code, bucket), figures in daily.items():
        day = [one for one in made if one["battery_id"] == code and iso(bucket) <= one["time"] < iso(bucket + DAY)]
        day.sort(key=lambda one: one["time"])
        volts = [one["voltage_v"] for one in day if one["voltage_v"] is not None]
        assert figures["row_count"] == len(day)
        assert figures["voltage_v_count"] == len(volts)
        if volts:
            assert math.isclose(figures["voltage_v_min"], min(volts), rel_tol=1e-6)
            assert math.isclose(figures["voltage_v_max"], max(volts), rel_tol=1e-6)
            assert math.isclose(figures["voltage_v_sum"], sum(volts), rel_tol=1e-6)
            assert math.isclose(figures["voltage_v_last"], volts[-1], rel_tol=1e-6)


DAY = timedelta(days=1)


async def test_a_late_row_corrects_its_bucket_only(gateway: Gateway) -> None:
    await gateway.post(columns(random_readings(1)))
    await run_once(gateway.context)
    before = await rolled_up(gateway, "telemetry_hourly")
    at = MIDNIGHT + timedelta(minutes=7, microseconds=1)
    late = {"battery_id": BATTERIES[0], "time": iso(at), "voltage_v": 29.0}
    await gateway.post({"readings": [late]})
    run = await run_once(gateway.context)
    after = await rolled_up(gateway, "telemetry_hourly")
    changed = {bucket for bucket in after if before.get(bucket) != after[bucket]}
    assert run.hours == run.days == 1
    assert changed == {(BATTERIES[0], MIDNIGHT)}
    assert after[BATTERIES[0], MIDNIGHT]["voltage_v_max"] == 29.0


async def test_marks_survive_a_failed_run(gateway: Gateway, database: Database) -> None:
    await gateway.post(columns(random_readings(2, count=10)))
    async with database.begin() as connection:
        await connection.exec_driver_sql(
            "alter table telemetry_daily add constraint broken check (row_count < 0) not valid"
        )
    with pytest.raises(IntegrityError, match="broken"):
        await run_once(gateway.context)
    async with database.begin() as connection:
        await connection.exec_driver_sql("alter table telemetry_daily drop constraint broken")
    assert await rolled_up(gateway, "telemetry_hourly") == {}
    await run_once(gateway.context)
    assert sum(row["row_count"] for row in (await rolled_up(gateway, "telemetry_hourly")).values()) > 0
