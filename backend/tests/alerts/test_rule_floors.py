"""Rules on which lives depend cannot be switched off in passing, and no rule takes a value that nothing can have."""

from datetime import timedelta
from typing import Any

import pytest

from battery_api.accounts.principal import Principal, Scope
from battery_api.alerts import override_expiry
from battery_api.alerts.engine.floors import BOUNDS_OF, floor_of
from battery_api.alerts.engine.ladders import Direction
from battery_api.alerts.engine.rules import RULES
from battery_api.db import migrate
from battery_api.db.session import create_database_engine

from .world import FIRST, NOW, STRINGS, World, iso, named

DANGER = "temperature_high.danger"
HERE = {"scope": "battery", "scope_id": FIRST}
MODEL = {"scope": "model", "scope_id": "CSB-HX12-120"}
STRING = {"scope": "string", "scope_id": STRINGS[0]}
ACCOUNTABLE = {"reason": "Sensor is replaced on Friday", "expires_at": iso(NOW + timedelta(days=2))}
WEAKENED: list[tuple[str, dict[str, Any]]] = [
    (DANGER, MODEL | {"enabled": False}),
    (DANGER, HERE | {"raise_value": 65.1}),
    (DANGER, HERE | {"clear_value": 60.5}),
    (DANGER, HERE | {"hold_s": 61}),
    ("temperature_high.stop_charge", HERE | {"raise_value": 56}),
    ("temperature_high.stop_charge", HERE | {"hold_s": 301}),
    ("temperature_deviation.room_critical", HERE | {"enabled": False}),
    ("voltage_low.danger", HERE | {"raise_value": 0.9}),
    ("voltage_high.danger", HERE | {"raise_value": 17}),
    ("current_high.danger", STRING | {"enabled": False}),
    ("current_high.float_critical", STRING | {"raise_value": 11}),
    ("current_high.charge_critical", STRING | {"hold_s": 600}),
]


async def put(world: World, rule: str, body: dict[str, Any], who: str) -> tuple[int, dict[str, Any]]:
    answer = await world.client.put(f"alert-rules/{rule}/overrides", json=body, headers=named(who))
    return answer.status_code, answer.json()


def test_every_rule_has_bounds_around_its_defaults_and_every_danger_a_floor() -> None:
    for rule in RULES:
        bounds = BOUNDS_OF[rule.signal]
        assert bounds.low <= min(rule.raise_value, rule.clear_value), rule.rule_id
        assert max(rule.raise_value, rule.clear_value) <= bounds.high, rule.rule_id
        floor = floor_of(rule)
        if rule.rule_id.endswith(".danger"):
            assert floor is not None, rule.rule_id
        if floor is not None:
            lenient = floor.raise_value - rule.raise_value
            assert (lenient if rule.direction is Direction.ABOVE else -lenient) >= 0, rule.rule_id
            assert floor.hold_s >= rule.hold_s


@pytest.mark.parametrize(("rule", "body"), WEAKENED)
async def test_only_an_administrator_weakens_a_life_safety_rule(world: World, rule: str, body: dict[str, Any]) -> None:
    for caller in ("somchai", "pager"):
        status, problem = await put(world, rule, body | ACCOUNTABLE, caller)
        assert (status, problem["code"]) == (403, "below_floor"), caller
        assert "administrator" in problem["detail"]
    for missing in ACCOUNTABLE:
        given = {name: value for name, value in ACCOUNTABLE.items() if name != missing}
        status, problem = await put(world, rule, body | given, "root")
        assert (status, problem["code"]) == (422, "override_invalid")
        assert problem["detail"].startswith(missing)
    status, problem = await put(world, rule, body | ACCOUNTABLE | {"expires_at": iso(NOW + timedelta(days=31))}, "root")
    assert (status, "within 30 days" in problem["detail"]) == (422, True)
    status, stored = await put(world, rule, body | ACCOUNTABLE, "root")
    assert (status, stored["reason"], stored["expires_at"]) == (200, *ACCOUNTABLE.values())


@pytest.mark.parametrize(
    ("rule", "body"),
    [
        (DANGER, HERE | {"raise_value": 65, "hold_s": 60}),
        (DANGER, HERE | {"raise_value": 45}),
        (DANGER, HERE | {"enabled": True}),
        ("temperature_high.stop_charge", HERE | {"hold_s": 300}),
        ("temperature_high.warning", HERE | {"enabled": False}),
        ("voltage_low.float", HERE | {"hold_s": 3 * 86_400}),
    ],
)
async def test_an_engineer_still_adjusts_what_costs_no_lives(world: World, rule: str, body: dict[str, Any]) -> None:
    status, stored = await put(world, rule, body, "somchai")
    assert status == 200, stored


@pytest.mark.parametrize("who", ["somchai", "root"])
@pytest.mark.parametrize(
    ("rule", "body", "named_bound"),
    [
        (DANGER, {"raise_value": 1e300}, "-20 to 100 °C"),
        (DANGER, {"raise_value": 101, "clear_value": 50}, "-20 to 100 °C"),
        ("voltage_low.float", {"raise_value": -5}, "0 to 20 V"),
        ("voltage_low.float", {"clear_value": -1e9}, "0 to 20 V"),
        ("resistance_drift.warning", {"raise_value": 1e6}, "0 to 500 %"),
    ],
)
async def test_absurd_limits_are_refused_for_everybody(
    world: World, rule: str, body: dict[str, Any], named_bound: str, who: str
) -> None:
    status, problem = await put(world, rule, HERE | body | ACCOUNTABLE, who)
    assert (status, problem["code"]) == (422, "override_invalid")
    assert named_bound in problem["detail"]


