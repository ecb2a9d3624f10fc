"""Alerts of one trouble are one incident, however they arrive; the rows of alerts say all there is to know of it."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from battery_api.alerts.grouping.follow import follow
from battery_api.alerts.staleness_watch import StalenessWatch
from battery_api.incidents.job import run_once

from .world import BATTERIES, FIRST, LOCATIONS, NOW, PER_STRING, STRINGS, World, iso, named, reading

MINUTE = timedelta(minutes=1)
HERE = BATTERIES[: 2 * PER_STRING]
THERE = BATTERIES[2 * PER_STRING :]
DEAD = {"voltage_v": 0.5}


async def incidents(world: World) -> list[dict[str, Any]]:
    return await world.rows(
        "select i.*, g.code as string, l.code as location from incident i join location l on l.id = i.location_id "
        "left join string g on g.id = i.string_id order by i.id"
    )


async def unmerged(world: World) -> list[dict[str, Any]]:
    return [one for one in await incidents(world) if one["merged_into_id"] is None]


async def entries(world: World, incident: int) -> list[str]:
    rows = await world.rows("select kind from incident_event where incident_id = $1 order by id", incident)
    return [row["kind"] for row in rows]


async def ungrouped(world: World) -> int:
    (row,) = await world.rows("select count(*) as n from alert where incident_id is null")
    number: int = row["n"]
    return number


def climate(at: datetime, location: str = LOCATIONS[0], **values: Any) -> dict[str, Any]:
    return {"location_id": location, "time": iso(at), "ambient_c": 24.0, "hvac": "running", "mains": True} | values


async def post_climate(world: World, at: datetime, **values: Any) -> None:
    world.clock.set(max(world.clock.now(), at))
    await world.post({"site_readings": [climate(at, **values)]})


async def test_a_string_of_dead_blocks_is_one_incident(world: World) -> None:
    await world.sweep(NOW, dict.fromkeys(BATTERIES[:PER_STRING], DEAD))
    (one,) = await incidents(world)
    assert (one["family"], one["string"], one["severity"]) == ("voltage", STRINGS[0], "critical")
    assert (one["alert_count"], one["battery_count"], one["unacknowledged_count"]) == (PER_STRING,) * 3
    (event,) = world.published.incidents
    assert (event.event, event.incident.alert_count) == ("opened", PER_STRING)
    assert (event.incident.status, event.incident.battery_id) == ("open", None)


async def test_one_block_alone_is_named(world: World) -> None:
    await world.sweep(NOW, {FIRST: DEAD})
    (event,) = world.published.incidents
    assert (event.incident.battery_id, event.incident.lead.battery_id) == (FIRST, FIRST)


async def test_strings_and_families_stand_apart(world: World) -> None:
    await world.sweep(NOW, {FIRST: DEAD | {"temperature_c": 70.0}, BATTERIES[PER_STRING]: DEAD})
    assert sorted((one["family"], one["string"]) for one in await incidents(world)) == [
        ("temperature", STRINGS[0]),
        ("voltage", STRINGS[0]),
        ("voltage", STRINGS[1]),
    ]


async def test_a_second_block_joins_and_a_new_occurrence_is_a_new_incident(world: World) -> None:
    await world.sweep(NOW, {FIRST: DEAD})
    await world.sweep(NOW + MINUTE, {FIRST: DEAD, BATTERIES[1]: DEAD})
    (one,) = await incidents(world)
    assert (one["alert_count"], one["revision"]) == (2, 1)
    assert await entries(world, one["id"]) == ["opened", "joined"]
    for minute in range(2, 6):
        await world.sweep(NOW + minute * MINUTE)
    (one,) = await incidents(world)
    assert (one["active_count"], one["cleared_at"] is not None) == (0, True)
    later = NOW + timedelta(hours=3)
    await world.sweep(later, {FIRST: DEAD})
    first, second = await incidents(world)
    assert (first["active_count"], second["active_count"], second["opened_at"]) == (0, 1, later)
    assert await entries(world, first["id"]) == ["opened", "joined", "cleared"]


async def test_a_condition_that_comes_back_at_once_is_the_same_incident(world: World) -> None:
    await world.sweep(NOW, {FIRST: DEAD})
    for minute in range(1, 4):
        await world.sweep(NOW + minute * MINUTE)
    await world.sweep(NOW + 4 * MINUTE, {FIRST: DEAD})
    (one,) = await incidents(world)
    assert (one["active_count"], one["cleared_at"]) == (1, None)
    assert await entries(world, one["id"]) == ["opened", "cleared", "reopened"]


async def test_an_outage_is_one_incident_with_every_child(world: World) -> None:
    await post_climate(world, NOW, mains=False)
    at = NOW + MINUTE
    await world.sweep(at, {code: {"current_a": -40.0, "voltage_v": 12.0} for code in HERE}, HERE)
    for second in range(10, 60, 10):
        low = {code: {"current_a": -40.0, "voltage_v": 9.5} for code in HERE}
        await world.sweep(at + timedelta(seconds=second), low, HERE)
    for minute in range(1, 9):
        await post_climate(world, at + minute * MINUTE, mains=False, hvac="off")
    (one,) = await unmerged(world)
    assert (one["family"], one["string"], one["battery_count"]) == ("power", None, len(HERE))
    assert {"mains_outage", "voltage_low", "hvac_failure"} <= set(one["types"])
    (lead,) = await world.rows("select type from alert where id = $1", one["lead_alert_id"])
    assert lead["type"] == "mains_outage"
    assert await ungrouped(world) == 0


async def test_a_cause_that_becomes_known_late_takes_its_consequences_in(world: World) -> None:
    discharge = {code: {"current_a": -40.0, "voltage_v": 9.5} for code in HERE}
    for second in range(0, 40, 10):
        await world.sweep(NOW + timedelta(seconds=second), discharge, HERE)
    assert [one["family"] for one in await incidents(world)] == ["voltage", "voltage"]
    await post_climate(world, NOW + MINUTE, mains=False)
    (one,) = await unmerged(world)
    assert (one["family"], one["battery_count"]) == ("power", len(HERE))
    merged = [row for row in await incidents(world) if row["merged_into_id"] is not None]
    assert [(row["merged_into_id"], row["active_count"]) for row in merged] == [(one["id"], 0)] * 2
    assert (await entries(world, one["id"]))[-1] == "absorbed"
    assert await entries(world, merged[0]["id"]) == ["opened", "merged"]


async def test_what_somebody_has_taken_in_hand_is_not_moved(world: World) -> None:
    await world.sweep(NOW, {FIRST: DEAD})
    (alert,) = await world.alerts()
    await world.client.post(
        f"alerts/{alert['alert_id']}/acknowledge", json={"note": "lead off"}, headers=named("somchai")
    )
    await post_climate(world, NOW + MINUTE, mains=False)
    assert sorted(one["family"] for one in await unmerged(world)) == ["power", "voltage"]


async def test_other_locations_and_times_are_not_explained(world: World) -> None:
    await post_climate(world, NOW, mains=False)
    await world.sweep(NOW + MINUTE, {THERE[0]: DEAD}, THERE)
    for minute in (2, 4):
        await post_climate(world, NOW + minute * MINUTE)
    await world.sweep(NOW + timedelta(hours=3), {FIRST: DEAD})
    found = [(one["family"], one["location"]) for one in await incidents(world)]
    assert found == [("power", LOCATIONS[0]), ("voltage", LOCATIONS[1]), ("voltage", LOCATIONS[0])]


async def test_a_silent_location_is_one_incident(world: World) -> None:
    await world.sweep(NOW)
    watch = world.watch()
    for minute in range(1, 11):
        at = NOW + minute * MINUTE
        world.clock.set(at)
        await world.sweep(at, codes=THERE)
        await watch.run_once(world.published)
    (one,) = await unmerged(world)
    assert (one["family"], one["location"], one["string"]) == ("silence", LOCATIONS[0], None)


async def test_silent_strings_of_a_sender_are_one_incident(world: World) -> None:
    # Of the two strings of the location each falls silent as a whole, a minute after the other.
    await world.sweep(NOW)
    watch: StalenessWatch = world.watch()
    for minute in range(1, 12):
        at = NOW + minute * MINUTE
        world.clock.set(at)
        codes = [*THERE, *HERE[: PER_STRING if minute < 2 else 0]]
        await world.sweep(at, codes=codes)
        await watch.run_once(world.published)
    assert [(one["family"], one["string"]) for one in await unmerged(world)] == [("silence", None)]


async def test_what_gets_worse_than_acknowledged_needs_a_new_acknowledgement(world: World) -> None:
    warm = {code: {"temperature_c": 36.0} for code in BATTERIES[:PER_STRING]}
    for minute in range(0, 250, 5):
        await world.sweep(NOW + minute * MINUTE, warm)
    alert = (await world.alerts(type="temperature_high"))[0]
    for number in [one["alert_id"] for one in await world.alerts(active="true")]:
        await world.client.post(f"alerts/{number}/acknowledge", json={"note": "fan"}, headers=named("somchai"))
    (one,) = [row for row in await incidents(world) if row["id"] == alert["incident_id"]]
    assert (one["acknowledged_by"], one["acknowledged_severity"], one["revision"]) == ("somchai", "warning", 2)
    await world.sweep(NOW + 251 * MINUTE, warm | {FIRST: {"temperature_c": 70.0}})
    (one,) = [row for row in await incidents(world) if row["id"] == alert["incident_id"]]
    assert (one["acknowledged_at"], one["severity"], one["revision"]) == (None, "critical", 3)
    assert (await entries(world, one["id"]))[-1] == "escalated"


async def test_an_alert_that_never_was_leaves_a_withdrawn_incident(world: World) -> None:
    world.clock.set(NOW + 61 * MINUTE)
    await world.post({"readings": [reading(FIRST, NOW + at * MINUTE, temperature_c=41.0) for at in range(61)]})
    (one,) = await incidents(world)
    cool = [reading(FIRST, NOW + at * MINUTE, temperature_c=25.0) for at in range(61)]
    await world.post({"readings": cool})
    (one,) = await incidents(world)
    assert (one["alert_count"], one["active_count"]) == (0, 0)
    assert (await entries(world, one["id"]))[-1] == "withdrawn"


async def test_following_again_changes_nothing(world: World) -> None:
    await world.sweep(NOW, dict.fromkeys(BATTERIES[:PER_STRING], DEAD))
    before = await incidents(world)
    numbers = [row["id"] for row in await world.rows("select id from alert")]
    async with world.database.begin() as connection:
        assert await follow(connection, numbers, now=NOW + MINUTE) == []
    assert await incidents(world) == before


async def test_the_end_of_a_battery_ends_its_incident(world: World) -> None:
    await world.sweep(NOW, {FIRST: DEAD})
    answer = await world.client.post(
        f"batteries/{FIRST}/retire", json={"retired_at": iso(NOW), "reason": "removed"}, headers=named("root")
    )
    assert answer.status_code in {200, 201}, answer.text
    (one,) = await incidents(world)
    assert (one["active_count"], one["cleared_at"] is not None) == (0, True)


@pytest.mark.parametrize("count", [1, 7])
async def test_alerts_of_before_are_adopted(world: World, count: int) -> None:
    await world.sweep(NOW, dict.fromkeys(BATTERIES[:count], DEAD))
    await world.rows("update alert set incident_id = null")
    await world.rows("update incident set lead_alert_id = null, cleared_at = opened_at")
    await run_once(world.app.state.parts.context, world.published)
    assert await ungrouped(world) == 0
