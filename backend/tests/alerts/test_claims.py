"""What a sender says against what is measured: its mode, its clock, its sensors, its nameplate."""

from datetime import timedelta
from typing import Any

import pytest

from battery_api.alerts.clock_watch import ClockWatch

from .world import BATTERIES, FIRST, LOCATIONS, NOW, PER_STRING, STRINGS, World, alerts_among, iso, named, reading

MINUTE = timedelta(minutes=1)
MEMBERS = BATTERIES[:PER_STRING]


def string_reading(at: Any, **values: Any) -> dict[str, Any]:
    return {"string_id": STRINGS[0], "time": iso(at), **values}


async def rules(world: World) -> set[str]:
    return {alert["rule_id"] for alert in await world.alerts(active="true")}


async def live(world: World, code: str) -> dict[str, Any]:
    answer = await world.client.get(f"batteries/{code}", headers=named("mali"))
    found: dict[str, Any] = answer.json()["live"]
    return found


async def test_a_temperature_that_stops_raises_while_the_voltage_goes_on(world: World) -> None:
    start = NOW - timedelta(hours=3)
    await world.post({"readings": [reading(code, start) for code in MEMBERS]})
    readings = [
        {"battery_id": FIRST, "time": iso(start + minute * MINUTE), "voltage_v": 13.6} for minute in range(5, 180, 5)
    ]
    await world.post({"readings": readings})
    assert await rules(world) == {"sensor_fault.temperature_lost"}
    shown = await live(world, FIRST)
    assert (shown["temperature_c"], shown["soc"]["reason"]) == (None, "sensor_fault")
    await world.post({"readings": [reading(FIRST, NOW)]})
    assert await rules(world) == set()


async def test_a_voltage_that_stands_still_through_a_discharge_is_a_sensor_fault(world: World) -> None:
    start = NOW - timedelta(hours=1)
    for minute in range(40):
        at = start + minute * MINUTE
        sagging = 13.6 if minute < 10 else 12.4 - 0.02 * minute
        values = {code: {"voltage_v": 13.65 if code == FIRST else sagging, "current_a": None} for code in MEMBERS}
        body = {"string_readings": [string_reading(at, current_a=0.1 if minute < 10 else -60.0)]}
        await world.post(body | {"readings": [reading(code, at, **values[code]) for code in MEMBERS]})
    found = {(alert["battery_id"], alert["rule_id"]) for alert in await world.alerts(active="true")}
    assert found == {(FIRST, "sensor_fault.stuck_on_discharge")}
    assert (await live(world, FIRST))["soc"]["reason"] == "sensor_fault"


@pytest.mark.parametrize(
    ("reported", "current_a", "mode"), [("float", -40.0, "discharge"), ("discharge", 12.0, "recharge")]
)
async def test_the_current_outranks_the_reported_mode(world: World, reported: str, current_a: float, mode: str) -> None:
    for minute in (3, 2, 1, 0):
        reading_of_string = string_reading(NOW - minute * MINUTE, current_a=current_a, mode=reported)
        await world.post({"string_readings": [reading_of_string]})
    assert await rules(world) == {"data_quality.mode"}
    (state,) = await world.rows("select mode from string_state where time is not null")
    assert state["mode"] == mode


async def test_the_voltage_of_one_battery_is_not_that_of_its_string(world: World) -> None:
    await world.post({"string_readings": [string_reading(NOW, voltage_v=13.6)]})
    assert await rules(world) == {"data_quality.string_voltage"}
    await world.post({"string_readings": [string_reading(NOW + 2 * MINUTE, voltage_v=81.7)]})
    assert await rules(world) == set()


async def test_a_battery_without_a_baseline_is_judged_by_its_nameplate(world: World) -> None:
    for unusable in (None, 980.0):
        await world.rows(
            "update battery set baseline_resistance_mohm = $1 where code = $2 returning 1", unusable, FIRST
        )
        await world.post({"readings": [reading(FIRST, NOW, internal_resistance_mohm=7.0)]})
        assert await rules(world) == {"resistance_drift.nominal"}


async def test_a_reading_dated_ahead_does_not_outrank_what_follows_once_the_clock_is_set(world: World) -> None:
    await world.post({"readings": [reading(FIRST, NOW + timedelta(seconds=270))]})
    await world.post({"readings": [reading(FIRST, NOW, voltage_v=0.2)]})
    assert await rules(world) == {"voltage_low.danger"}
    shown = await live(world, FIRST)
    assert (shown["voltage_v"], shown["time"]) == (pytest.approx(0.2), iso(NOW))


async def watched(world: World, offset: timedelta, minutes: int) -> ClockWatch:
    watch = ClockWatch(world.app.state.parts.context)
    for minute in range(minutes):
        now = NOW + minute * MINUTE
        world.clock.set(now)
        body = {"readings": [reading(code, now + offset) for code in MEMBERS]}
        answer = await world.client.post("telemetry", json=body, headers=named("feed"))
        assert answer.status_code == 200
        await watch.run_once(world.published)
    return watch


@pytest.mark.parametrize(
    ("offset", "code"),
    [
        (timedelta(minutes=-6), "clock_behind"),
        (timedelta(minutes=4), "clock_ahead"),
        (timedelta(hours=1), "clock_ahead"),
    ],
)
async def test_a_sender_with_a_wrong_clock_is_not_silent_and_its_clock_is_named(
    world: World, offset: timedelta, code: str
) -> None:
    await watched(world, timedelta(0), 2)
    watch = await watched(world, offset, 5)
    assert await world.watch(began_at=NOW - timedelta(days=1)).run_once(world.published) == []
    (alert,) = [one for one in await world.alerts(active="true") if one["type"] == "data_quality"]
    assert (alert["location_id"], alert["message_code"]) == (LOCATIONS[0], code)
    world.clock.set(NOW + timedelta(minutes=70))
    await world.post({"readings": [reading(one, NOW + timedelta(minutes=70)) for one in MEMBERS]})
    await watch.run_once(world.published)
    assert [one for one in await world.alerts(active="true") if one["type"] == "data_quality"] == []


async def test_a_wrong_clock_that_outlasts_its_resolution_is_raised_again(world: World) -> None:
    await watched(world, timedelta(0), 2)
    behind = timedelta(minutes=-6)
    watch = await watched(world, behind, 5)
    (alert,) = [one for one in await world.alerts(active="true") if one["type"] == "data_quality"]
    answer = await world.client.post(f"alerts/{alert['alert_id']}/resolve", headers=named("somchai"))
    assert (answer.json()["is_active"], answer.json()["resolved_by"]) == (True, "somchai")
    resolved_at = world.clock.now()
    kinds = []
    for minute in (1, 2, 3):
        now = resolved_at + minute * MINUTE
        world.clock.set(now)
        await world.post({"readings": [reading(code, now + behind) for code in MEMBERS]})
        kinds.append([event.event for event in alerts_among(await watch.run_once(world.published))])
    assert kinds == [[], ["reopened"], []]
    assert (await world.detail(alert["alert_id"]))["resolved_by"] is None


async def test_a_backlog_that_catches_up_is_no_wrong_clock(world: World) -> None:
    watch = ClockWatch(world.app.state.parts.context)
    for minute in range(6):
        world.clock.set(NOW + minute * MINUTE)
        at = NOW - timedelta(hours=2) + minute * timedelta(minutes=20)
        await world.post({"readings": [reading(code, at) for code in MEMBERS]})
        assert await watch.run_once(world.published) == []
