import asyncio
import json
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import event

from battery_api.alerts.engine.rules import RULE_BY_ID
from battery_api.fleet.ohmic import resistance_at_25c

from .world import BATTERIES, FIRST, LOCATIONS, NOW, PER_STRING, STRINGS, World, iso, named, reading

MINUTE = timedelta(minutes=1)


async def test_healthy_fleet_leaves_nothing(world: World) -> None:
    for minute in range(3):
        await world.sweep(NOW + minute * MINUTE)
    assert await world.alerts() == []
    assert await world.rows("select 1 from battery_state where rule_state is not null") == []


async def test_dangerous_values_are_alarmed_at_once(world: World) -> None:
    changed: dict[str, dict[str, Any]] = {
        BATTERIES[0]: {"voltage_v": 0.0},
        BATTERIES[1]: {"voltage_v": -2.1},
        BATTERIES[2]: {"temperature_c": 70.0},
    }
    await world.sweep(NOW, changed)
    found = {(one["battery_id"], one["type"]): one for one in await world.alerts(severity="critical")}
    assert set(found) >= {
        (BATTERIES[0], "voltage_low"),
        (BATTERIES[1], "voltage_low"),
        (BATTERIES[2], "temperature_high"),
    }
    hot = found[BATTERIES[2], "temperature_high"]
    assert hot["message"].startswith("Temperature 70.0 °C")
    assert (hot["value"], hot["threshold"], hot["unit"], hot["peak_value"]) == (70.0, 60.0, "°C", 70.0)
    assert (hot["system_id"], hot["string_id"], hot["location_id"]) == (
        "DC-BKK-01-UPS-01",
        STRINGS[0],
        LOCATIONS[0],
    )
    assert hot["raised_at"] == iso(NOW)
    assert await world.open_counts(BATTERIES[2]) == (0, 0, 1)
    # The neighbours of a dead block are not accused.
    assert {one["battery_id"] for one in await world.alerts()} == set(BATTERIES[:3])
    assert ("raised", "temperature_high", BATTERIES[2]) in world.published.take()


async def test_dangerous_value_is_alarmed_during_a_discharge_too(world: World) -> None:
    await world.sweep(NOW, {code: {"current_a": -70.0, "voltage_v": 12.2} for code in BATTERIES})
    assert await world.alerts() == []
    later = {code: {"current_a": -70.0, "voltage_v": 12.2} for code in BATTERIES} | {
        FIRST: {"current_a": -70.0, "voltage_v": -1.0}
    }
    await world.sweep(NOW + timedelta(seconds=2), later)
    (alert,) = await world.alerts()
    assert (alert["battery_id"], alert["type"], alert["severity"]) == (FIRST, "voltage_low", "critical")


async def hot_for(world: World, minutes: int, value: float = 41.0, *, start: int = 0) -> None:
    for minute in range(start, start + minutes):
        await world.sweep(NOW + minute * MINUTE, {FIRST: {"temperature_c": value}}, codes=[FIRST])


async def test_alert_waits_for_its_hold_and_tells_its_story(world: World) -> None:
    await hot_for(world, 60)
    assert await world.alerts(type="temperature_high") == []
    assert await world.rule_state(FIRST) is not None
    await hot_for(world, 1, start=60)
    (alert,) = await world.alerts(type="temperature_high")
    assert alert["raised_at"] == iso(NOW + 60 * MINUTE)
    assert alert["message_params"]["since"] == iso(NOW)
    await hot_for(world, 1, 44.0, start=61)
    assert (await world.alerts(type="temperature_high"))[0]["peak_value"] == 44.0
    await hot_for(world, 11, 25.0, start=62)
    (alert,) = await world.alerts(type="temperature_high")
    assert alert["cleared_at"] == iso(NOW + 72 * MINUTE)
    assert not alert["is_active"]
    timeline = (await world.detail(alert["alert_id"]))["timeline"]
    assert [entry["kind"] for entry in timeline] == ["raised", "cleared"]
    assert [event for event, kind, _ in world.published.take() if kind == "temperature_high"] == ["raised", "cleared"]
    await hot_for(world, 70, 25.0, start=73)
    assert await world.rule_state(FIRST) is None
    assert await world.open_counts(FIRST) == (0, 0, 0)


