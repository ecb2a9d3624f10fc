from datetime import timedelta
from typing import Any

import httpx
import pytest

from battery_api.twin.runtime_job import RuntimeJob

from .world import BATTERIES, FIRST, HERE, LOCATIONS, NOW, PER_STRING, RATED_AH, STRINGS, World, every

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
AWAY = httpx.Response(503, json={"code": "unavailable"})
EMPTY = (None, None, None, None, None)


async def stored(world: World, string: str = HERE) -> dict[str, Any]:
    (row,) = await world.rows(
        "select t.runtime_at, t.runtime_p10_s as p10_s, t.runtime_p50_s as p50_s, t.runtime_p90_s as p90_s, "
        "t.runtime_current_a as current_a, t.runtime_load_basis as basis, w.code as limiting, "
        "t.runtime_withheld_count as withheld, t.runtime_reason as reason from string_state t "
        "join string g on g.id = t.string_id left join battery w on w.id = t.runtime_limiting_battery_id "
        "where g.code = $1",
        string,
    )
    return row


async def shown(world: World, string: str = HERE) -> dict[str, Any]:
    """Return the runtime in the location's list."""
    systems = (await world.get(f"locations/{LOCATIONS[0]}"))["systems"]
    (found,) = [one["state"]["runtime"] for one in systems[0]["strings"] if one["string_id"] == string]
    runtime: dict[str, Any] = found
    return runtime


async def after_an_outage(world: World) -> RuntimeJob:
    """Let the string be on float, with the load of a discharge on record."""
    await world.outage(NOW - 60 * MINUTE, 1)
    await world.record()
    await world.load(0.1, [NOW], volts=13.6)
    return RuntimeJob(world.context)


async def test_every_string_has_its_runtime_or_the_reason_why_not(world: World) -> None:
    job = await after_an_outage(world)
    await world.load(0.1, [NOW], volts=13.6, string=STRINGS[1])
    assert await job.run_once() == len(STRINGS)
    row = await stored(world)
    expected_s = 3600 * RATED_AH * 0.95 / 60
    assert row["p50_s"] == pytest.approx(expected_s, rel=1e-4)
    assert row["p10_s"] < row["p50_s"] < row["p90_s"]
    assert (row["runtime_at"], row["current_a"], row["basis"]) == (NOW, pytest.approx(-60), "last_discharge")
    assert (row["limiting"], row["withheld"], row["reason"]) == (FIRST, 0, None)
    assert (await stored(world, STRINGS[1]))["reason"] == "no_load_on_record"
    assert (await stored(world, STRINGS[2]))["reason"] == "no_load_on_record"
    in_list = await shown(world)
    assert in_list == {
        "runtime_p10_s": pytest.approx(0.8 * expected_s),
        "runtime_p50_s": pytest.approx(expected_s),
        "runtime_p90_s": pytest.approx(1.2 * expected_s),
        "reaches_cut_off": True,
        "limiting_battery_id": FIRST,
        "reason": None,
        "at": "2026-11-20T12:00:00Z",
        "load": {"basis": "last_discharge", "current_a": -60.0, "power_w": None},
        "withheld_count": 0,
    }
    assert (await world.get(f"batteries/{FIRST}"))["string_state"]["runtime"] == in_list


async def test_on_float_it_is_simulated_again_only_for_a_change_and_after_ten_minutes(world: World) -> None:
    job = await after_an_outage(world)
    await job.run_once()
    asked = world.simulator.asked
    assert len(asked) == 1
    for minute in range(1, 8):
        await world.load(0.1, [NOW + minute * MINUTE], volts=13.6)
        await job.run_once()
    assert (len(asked), (await stored(world))["runtime_at"]) == (1, NOW)
    world.twin.soh_pct = 80.0
    await world.load(0.1, [NOW + 8 * MINUTE], volts=13.6)
    await job.run_once()
    assert (len(asked), (await stored(world))["runtime_at"]) == (2, NOW + 8 * MINUTE)
    ages = []
    for minute in range(9, 30):
        await world.load(0.1, [NOW + minute * MINUTE], volts=13.6)
        await job.run_once()
        ages.append(world.clock.now() - (await stored(world))["runtime_at"])
    assert max(ages) < 10 * MINUTE
    assert len(asked) == 4


async def test_a_changed_load_is_answered_in_the_next_run(world: World) -> None:
    job = await after_an_outage(world)
    await job.run_once()
    found = []
    for second, current_a in ((5, -60.0), (10, -61.0), (15, -90.0), (20, 0.1)):
        await world.load(current_a, [NOW + second * SECOND])
        await job.run_once()
        row = await stored(world)
        found.append((row["basis"], row["current_a"], (row["runtime_at"] - NOW).total_seconds()))
    assert found == [
        ("present", -60.0, 5.0),
        # 2 % is no other load.
        ("present", -60.0, 5.0),
        ("present", -90.0, 15.0),
        ("last_discharge", pytest.approx(-60.0), 20.0),
    ]


