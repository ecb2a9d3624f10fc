"""The end of a battery is an event: a swap or a retirement ends what hangs on it, and nothing of it comes back."""

import asyncio
from datetime import timedelta
from typing import Any

from battery_contracts.fleet import FLEET_COLUMNS, OPTIONAL_FLEET_COLUMNS

from .world import BATTERIES, FIRST, LOCATIONS, NOW, PER_STRING, STRINGS, World, iso, named, reading

MINUTE = timedelta(minutes=1)
SECOND_STRING = BATTERIES[PER_STRING : 2 * PER_STRING]
HERE, THERE = BATTERIES[: 2 * PER_STRING], BATTERIES[2 * PER_STRING :]
REASON = "string moved to the new hall"


def line(code: str = FIRST, **changes: Any) -> dict[str, Any]:
    location, position = code[4:13], int(code[-3:])
    string = code[4:-4]
    return {
        "location_id": location,
        "location_name": location,
        "region": "N",
        "latitude": 18,
        "longitude": 98,
        "altitude_m": 300,
        "commissioned_on": "2015-01-01",
        "utility": "PEA",
        "climate_zone": "N",
        "system_id": f"{location}-UPS-01",
        "system_kind": "UPS",
        "rated_power_kva": 100,
        "string_id": string,
        "battery_id": code,
        "position": position,
        "model_id": "CSB-HX12-120",
        "serial_number": f"{string}{position}",
        "installed_on": "2020-01-01",
        "baseline_resistance_mohm": 3.4,
        "baseline_temperature_c": 25.0,
    } | changes


async def load(world: World, *lines: dict[str, Any], who: str = "root", dry_run: bool = False) -> dict[str, Any]:
    names = [*FLEET_COLUMNS, *(name for name in OPTIONAL_FLEET_COLUMNS if name in lines[0])]
    text = "\n".join([",".join(names), *(",".join(str(one[name]) for name in names) for one in lines)])
    params = {"dry_run": str(dry_run).lower()}
    answer = await world.client.post("fleet/import", content=text + "\n", params=params, headers=named(who))
    assert answer.status_code in {200, 422}, answer.text
    report: dict[str, Any] = answer.json()
    return report


async def retire(world: World, path: str, *, who: str = "root", **body: Any) -> Any:
    return await world.client.post(f"{path}/retire", json={"reason": REASON} | body, headers=named(who))


async def get(world: World, path: str, **query: Any) -> dict[str, Any]:
    answer = await world.client.get(path, params=query, headers=named("somchai"))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def hot(world: World, *codes: str) -> list[dict[str, Any]]:
    await world.sweep(NOW, {code: {"temperature_c": 70.0} for code in codes})
    world.published.take()
    return await world.alerts(active="true")


async def agreed_counts(world: World, location: str = LOCATIONS[0]) -> tuple[int, int]:
    """Return the batteries in service and the active alerts of a location, after comparing every place that says so."""
    overview = await get(world, "fleet/overview")
    detail = await get(world, f"locations/{location}")
    listed = await get(world, f"locations/{location}/batteries", limit=100)
    every = await get(world, "batteries", limit=100)
    alerts = await get(world, "alerts", location_id=location, active="true")
    counts = detail["stats"]["alert_counts"]
    assert overview["battery_count"] == every["total"] == sum(overview["status_counts"].values())
    assert detail["battery_count"] == listed["total"] == sum(detail["stats"]["status_counts"].values())
    assert alerts["total"] == alerts["active_count"] == sum(counts.values())
    assert sum(sum(one["open_alerts"].values()) for one in listed["items"]) == sum(
        one["battery_id"] is not None for one in alerts["items"]
    )
    return listed["total"], alerts["total"]


async def test_swap_ends_the_alerts_of_the_old_battery_and_the_new_one_starts_empty(world: World) -> None:
    (alert,) = await hot(world, FIRST)
    world.clock.set(NOW + timedelta(days=1))
    swapped = line(serial_number="SN-NEW", installed_on="2026-11-21")
    assert (await load(world, swapped, dry_run=True))["replaced"] == 1
    assert (world.published.take(), len(await world.alerts(active="true"))) == ([], 1)

    assert (await load(world, swapped))["replaced"] == 1

    assert world.published.take() == [("ended", "temperature_high", FIRST)]
    detail = await world.detail(alert["alert_id"])
    assert (detail["is_active"], detail["end_reason"]) == (False, "replaced")
    entry = detail["timeline"][-1]
    assert (entry["kind"], entry["actor"], entry["at"]) == ("ended", "root", detail["cleared_at"])
    assert entry["data"] == {
        "reason": "replaced",
        "actor": "root",
        "old_serial_number": f"{STRINGS[0]}1",
        "new_serial_number": "SN-NEW",
    }
    assert await agreed_counts(world) == (12, 0)
    page = await get(world, f"batteries/{FIRST}")
    assert (page["serial_number"], page["status"], page["live"]) == ("SN-NEW", "no_data", None)
    old, new = await world.rows(
        "select s.* from battery_state s join battery b on b.id = s.battery_id where b.code = $1 order by b.id", FIRST
    )
    assert (old["rule_state"], old["open_critical"]) == (None, 0)
    for name in ("time", "rule_state", "twin_state", "reporting_interval_s", "soh_pct", "resistance_at"):
        assert new[name] is None
    # A listener of the battery's room sees the next number, not one that it has seen already.
    assert new["seq"] == old["seq"] + 1


