from datetime import datetime, timedelta
from typing import Any

from battery_api.alerts.staleness_watch import StalenessWatch

from .world import BATTERIES, FIRST, LOCATIONS, NOW, PER_STRING, STRINGS, World, alerts_among, named

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
HERE = BATTERIES[: 2 * PER_STRING]
THERE = BATTERIES[2 * PER_STRING :]
STRING_1 = BATTERIES[:PER_STRING]
STRING_2 = BATTERIES[PER_STRING : 2 * PER_STRING]


async def fed(world: World, codes: list[str] | tuple[str, ...], start: datetime, minutes: int) -> datetime:
    """Feed some batteries once a minute; the rest says nothing."""
    at = start
    for minute in range(minutes):
        at = start + minute * MINUTE
        await world.sweep(at, codes=codes)
    return at


async def test_silence_of_one_battery(world: World) -> None:
    watch = world.watch()
    await fed(world, BATTERIES, NOW, 3)
    last = NOW + 2 * MINUTE
    at = await fed(world, BATTERIES[1:], NOW + 3 * MINUTE, 5)
    world.clock.set(last + 300 * SECOND)
    assert await watch.run_once(world.published) == []
    world.clock.set(last + 301 * SECOND)
    await watch.run_once(world.published)
    assert world.published.take()[-1] == ("raised", "data_stale", FIRST)
    (alert,) = await world.alerts()
    assert (alert["severity"], alert["message"]) == ("warning", "No reading for 5 min")
    assert await world.open_counts(FIRST) == (0, 1, 0)
    assert await watch.run_once(world.published) == []
    await world.sweep(at + MINUTE)
    await watch.run_once(world.published)
    assert world.published.take()[-1] == ("cleared", "data_stale", FIRST)
    assert await world.open_counts(FIRST) == (0, 0, 0)


async def test_silent_gateway_raises_one_alert_for_its_location(world: World) -> None:
    watch = world.watch()
    await fed(world, BATTERIES, NOW, 3)
    # The strings of a location report half a minute apart, so they become stale one after another.
    await world.sweep(NOW + 150 * SECOND, codes=STRING_2)
    world.published.take()
    for minute in range(3, 20):
        await world.sweep(NOW + minute * MINUTE, codes=THERE)
        await watch.run_once(world.published)
    assert [event for event in world.published.take() if event[1] == "data_stale"] == [
        ("raised", "data_stale", LOCATIONS[0])
    ]
    (alert,) = await world.alerts(active="true")
    assert (alert["severity"], alert["string_id"], alert["battery_id"]) == ("critical", None, None)
    assert alert["message_params"]["battery_count"] == len(HERE)
    await world.sweep(NOW + 20 * MINUTE)
    await watch.run_once(world.published)
    assert await world.alerts(active="true") == []


async def test_part_that_stays_silent_gets_its_own_alert(world: World) -> None:
    watch = world.watch()
    await fed(world, BATTERIES, NOW, 2)
    await fed(world, THERE, NOW + 2 * MINUTE, 8)
    await watch.run_once(world.published)
    assert [one["string_id"] for one in await world.alerts(active="true")] == [None]
    for minute in range(10, 14):
        await world.sweep(NOW + minute * MINUTE, codes=[*STRING_1, *THERE])
        await watch.run_once(world.published)
    (left,) = await world.alerts(active="true")
    assert (left["string_id"], left["battery_id"]) == (STRINGS[1], None)
    assert left["message"].startswith("No reading from any of the string's 6 batteries")
    (wide,) = await world.alerts(active="false", type="data_stale")
    assert wide["string_id"] is None