async def test_drift_warning_needs_a_second_measurement(world: World) -> None:
    assert RULE_BY_ID["resistance_drift.warning"].hold_s == 12 * 3600
    measured = {"internal_resistance_mohm": 3.4 * 1.25, "temperature_c": 25.0}
    start = NOW - timedelta(hours=30)
    for hour in range(31):
        at = start + timedelta(hours=hour)
        await world.sweep(at, {FIRST: measured} if hour in {0, 24} else {}, codes=[FIRST])
        found = await world.alerts(type="resistance_drift")
        assert len(found) == (1 if hour >= 24 else 0)
    assert found[0]["value"] == pytest.approx(25.0, abs=0.01)


async def test_critical_drift_is_corrected_to_25_degrees(world: World) -> None:
    warm = 35.0
    looks_low = float(3.4 * 1.6 * np.exp(-0.008 * (warm - 25.0)))
    assert float(resistance_at_25c(np.array([looks_low]), np.array([warm]))[0]) == pytest.approx(3.4 * 1.6)
    await world.sweep(NOW, {FIRST: {"internal_resistance_mohm": looks_low, "temperature_c": warm}}, codes=[FIRST])
    (alert,) = await world.alerts()
    assert (alert["type"], alert["severity"]) == ("resistance_drift", "critical")
    assert alert["value"] == pytest.approx(60.0, abs=0.1)


async def test_condition_that_began_and_ended_in_one_batch_is_recorded_without_a_call(world: World) -> None:
    start = NOW - timedelta(hours=1)
    values = [70.0] + [25.0] * 5
    readings = [reading(FIRST, start + at * MINUTE, temperature_c=value) for at, value in enumerate(values)]
    await world.post({"readings": readings})
    (alert,) = await world.alerts(type="temperature_high")
    assert (alert["raised_at"], alert["cleared_at"]) == (iso(start), iso(start + 2 * MINUTE))
    assert [entry["kind"] for entry in (await world.detail(alert["alert_id"]))["timeline"]] == ["raised", "cleared"]
    assert world.published.take() == [("cleared", "temperature_high", FIRST)]
    assert await world.open_counts(FIRST) == (0, 0, 0)


@pytest.mark.parametrize("batched", [False, True])
async def test_a_condition_that_keeps_coming_back_is_one_unstable_alert(world: World, batched: bool) -> None:
    start = NOW - timedelta(hours=6)
    readings = [
        reading(FIRST, start + at * MINUTE, voltage_v=0.0 if at % 10 == 5 and at < 200 else 13.6) for at in range(240)
    ]
    for part in [readings] if batched else [readings[at : at + 1] for at in range(len(readings))]:
        await world.post({"readings": part})
    (alert,) = await world.alerts()
    assert (alert["episode_count"], alert["is_active"]) == (20, True)
    kinds = [entry["kind"] for entry in (await world.detail(alert["alert_id"]))["timeline"]]
    assert kinds == ["raised", "cleared", "reopened"]
    calm = [reading(FIRST, start + at * MINUTE) for at in range(240, 300)]
    await world.post({"readings": calm})
    (alert,) = await world.alerts()
    assert (alert["cleared_at"], alert["is_active"]) == (iso(start + 256 * MINUTE), False)
    assert await world.open_counts(FIRST) == (0, 0, 0)


async def test_same_batch_twice_raises_once(world: World) -> None:
    for _ in range(2):
        await world.sweep(NOW, {FIRST: {"temperature_c": 70.0}})
    assert len(await world.alerts()) == 1
    assert len(await world.rows("select 1 from alert_event")) == 1


async def test_a_late_danger_is_an_alert_of_its_own_time(world: World) -> None:
    await world.sweep(NOW)
    await world.post({"readings": [reading(FIRST, NOW - 10 * MINUTE, temperature_c=70.0)]})
    (alert,) = await world.alerts()
    assert (alert["rule_id"], alert["is_active"]) == ("temperature_high.danger", True)
    assert datetime.fromisoformat(alert["raised_at"]) == NOW - 10 * MINUTE
    assert world.published.take() == [("raised", "temperature_high", FIRST)]
    assert await world.open_counts(FIRST) == (0, 0, 1)


