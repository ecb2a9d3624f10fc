"""What callers see of predictions and runs."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.callers import named

from .world import BATTERIES, LOCATIONS, NOW, STRINGS, VERSION, World

FIRST, SECOND = BATTERIES[0], BATTERIES[1]
THERE = next(code for code in BATTERIES if LOCATIONS[1] in code)
NO_MODEL = httpx.Response(503, json={"code": "unavailable"})


async def test_a_battery_has_its_predictions_newest_first(world: World) -> None:
    empty = await world.get(f"batteries/{FIRST}/rul")
    assert empty == {
        "items": [],
        "total": 0,
        "skip": 0,
        "limit": 100,
        "battery_id": FIRST,
        "latest": None,
        "missing_reason": "not_predicted_yet",
    }
    world.ml.follow_up_days = 1200.0
    await world.job().run_once()
    world.forward(days=1)
    await world.job().run_once()
    found = await world.get(f"batteries/{FIRST}/rul", limit=1)
    assert (found["total"], len(found["items"]), found["missing_reason"]) == (2, 1, None)
    latest = found["latest"]
    assert found["items"] == [latest]
    assert latest["predicted_at"] == "2026-11-21T12:00:00Z"
    assert latest["as_of"] == "2026-11-20T17:00:00Z"
    assert latest["ml"] == {
        "p10_days": 800.0,
        "p50_days": 1000.0,
        "p90_days": 1200.0,
        "longer_than_days": 1200.0,
        "withheld_reason": None,
    }
    assert latest["twin"]["p50_days"] == 1100.0
    assert latest["twin"]["longer_than_days"] is None
    assert latest["fused"]["longer_than_days"] == latest["fused"]["p90_days"]
    assert (latest["source"], latest["model_version"], latest["twin_provenance"]) == ("fused", VERSION, "prior_only")
    assert latest["reasons"][0]["sentence"] == "Older than the fleet"
    assert (latest["widened_because"], latest["peer_deviation_of"]) == (["short_history"], "resistance_25c_mohm")
    assert latest["peer_deviation"] == 1.5
    older = await world.get(f"batteries/{FIRST}/rul", skip=1)
    assert [one["predicted_at"] for one in older["items"]] == ["2026-11-20T12:00:00Z"]
    assert older["latest"] == latest


async def test_a_battery_of_a_foreign_location_is_not_found(world: World) -> None:
    await world.job().run_once()
    assert (await world.get(f"batteries/{FIRST}/rul", who="nok", status=404))["code"] == "battery_not_found"
    assert (await world.get(f"batteries/{THERE}/rul", who="nok"))["total"] == 1


async def ids(world: World, who: str = "mali", **query: Any) -> list[str]:
    return [item["battery_id"] for item in (await world.get("predictions", who=who, **query))["items"]]


async def test_the_list_has_every_battery_and_the_filters_narrow_it(world: World) -> None:
    before = await world.get("predictions")
    assert before["total"] == len(BATTERIES)
    assert {(item["source"], item["withheld_reason"]) for item in before["items"]} == {("none", "not_predicted_yet")}
    world.ml.days[SECOND] = world.twin.days[SECOND] = (50.0, 90.0, 120.0)
    world.ml.days[THERE] = (100.0, 200.0, 300.0)
    world.histories.missing = {FIRST}
    await world.job().run_once()
    assert (await ids(world))[:2] == [SECOND, THERE]
    assert (await ids(world))[-1] == FIRST, "of which nothing is known comes last"
    assert (await ids(world, order="desc"))[-1] == FIRST
    assert (await ids(world, order="desc"))[-2] == SECOND
    assert await ids(world, sort="battery_id") == sorted(BATTERIES)
    assert await ids(world, source="none") == [FIRST]
    assert await ids(world, is_conflict=True) == [THERE]
    assert await ids(world, due_within_days=49) == []
    assert await ids(world, due_within_days=60) == [SECOND]
    assert set(await ids(world, location_id=LOCATIONS[1])) == {one for one in BATTERIES if LOCATIONS[1] in one}
    assert set(await ids(world, string_id=STRINGS[0])) == {FIRST, SECOND}
    assert set(await ids(world, who="nok")) == {one for one in BATTERIES if LOCATIONS[1] in one}
    page = await world.get("predictions", skip=1, limit=1)
    assert (page["total"], [item["battery_id"] for item in page["items"]]) == (len(BATTERIES), [THERE])
    item = page["items"][0]
    assert (item["main_reason"]["feature"], item["model_version"]) == ("age_days", VERSION)
    assert (item["string_id"], item["location_id"]) == (THERE.removeprefix("BAT-")[:-4], LOCATIONS[1])


async def test_of_an_old_prediction_fewer_days_are_left(world: World) -> None:
    world.ml.days[FIRST] = world.twin.days[FIRST] = (100.0, 200.0, 300.0)
    await world.job().run_once()
    assert await ids(world, due_within_days=90) == []
    world.forward(days=20)
    assert await ids(world, due_within_days=90) == [FIRST]
    summary = await world.get("predictions/summary")
    assert summary["due_within_90_days"] == 1
    assert summary["locations"][0]["shortest_p10_days"] == pytest.approx(100 - 20 - 19 / 24, abs=0.1)
    world.forward(days=100)
    assert (await world.get("predictions/summary"))["locations"][0]["shortest_p10_days"] == 0


async def test_the_summary_counts_what_the_caller_sees(world: World) -> None:
    nothing = await world.get("predictions/summary")
    assert (nothing["state"], nothing["run"], nothing["predicted_at"]) == ("no_history", None, None)
    assert (nothing["total"], nothing["predicted"], nothing["withheld"]) == (8, 0, 8)
    assert {one["shortest_p10_days"] for one in nothing["locations"]} == {None}, "nothing known is no day zero"
    world.ml.days[SECOND] = world.twin.days[SECOND] = (50.0, 365.0, 400.0)
    world.ml.days[THERE] = world.twin.days[THERE] = (150.0, 9000.0, 9000.0)
    world.histories.missing = {FIRST}
    await world.job().run_once()
    found = await world.get("predictions/summary")
    assert (found["total"], found["predicted"], found["withheld"]) == (8, 7, 1)
    assert (found["due_within_90_days"], found["due_within_180_days"]) == (1, 2)
    bars = [(bar["from_days"], bar["to_days"], bar["count"]) for bar in found["histogram"] if bar["count"]]
    assert bars == [(365, 730, 1), (730, 1095, 5), (3650, None, 1)]
    assert [(one["location_id"], one["predicted"], one["due_within_90_days"]) for one in found["locations"]] == [
        (LOCATIONS[0], 3, 1),
        (LOCATIONS[1], 4, 0),
    ]
    assert (found["state"], found["model_version"], found["run"]["state"]) == ("ready", VERSION, "succeeded")
    assert (found["run"]["done"], found["run"]["total"]) == (8, 8)
    own = await world.get("predictions/summary", who="nok")
    assert (own["total"], [one["location_id"] for one in own["locations"]]) == (4, [LOCATIONS[1]])
    # The size of the whole fleet is not theirs to see.
    assert (own["run"]["done"], own["run"]["total"], own["run"]["step"]) == (None, None, None)


async def test_the_summary_names_an_absent_model_service(world: World) -> None:
    world.ml.failure = NO_MODEL
    await world.job().run_once()
    assert (await world.get("predictions/summary"))["state"] == "ml_away"


async def test_a_run_on_request_is_carried_out_once_and_a_second_one_is_refused(world: World) -> None:
    await world.job().run_once()
    key = str(uuid4())
    run = await world.post("predictions/run", {"request_key": key})
    assert (run["state"], run["trigger"], run["requested_by"]) == ("running", "manual", "som")
    assert await world.post("predictions/run", {"request_key": key}) == run
    refused = await world.post("predictions/run", {"request_key": str(uuid4())}, status=409)
    assert refused["code"] == "prediction_run_running"
    assert refused["errors"] == [{"field": "run_id", "code": "prediction_run_running", "detail": str(run["run_id"])}]
    assert (await world.get("predictions/summary"))["state"] == "running"
    assert await world.job().run_once()
    done = await world.get(f"predictions/runs/{run['run_id']}")
    assert (done["state"], done["done"], done["total"], done["step"]) == ("succeeded", 8, 8, None)
    # A retry after the end names the same run, and starts no other.
    assert (await world.post("predictions/run", {"request_key": key}))["run_id"] == run["run_id"]
    assert not await world.job().run_once()
    assert await world.count() == 2 * len(BATTERIES)


async def test_a_request_ends_the_run_of_a_dead_process(world: World) -> None:
    await world.rows(
        "insert into prediction_run (trigger, as_of, started_at, state, done, holder, heartbeat_at) "
        "values ('schedule', $1, $1, 'running', 0, 'gone', $1)",
        NOW,
    )
    assert (await world.post("predictions/run", {}, status=409))["code"] == "prediction_run_running"
    world.forward(seconds=61)
    await world.post("predictions/run", {})
    assert [run["state"] for run in await world.runs()] == ["interrupted", "running"]


async def test_who_may_start_a_run(world: World) -> None:
    assert (await world.post("predictions/run", {}, who="mali", status=403))["code"] == "forbidden"
    assert (await world.post("predictions/run", {}, who="feed", status=403))["code"] == "forbidden"
    assert (await world.get("predictions/runs/7", status=404))["code"] == "prediction_run_not_found"
    assert (await world.get("predictions", who="feed", status=403))["code"] == "forbidden"


async def test_the_battery_list_has_the_prediction_and_sorts_by_it(world: World) -> None:
    world.ml.days[SECOND] = world.twin.days[SECOND] = (50.0, 90.0, 120.0)
    world.histories.missing = {FIRST}
    await world.job().run_once()
    for sort, at in (("rul_p10_days", 0), ("-rul_p10_days", -2)):
        items = (await world.get("batteries", sort=sort))["items"]
        assert items[-1]["battery_id"] == FIRST
        shown = items[at]
        assert shown["battery_id"] == SECOND
        assert (shown["rul_p10_days"], shown["rul_p50_days"], shown["rul_p90_days"]) == (50.0, 90.0, 120.0)
        assert (shown["rul_source"], shown["rul_days"]) == ("fused", 90.0)
        assert shown["rul_predicted_at"] == "2026-11-20T12:00:00Z"
    assert (await world.get("batteries", sort="rul_p10_days"))["unknown_count"] == 1
    below = await world.get("batteries", rul_below_days=100)
    assert ([one["battery_id"] for one in below["items"]], below["unknown_count"]) == ([SECOND], 1)


async def test_a_retired_battery_keeps_its_predictions_and_leaves_the_figures(world: World) -> None:
    await world.job().run_once()
    answer = await world.client.post(f"batteries/{FIRST}/retire", json={"reason": "gone"}, headers=named("chai"))
    assert answer.status_code == 200, answer.text
    found = await world.get(f"batteries/{FIRST}/rul")
    assert (found["total"], found["missing_reason"]) == (1, "retired")
    assert (await world.get("predictions/summary"))["total"] == len(BATTERIES) - 1
    assert FIRST not in await ids(world)
    world.forward(days=1)
    await world.job().run_once()
    assert (await world.get(f"batteries/{FIRST}/rul"))["total"] == 1
