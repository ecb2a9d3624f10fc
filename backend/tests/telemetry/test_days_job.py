"""The job that keeps the daily history: what makes a day due, and what a death, a second runner or old data do."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from battery_api.alerts.judge import AlertJudge
from battery_api.telemetry.days import job
from battery_api.telemetry.days.histories import DailyHistories
from battery_api.telemetry.history.load import load_history
from battery_api.telemetry.ports import NoJudge, NoPublisher
from battery_api.telemetry.store import rollups

from .days_world import (
    DAY,
    MEMBERS,
    MIDNIGHT,
    Days,
    at,
    floating_hours,
    keep_days,
    modes,
    of_battery,
    of_room,
    of_string,
    store,
    stored_days,
)
from .test_history_load import START, MadeHistory, silent
from .world import BATTERIES, NOW, Gateway, gateway_on

ONE_DAY = timedelta(days=1)


async def a_week(gateway: Gateway) -> None:
    """Store readings of seven days, the last one DAY, and roll them up."""
    for back in range(6, -1, -1):
        hours = [hour - 24 * back for hour in range(0, 24, 3)]
        warmth = {"temperature_c": 25.0 + back}
        await store(gateway, floating_hours(hours, **warmth), modes(hours, float_current_ma=40.0 + back))
    await rollups.run_once(gateway.context)


async def marks(gateway: Gateway) -> int:
    return len(await gateway.rows("select distinct string_id, day from battery_day_mark"))


async def test_late_battery_readings_rewrite_their_day_alone(gateway: Gateway) -> None:
    await a_week(gateway)
    assert await keep_days(gateway) == 7
    before = await stored_days(gateway)
    await store(gateway, [of_battery(MEMBERS[0], at(7), temperature_c=39.0)])
    assert await keep_days(gateway) == 1
    after = await stored_days(gateway)
    assert {key for key in after if after[key] != before[key]} == {(MEMBERS[0], DAY)}
    assert (after[MEMBERS[0], DAY]["temperature_max_c"], after[MEMBERS[0], DAY]["hours_above_35c"]) == (39.0, 1.0)


async def test_a_correction_rewrites_its_day(gateway: Gateway) -> None:
    await a_week(gateway)
    await keep_days(gateway)
    await store(gateway, [of_battery(MEMBERS[0], at(6), temperature_c=41.0)])
    assert await keep_days(gateway) == 1
    assert (await stored_days(gateway))[MEMBERS[0], DAY]["temperature_max_c"] == 41.0


async def test_late_readings_of_string_and_room_rewrite_the_day(gateway: Gateway) -> None:
    await a_week(gateway)
    await keep_days(gateway)
    await store(gateway, strings=[of_string(at(6, 60), mode="discharge", current_a=-50.0)])
    assert await keep_days(gateway) == 1
    assert (await stored_days(gateway))[MEMBERS[0], DAY]["discharge_count"] == 1
    await store(gateway, rooms=[of_room(at(6, 60), 21.0)])
    # Both strings of the location are due; the other one has no readings.
    assert await keep_days(gateway) == 2
    assert (await stored_days(gateway))[MEMBERS[0], DAY]["temperature_rise_k"] == pytest.approx(4.0)


async def test_the_mode_at_the_end_of_a_day_counts_in_the_next_one(gateway: Gateway) -> None:
    await store(gateway, [of_battery(code, at(0, 30), voltage_v=13.6) for code in MEMBERS])
    await keep_days(gateway)
    assert (await stored_days(gateway))[MEMBERS[0], DAY]["voltage_mean_v"] is None
    await store(gateway, strings=[of_string(at(0, -30), mode="float", current_a=0.0)])
    await keep_days(gateway)
    day = (await stored_days(gateway))[MEMBERS[0], DAY]
    assert day["voltage_mean_v"] == pytest.approx(13.6)
    assert day["discharge_count"] is None


async def test_a_mode_that_a_replay_finds_rewrites_the_day(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    judge = AlertJudge(gateway.context)
    judged = await gateway_on(gateway.database, judge=judge)
    await a_week(judged)
    with monkeypatch.context() as dying:
        # The replica dies after the commit of the late reading, before it is judged in its place.
        dying.setattr(judge, "judge_again", NoJudge().judge_again)
        await store(judged, strings=[of_string(at(6, 60), current_a=-50.0)])
    await keep_days(judged)
    assert (await stored_days(judged))[MEMBERS[0], DAY]["discharge_count"] == 0
    await judge.run_once(judged.catalogue, NoPublisher())
    assert await job.run_once(judged.context) == 1
    assert (await stored_days(judged))[MEMBERS[0], DAY]["discharge_count"] == 1


async def test_a_death_between_transactions_loses_and_doubles_nothing(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_week(gateway)
    await keep_days(gateway)
    whole = await stored_days(gateway)
    await gateway.rows("delete from battery_day returning 1")
    await gateway.rows(
        "insert into battery_day_mark (string_id, day) select 1, $1::date - n from generate_series(0, 6) n returning 1",
        (DAY,),
    )
    monkeypatch.setattr(job, "_DAYS_PER_TRANSACTION", 2)
    await add_constraint(gateway, f"day > '{DAY - 3 * ONE_DAY}'")
    with pytest.raises(IntegrityError, match="broken"):
        await job.run_once(gateway.context)
    # The newest days are there; the transaction that failed took no mark with it.
    assert {day for _, day in await stored_days(gateway)} == {DAY, DAY - ONE_DAY}
    assert await marks(gateway) == 5
    async with gateway.database.begin() as connection:
        await connection.exec_driver_sql("alter table battery_day drop constraint broken")
    assert await job.run_once(gateway.context) == 5
    assert await stored_days(gateway) == whole
    assert await marks(gateway) == 0


async def add_constraint(gateway: Gateway, condition: str) -> None:
    async with gateway.database.begin() as connection:
        await connection.exec_driver_sql(f"alter table battery_day add constraint broken check ({condition}) not valid")


async def test_two_runners_share_the_work(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    await a_week(gateway)
    monkeypatch.setattr(job, "_DAYS_PER_TRANSACTION", 1)
    done = await asyncio.gather(*(job.run_once(gateway.context) for _ in range(3)))
    assert sum(done) == 7
    assert len(await stored_days(gateway)) == 7 * len(MEMBERS)


async def test_a_reading_that_comes_while_its_day_is_computed_is_not_missed(gateway: Gateway) -> None:
    await a_week(gateway)
    async with gateway.database.begin() as connection:
        await job.rebuild_marked(connection, now=NOW, telemetry_retention_days=730)
        # The marks are taken, but not for others to see; the roll-up job waits for the end of this transaction.
        await store(gateway, [of_battery(MEMBERS[0], at(7), temperature_c=39.0)])
        rolling = asyncio.create_task(rollups.run_once(gateway.context))
        await asyncio.sleep(0.3)
        assert not rolling.done()
    await rolling
    assert await job.run_once(gateway.context) == 1
    assert (await stored_days(gateway))[MEMBERS[0], DAY]["temperature_max_c"] == 39.0


async def test_a_present_day_has_one_mark_however_often_it_is_rolled_up(gateway: Gateway) -> None:
    for hour in range(5):
        await store(gateway, floating_hours([hour]))
        await rollups.run_once(gateway.context)
    assert len(await gateway.rows("select 1 from battery_day_mark")) == 1


async def test_days_outlast_their_readings(gateway: Gateway) -> None:
    await a_week(gateway)
    await keep_days(gateway)
    before = await stored_days(gateway)
    await gateway.rows("delete from telemetry where time < $1 returning 1", (MIDNIGHT,))
    await gateway.rows("insert into battery_day_mark (string_id, day) select 1, day from battery_day returning 1")
    short = await gateway_on(gateway.database, telemetry_retention_days=2)
    assert await job.run_once(short.context) == 7
    assert await stored_days(gateway) == before


async def test_the_temperatures_of_deleted_readings_come_from_the_rollups(gateway: Gateway) -> None:
    await a_week(gateway)
    await gateway.rows("delete from telemetry where time < $1 returning 1", (MIDNIGHT,))
    short = await gateway_on(gateway.database, telemetry_retention_days=2)
    await job.run_once(short.context)
    day = (await stored_days(gateway))[MEMBERS[0], DAY - ONE_DAY]
    assert {name: value for name, value in day.items() if value is not None} == {
        "temperature_mean_c": 26.0,
        "temperature_min_c": 26.0,
        "temperature_max_c": 26.0,
    }


async def test_a_loaded_history_has_its_days(gateway: Gateway, tmp_path: Path) -> None:
    await load_history(gateway.database, MadeHistory(tmp_path).folder, silent)
    await keep_days(gateway)
    kept = await stored_days(gateway)
    first = (START + timedelta(hours=7)).date()
    assert {code for code, _ in kept} == set(BATTERIES)
    assert {(day - first).days for _, day in kept} == set(range(9))
    await assert_consistent(gateway, kept)


async def assert_consistent(gateway: Gateway, kept: Days) -> None:
    """Compare the extremes of days with the daily roll-ups, which the loader computes itself."""
    rows: list[dict[str, Any]] = await gateway.rows(
        "select b.code, d.bucket, d.temperature_c_min, d.temperature_c_max from telemetry_daily d "
        "join battery b on b.id = d.battery_id"
    )
    daily = {(row["code"], local_day(row["bucket"])): row for row in rows}
    assert set(kept) < set(daily)
    for key, day in kept.items():
        assert (day["temperature_min_c"], day["temperature_max_c"]) == (
            daily[key]["temperature_c_min"],
            daily[key]["temperature_c_max"],
        )


def local_day(bucket: datetime) -> Any:
    return (bucket + timedelta(hours=7)).date()


async def test_past_days_are_counted_so_that_a_reader_sees_a_history_grow(gateway: Gateway) -> None:
    reader = DailyHistories()

    async def progress() -> tuple[int, bool]:
        async with gateway.database.begin() as connection:
            return await reader.progress(connection, NOW)

    assert await progress() == (0, False)
    for day in (3, 2):
        hours = [hour - 24 * day for hour in range(0, 24, 6)]
        await store(gateway, floating_hours(hours, temperature_c=25.0), modes(hours))
    await rollups.run_once(gateway.context)
    assert (await progress())[1]
    await keep_days(gateway)
    counted, is_waiting = await progress()
    assert counted >= 2
    assert not is_waiting
    await keep_days(gateway)
    assert await progress() == (counted, False)
