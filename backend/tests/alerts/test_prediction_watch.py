"""Alerts about remaining life: what raises them, what clears them, and that nothing else does."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from battery_api.alerts.engine.prediction_rules import PREDICTION_RULES
from battery_contracts.enums import HealthStatus

from .estimates import AS_OF, DAY, active, predict, watch_of, watch_once
from .test_endings import line, load, retire
from .world import FIRST, LOCATIONS, NOW, World, named

WARNING = ("rul_warning", "warning")
CRITICAL = ("rul_critical", "critical")
LEVELS = ("p10", "p50", "p90")


async def override(world: World, rule: str, **body: Any) -> None:
    answer = await world.client.put(f"alert-rules/{rule}/overrides", json=body, headers=named("somchai"))
    assert answer.status_code == 200, answer.text


async def test_a_long_life_raises_nothing(world: World) -> None:
    await predict(world, 400.0)
    assert await watch_once(world) == []
    assert await world.alerts() == []


async def test_a_short_p10_raises_a_warning_that_says_what_was_seen(world: World) -> None:
    predicted_at = await predict(world, 150.0, 400.0)
    world.clock.set(NOW)
    assert await watch_once(world) == [("raised", "rul_warning", FIRST)]
    (alert,) = await world.alerts()
    params = alert["message_params"]
    assert alert["message"] == "P10 of remaining life 149 days, limit 180 (fused); plan the replacement"
    assert (alert["respond_within"], alert["threshold"], alert["unit"]) == ("30d", 180.0, "d")
    assert alert["value"] == pytest.approx(150.0 - 19 / 24)
    assert (params["p50_days"], params["source"]) == (400.0, "fused")
    assert params["since"] == AS_OF.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert params["predicted_at"] == predicted_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert await world.open_counts(FIRST) == (0, 1, 0)


async def test_the_status_of_the_battery_is_published(world: World) -> None:
    await world.sweep(NOW)
    world.published.statuses.clear()
    await predict(world, 50.0)
    await watch_once(world)
    (update,) = world.published.statuses
    assert (update.location_id, update.columns.battery_id) == (LOCATIONS[0], [FIRST])
    assert (update.columns.status, update.columns.open_critical) == ([HealthStatus.CRITICAL], [1])
    answer = await world.client.get(f"batteries/{FIRST}", headers=named("mali"))
    assert answer.json()["status"] == "critical"


async def test_nothing_is_fired_twice_and_a_restart_forgets_nothing(world: World) -> None:
    await predict(world, 50.0)
    watch = watch_of(world)
    await watch.run_once(world.published)
    assert world.published.take() == [("raised", "rul_critical", FIRST)]
    await watch.run_once(world.published)
    assert world.published.take() == []
    assert await watch_once(world) == []
    assert len(await world.alerts()) == 1


async def test_two_processes_at_once_raise_one_alert(world: World) -> None:
    await predict(world, 50.0)
    await asyncio.gather(*(watch_of(world).run_once(world.published) for _ in range(4)))
    assert world.published.take() == [("raised", "rul_critical", FIRST)]
    assert len(await world.alerts()) == 1
    assert await world.open_counts(FIRST) == (0, 0, 1)


async def test_days_run_down_from_the_day_of_the_prediction(world: World) -> None:
    await predict(world, 95.0)
    watch = watch_of(world)
    await watch.run_once(world.published)
    assert await active(world) == [WARNING]
    world.clock.set(AS_OF + 4 * DAY)
    await watch.run_once(world.published)
    assert await active(world) == [WARNING]
    world.clock.set(AS_OF + 10 * DAY)
    await watch.run_once(world.published)
    assert await active(world) == [CRITICAL]
    (alert,) = await world.alerts(active="true")
    assert alert["value"] == pytest.approx(85.0)
    assert alert["message_params"]["since"] == (AS_OF + 5 * DAY).strftime("%Y-%m-%dT%H:%M:%SZ")


async def test_a_worse_prediction_replaces_the_warning_and_a_better_one_the_critical_alert(world: World) -> None:
    await predict(world, 150.0)
    await watch_once(world)
    await predict(world, 80.0, day=1)
    assert await watch_once(world) == [("cleared", "rul_warning", FIRST), ("raised", "rul_critical", FIRST)]
    assert await world.open_counts(FIRST) == (0, 0, 1)
    warning = next(alert for alert in await world.alerts() if alert["type"] == "rul_warning")
    cleared = (await world.detail(warning["alert_id"]))["timeline"][-1]
    assert (cleared["kind"], cleared["data"]["superseded_by"]) == ("cleared", "rul_critical")
    # Above the limit, not yet beyond its hysteresis.
    await predict(world, 95.0, day=2)
    assert await watch_once(world) == []
    await predict(world, 101.0, day=3)
    assert await watch_once(world) == [("cleared", "rul_critical", FIRST), ("raised", "rul_warning", FIRST)]
    assert await world.open_counts(FIRST) == (0, 1, 0)


async def test_a_warning_clears_only_beyond_its_hysteresis(world: World) -> None:
    await predict(world, 170.0)
    await watch_once(world)
    await predict(world, 195.0, day=1)
    assert await watch_once(world) == []
    await predict(world, 199.0, day=2)
    assert await watch_once(world) == [("cleared", "rul_warning", FIRST)]
    assert await world.open_counts(FIRST) == (0, 0, 0)


async def test_a_withheld_prediction_neither_raises_nor_clears(world: World) -> None:
    await predict(world, None)
    assert await watch_once(world) == []
    await predict(world, 50.0, day=1)
    await watch_once(world)
    await predict(world, None, day=2)
    assert await watch_once(world) == []
    assert await active(world) == [CRITICAL]


async def test_days_run_down_while_later_predictions_are_withheld(world: World) -> None:
    await predict(world, 185.0)
    assert await watch_once(world) == []
    for day in range(1, 4):
        await predict(world, None, day=day)
    assert await watch_once(world) == []
    world.clock.set(AS_OF + 6 * DAY)
    assert await watch_once(world) == [("raised", "rul_warning", FIRST)]


async def test_an_old_prediction_clears_nothing(world: World) -> None:
    await predict(world, 50.0)
    await watch_once(world)
    world.clock.set(NOW + 400 * DAY)
    assert await watch_once(world) == []
    assert await active(world) == [CRITICAL]


async def test_a_laxer_limit_clears_with_the_next_prediction(world: World) -> None:
    await predict(world, 50.0)
    await watch_once(world)
    await override(world, "rul_critical.p10", scope="battery", scope_id=FIRST, raise_value=20.0, clear_value=22.0)
    assert await watch_once(world) == []
    await predict(world, 50.0, day=1)
    assert await watch_once(world) == [("cleared", "rul_critical", FIRST), ("raised", "rul_warning", FIRST)]


async def test_a_lower_bound_of_the_p10_raises_nothing(world: World) -> None:
    await predict(world, 150.0, 150.0, fused_longer_than_days=150.0)
    assert await watch_once(world) == []
    await predict(world, 150.0, 160.0, day=1, fused_longer_than_days=160.0)
    assert await watch_once(world) == [("raised", "rul_warning", FIRST)]


async def test_the_nearest_override_decides_and_a_disabled_rule_ends_its_alert(world: World) -> None:
    await override(world, "rul_warning.p10", scope="location", scope_id=LOCATIONS[0], raise_value=300.0)
    await predict(world, 250.0)
    assert await watch_once(world) == [("raised", "rul_warning", FIRST)]
    (alert,) = await world.alerts()
    assert alert["threshold"] == 300.0
    await override(world, "rul_warning.p10", scope="location", scope_id=LOCATIONS[0], enabled=False)
    assert await watch_once(world) == [("cleared", "rul_warning", FIRST)]


async def test_the_rules_are_listed_and_have_no_holds(world: World) -> None:
    listed = (await world.client.get("alert-rules", params={"limit": 1000}, headers=named("mali"))).json()["items"]
    ids = {rule.rule_id for rule in PREDICTION_RULES}
    assert ids <= {item["rule_id"] for item in listed}
    path = f"batteries/{FIRST}/alert-rules"
    applied = (await world.client.get(path, params={"limit": 1000}, headers=named("mali"))).json()["items"]
    assert ids <= {item["rule_id"] for item in applied}
    body = {"scope": "battery", "scope_id": FIRST, "hold_s": 60.0}
    answer = await world.client.put("alert-rules/rul_warning.p10/overrides", json=body, headers=named("somchai"))
    assert (answer.status_code, answer.json()["code"]) == (422, "override_invalid")


async def test_a_conflict_of_the_sources_is_named(world: World) -> None:
    both: dict[str, Any] = {
        "ml_withheld_reason": None,
        "twin_withheld_reason": None,
        "is_conflict": True,
        "difference_pct": 70.0,
    }
    days: dict[str, Any] = {
        f"{name}_{level}_days": value for name, value in (("ml", 100.0), ("twin", 900.0)) for level in LEVELS
    }
    await predict(world, 60.0, **both, **days, conflict_advice="capacity_test")
    await watch_once(world)
    (alert,) = await world.alerts()
    assert "contradict each other (P50 100 and 900 days)" in alert["message"]
    assert alert["message_params"]["conflict_advice"] == "capacity_test"


async def test_a_resolved_alert_is_raised_again_by_the_next_prediction(world: World) -> None:
    await predict(world, 50.0)
    await watch_once(world)
    (alert,) = await world.alerts()
    path = f"alerts/{alert['alert_id']}/resolve"
    answer = await world.client.post(path, json={"note": "ordered"}, headers=named("somchai"))
    assert answer.status_code == 200, answer.text
    world.published.take()
    assert await watch_once(world) == []
    assert await active(world) == [CRITICAL]
    await predict(world, 49.0, day=2)
    assert await watch_once(world) == [("reopened", "rul_critical", FIRST)]
    assert await watch_once(world) == []


async def test_a_swap_ends_the_alert_and_the_new_battery_is_judged_by_its_own_predictions(world: World) -> None:
    await predict(world, 50.0)
    await watch_once(world)
    report = await load(world, line(serial_number="NEW-1", installed_on="2026-11-20T03:00+07:00"))
    assert report["replaced"] == 1, report
    (alert,) = await world.alerts()
    assert alert["end_reason"] == "replaced"
    world.published.take()
    assert await watch_once(world) == []
    await predict(world, 40.0, day=1)
    assert await watch_once(world) == [("raised", "rul_critical", FIRST)]


async def test_a_retired_battery_raises_nothing(world: World) -> None:
    await predict(world, 50.0)
    await watch_once(world)
    assert (await retire(world, f"batteries/{FIRST}")).status_code == 200
    (alert,) = await world.alerts()
    assert alert["end_reason"] == "retired"
    world.published.take()
    assert await watch_once(world) == []


async def test_late_readings_leave_the_alerts_of_predictions_alone(world: World) -> None:
    await predict(world, 50.0)
    await watch_once(world)
    await world.sweep(NOW + timedelta(days=7))
    # Without a checkpoint, readings are judged again from the alerts that were open five days before.
    await world.rows("delete from judgement_checkpoint")
    await world.sweep(NOW + timedelta(days=7, minutes=-5))
    await world.sweep(NOW + timedelta(days=7, minutes=1))
    assert CRITICAL in await active(world)
    assert not {"rul_critical", "rul_warning"} & set(await world.rule_state(FIRST) or {})