async def test_an_episode_that_was_over_before_it_became_known_is_recorded_and_alarms_nobody(world: World) -> None:
    minutes = range(60, 0, -1)
    healthy = [reading(FIRST, NOW - minute * MINUTE) for minute in minutes if not 40 <= minute < 45]
    await world.post({"readings": healthy})
    world.published.take()
    hot = [reading(FIRST, NOW - minute * MINUTE, temperature_c=70.0) for minute in range(40, 45)]
    await world.post({"readings": hot})
    (alert,) = await world.alerts()
    assert (datetime.fromisoformat(alert["raised_at"]), alert["is_active"]) == (NOW - 44 * MINUTE, False)
    assert world.published.take() == []
    assert await world.open_counts(FIRST) == (0, 0, 0)


async def test_late_readings_that_refute_an_alert_withdraw_it(world: World) -> None:
    hot = {"temperature_c": 52.0}
    await world.post({"readings": [reading(FIRST, NOW - minute * MINUTE, **hot) for minute in (9, 7, 5, 3)]})
    (alert,) = await world.alerts()
    assert (alert["rule_id"], alert["is_active"]) == ("temperature_high.stop_charge", True)
    world.published.take()
    await world.post({"readings": [reading(FIRST, NOW - minute * MINUTE, temperature_c=25.0) for minute in (8, 6, 4)]})
    detail = await world.detail(alert["alert_id"])
    assert detail["is_active"] is False
    assert [entry["kind"] for entry in detail["timeline"]] == ["raised", "withdrawn"]
    assert world.published.take() == [("withdrawn", "temperature_high", FIRST)]
    assert await world.open_counts(FIRST) == (0, 0, 0)


async def test_a_backlog_completes_a_hold_in_whatever_order_it_is_drained(world: World) -> None:
    def hot(first: int, end: int) -> dict[str, Any]:
        return {"readings": [reading(FIRST, NOW - m * MINUTE, temperature_c=46.0) for m in range(first, end)]}

    await world.post(hot(1, 2))
    for begin in (2, 62, 122):
        await world.post(hot(begin, begin + 60))
    (alert,) = await world.alerts()
    assert (alert["rule_id"], alert["is_active"]) == ("temperature_high.critical", True)
    assert datetime.fromisoformat(alert["raised_at"]) == NOW - 121 * MINUTE


async def test_an_acknowledged_alert_keeps_its_note_when_late_readings_move_its_beginning(world: World) -> None:
    hot = {"temperature_c": 52.0}
    await world.post({"readings": [reading(FIRST, NOW - minute * MINUTE, **hot) for minute in range(8, 0, -1)]})
    (alert,) = await world.alerts()
    await world.client.post(
        f"alerts/{alert['alert_id']}/acknowledge", json={"note": "on my way"}, headers=named("somchai")
    )
    await world.post({"readings": [reading(FIRST, NOW - minute * MINUTE, **hot) for minute in range(20, 8, -1)]})
    (moved,) = await world.alerts()
    assert (moved["alert_id"], moved["acknowledged_by"]) == (alert["alert_id"], "somchai")
    assert datetime.fromisoformat(moved["raised_at"]) == NOW - 15 * MINUTE
    kinds = [entry["kind"] for entry in (await world.detail(alert["alert_id"]))["timeline"]]
    assert sorted(kinds) == ["acknowledged", "raised", "revised"]


async def test_batches_at_once_raise_once(world: World) -> None:
    async def post(second: int) -> None:
        await world.post({"readings": [reading(FIRST, NOW - timedelta(seconds=second), temperature_c=70.0)]})

    await asyncio.gather(*(post(second) for second in range(8)))
    assert len(await world.alerts(type="temperature_high")) == 1
    assert await world.open_counts(FIRST) == (0, 0, 1)


async def test_open_alert_that_the_state_forgot_is_taken_over(world: World) -> None:
    await world.sweep(NOW, {FIRST: {"temperature_c": 70.0}})
    await world.rows("update battery_state set rule_state = null")
    world.published.take()
    await world.sweep(NOW + MINUTE, {FIRST: {"temperature_c": 70.0}})
    (alert,) = await world.alerts()
    assert world.published.take() == []
    state = await world.rule_state(FIRST)
    assert state is not None
    assert state["temperature_high"]["alert"]["alert_id"] == alert["alert_id"]


async def test_unreadable_state_does_not_stop_ingest(world: World) -> None:
    await world.rows("""update battery_state set rule_state = '{"voltage_low": 7}'""")
    await world.sweep(NOW, {FIRST: {"temperature_c": 70.0}})
    assert len(await world.alerts()) == 1