async def test_new_battery_begins_its_own_history(world: World) -> None:
    await hot(world, FIRST)
    await load(world, line(serial_number="SN-NEW", installed_on="2026-11-20"))
    at = NOW + MINUTE
    await world.sweep(at, codes=[FIRST])
    page = await get(world, f"batteries/{FIRST}")
    assert (page["status"], page["live"]["time"]) == ("normal", iso(at))
    assert await world.alerts(active="true") == []
    body = {"readings": [reading(FIRST, NOW - timedelta(days=1), temperature_c=70.0)]}
    answer = (await world.client.post("telemetry", json=body, headers=named("feed"))).json()
    assert [one["code"] for one in answer["rejected"]] == ["too_old"]
    points = await get(world, f"batteries/{FIRST}/telemetry", start=iso(NOW - MINUTE), end=iso(NOW + 2 * MINUTE))
    assert points["source"] == "telemetry"
    (stored,) = await world.rows(
        "select count(*) from telemetry t join battery b on b.id = t.battery_id where b.serial_number = 'SN-NEW'"
    )
    assert stored["count"] == 1


async def test_readings_on_the_way_during_a_swap_raise_nothing_about_the_old_battery(world: World) -> None:
    await world.sweep(NOW)

    async def feed(number: int) -> None:
        world.clock.set(max(world.clock.now(), NOW + timedelta(seconds=number)))
        at = NOW + timedelta(seconds=number)
        await world.post({"readings": [reading(FIRST, at, temperature_c=70.0)]})

    await asyncio.gather(
        *(feed(number) for number in range(1, 9)),
        load(world, line(serial_number="SN-NEW", installed_on="2026-11-20")),
    )
    removed = await world.rows(
        "select a.id from alert a join battery b on b.id = a.battery_id "
        "where b.removed_at is not null and a.cleared_at is null"
    )
    assert removed == []
    await feed(9)
    (active,) = await world.alerts(active="true")
    assert (active["battery_id"], await agreed_counts(world)) == (FIRST, (12, 1))


async def test_gateway_with_an_outdated_fleet_notices_before_it_judges(world: World) -> None:
    await hot(world)
    catalogue = world.app.state.parts.catalogue
    catalogue.forget, forget = (lambda: None), catalogue.forget
    await load(world, line(serial_number="SN-NEW", installed_on="2026-11-20"))
    catalogue.forget = forget
    await world.post({"readings": [reading(FIRST, NOW + timedelta(seconds=5), temperature_c=70.0)]})
    (serial,) = await world.rows(
        "select b.serial_number from alert a join battery b on b.id = a.battery_id where a.cleared_at is null"
    )
    assert serial == {"serial_number": "SN-NEW"}


async def test_swap_of_a_whole_silent_string_ends_its_stale_alert(world: World) -> None:
    watch = world.watch()
    await world.sweep(NOW)
    for minute in range(1, 9):
        await world.sweep(NOW + minute * MINUTE, codes=[*BATTERIES[:PER_STRING], *THERE])
    await watch.run_once(world.published)
    (alert,) = await world.alerts(active="true")
    assert (alert["string_id"], alert["battery_id"]) == (STRINGS[1], None)
    swapped = [line(code, serial_number=f"NEW-{code}", installed_on="2026-11-20") for code in SECOND_STRING]
    await load(world, *swapped[:-1])
    assert (await world.detail(alert["alert_id"]))["is_active"]
    await load(world, swapped[-1])
    detail = await world.detail(alert["alert_id"])
    assert (detail["end_reason"], detail["timeline"][-1]["kind"]) == ("replaced", "ended")
    assert await watch.run_once(world.published) == []


