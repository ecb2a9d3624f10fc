import asyncio
from datetime import timedelta
from typing import Any

import pytest

from battery_api.incidents.job import run_once
from tests.alerts.world import BATTERIES, FIRST, LOCATIONS, NOW, PER_STRING, World, iso, named

from .actions import DEAD, act, dead_string, listed, read

MINUTE = timedelta(minutes=1)


async def heal(world: World, *, first: int = 1, last: int = 4) -> None:
    for minute in range(first, last):
        await world.sweep(NOW + minute * MINUTE)


async def test_one_note_acknowledges_every_alert(world: World) -> None:
    incident = await dead_string(world)
    answer = await act(world, incident, "acknowledge", note=" breaker open ")
    detail = answer.json()
    assert (detail["status"], detail["acknowledged_by"], detail["unacknowledged_count"]) == (
        "acknowledged",
        "somchai",
        0,
    )
    assert detail["revision"] == incident["revision"] + 1
    last = detail["timeline"][-1]
    assert (last["kind"], last["actor"], last["note"]) == ("acknowledged", "somchai", "breaker open")
    alerts = await world.alerts(active="true")
    assert {one["acknowledged_by"] for one in alerts} == {"somchai"}
    timeline = (await world.detail(alerts[0]["alert_id"]))["timeline"]
    assert (timeline[-1]["kind"], timeline[-1]["note"]) == ("acknowledged", "breaker open")
    (event,) = world.published.incidents
    assert (event.event, event.incident.status) == ("acknowledged", "acknowledged")
    audit = await world.rows("select actor, target from audit_log where action = 'incident.acknowledged'")
    assert audit == [{"actor": "somchai", "target": str(incident["incident_id"])}]


async def test_the_second_of_two_people_learns_what_the_first_did(world: World) -> None:
    incident = await dead_string(world)
    answers = await asyncio.gather(*(act(world, incident, "acknowledge", who=who) for who in ("somchai", "root")))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    refused = next(answer.json() for answer in answers if answer.status_code == 409)
    won = next(answer.json() for answer in answers if answer.status_code == 200)
    assert refused["code"] == "incident_changed"
    assert refused["state"]["acknowledged_by"] == won["acknowledged_by"]
    assert refused["state"]["revision"] == won["revision"]
    again = await act(world, won, "acknowledge")
    assert (again.status_code, again.json()["code"]) == (409, "incident_already_acknowledged")
    kinds = [entry["kind"] for entry in (await read(world, incident["incident_id"]))["timeline"]]
    assert kinds == ["opened", "acknowledged"]


async def test_alerts_that_come_after_an_acknowledgement_are_counted_and_can_be_acknowledged(world: World) -> None:
    await world.sweep(NOW, {FIRST: DEAD})
    ((incident),) = (await listed(world))["items"]
    first = (await act(world, incident, "acknowledge")).json()
    await world.sweep(NOW + MINUTE, {FIRST: DEAD, BATTERIES[1]: DEAD})
    later = await read(world, incident["incident_id"])
    assert (later["status"], later["unacknowledged_count"], later["revision"]) == ("acknowledged", 1, first["revision"])
    second = (await act(world, later, "acknowledge")).json()
    assert second["unacknowledged_count"] == 0


@pytest.mark.parametrize("note", ["", "   ", "x" * 10_000, None])
async def test_a_blank_or_endless_note_is_refused(world: World, note: str | None) -> None:
    incident = await dead_string(world)
    for action in ("acknowledge", "resolve", "comments"):
        answer = await act(world, incident, action, note=note)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "note")
    assert [one["kind"] for one in (await read(world, incident["incident_id"]))["timeline"]] == ["opened"]


async def test_who_may_what(world: World) -> None:
    incident = await dead_string(world)
    assert (await act(world, incident, "acknowledge", who="mali")).status_code == 403
    assert (await act(world, incident, "acknowledge", who="nok")).status_code == 404
    assert (await listed(world, who="nok"))["total"] == 0
    assert (await act(world, incident, "acknowledge", who="pager")).json()["acknowledged_by"] == "pager"


async def test_assign(world: World) -> None:
    incident = await dead_string(world)
    for unknown in ("nobody", "mali"):
        answer = await act(world, incident, "assign", assignee=unknown, note=...)
        assert (answer.status_code, answer.json()["code"]) == (422, "assignee_unknown")
    detail = (await act(world, incident, "assign", assignee="somchai", note=...)).json()
    assert detail["assignee"] == "somchai"
    assert (await listed(world, assignee="somchai"))["total"] == 1
    assert (await listed(world, unassigned="true"))["total"] == 0
    free = (await act(world, detail, "assign", assignee=None, note=...)).json()
    assert free["assignee"] is None
    assert (await listed(world, unassigned="true"))["total"] == 1


