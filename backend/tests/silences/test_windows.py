"""A window hides what is expected of planned work, and closes by itself once a test's strings have recharged."""

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from battery_api.alerts.engine.rules import RULE_BY_ID
from battery_api.alerts.grouping.hiding import SAFETY_RULES
from battery_api.silences.window_service import EXPECTED_OF_TEST
from tests.alerts.world import BATTERIES, FIRST, LOCATIONS, NOW, STRINGS, World, iso, named
from tests.incidents.actions import listed

from .actions import DEAD, HOUR, MINUTE, STRING, changes, discharge, work_off

END = NOW + HOUR


async def plan(world: World, *, who: str = "somchai", **changed: Any) -> httpx.Response:
    body = {
        "kind": "test",
        "scope": "string",
        "scope_id": STRING,
        "starts_at": iso(NOW),
        "ends_at": iso(END),
        "reason": "Yearly test.",
    } | changed
    return await world.client.post("maintenance-windows", json=body, headers=named(who))


async def planned(world: World, **changed: Any) -> dict[str, Any]:
    answer = await plan(world, **changed)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def window(world: World, made: dict[str, Any], path: str = "", *, who: str = "mali") -> httpx.Response:
    return await world.client.get(f"maintenance-windows/{made['window_id']}{path}", headers=named(who))


async def put_on(world: World, mode: str, at: datetime, string: str = STRING) -> None:
    world.clock.set(max(world.clock.now(), at))
    current_a = {"float": 0.1, "recharge": 8.0}[mode]
    row = {"string_id": string, "time": iso(at), "current_a": current_a, "mode": mode}
    await world.post({"string_readings": [row]})


async def state(world: World, made: dict[str, Any]) -> str:
    found: str = (await window(world, made)).json()["state"]
    return found


def test_a_test_expects_no_safety_alert() -> None:
    assert set(EXPECTED_OF_TEST) <= set(RULE_BY_ID)
    assert not set(EXPECTED_OF_TEST) & set(SAFETY_RULES)
    assert {
        "voltage_low.discharge",
        "voltage_low.discharge_critical",
        "string_imbalance.discharge",
        "current_high.discharge",
        "mains_outage.info",
        "data_quality.mode",
    } <= set(EXPECTED_OF_TEST)
    assert "voltage_low.float" not in EXPECTED_OF_TEST


async def test_what_a_test_raises_is_hidden_by_its_window(world: World) -> None:
    made = await planned(world)
    await discharge(world, NOW + MINUTE, FIRST)
    page = await listed(world, include_hidden="true")
    assert (page["open_count"], page["hidden_count"]) == (0, 1)
    hider = page["items"][0]["hidden_by"]
    assert (hider["kind"], hider["id"]) == ("window", made["window_id"])
    (span,) = (await window(world, made, "/hidden")).json()["items"]
    assert span["alert"]["rule_id"] == "voltage_low.discharge"
    silences = await world.client.get(f"silences/{made['window_id']}", headers=named("mali"))
    assert silences.status_code == 404


async def test_a_lost_voltage_and_a_hot_block_pass_a_test(world: World) -> None:
    await planned(world)
    await discharge(world, NOW + MINUTE, **{FIRST: DEAD})
    await discharge(world, NOW + 2 * MINUTE, **{BATTERIES[1]: {"temperature_c": 70.0}})
    assert (await listed(world))["open_count"] >= 2


async def test_a_mains_outage_is_expected_of_a_whole_location_only(world: World) -> None:
    await planned(world)

    async def report_mains(at: datetime, *, mains: bool) -> None:
        world.clock.set(at)
        row = {"location_id": LOCATIONS[0], "time": iso(at), "ambient_c": 24.0, "hvac": "running", "mains": mains}
        await world.post({"site_readings": [row]})

    for minute in range(1, 4):
        await report_mains(NOW + minute * MINUTE, mains=False)
    assert [one["family"] for one in (await listed(world))["items"]] == ["power"]
    await planned(world, scope="location", scope_id=LOCATIONS[0])
    assert (await listed(world))["items"] == []


async def test_a_test_closes_when_its_strings_are_on_float_again(world: World) -> None:
    made = await planned(world)
    await discharge(world, NOW + MINUTE, FIRST)
    await put_on(world, "recharge", END)
    await work_off(world, END)
    assert await state(world, made) == "active"
    at = END + 5 * HOUR
    await put_on(world, "float", at)
    changes(world)
    await work_off(world, at)
    closed = (await window(world, made)).json()
    assert (closed["state"], closed["ended_at"], closed["ended_by"]) == ("ended", iso(at), None)
    audit = await world.rows("select actor from audit_log where action = 'maintenance_window.closed'")
    assert audit == [{"actor": "system"}]
    await work_off(world, at + MINUTE)
    assert len(await world.rows("select id from audit_log where action = 'maintenance_window.closed'")) == 1