async def test_restart_neither_forgets_nor_doubles(world: World) -> None:
    await fed(world, BATTERIES, NOW, 2)
    await fed(world, BATTERIES[1:], NOW + 2 * MINUTE, 8)
    await world.watch().run_once(world.published)
    (before,) = await world.alerts(active="true")
    # Everything was down for an hour; the watch of the new process has just begun.
    world.clock.set(NOW + timedelta(hours=1))
    fresh = world.watch(began_at=world.clock.now())
    assert await fresh.run_once(world.published) == []
    assert [one["alert_id"] for one in await world.alerts(active="true")] == [before["alert_id"]]
    world.clock.advance(299 * SECOND)
    assert await fresh.run_once(world.published) == []
    world.clock.advance(2 * SECOND)
    events = alerts_among(await fresh.run_once(world.published))
    raised = {one.alert.location_id for one in events if one.event == "raised"}
    assert raised == set(LOCATIONS)
    active = await world.alerts(active="true")
    assert sorted((one["location_id"], one["battery_id"]) for one in active) == [(one, None) for one in LOCATIONS]
    # The narrower one gave way and says to what.
    timeline = (await world.detail(before["alert_id"]))["timeline"]
    assert timeline[-1]["data"] == {"superseded_by": "location"}


async def test_two_watches_at_once_raise_once(world: World) -> None:
    await fed(world, BATTERIES, NOW, 2)
    world.clock.set(NOW + timedelta(hours=1))
    await world.watch().run_once(world.published)
    assert await world.watch().run_once(world.published) == []
    assert len(await world.alerts()) == len(LOCATIONS)


async def test_battery_without_any_reading_has_no_data_and_no_alert(world: World) -> None:
    await fed(world, BATTERIES[1:], NOW, 9)
    assert await world.watch().run_once(world.published) == []
    assert await world.alerts() == []
    found = await world.client.get(f"batteries/{FIRST}", headers=named("somchai"))
    assert found.json()["status"] == "no_data"


async def test_slow_reporter_gets_three_of_its_intervals(world: World) -> None:
    watch = world.watch(began_at=NOW - timedelta(days=2))
    start = NOW
    for hour in range(10):
        await world.sweep(start + timedelta(hours=hour), codes=[FIRST])
    last = start + timedelta(hours=9)
    world.clock.set(last + timedelta(hours=2, minutes=59))
    assert await watch.run_once(world.published) == []
    world.clock.set(last + timedelta(hours=3, minutes=1))
    assert [one.alert.location_id for one in alerts_among(await watch.run_once(world.published))] == [LOCATIONS[0]]


async def resolved_staleness(world: World) -> tuple[StalenessWatch, dict[str, Any]]:
    """Let one location fall silent, and resolve the alert about it; return the watch and the alert."""
    watch = world.watch()
    await fed(world, BATTERIES, NOW, 2)
    await fed(world, THERE, NOW + 2 * MINUTE, 8)
    await watch.run_once(world.published)
    (alert,) = await world.alerts(active="true")
    answer = await world.client.post(f"alerts/{alert['alert_id']}/resolve", headers=named("somchai"))
    assert answer.status_code == 200
    return watch, alert


async def test_resolved_staleness_that_persists_is_raised_again_after_its_time(world: World) -> None:
    watch, alert = await resolved_staleness(world)
    at = world.clock.now()
    world.published.take()
    for minute in range(1, 6):
        await world.sweep(at + minute * MINUTE, codes=THERE)
        await watch.run_once(world.published)
        (kept,) = await world.alerts(active="true")
        assert (kept["alert_id"], kept["resolved_by"]) == (alert["alert_id"], "somchai")
    await world.sweep(at + 6 * MINUTE, codes=THERE)
    await watch.run_once(world.published)
    (again,) = await world.alerts(active="true")
    assert (again["alert_id"], again["resolved_at"], again["location_id"]) == (alert["alert_id"], None, LOCATIONS[0])
    assert world.published.take() == [("reopened", "data_stale", LOCATIONS[0])]
    assert await watch.run_once(world.published) == []


async def test_resolved_staleness_clears_when_the_readings_return(world: World) -> None:
    watch, alert = await resolved_staleness(world)
    await world.sweep(world.clock.now() + MINUTE)
    await watch.run_once(world.published)
    detail = await world.detail(alert["alert_id"])
    assert (detail["is_active"], detail["resolved_by"]) == (False, "somchai")
    assert [entry["kind"] for entry in detail["timeline"]] == ["raised", "resolved", "cleared"]