async def test_retired_battery_leaves_alerts_counts_lists_and_the_watch(world: World) -> None:
    (alert,) = await hot(world, FIRST)
    answer = await retire(world, f"batteries/{FIRST}")
    assert answer.json() == {
        "kind": "battery",
        "id": FIRST,
        "battery_count": 1,
        "retired_at": iso(NOW),
        "retired_by": "root",
        "retired_reason": REASON,
    }
    assert world.published.take() == [("ended", "temperature_high", FIRST)]
    assert world.published.statuses[-1].columns.battery_id == [FIRST]
    entry = (await world.detail(alert["alert_id"]))["timeline"][-1]
    assert (entry["kind"], entry["actor"], entry["note"], entry["data"]["reason"]) == (
        "ended",
        "root",
        REASON,
        "retired",
    )
    assert await agreed_counts(world) == (11, 0)
    assert (await get(world, "alerts/stats"))["open_count"] == 0
    assert (await get(world, "batteries", include_retired="true"))["total"] == len(BATTERIES)
    page = await get(world, f"batteries/{FIRST}")
    assert (page["status"], page["status_reasons"], page["retired_by"]) == ("no_data", ["retired"], "root")
    assert FIRST not in str(await get(world, "telemetry/latest"))
    # Its history stays readable; a second retirement, whatever it says, changes nothing.
    span = {"start": iso(NOW - MINUTE), "end": iso(NOW + MINUTE)}
    assert (await get(world, f"batteries/{FIRST}/telemetry", **span))["battery_id"] == FIRST
    world.clock.advance(timedelta(hours=1))
    assert (await retire(world, f"batteries/{FIRST}", reason="again")).json() == answer.json()
    audit = await world.rows("select actor, action, target from audit_log where action like '%retire'")
    assert audit == [{"actor": "root", "action": "battery.retire", "target": FIRST}]
    await world.watch(began_at=NOW).run_once(world.published)
    assert FIRST not in {one["battery_id"] for one in await world.alerts(type="data_stale")}


async def test_readings_after_the_retirement_are_refused_by_name(world: World) -> None:
    await world.sweep(NOW)
    await retire(world, f"strings/{STRINGS[0]}")
    world.clock.set(NOW + 5 * MINUTE)
    body = {
        "readings": [reading(FIRST, NOW + MINUTE, temperature_c=70.0), reading(FIRST, NOW - MINUTE)],
        "string_readings": [{"string_id": STRINGS[0], "time": iso(NOW + MINUTE), "current_a": 0.1}],
        "site_readings": [{"location_id": LOCATIONS[0], "time": iso(NOW + MINUTE), "mains": True}],
    }
    answer = (await world.client.post("telemetry", json=body, headers=named("feed"))).json()
    assert (answer["accepted"], answer["late"]) == (2, 1)
    assert [(one["list"], one["code"]) for one in answer["rejected"]] == [
        ("readings", "retired"),
        ("string_readings", "retired"),
    ]
    assert answer["rejected"][0]["detail"].startswith(f"{FIRST} was retired at 2026-11-20 12:00 UTC by root; an admin")
    assert await world.alerts() == []


async def test_retired_location_is_gone_and_its_staleness_cannot_return(world: World) -> None:
    watch = world.watch()
    await world.sweep(NOW, {FIRST: {"temperature_c": 70.0}})
    for minute in range(1, 9):
        await world.sweep(NOW + minute * MINUTE, codes=THERE)
    await watch.run_once(world.published)
    (stale,) = await world.alerts(active="true", type="data_stale")
    assert (await retire(world, f"locations/{LOCATIONS[0]}")).json()["battery_count"] == len(HERE)
    assert (await world.detail(stale["alert_id"]))["end_reason"] == "retired"
    answer = await world.client.post(f"alerts/{stale['alert_id']}/resolve", headers=named("somchai"))
    assert answer.status_code == 200
    for minute in range(9, 30):
        await world.sweep(NOW + minute * MINUTE, codes=THERE)
        assert await watch.run_once(world.published) == []
    assert await world.alerts(active="true") == []
    overview = await get(world, "fleet/overview")
    assert [overview[name] for name in ("location_count", "system_count", "string_count", "battery_count")] == [
        1,
        1,
        2,
        len(THERE),
    ]
    assert [one["location_id"] for one in (await get(world, "locations"))["items"]] == [LOCATIONS[1]]
    assert (await get(world, "locations", include_retired="true"))["total"] == 2
    page = await get(world, f"locations/{LOCATIONS[0]}")
    assert (page["battery_count"], page["retired_at"] is None, len(page["systems"][0]["strings"])) == (0, False, 2)


async def test_location_is_retired_in_effect_with_its_last_string(world: World) -> None:
    await retire(world, f"strings/{STRINGS[0]}")
    page = await get(world, f"locations/{LOCATIONS[0]}")
    assert (page["retired_at"], [one["string_id"] for one in page["systems"][0]["strings"]]) == (None, [STRINGS[1]])
    for code in SECOND_STRING:
        await retire(world, f"batteries/{code}")
    assert (await get(world, f"locations/{LOCATIONS[0]}"))["retired_at"] == iso(NOW)
    again = await retire(world, f"locations/{LOCATIONS[0]}", reason="again")
    assert (again.json()["retired_at"], again.json()["retired_reason"]) == (iso(NOW), REASON)