async def test_an_engineer_of_another_location_is_no_assignee(world: World) -> None:
    incident = await dead_string(world)
    await world.rows("update \"user\" set all_locations = false where username = 'nok'")
    answer = await act(world, incident, "assign", assignee="nok", note=...)
    assert (answer.status_code, answer.json()["code"]) == (422, "assignee_unknown")
    assert "assignee" in answer.json()["detail"]


async def test_comments_need_no_revision_until_the_incident_has_ended(world: World) -> None:
    incident = await dead_string(world)
    await act(world, incident, "acknowledge")
    assert (await act(world, incident, "comments", revision=..., note="a")).status_code == 200
    await heal(world)
    closed = await read(world, incident["incident_id"])
    assert closed["status"] == "closed"
    refused = await act(world, incident, "comments", revision=..., note="too late?")
    assert (refused.status_code, refused.json()["code"]) == (409, "incident_ended")
    assert refused.json()["state"]["status"] == "closed"
    accepted = await act(world, closed, "comments", note="found: lead was off")
    assert [one["note"] for one in accepted.json()["timeline"] if one["kind"] == "comment"] == [
        "a",
        "found: lead was off",
    ]


async def test_an_incident_that_ends_while_its_note_is_written_is_not_half_resolved(world: World) -> None:
    incident = await dead_string(world)
    acknowledged = (await act(world, incident, "acknowledge")).json()
    await heal(world)
    before = await world.rows("select * from alert order by id")
    answer = await act(world, acknowledged, "resolve", note="replaced")
    assert (answer.status_code, answer.json()["code"]) == (409, "incident_ended")
    assert await world.rows("select * from alert order by id") == before


async def test_a_snooze_ends_by_itself(world: World) -> None:
    incident = await dead_string(world)
    for wrong in (NOW - MINUTE, NOW, NOW + timedelta(days=8)):
        answer = await act(world, incident, "snooze", until=iso(wrong))
        assert (answer.status_code, answer.json()["code"]) == (422, "snooze_invalid")
    until = NOW + timedelta(hours=2)
    snoozed = (await act(world, incident, "snooze", until=iso(until), note="electrician at 16:00")).json()
    assert (snoozed["status"], snoozed["snoozed_until"]) == ("snoozed", iso(until))
    assert (await listed(world))["open_count"] == 0
    context = world.app.state.parts.context
    assert await run_once(context, world.published) == 0
    world.clock.set(until)
    world.published.incidents.clear()
    assert await run_once(context, world.published) == 1
    assert await run_once(context, world.published) == 0
    back = await read(world, incident["incident_id"])
    assert (back["status"], back["snoozed_until"], back["timeline"][-1]["kind"]) == ("open", None, "snooze_ended")
    assert [event.event for event in world.published.incidents] == ["snooze_ended"]


async def test_a_snooze_ends_when_it_gets_worse_or_somebody_wants_it(world: World) -> None:
    warm = {code: {"temperature_c": 36.0} for code in BATTERIES[:PER_STRING]}
    for minute in range(0, 250, 5):
        await world.sweep(NOW + minute * MINUTE, warm)
    ((incident),) = (await listed(world))["items"]
    until = iso(NOW + timedelta(days=1))
    snoozed = (await act(world, incident, "snooze", until=until)).json()
    again = (await act(world, snoozed, "end-snooze", note=...)).json()
    assert again["status"] == "open"
    snoozed = (await act(world, again, "snooze", until=until)).json()
    await world.sweep(NOW + 251 * MINUTE, warm | {FIRST: {"temperature_c": 70.0}})
    worse = await read(world, incident["incident_id"])
    assert (worse["status"], worse["snoozed_until"], worse["severity"]) == ("open", None, "critical")


async def test_resolving_says_that_the_condition_lasts_and_it_comes_back(world: World) -> None:
    incident = await dead_string(world)
    answer = (await act(world, incident, "resolve", note="leads checked")).json()
    assert (answer["still_active_count"], answer["incident"]["status"]) == (PER_STRING, "resolved")
    for minute in (1, 2):
        await world.sweep(NOW + minute * MINUTE, dict.fromkeys(BATTERIES[:PER_STRING], DEAD))
    back = await read(world, incident["incident_id"])
    assert (back["status"], back["resolved_at"], back["acknowledged_at"]) == ("open", None, None)
    assert [one["kind"] for one in back["timeline"]] == ["opened", "resolved", "reopened"]
    refused = await act(world, answer["incident"], "acknowledge")
    assert refused.json()["code"] == "incident_changed"


async def test_what_is_resolved_and_over_stays_resolved(world: World) -> None:
    incident = await dead_string(world)
    await heal(world)
    over = await read(world, incident["incident_id"])
    assert over["status"] == "cleared"
    answer = (await act(world, over, "resolve", note="fuse replaced")).json()
    assert (answer["still_active_count"], answer["incident"]["status"]) == (0, "resolved")
    await world.sweep(NOW + 5 * MINUTE, {FIRST: DEAD})
    assert [one["status"] for one in (await listed(world))["items"]] == ["open", "resolved"]