async def test_escalation_keeps_one_alert_and_asks_again(world: World) -> None:
    for minute in range(11):
        await world.sweep(NOW + minute * MINUTE, {FIRST: {"voltage_v": 13.05 - 1.0}})
    (alert,) = await world.alerts(type="voltage_low", battery_id=FIRST)
    assert alert["severity"] == "critical"

    await world.rows("update alert set severity = 'warning', rule_id = 'voltage_low.float', acknowledged_at = now()")
    state = await world.rule_state(FIRST)
    assert state is not None
    state["voltage_low"]["alert"]["rule_id"] = "voltage_low.float"

    await world.rows(
        "update battery_state set rule_state = $1::jsonb where battery_id = (select id from battery where code = $2)",
        json.dumps(state),
        FIRST,
    )
    await world.sweep(NOW + 11 * MINUTE, {FIRST: {"voltage_v": 12.05}})
    (alert,) = await world.alerts(type="voltage_low", battery_id=FIRST)
    assert alert["severity"] == "critical"
    assert alert["acknowledged_at"] is None
    kinds = [entry["kind"] for entry in (await world.detail(alert["alert_id"]))["timeline"]]
    assert kinds[-1] == "escalated"


async def test_mains_outage_and_air_conditioning_of_a_location(world: World) -> None:
    async def report(minute: int, **values: Any) -> None:
        at = NOW + minute * MINUTE
        world.clock.set(at)
        await world.post({"site_readings": [{"location_id": LOCATIONS[0], "time": iso(at), **values}]})

    await report(0, mains=True, hvac="running", ambient_c=24.0)
    await report(1, mains=False, hvac="failed", ambient_c=24.0)
    assert [(one["type"], one["severity"]) for one in await world.alerts()] == [("mains_outage", "info")]
    for minute in range(2, 8):
        await report(minute, mains=False, hvac="failed", ambient_c=26.0)
    found = {one["type"]: one for one in await world.alerts(location_id=LOCATIONS[0])}
    assert (found["mains_outage"]["severity"], found["hvac_failure"]["severity"]) == ("warning", "critical")
    assert found["hvac_failure"]["battery_id"] is None
    for minute in range(8, 16):
        await report(minute, mains=True, hvac="running", ambient_c=25.0)
    assert await world.alerts(active=True) == []


async def test_charge_current_of_a_string(world: World) -> None:
    for minute in range(12):
        at = NOW + minute * MINUTE
        world.clock.set(at)
        await world.post({"string_readings": [{"string_id": STRINGS[0], "time": iso(at), "current_a": 50.0}]})
    (alert,) = await world.alerts()
    assert (alert["type"], alert["string_id"], alert["battery_id"]) == ("current_high", STRINGS[0], None)


async def test_weak_block_shows_on_discharge_and_clears_after_it(world: World) -> None:
    def block(code: str) -> dict[str, Any]:
        return {"current_a": -70.0, "voltage_v": 11.0 if code == FIRST else 12.2}

    for second in range(0, 40, 2):
        await world.sweep(NOW + timedelta(seconds=second), {code: block(code) for code in BATTERIES[:PER_STRING]})
    (alert,) = await world.alerts(active=True)
    assert (alert["type"], alert["battery_id"]) == ("string_imbalance", FIRST)
    assert alert["value"] == pytest.approx(-1.2, abs=0.001)
    for minute in range(1, 12):
        charging = {code: {"current_a": 20.0, "voltage_v": 13.2} for code in BATTERIES[:PER_STRING]}
        await world.sweep(NOW + minute * MINUTE, charging)
    assert await world.alerts(active=True) == []


async def test_hundreds_of_alerts_take_as_many_statements_as_one(world: World) -> None:
    statements: list[str] = []

    def note(*details: Any) -> None:
        statements.append(details[2])

    event.listen(world.database.engine.sync_engine, "before_cursor_execute", note)
    await world.sweep(NOW, {FIRST: {"temperature_c": 65.0}})
    for_one = len(statements)
    await world.sweep(NOW + MINUTE, {code: {"temperature_c": 65.0} for code in BATTERIES})
    for_all = len(statements)
    assert len(await world.alerts(limit=1000)) == len(BATTERIES)
    assert for_all - for_one <= for_one