async def test_import_retires_on_a_day_and_brings_back(world: World) -> None:
    (alert,) = await hot(world, FIRST)
    report = await load(world, line(retired_on="2026-11-20"))
    assert (report["retired"], report["unchanged"]) == (1, 1)
    assert (await world.detail(alert["alert_id"]))["end_reason"] == "retired"
    assert (await load(world, line(retired_on="2026-11-20")))["retired"] == 0
    # A file that says nothing of retirement leaves it as it is.
    assert (await load(world, line()))["reinstated"] == 0
    assert (await get(world, f"batteries/{FIRST}"))["retired_at"] is not None
    assert (await load(world, line(retired_on="")))["reinstated"] == 1
    assert (await get(world, f"batteries/{FIRST}"))["retired_at"] is None
    assert (await load(world, line(retired_on="2026-11-20")))["retired"] == 1
    world.clock.set(NOW + timedelta(days=2))
    assert (await load(world, line(installed_on="2026-11-22")))["reinstated"] == 1
    assert await world.alerts(active="true") == []


async def test_swap_of_a_retired_battery_brings_the_position_back(world: World) -> None:
    await world.sweep(NOW)
    await retire(world, f"batteries/{FIRST}")
    world.clock.set(NOW + timedelta(days=1))
    assert (await load(world, line(serial_number="SN-NEW", installed_on="2026-11-21")))["replaced"] == 1
    await world.sweep(world.clock.now(), codes=[FIRST])
    page = await get(world, f"batteries/{FIRST}")
    assert (page["serial_number"], page["status"], page["retired_at"]) == ("SN-NEW", "normal", None)


async def test_unretire_brings_back_and_says_so(world: World) -> None:
    await world.sweep(NOW)
    await retire(world, f"strings/{STRINGS[0]}")
    body = {"reason": "retired by mistake"}
    answer = await world.client.post(f"strings/{STRINGS[0]}/unretire", json=body, headers=named("root"))
    assert (answer.json()["retired_at"], answer.json()["battery_count"]) == (None, PER_STRING)
    await world.sweep(NOW + MINUTE)
    assert await agreed_counts(world) == (12, 0)


async def test_retirement_that_cannot_be_is_refused_by_field(world: World) -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"retired_at": iso(NOW + MINUTE)}, "retired_at"),
        ({"retired_on": "2026-11-22"}, "retired_on"),
        ({"retired_at": "2019-06-01T00:00:00Z"}, "retired_at"),
        ({"reason": "  "}, "reason"),
        ({"retired_at": iso(NOW), "retired_on": "2026-11-20"}, "retired_"),
        ({"because": "typing error"}, "because"),
    ]
    for body, field in wrong:
        answer = await retire(world, f"batteries/{FIRST}", **body)
        assert answer.status_code == 422, body
        assert field in answer.text
    assert (await retire(world, "batteries/BAT-NONE")).json()["code"] == "battery_not_found"
    assert (await retire(world, "strings/NONE")).json()["code"] == "string_not_found"
    assert (await retire(world, "locations/NONE")).json()["code"] == "location_not_found"
    for who, status in (("somchai", 403), ("mali", 403), ("pager", 403), ("nobody", 401)):
        assert (await retire(world, f"batteries/{FIRST}", who=who)).status_code == status
    report = await load(world, line(retired_on="2026-11-22"))
    assert [(one["field"], one["code"]) for one in report["errors"]] == [("retired_on", "future")]
    assert (await get(world, "batteries"))["total"] == len(BATTERIES)


async def test_alerts_of_the_room_end_with_the_location_alone(world: World) -> None:
    await world.sweep(NOW)
    room = {"location_id": LOCATIONS[0], "time": iso(NOW), "hvac": "failed", "ambient_c": 45.0}
    await world.post({"site_readings": [room]})
    world.clock.set(NOW + 30 * MINUTE)
    await world.post({"site_readings": [room | {"time": iso(NOW + minute * MINUTE)} for minute in range(1, 31)]})
    before = await world.alerts(active="true", location_id=LOCATIONS[0])
    assert before
    await retire(world, f"strings/{STRINGS[0]}")
    assert await world.alerts(active="true", location_id=LOCATIONS[0]) == before
    await retire(world, f"strings/{STRINGS[1]}")
    assert await world.alerts(active="true", location_id=LOCATIONS[0]) == []
    (state,) = await world.rows(
        "select s.rule_state from location_state s join location l on l.id = s.location_id where l.code = $1",
        LOCATIONS[0],
    )
    assert state["rule_state"] is None