async def test_bulk_says_what_became_of_each(world: World) -> None:
    first = await dead_string(world)
    await world.sweep(NOW + MINUTE, {BATTERIES[2 * PER_STRING]: DEAD} | dict.fromkeys(BATTERIES[:PER_STRING], DEAD))
    second = next(one for one in (await listed(world))["items"] if one["incident_id"] != first["incident_id"])
    seen = [
        {"incident_id": first["incident_id"], "revision": first["revision"]},
        {"incident_id": second["incident_id"], "revision": second["revision"] + 7},
        {"incident_id": 999_999, "revision": 1},
    ]
    body = {"incidents": seen, "note": "planned work"}
    answer = await world.client.post("incident-acknowledgements", json=body, headers=named("somchai"))
    assert answer.status_code == 200, answer.text
    result = answer.json()
    assert [one["incident_id"] for one in result["acknowledged"]] == [first["incident_id"]]
    assert [(one["incident_id"], one["code"]) for one in result["refused"]] == [
        (second["incident_id"], "incident_changed"),
        (999_999, "incident_not_found"),
    ]
    assert result["refused"][0]["incident"]["revision"] == second["revision"]
    blank = await world.client.post("incident-acknowledgements", json=body | {"note": " "}, headers=named("somchai"))
    assert blank.status_code == 422


async def test_a_repeated_request_is_carried_out_once(world: World) -> None:
    incident = await dead_string(world)
    both = await asyncio.gather(*(act(world, incident, "acknowledge", key="ack-0001") for _ in range(3)))
    assert [answer.status_code for answer in both] == [200] * 3
    assert both[0].json() == both[1].json() == both[2].json()
    kinds = [entry["kind"] for entry in (await read(world, incident["incident_id"]))["timeline"]]
    assert kinds == ["opened", "acknowledged"]
    other = await act(world, incident, "acknowledge", key="ack-0001", note="another note")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    # A request that failed leaves no key behind.
    failed = await act(world, incident, "acknowledge", key="ack-0002")
    assert failed.status_code == 409
    present = await read(world, incident["incident_id"])
    assert (await act(world, present, "assign", key="ack-0002", assignee="somchai", note=...)).status_code == 200


async def test_timelines_are_immutable(world: World) -> None:
    await dead_string(world)
    for statement in ("update incident_event set note = 'x'", "delete from incident_event"):
        with pytest.raises(Exception, match=r"append-only|refuse|never"):
            await world.rows(statement)


async def test_list_filters_counts_and_orders(world: World) -> None:
    await dead_string(world)
    await world.sweep(NOW + MINUTE, {BATTERIES[2 * PER_STRING]: DEAD} | dict.fromkeys(BATTERIES[:PER_STRING], DEAD))
    page = await listed(world)
    assert (page["total"], page["open_count"], page["critical_count"], page["alert_count"]) == (2, 2, 2, PER_STRING + 1)

    async def numbers(**query: Any) -> int:
        total: int = (await listed(world, **query))["total"]
        return total

    assert await numbers(location_id=LOCATIONS[0]) == 1
    assert await numbers(battery_id=BATTERIES[2 * PER_STRING]) == 1
    assert await numbers(search=BATTERIES[2 * PER_STRING].lower()) == 1
    assert await numbers(search="%") == 0
    assert await numbers(status=["open", "cleared"]) == 2
    assert await numbers(status="resolved") == 0
    assert await numbers(type="voltage_low", severity="critical", family="voltage") == 2
    assert await numbers(type="data_stale") == 0
    assert await numbers(end=iso(NOW)) == 0
    assert await numbers(start=iso(NOW + timedelta(days=1))) == 2
    assert (await listed(world, limit=1, skip=1))["total"] == 2
    assert (await listed(world, who="nok"))["open_count"] == 1


async def test_children_are_listed_whole(world: World) -> None:
    incident = await dead_string(world)
    answer = await world.client.get(
        f"incidents/{incident['incident_id']}/alerts", params={"limit": 4}, headers=named("mali")
    )
    page = answer.json()
    assert (page["total"], len(page["items"])) == (PER_STRING, 4)
    assert {one["incident_id"] for one in page["items"]} == {incident["incident_id"]}


async def test_note_templates_are_in_both_languages(world: World) -> None:
    answer = (await world.client.get("incidents/note-templates", headers=named("mali"))).json()
    assert all(
        one["en"].strip() and any("\u0e00" <= letter <= "\u0e7f" for letter in one["th"]) for one in answer["items"]
    )
    assert len({one["template_id"] for one in answer["items"]}) == len(answer["items"]) > 3
