from datetime import timedelta
from typing import Any

import pytest

from .world import BATTERIES, FIRST, LOCATIONS, NOW, STRINGS, World, iso, named

RULE = "temperature_high.danger"


async def put(world: World, body: dict[str, Any], *, rule: str = RULE, who: str = "somchai") -> Any:
    return await world.client.put(f"alert-rules/{rule}/overrides", json=body, headers=named(who))


async def effective(world: World, battery: str = FIRST) -> dict[str, Any]:
    answer = await world.client.get(f"batteries/{battery}/alert-rules", params={"limit": 1000}, headers=named("mali"))
    return next(item for item in answer.json()["items"] if item["rule_id"] == RULE)


async def test_rules_are_listed_with_source_and_overrides(world: World) -> None:
    await put(world, {"scope": "location", "scope_id": LOCATIONS[0], "raise_value": 45.0})
    answer = (await world.client.get("alert-rules", params={"limit": 1000}, headers=named("mali"))).json()
    assert answer["total"] == len(answer["items"])
    rule = next(item for item in answer["items"] if item["rule_id"] == RULE)
    assert (rule["raise_value"], rule["severity"], rule["respond_within"]) == (60.0, "critical", "same_day")
    (override,) = rule["overrides"]
    assert (override["scope_id"], override["raise_value"], override["updated_by"]) == (LOCATIONS[0], 45.0, "somchai")
    others = (await world.client.get("alert-rules", params={"limit": 1000}, headers=named("nok"))).json()
    assert next(item for item in others["items"] if item["rule_id"] == RULE)["overrides"] == []


async def test_nearest_scope_wins_and_says_so(world: World) -> None:
    await put(world, {"scope": "model", "scope_id": "CSB-HX12-120", "hold_s": 30.0})
    await put(world, {"scope": "location", "scope_id": LOCATIONS[0], "raise_value": 45.0})
    await put(world, {"scope": "battery", "scope_id": FIRST, "raise_value": 44.0})
    rule = await effective(world)
    assert (rule["raise_value"], rule["clear_value"], rule["hold_s"]) == (44.0, 39.0, 30.0)
    assert rule["origin"]["raise_value"] == {"scope": "battery", "scope_id": FIRST}
    assert rule["origin"]["hold_s"] == {"scope": "model", "scope_id": "CSB-HX12-120"}
    assert rule["origin"]["enabled"] == {"scope": "default", "scope_id": None}
    other = await effective(world, BATTERIES[1])
    assert (other["raise_value"], other["origin"]["raise_value"]["scope"]) == (45.0, "location")


async def test_override_judges_the_next_reading_and_its_end_too(world: World) -> None:
    await world.sweep(NOW, {FIRST: {"temperature_c": 46.0}})
    assert await world.alerts() == []
    override = (await put(world, {"scope": "string", "scope_id": STRINGS[0], "raise_value": 45.0})).json()
    await world.sweep(NOW + timedelta(minutes=1), {FIRST: {"temperature_c": 46.0}})
    (alert,) = await world.alerts()
    assert alert["threshold"] == 45.0
    path = f"alert-rules/{RULE}/overrides/{override['override_id']}"
    assert (await world.client.delete(path, headers=named("somchai"))).status_code == 204
    assert (await world.client.delete(path, headers=named("somchai"))).json()["code"] == "override_not_found"
    for minute in (2, 3, 4):
        await world.sweep(NOW + timedelta(minutes=minute), {FIRST: {"temperature_c": 46.0}})
    assert await world.alerts(active="true") == []
    actions = await world.rows("select action, target from audit_log order by id")
    assert [row["action"] for row in actions] == ["alert_rule.override", "alert_rule.reset"]


async def test_disabling_a_rule_closes_its_alert(world: World) -> None:
    await world.sweep(NOW, {FIRST: {"temperature_c": 70.0}})
    assert len(await world.alerts(active="true")) == 1
    accountable = {"reason": "Sensor is replaced on Friday", "expires_at": iso(NOW + timedelta(days=2))}
    answer = await put(world, {"scope": "battery", "scope_id": FIRST, "enabled": False} | accountable, who="root")
    assert answer.status_code == 200, answer.text
    await world.sweep(NOW + timedelta(minutes=1), {FIRST: {"temperature_c": 70.0}})
    assert await world.alerts(active="true") == []


async def test_putting_again_replaces(world: World) -> None:
    body = {"scope": "battery", "scope_id": FIRST}
    first = (await put(world, body | {"raise_value": 50.0})).json()
    second = (await put(world, body | {"hold_s": 10.0})).json()
    assert first["override_id"] == second["override_id"]
    rule = await effective(world)
    assert (rule["raise_value"], rule["hold_s"]) == (60.0, 10.0)


@pytest.mark.parametrize(
    ("rule", "body", "status", "code"),
    [
        (RULE, {"scope": "battery", "scope_id": FIRST}, 422, "override_invalid"),
        (RULE, {"scope": "battery", "scope_id": FIRST, "raise_value": 50, "clear_value": 51}, 422, "override_invalid"),
        (RULE, {"scope": "battery", "scope_id": FIRST, "hold_s": -1}, 422, "validation_failed"),
        (RULE, {"scope": "planet", "scope_id": FIRST, "hold_s": 1}, 422, "validation_failed"),
        (RULE, {"scope": "battery", "scope_id": "BAT-X", "hold_s": 1}, 404, "scope_not_found"),
        ("voltage_low.float", {"scope": "battery", "scope_id": FIRST, "clear_value": 12}, 200, None),
        ("no.rule", {"scope": "battery", "scope_id": FIRST, "hold_s": 1}, 404, "rule_not_found"),
        ("mains_outage.info", {"scope": "battery", "scope_id": FIRST, "hold_s": 1}, 422, "override_invalid"),
        ("data_stale.battery", {"scope": "battery", "scope_id": FIRST, "hold_s": 1}, 422, "override_invalid"),
        (
            "voltage_low.float",
            {"scope": "battery", "scope_id": FIRST, "raise_value": 13, "clear_value": 12},
            422,
            "override_invalid",
        ),
    ],
)
async def test_override_is_checked(
    world: World, rule: str, body: dict[str, Any], status: int, code: str | None
) -> None:
    answer = await put(world, body, rule=rule)
    assert (answer.status_code, answer.json().get("code")) == (status, code)


async def test_who_may_override(world: World) -> None:
    here = {"scope": "battery", "scope_id": FIRST, "hold_s": 1}
    assert (await put(world, here, who="mali")).status_code == 403
    assert (await put(world, here, who="nok")).json()["code"] == "scope_not_found"
    model = {"scope": "model", "scope_id": "CSB-HX12-120", "hold_s": 1}
    assert (await put(world, model, who="nok")).json()["code"] == "forbidden"
    answer = await world.client.get(f"batteries/{FIRST}/alert-rules", headers=named("nok"))
    assert answer.json()["code"] == "battery_not_found"
