"""Runs: what they append, and what remains of them when a service or the process goes away."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from battery_api.predictions.job import GROWN_DAYS, last_whole_day_end

from .world import BATTERIES, LOCATIONS, NOW, VERSION, World

AWAY = httpx.Response(503, json={"code": "unavailable"})
FIRST, SECOND = BATTERIES[0], BATTERIES[1]


async def of_battery(world: World, code: str = FIRST) -> list[dict[str, Any]]:
    return await world.rows(
        "select p.* from rul_prediction p join battery b on b.id = p.battery_id where b.code = $1 order by p.id",
        code,
    )


async def shown(world: World, code: str = FIRST) -> dict[str, Any]:
    (row,) = await world.rows(
        "select s.* from battery_state s join battery b on b.id = s.battery_id where b.code = $1", code
    )
    return row


async def test_a_run_appends_one_prediction_per_battery_and_shows_it(world: World) -> None:
    assert await world.job().run_once()
    assert await world.count() == len(BATTERIES)
    (row,) = await of_battery(world)
    assert (row["source"], row["ml_model_version"], row["is_conflict"]) == ("fused", VERSION, False)
    assert 1000 < row["fused_p50_days"] < 1100
    assert row["as_of"] == datetime(2026, 11, 19, 17, tzinfo=UTC)
    assert row["ml_widened"] == ["short_history"]
    state = await shown(world)
    for level in ("p10", "p50", "p90"):
        assert state[f"rul_{level}_days"] == row[f"fused_{level}_days"]
    assert (state["rul_source"], state["rul_predicted_at"], state["rul_withheld_reason"]) == ("fused", NOW, None)
    (run,) = await world.runs()
    assert (run["state"], run["trigger"], run["done"], run["total"]) == ("succeeded", "schedule", 8, 8)
    assert (run["ml_state"], run["twin_state"], run["error"]) == ("answered", "answered", None)


async def test_each_location_is_published_after_its_predictions_are_stored(world: World) -> None:
    world.ml.withheld[FIRST] = "short_history"
    world.twin.failure = AWAY
    world.ml.days[SECOND] = (100.0, 200.0, 300.0)
    await world.job().run_once()
    assert [update.location_id for update in world.published.updates] == list(LOCATIONS)
    (update, _) = world.published.updates
    stored = await of_battery(world, SECOND)
    row = update.columns.battery_id.index(SECOND)
    columns = update.columns
    assert (columns.p10_days[row], columns.p50_days[row], columns.p90_days[row]) == (100.0, 200.0, 300.0)
    assert (columns.source[row], columns.withheld_reason[row], columns.predicted_at[row]) == ("ml", None, NOW)
    assert (update.as_of, stored[0]["fused_p50_days"]) == (stored[0]["as_of"], 200.0)
    # Of the first nothing is stored, since a service was away that might know more: its earlier prediction stays.
    assert FIRST not in columns.battery_id
    assert await of_battery(world) == []


async def test_what_is_withheld_is_published_as_null_with_the_reason(world: World) -> None:
    world.histories.missing = {FIRST}
    await world.job().run_once()
    columns = world.published.updates[0].columns
    row = columns.battery_id.index(FIRST)
    assert (columns.p10_days[row], columns.p50_days[row], columns.p90_days[row]) == (None, None, None)
    assert (columns.source[row], columns.withheld_reason[row]) == ("none", "no_history")


async def test_a_run_that_was_lost_publishes_nothing(world: World) -> None:
    async def lose() -> None:
        await world.rows("update prediction_run set holder = 'another' where state = 'running'")

    world.ml.before = lose
    await world.job().run_once()
    assert world.published.updates == []
    assert await world.count() == 0


async def test_a_run_happens_once_a_day_an_hour_after_midnight_in_bangkok(world: World) -> None:
    assert await world.job().run_once()
    assert not await world.job().run_once()
    world.clock.set(datetime(2026, 11, 20, 17, 59, tzinfo=UTC))
    assert not await world.job().run_once()
    world.clock.set(datetime(2026, 11, 20, 18, 0, tzinfo=UTC))
    assert await world.job().run_once()
    assert not await world.job().run_once()
    assert [run["as_of"].day for run in await world.runs()] == [19, 20]
    assert len(await of_battery(world)) == 2


def test_the_last_whole_day_ends_at_a_midnight_in_bangkok() -> None:
    assert last_whole_day_end(NOW) == datetime(2026, 11, 19, 17, tzinfo=UTC)


async def test_the_law_is_asked_with_what_is_on_record(world: World) -> None:
    await world.rows(
        "insert into discharge_event (id, string_id, started_at, ended_at, mode, drawn_ah, depth_pct, mean_current_a, "
        "complete, is_open) values (1, 1, '2026-11-01', '2026-11-02', 'test', 60, 50, -60, true, false), "
        "(2, 1, '2019-11-01', '2019-11-02', 'test', 60, 90, -60, true, false), "
        "(3, 1, '2021-11-01', '2021-11-02', 'test', 60, 30, -60, true, false)"
    )
    await world.rows(
        "insert into discharge_battery (event_id, battery_id, soh_pct, soh_sd_pct, soh_provenance) "
        "values (1, 1, 91.5, 2.5, 'measured')"
    )
    await world.job().run_once()
    query = next(one for one in world.twin.asked[0].batteries if one.battery_id == FIRST)
    assert query.age_days == pytest.approx(2514.7, abs=0.1)
    # The discharge of its predecessor in the string is not its own.
    assert query.discharge_depths_pct == [30.0, 50.0]
    assert (query.expected_cycles_per_year, query.expected_depth_pct) == (pytest.approx(365.25 / 119), 50.0)
    (span,) = query.temperature_history
    assert (span.days, span.temperature_c) == (119.0, 27.0)
    (evidence,) = query.evidence
    assert (evidence.soh_pct, evidence.provenance) == (91.5, "measured")
    assert evidence.age_days == pytest.approx(17.7, abs=0.1)
    other = next(one for one in world.twin.asked[0].batteries if one.battery_id == SECOND)
    assert other.evidence == []


async def test_without_evidence_nothing_is_predicted_and_the_reasons_are_given(world: World) -> None:
    world.histories.missing = {FIRST}
    await world.job().run_once()
    (row,) = await of_battery(world)
    assert (row["source"], row["fused_p50_days"], row["fused_withheld_reason"]) == ("none", None, "no_history")
    assert (row["ml_withheld_reason"], row["twin_withheld_reason"]) == ("no_history", "no_temperature_history")
    state = await shown(world)
    assert (state["rul_source"], state["rul_p50_days"], state["rul_withheld_reason"]) == ("none", None, "no_history")
    assert (await shown(world, SECOND))["rul_source"] == "fused"


async def test_a_faulty_sensor_withholds_the_law(world: World) -> None:
    await world.rows('update battery_state set rule_state = \'{"sensor_fault": {"alert": 1}}\' where battery_id = 1')
    world.ml.withheld[FIRST] = "short_history"
    await world.job().run_once()
    (row,) = await of_battery(world)
    assert (row["source"], row["twin_withheld_reason"], row["ml_withheld_reason"]) == (
        "none",
        "sensor_fault",
        "short_history",
    )


async def test_a_conflict_weighs_both_sources_and_names_the_cheapest_test(world: World) -> None:
    world.ml.days[FIRST] = (100.0, 200.0, 300.0)
    await world.rows("update battery_state set resistance_at = '2026-11-20' where battery_id = 1")
    await world.job().run_once()
    (row,) = await of_battery(world)
    assert row["is_conflict"]
    for level in ("p10", "p50", "p90"):
        low, high = sorted((row[f"twin_{level}_days"], row[f"ml_{level}_days"]))
        assert low < row[f"fused_{level}_days"] < high
    assert row["difference_pct"] == pytest.approx(100 * 900 / 1100)
    assert row["conflict_advice"] == "partial_discharge_test"
    assert (await of_battery(world, SECOND))[0]["conflict_advice"] is None


async def test_without_the_model_the_law_stands_alone_until_the_model_returns(world: World) -> None:
    world.ml.failure = AWAY
    job = world.job()
    await job.run_once()
    (row,) = await of_battery(world)
    assert (row["source"], row["fused_p50_days"], row["ml_withheld_reason"]) == ("twin", 1100.0, "ml_unavailable")
    assert (await world.runs())[0]["ml_state"] == "unavailable"
    world.forward(minutes=5)
    assert not await job.run_once(), "a service that is not back is not asked again"
    world.ml.failure = None
    assert await job.run_once()
    assert [row["source"] for row in await of_battery(world)] == ["twin", "fused"]
    world.forward(minutes=5)
    assert not await job.run_once()


async def test_without_the_law_the_model_stands_alone_until_the_law_returns(world: World) -> None:
    world.twin.failure = AWAY
    await world.job().run_once()
    (row,) = await of_battery(world)
    assert (row["source"], row["fused_p50_days"], row["twin_withheld_reason"]) == ("ml", 1000.0, "twin_unavailable")
    world.twin.failure = None
    world.forward(seconds=40)
    assert await world.job().run_once()
    assert (await shown(world))["rul_source"] == "fused"


async def test_without_both_the_older_predictions_stay_with_their_date(world: World) -> None:
    job = world.job()
    await job.run_once()
    before = await shown(world)
    world.ml.failure = world.twin.failure = AWAY
    world.forward(days=1)
    assert await job.run_once()
    assert (await world.count(), await shown(world)) == (len(BATTERIES), before)
    run = (await world.runs())[-1]
    assert (run["state"], run["error"]) == ("failed", "services_away")
    world.ml.failure = world.twin.failure = None
    world.forward(seconds=40)
    assert await job.run_once()
    assert await world.count() == 2 * len(BATTERIES)


async def test_an_absent_service_does_not_replace_a_prediction_by_none(world: World) -> None:
    await world.job().run_once()
    world.histories.missing, world.ml.failure = {FIRST}, AWAY
    world.forward(days=1)
    await world.job().run_once()
    assert len(await of_battery(world)) == 1
    assert (await shown(world))["rul_predicted_at"] == NOW
    assert (await shown(world, SECOND))["rul_source"] == "twin"


async def test_a_service_without_a_model_is_named_and_asked_once(world: World) -> None:
    world.ml.failure = httpx.Response(503, json={"code": "no_champion"})
    await world.job().run_once()
    assert {row["ml_withheld_reason"] for row in await world.rows("select * from rul_prediction")} == {"no_champion"}
    assert (await world.get("predictions/summary"))["state"] == "no_model"


async def test_two_processes_at_once_make_one_run(world: World) -> None:
    done = await asyncio.gather(world.job().run_once(), world.job().run_once())
    assert sorted(done) == [False, True]
    assert (await world.count(), len(await world.runs())) == (len(BATTERIES), 1)


async def killed(world: World, *, after_locations: int) -> None:
    """Let a process die while the law computes a location; nothing of it is written afterwards."""
    asked = asyncio.Event()

    async def wait() -> None:
        if len(world.twin.asked) >= after_locations:
            asked.set()
            await asyncio.Event().wait()

    world.twin.before = wait
    task = asyncio.create_task(world.job().run_once())
    await asyncio.wait_for(asked.wait(), 30)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    world.twin.before = None


async def test_the_run_of_a_dead_process_is_interrupted_and_another_one_begins(world: World) -> None:
    await killed(world, after_locations=1)
    (run,) = await world.runs()
    assert (run["state"], run["done"], await world.count()) == ("running", 4, 4)
    world.forward(seconds=50)
    assert not await world.job().run_once(), "it may still live"
    world.forward(seconds=20)
    assert await world.job().run_once()
    assert [run["state"] for run in await world.runs()] == ["interrupted", "succeeded"]
    assert await world.rows("select run_id, battery_id from rul_prediction group by 1, 2 having count(*) > 1") == []
    assert {row["run_id"] for row in await world.rows("select run_id from rul_prediction")} == {1, 2}
    assert await world.count() == 4 + len(BATTERIES)


async def test_a_process_that_was_taken_for_dead_writes_nothing_more(world: World) -> None:
    async def take_over() -> None:
        if len(world.twin.asked) == 1:
            await world.rows("update prediction_run set state = 'interrupted', finished_at = started_at")

    world.twin.before = take_over
    await world.job().run_once()
    assert await world.count() == 4
    assert [run["state"] for run in await world.runs()] == ["interrupted"]


async def test_no_transaction_is_open_while_a_service_computes(world: World) -> None:
    found = []

    async def look() -> None:
        found.append(
            await world.rows(
                "select pid from pg_stat_activity where datname = current_database() and xact_start is not null "
                "and pid <> pg_backend_pid()"
            )
        )

    world.twin.before = look
    await world.job().run_once()
    assert found == [[] for _ in LOCATIONS]


async def test_a_run_that_fails_says_why_and_is_tried_again_later(world: World) -> None:
    async def fail() -> None:
        raise ValueError("broken")

    world.twin.before = fail
    with pytest.raises(ValueError, match="broken"):
        await world.job().run_once()
    (run,) = await world.runs()
    assert (run["state"], run["error"]) == ("failed", "ValueError")
    world.twin.before = None
    world.forward(minutes=1)
    assert not await world.job().run_once()
    world.forward(minutes=15)
    assert await world.job().run_once()


async def test_histories_that_grew_behind_a_run_are_predicted_once_they_are_whole(world: World) -> None:
    world.histories.missing, world.histories.past_day_count = set(BATTERIES), 0
    await world.job().run_once()
    assert await world.count() == len(BATTERIES)
    world.histories.missing = set()
    world.histories.past_day_count, world.histories.is_waiting = GROWN_DAYS, True
    world.forward(minutes=1)
    assert not await world.job().run_once(), "some days still wait"
    world.histories.is_waiting = False
    assert await world.job().run_once()
    assert {row["source"] for row in await world.rows("select source from rul_prediction where run_id = 2")} == {
        "fused"
    }
    world.histories.past_day_count += GROWN_DAYS - 1
    world.forward(minutes=1)
    assert not await world.job().run_once(), "as many as late readings touch"