@pytest.mark.parametrize("name", ["hold_s", "clear_hold_s"])
async def test_absurd_holds_are_refused_for_everybody(world: World, name: str) -> None:
    status, problem = await put(world, DANGER, HERE | {name: 31 * 86_400} | ACCOUNTABLE, "root")
    assert (status, problem["code"]) == (422, "validation_failed")
    assert "259200" in problem["errors"][0]["detail"]


@pytest.mark.parametrize("expires_at", [NOW, NOW - timedelta(days=1)])
async def test_an_expiry_lies_ahead(world: World, expires_at: Any) -> None:
    status, problem = await put(world, "voltage_low.float", HERE | {"hold_s": 5, "expires_at": iso(expires_at)}, "root")
    assert (status, problem["code"]) == (422, "override_invalid")
    assert problem["detail"].startswith("expires_at")


async def test_an_override_ends_by_itself_and_the_log_says_so(world: World) -> None:
    until = NOW + timedelta(minutes=3)
    body = HERE | {"enabled": False, "reason": "Sensor is exchanged", "expires_at": iso(until)}
    assert (await put(world, DANGER, body, "root"))[0] == 200
    await world.sweep(NOW + timedelta(minutes=1), {FIRST: {"temperature_c": 70.0}})
    assert [one for one in await world.alerts() if one["threshold"] == 60.0] == []
    await world.sweep(until, {FIRST: {"temperature_c": 70.0}})
    assert [one["threshold"] for one in await world.alerts(active="true")] == [60.0]
    listed = (await world.client.get("alert-rules", params={"limit": 1000}, headers=named("root"))).json()["items"]
    assert next(item for item in listed if item["rule_id"] == DANGER)["overrides"] == []
    for _ in range(2):
        await override_expiry.run_once(world.app.state.parts.context)
    rows = await world.rows("select actor, action, target, data from audit_log order by id desc limit 1")
    assert rows == [
        {"actor": "system", "action": "alert_rule.expired", "target": DANGER, "data": HERE},
    ]
    assert await world.rows("select id from alert_rule_override") == []


async def test_a_key_changes_rules_only_if_made_for_it(world: World) -> None:
    callers = world.app.state.parts.authenticator.known
    callers["worker"] = Principal("key:worker", None, None, frozenset({Scope.ALERTS_WRITE}), None)
    callers["tuner"] = Principal("key:tuner", None, None, frozenset({Scope.RULES_WRITE}), None)
    body = HERE | {"hold_s": 600}
    status, problem = await put(world, "voltage_low.float", body, "worker")
    assert (status, "rules:write" in problem["detail"]) == (403, True)
    status, stored = await put(world, "voltage_low.float", body, "tuner")
    assert status == 200
    path = f"alert-rules/voltage_low.float/overrides/{stored['override_id']}"
    assert (await world.client.delete(path, headers=named("worker"))).status_code == 403
    assert (await world.client.delete(path, headers=named("tuner"))).status_code == 204
    assert (await put(world, DANGER, HERE | {"enabled": False} | ACCOUNTABLE, "tuner"))[0] == 403


async def test_the_log_names_the_address_from_which_a_rule_was_changed(world: World) -> None:
    _, stored = await put(world, "voltage_low.float", HERE | {"hold_s": 600}, "somchai")
    await world.client.delete(f"alert-rules/voltage_low.float/overrides/{stored['override_id']}", headers=named("root"))
    rows = await world.rows("select actor, action, address from audit_log order by id")
    assert rows == [
        {"actor": "somchai", "action": "alert_rule.override", "address": "127.0.0.1"},
        {"actor": "root", "action": "alert_rule.reset", "address": "127.0.0.1"},
    ]


async def test_the_floor_is_listed(world: World) -> None:
    listed = (await world.client.get("alert-rules", params={"limit": 1000}, headers=named("mali"))).json()["items"]
    floors = {item["rule_id"]: item["floor"] for item in listed}
    assert floors[DANGER] == {"raise_value": 65.0, "hold_s": 60.0}
    assert floors["voltage_low.float"] is None


async def test_the_limits_of_an_override_are_listed(world: World) -> None:
    listed = (await world.client.get("alert-rules", params={"limit": 1000}, headers=named("mali"))).json()["items"]
    rules = {item["rule_id"]: item for item in listed}
    assert rules["voltage_low.float"]["bounds"] == {"low": 0.0, "high": 20.0}
    assert rules["data_stale.battery"]["bounds"] is None
    assert [rules[rule_id]["has_hold"] for rule_id in ("voltage_low.float", "rul_warning.p10")] == [True, False]
    assert all((item["bounds"] is not None) == item["adjustable"] for item in listed)


async def test_what_weakens_a_life_safety_rule_today_ends_within_a_month(fresh_database: str) -> None:
    engine = create_database_engine(fresh_database, pooling=False)
    kept = [(DANGER, "a", "raise_value", 45.0), ("voltage_low.float", "b", "hold_s", 864000.0)]
    ended = [
        (DANGER, "c", "hold_s", 3600.0),
        (DANGER, "d", "clear_value", 70.0),
        ("voltage_low.danger", "e", "raise_value", 0.5),
    ]
    try:
        await migrate.upgrade(engine, "0015_login_devices")
        async with engine.begin() as connection:
            for rule, scope_id, column, value in kept + ended:
                await connection.exec_driver_sql(
                    f"insert into alert_rule_override (rule_id, scope, scope_id, {column}, updated_at) "
                    "values ($1, 'battery', $2, $3, now())",
                    (rule, scope_id, value),
                )
        await migrate.upgrade(engine)
        async with engine.connect() as connection:
            rows = await connection.exec_driver_sql(
                "select scope_id from alert_rule_override where expires_at < now() + interval '31 days' order by 1"
            )
            assert rows.scalars().all() == ["c", "d", "e"]
    finally:
        await engine.dispose()
