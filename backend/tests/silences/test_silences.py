"""A silence keeps incidents out of the inbox and loses nothing: what lasts comes back, what was hidden stays listed."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from battery_api.silences.job import run_once
from tests.alerts.world import BATTERIES, FIRST, LOCATIONS, NOW, PER_STRING, STRINGS, World, iso, named
from tests.incidents.actions import act as act_on
from tests.incidents.actions import listed, read

from .actions import DEAD, HOUR, MINUTE, STRING, act, changes, discharge, hidden, silence, silenced, work_off


async def shown(world: World, **query: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await listed(world, **query))["items"]
    return items


async def entries(world: World, incident: dict[str, Any]) -> list[str]:
    return [entry["kind"] for entry in (await read(world, incident["incident_id"]))["timeline"]]


async def test_what_is_raised_during_a_silence_is_kept_and_hidden(world: World) -> None:
    made = await silenced(world)
    assert (made["state"], made["hidden_count"], made["created_by"]) == ("active", 0, "somchai")
    await discharge(world, NOW + MINUTE, FIRST)
    (alert,) = await world.alerts(active="true")
    assert alert["rule_id"] == "voltage_low.discharge"
    page = await listed(world)
    assert (page["items"], page["total"], page["open_count"], page["alert_count"]) == ([], 0, 0, 0)
    assert page["hidden_count"] == 1
    ((one),) = await shown(world, include_hidden="true")
    assert (one["status"], one["hidden_by"]) == (
        "open",
        {"kind": "silence", "id": made["silence_id"], "ends_at": made["ends_at"]},
    )
    assert await entries(world, one) == ["opened", "hidden"]
    (event,) = world.published.incidents
    assert event.event == "opened"
    assert event.incident.hidden_by is not None
    ((span),) = await hidden(world, made)
    assert (span["alert"]["alert_id"], span["until_at"]) == (alert["alert_id"], None)


async def test_what_lasts_comes_back_at_the_end_and_stays_listed(world: World) -> None:
    await discharge(world, NOW + MINUTE, FIRST)
    ((incident),) = await shown(world)
    changes(world)
    made = await silenced(world)
    assert changes(world) == ["hidden"]
    assert await shown(world) == []
    at = NOW + MINUTE + HOUR
    assert await work_off(world, at - timedelta(seconds=1)) == 0
    assert await work_off(world, at) == 1
    assert changes(world) == ["unhidden"]
    ((back),) = await shown(world)
    assert (back["hidden_by"], back["revision"]) == (None, incident["revision"] + 1)
    assert await entries(world, back) == ["opened", "hidden", "unhidden"]
    assert await work_off(world, at + MINUTE) == 0
    ((span),) = await hidden(world, made)
    assert (span["from_at"], span["until_at"]) == (iso(NOW + MINUTE), iso(at))


async def test_the_inbox_shows_what_lasts_even_if_no_job_runs(world: World) -> None:
    await discharge(world, NOW + MINUTE, FIRST)
    await silenced(world)
    world.clock.set(NOW + MINUTE + HOUR)
    page = await listed(world)
    assert (page["open_count"], page["hidden_count"], len(page["items"])) == (1, 0, 1)


async def test_a_silence_that_is_to_come_hides_when_it_starts(world: World) -> None:
    await discharge(world, NOW + MINUTE, FIRST)
    starts_at = NOW + 10 * MINUTE
    made = await silenced(world, starts_at=iso(starts_at))
    assert (made["state"], len(await shown(world))) == ("upcoming", 1)
    assert await work_off(world, starts_at) == 1
    assert await shown(world) == []
    cancelled = await silenced(world, starts_at=iso(starts_at + MINUTE))
    answer = (await act(world, cancelled, "end")).json()
    assert (answer["state"], answer["ended_by"]) == ("ended", "somchai")


async def test_whoever_ends_a_silence_brings_back_what_lasts(world: World) -> None:
    made = await silenced(world)
    await discharge(world, NOW + MINUTE, FIRST)
    changes(world)
    answer = await act(world, made, "end", who="root")
    assert (answer.json()["state"], answer.json()["ended_by"], answer.json()["hidden_count"]) == ("ended", "root", 1)
    assert changes(world) == ["unhidden"]
    assert len(await shown(world)) == 1
    again = await act(world, made, "end")
    assert (again.status_code, again.json()["code"], again.json()["state"]["ended_by"]) == (
        409,
        "silence_ended",
        "root",
    )
    audit = await world.rows("select actor, action from audit_log where action like 'silence.%' order by id")
    assert [(row["actor"], row["action"]) for row in audit] == [
        ("somchai", "silence.created"),
        ("root", "silence.ended"),
    ]


async def test_of_two_silences_the_later_end_counts(world: World) -> None:
    first = await silenced(world)
    second = await silenced(world, ends_at=iso(NOW + 2 * HOUR))
    await discharge(world, NOW + MINUTE, FIRST)
    ((one),) = await shown(world, include_hidden="true")
    assert one["hidden_by"]["id"] == second["silence_id"]
    await work_off(world, NOW + HOUR)
    assert await shown(world) == []
    assert (len(await hidden(world, first)), len(await hidden(world, second))) == (1, 1)
    await work_off(world, NOW + 2 * HOUR)
    assert len(await shown(world)) == 1


async def test_one_alert_that_is_not_covered_shows_the_whole_incident(world: World) -> None:
    await silenced(world)
    await discharge(world, NOW + MINUTE, FIRST)
    assert await shown(world) == []
    changes(world)
    await discharge(world, NOW + 2 * MINUTE, FIRST, **{BATTERIES[1]: DEAD})
    ((one),) = await shown(world)
    assert (one["hidden_by"], one["severity"]) == (None, "critical")
    assert "unhidden" in await entries(world, one)
    assert "escalated" in changes(world)


async def test_what_was_over_by_the_end_does_not_come_back(world: World) -> None:
    made = await silenced(world)
    await discharge(world, NOW + MINUTE, FIRST)
    await discharge(world, NOW + 2 * MINUTE)
    await discharge(world, NOW + 3 * MINUTE)
    ((alert),) = await world.alerts()
    assert not alert["is_active"]
    await work_off(world, NOW + HOUR)
    assert await shown(world) == []
    ((one),) = await shown(world, include_hidden="true")
    assert (one["status"], one["hidden_by"]["id"]) == ("cleared", made["silence_id"])
    ((span),) = await hidden(world, made)
    assert span["until_at"] == alert["cleared_at"]


async def test_types_and_scopes_bound_a_silence(world: World) -> None:
    await silenced(world, types=["temperature_high"])
    await silenced(world, scope_id=STRINGS[1])
    await silenced(world, scope="location", scope_id=LOCATIONS[1])
    await silenced(world, scope="system", scope_id=f"{LOCATIONS[1]}-UPS-01")
    await discharge(world, NOW + MINUTE, FIRST)
    assert len(await shown(world)) == 1
    await silenced(world, scope="system", scope_id=f"{LOCATIONS[0]}-UPS-01", types=["voltage_low"])
    assert await shown(world) == []


async def put_tags(world: World, *tags: str, string: str = STRING, who: str = "somchai") -> int:
    answer = await world.client.put(f"strings/{string}/tags", json={"tags": tags}, headers=named(who))
    return answer.status_code


async def test_a_tag_names_several_strings(world: World) -> None:
    answer = await silence(world, scope="tag", scope_id="room-b")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (404, "scope_id")
    assert await put_tags(world, "room-b", string=STRINGS[2]) == 200
    made = await silenced(world, scope="tag", scope_id="room-b")
    await discharge(world, NOW + MINUTE, FIRST)
    assert len(await shown(world)) == 1
    assert await put_tags(world, "room-b", "old") == 200
    assert await shown(world) == []
    assert len(await hidden(world, made, who="mali")) == 1
    assert await hidden(world, made, who="nok") == []
    assert await put_tags(world) == 200
    assert len(await shown(world)) == 1
    assert (await silence(world, scope="tag", scope_id="room-b", who="nok")).status_code == 201
    assert await put_tags(world, "room-b") == 200
    assert (await silence(world, scope="tag", scope_id="room-b", who="nok")).status_code == 404
    assert await put_tags(world, "x", who="mali") == 403
    assert await put_tags(world, "x", who="nok") == 404
    assert await put_tags(world, "Not a tag") == 422


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"ends_at": ...}, "ends_at"),
        ({"ends_at": iso(NOW)}, "ends_at"),
        ({"starts_at": iso(NOW + MINUTE), "ends_at": iso(NOW + MINUTE)}, "ends_at"),
        ({"starts_at": iso(NOW - 2 * MINUTE), "ends_at": iso(NOW - MINUTE)}, "ends_at"),
        ({"ends_at": iso(NOW + timedelta(days=30, seconds=1))}, "ends_at"),
        ({"starts_at": iso(NOW - 6 * MINUTE)}, "starts_at"),
        ({"reason": ...}, "reason"),
        ({"reason": "  "}, "reason"),
        ({"types": []}, "types"),
        ({"scope": "battery"}, "scope"),
    ],
)
async def test_what_no_silence_may_be(world: World, changed: dict[str, Any], field: str) -> None:
    answer = await silence(world, **changed)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    assert await world.rows("select id from silence") == []


async def test_who_may_set_and_see_which_silence(world: World) -> None:
    assert (await silence(world, who="mali")).status_code == 403
    assert (await silence(world, who="nok")).status_code == 404
    assert (await silence(world, scope_id="nowhere")).json()["code"] == "scope_not_found"
    made = await silenced(world)
    for path in ("", "/hidden"):
        answer = await world.client.get(f"silences/{made['silence_id']}{path}", headers=named("nok"))
        assert (answer.status_code, answer.json()["code"]) == (404, "silence_not_found")
    assert (await act(world, made, "end", who="nok")).status_code == 404
    assert (await act(world, made, "end", who="mali")).status_code == 403


async def test_the_list_by_state_and_location(world: World) -> None:
    ended = await silenced(world)
    await act(world, ended, "end")
    upcoming = await silenced(world, starts_at=iso(NOW + HOUR), ends_at=iso(NOW + 2 * HOUR))
    active = await silenced(world)
    there = await silenced(world, scope="location", scope_id=LOCATIONS[1])

    async def numbers(who: str = "mali", **query: Any) -> list[int]:
        answer = await world.client.get("silences", params=query, headers=named(who))
        return [one["silence_id"] for one in answer.json()["items"]]

    ids = [one["silence_id"] for one in (there, active, upcoming, ended)]
    assert await numbers() == ids
    assert await numbers(location_id=LOCATIONS[0]) == ids[1:]
    assert await numbers(who="nok") == ids[:1]
    assert await numbers(state=["upcoming", "ended"]) == ids[2:]


async def test_a_repeated_request_with_a_key_sets_one_silence(world: World) -> None:
    ends_at = iso(NOW + HOUR)
    first, second = [await silence(world, key="retry-0001", ends_at=ends_at) for _ in range(2)]
    assert first.json() == second.json()
    assert len(await world.rows("select id from silence")) == 1


async def test_two_replicas_hide_and_bring_back_once(world: World) -> None:
    await discharge(world, NOW + MINUTE, FIRST)
    made = await silenced(world, starts_at=iso(NOW + 2 * MINUTE))
    context = world.app.state.parts.context
    changes(world)
    for moment in (NOW + 2 * MINUTE, NOW + 2 * HOUR):
        world.clock.set(moment)
        await asyncio.gather(*(run_once(context, world.published) for _ in range(4)))
    assert changes(world) == ["hidden", "unhidden"]
    assert len(await hidden(world, made)) == 1


async def test_people_can_work_on_what_is_hidden(world: World) -> None:
    await silenced(world)
    await discharge(world, NOW + MINUTE, FIRST)
    ((one),) = await shown(world, include_hidden="true")
    answer = await act_on(world, one, "acknowledge")
    assert (answer.status_code, answer.json()["status"]) == (200, "acknowledged")
    assert answer.json()["hidden_by"] is not None
    resolved = await act_on(world, answer.json(), "resolve")
    assert resolved.json()["incident"]["status"] == "resolved"
    assert PER_STRING > 1


async def test_a_cause_that_is_not_covered_takes_hidden_incidents_into_the_inbox(world: World) -> None:
    await silenced(world)
    await discharge(world, NOW + MINUTE, FIRST)
    assert await shown(world) == []
    for minute in range(2, 5):
        at = NOW + minute * MINUTE
        world.clock.set(at)
        row = {"location_id": LOCATIONS[0], "time": iso(at), "ambient_c": 24.0, "hvac": "running", "mains": False}
        await world.post({"site_readings": [row]})
    merged, power = await shown(world, include_hidden="true", sort="opened_at")
    if merged["status"] != "merged":
        merged, power = power, merged
    assert (merged["status"], merged["hidden_by"], merged["merged_into"]) == ("merged", None, power["incident_id"])
    assert (power["status"], power["hidden_by"], power["active_count"]) == ("open", None, 2)


async def test_what_a_dead_process_left_undone_is_done_by_the_next(world: World) -> None:
    """A silence whose effect was never worked off, and one that was ended without it."""
    await discharge(world, NOW + MINUTE, FIRST)
    made = await silenced(world, starts_at=iso(NOW + HOUR), ends_at=iso(NOW + 2 * HOUR))
    await world.rows("update silence set starts_at = $1", NOW)
    assert len(await shown(world)) == 1
    assert await work_off(world, NOW + 2 * MINUTE) == 1
    assert await shown(world) == []
    await world.rows("update silence set ended_at = $1", NOW + 3 * MINUTE)
    assert await work_off(world, NOW + 4 * MINUTE) == 1
    assert len(await shown(world)) == 1
    assert [span["until_at"] for span in await hidden(world, made)] == [iso(NOW + 4 * MINUTE)]