async def test_a_test_closes_when_the_current_of_its_recharge_has_come_down(world: World) -> None:
    made = await planned(world)
    await discharge(world, NOW + MINUTE, FIRST)
    # Nobody reports a mode: by the current alone the string counts as recharging for three days.
    for hours, current_a, expected in ((1, 8.0, "active"), (2, 0.3, "active"), (11, 0.3, "ended")):
        at = END + hours * HOUR
        world.clock.set(at)
        row = {"string_id": STRINGS[0], "time": iso(at), "current_a": current_a}
        await world.post({"string_readings": [row]})
        await work_off(world, at)
        assert await state(world, made) == expected, hours


async def test_one_string_that_recharges_keeps_the_test_of_a_system_open(world: World) -> None:
    made = await planned(world, scope="system", scope_id=f"{LOCATIONS[0]}-UPS-01")
    await put_on(world, "float", END)
    await put_on(world, "recharge", END, STRINGS[1])
    await work_off(world, END)
    assert await state(world, made) == "active"
    await put_on(world, "float", END + MINUTE, STRINGS[1])
    await work_off(world, END + MINUTE)
    assert await state(world, made) == "ended"


async def test_a_silent_string_keeps_a_test_open_until_its_latest_end(world: World) -> None:
    made = await planned(world)
    await put_on(world, "float", NOW)
    latest = END + timedelta(hours=48)
    assert made["ends_at"] == iso(latest)
    await work_off(world, latest - MINUTE)
    assert await state(world, made) == "active"
    await work_off(world, latest)
    assert await state(world, made) == "ended"


async def test_the_discharges_within_a_window_are_its_evidence(world: World) -> None:
    made = await planned(world)
    for hours, string in ((-2, STRING), (0.5, STRING), (0.5, STRINGS[1])):
        at = NOW + hours * HOUR
        await world.rows(
            "insert into discharge_event (string_id, started_at, ended_at, mode, drawn_ah, depth_pct, mean_current_a, "
            "complete, is_open) select id, $2, $3, 'test', 10, 8, -20, true, false from string where code = $1",
            string,
            at,
            at + 20 * MINUTE,
        )
    ((found),) = (await window(world, made)).json()["discharges"]
    (row,) = await world.rows("select id from discharge_event where started_at > $1 and string_id = 1", NOW)
    assert (found["discharge_id"], found["string_id"], found["depth_pct"]) == (row["id"], STRING, 8.0)


async def test_maintenance_ends_by_its_plan_and_anybody_may_end_it_earlier(world: World) -> None:
    made = await planned(world, kind="maintenance")
    assert made["ends_at"] == made["planned_ends_at"] == iso(END)
    await discharge(world, NOW + MINUTE, FIRST)
    assert (await listed(world))["open_count"] == 0
    path = f"maintenance-windows/{made['window_id']}/end"
    assert (await world.client.post(path, headers=named("mali"))).status_code == 403
    assert (await world.client.post(path, headers=named("nok"))).status_code == 404
    ended = (await world.client.post(path, headers=named("root"))).json()
    assert (ended["state"], ended["ended_by"]) == ("ended", "root")
    assert (await listed(world))["open_count"] == 1
    again = await world.client.post(path, headers=named("root"))
    assert (again.status_code, again.json()["code"]) == (409, "window_ended")


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"ends_at": iso(NOW)}, 422),
        ({"starts_at": iso(NOW - HOUR)}, 422),
        ({"kind": "silence"}, 422),
        ({"reason": ""}, 422),
        ({"scope_id": "nowhere"}, 404),
        ({"who": "mali"}, 403),
        ({"who": "nok"}, 404),
    ],
)
async def test_what_no_window_may_be(world: World, changed: dict[str, Any], status: int) -> None:
    assert (await plan(world, **changed)).status_code == status
    assert await world.rows("select id from silence") == []


async def test_the_list_announces_what_is_open(world: World) -> None:
    made = await planned(world)
    await planned(world, starts_at=iso(NOW + HOUR), ends_at=iso(NOW + 2 * HOUR))
    query = {"state": "active", "location_id": LOCATIONS[0]}
    answer = await world.client.get("maintenance-windows", params=query, headers=named("mali"))
    assert [one["window_id"] for one in answer.json()["items"]] == [made["window_id"]]
    silences = await world.client.get("silences", headers=named("mali"))
    assert silences.json()["total"] == 0