async def test_while_it_discharges_it_is_simulated_every_minute(world: World) -> None:
    job = await after_an_outage(world)
    await world.load(-60.0, every(5, NOW + MINUTE, 60))
    await job.run_once()
    before = len(world.simulator.asked)
    await world.load(-60.0, every(5, NOW + 2 * MINUTE + 5 * SECOND, 50))
    await job.run_once()
    assert len(world.simulator.asked) == before
    await world.load(-60.0, [NOW + 3 * MINUTE])
    await job.run_once()
    assert len(world.simulator.asked) == before + 1


async def test_without_the_twin_there_is_a_reason_and_no_earlier_number(world: World) -> None:
    job = await after_an_outage(world)
    await job.run_once()
    world.simulator.failure = AWAY
    await world.load(-60.0, [NOW + 10 * SECOND])
    await job.run_once()
    row = await stored(world)
    assert (row["p10_s"], row["p50_s"], row["p90_s"], row["current_a"], row["limiting"]) == EMPTY
    assert (row["reason"], row["runtime_at"]) == ("twin_unavailable", NOW + 10 * SECOND)
    runtime = await shown(world)
    assert (runtime["runtime_p50_s"], runtime["load"], runtime["reason"]) == (None, None, "twin_unavailable")
    world.simulator.failure = None
    await world.load(-60.0, [NOW + 30 * SECOND])
    await job.run_once()
    assert (await stored(world))["reason"] is None


@pytest.mark.parametrize(
    ("answer", "change", "reason"),
    [
        (httpx.Response(422, json={"code": "too_costly", "detail": "too long"}), "soh_pct = soh_pct", "outside_model"),
        (httpx.Response(200, content=b"\x00"), "soh_pct = soh_pct", "twin_unavailable"),
        (None, "soh_pct = null", "fewer_than_half_known"),
        (None, "soh_pct = 200", "outside_model"),
    ],
)
async def test_why_there_is_none(world: World, answer: httpx.Response | None, change: str, reason: str) -> None:
    job = await after_an_outage(world)
    world.simulator.failure = answer
    await world.rows(f"update battery_state set {change}")
    await job.run_once()
    row = await stored(world)
    assert (row["p10_s"], row["reason"]) == (None, reason)
    assert (await shown(world))["reason"] == reason


@pytest.mark.parametrize(
    ("current_a", "age", "reason"),
    [(-60.0, 180, None), (-60.0, 181, "too_old"), (0.1, 900, None), (0.1, 901, "too_old")],
)
async def test_an_old_runtime_is_not_shown(world: World, current_a: float, age: int, reason: str | None) -> None:
    job = await after_an_outage(world)
    await world.load(current_a, [NOW + SECOND], volts=13.6)
    await job.run_once()
    world.clock.set(world.clock.now() + age * SECOND)
    runtime = await shown(world)
    assert (runtime["reason"], runtime["runtime_p10_s"] is None) == (reason, reason is not None)
    assert runtime["at"] == "2026-11-20T12:00:01Z"


async def test_a_runtime_from_before_the_discharge_is_not_shown_during_it(world: World) -> None:
    job = await after_an_outage(world)
    await job.run_once()
    await world.load(-60.0, [NOW + 2 * SECOND])
    assert (await shown(world))["reason"] == "too_old"
    await job.run_once()
    assert (await shown(world))["reason"] is None
    # A test that becomes an outage at the same current.
    for second, mode in ((7, "test"), (12, "discharge")):
        await world.load(-60.0, [NOW + second * SECOND], mode=mode)
        await job.run_once()
        assert (await shown(world))["reason"] is None


async def test_a_string_that_was_never_computed_or_is_retired_says_so(world: World) -> None:
    assert (await shown(world))["reason"] == "not_computed_yet"
    job = await after_an_outage(world)
    await job.run_once()
    await world.rows(
        "update battery set retired_at = $1, retired_by = 'x', retired_reason = 'y' where code = any($2)",
        NOW,
        list(BATTERIES[:PER_STRING]),
    )
    listed = await world.get(f"locations/{LOCATIONS[0]}", include_retired="true")
    (retired,) = [one for one in listed["systems"][0]["strings"] if one["string_id"] == HERE]
    assert retired["state"]["runtime"]["reason"] == "retired"
    assert listed["systems"][0]["runtime"]["reason"] == "no_load_on_record"


async def test_a_system_lasts_as_long_as_its_first_string_and_is_never_better_known(world: World) -> None:
    job = await after_an_outage(world)
    await job.run_once()
    system = (await world.get(f"locations/{LOCATIONS[0]}"))["systems"][0]["runtime"]
    assert (system["runtime_p50_s"], system["limiting_string_id"]) == (None, None)
    assert (system["reason"], system["withheld_count"]) == ("no_load_on_record", PER_STRING)
    later = NOW + MINUTE
    await world.load(-40.0, [later])
    await world.load(-80.0, [later], string=STRINGS[1])
    await job.run_once()
    system = (await world.get(f"locations/{LOCATIONS[0]}"))["systems"][0]["runtime"]
    weaker = await shown(world, STRINGS[1])
    assert system == {**weaker, "limiting_string_id": STRINGS[1], "load": {**weaker["load"], "current_a": -120.0}}
    assert system["runtime_p50_s"] < (await shown(world))["runtime_p50_s"]
