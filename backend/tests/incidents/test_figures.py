from datetime import timedelta
from typing import Any

import pytest

from battery_api.incidents.figures import band_of
from tests.alerts.world import BATTERIES, FIRST, LOCATIONS, NOW, PER_STRING, STRINGS, World, iso, named

from .actions import DEAD, act, dead_string

MINUTE = timedelta(minutes=1)


async def figures(world: World, *, who: str = "mali", **query: Any) -> dict[str, Any]:
    answer = await world.client.get("incidents/figures", params=query, headers=named(who))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_without_alerts_nothing_is_asked_of_anybody(world: World) -> None:
    found = await figures(world)
    assert (found["incident_count"], found["grouped_pct"], found["mean_per_10min"]) == (0, None, 0)
    assert (found["load"], found["standing"], found["most_frequent"]) == ("acceptable", [], [])
    assert {one["acknowledge_p50_s"] for one in found["handling"]} == {None}


async def test_rates_times_and_what_grouping_saves(world: World) -> None:
    incident = await dead_string(world)
    world.clock.set(NOW + 7 * MINUTE)
    await act(world, incident, "acknowledge")
    for minute in range(8, 11):
        await world.sweep(NOW + minute * MINUTE)
    found = await figures(world, start=iso(NOW - 10 * MINUTE), end=iso(NOW + 10 * MINUTE), operators=2)
    assert (found["incident_count"], found["alert_count"]) == (1, PER_STRING)
    assert found["grouped_pct"] == pytest.approx(100 * (1 - 1 / PER_STRING), abs=0.1)
    # One incident in two periods, for two people.
    assert (found["mean_per_10min"], found["peak_per_10min"], found["flood_pct"]) == (0.25, 0.5, 0.0)
    critical = found["handling"][0]
    assert (critical["severity"], critical["incident_count"], critical["acknowledged_count"]) == ("critical", 1, 1)
    assert (critical["acknowledge_p50_s"], critical["clear_p50_s"]) == (420, 9 * 60)
    assert (await figures(world, who="nok"))["incident_count"] == 0


async def test_what_stands_and_what_chatters_is_named(world: World) -> None:
    other = BATTERIES[PER_STRING]
    at = NOW
    for _ in range(4):
        await world.sweep(at, {FIRST: DEAD, other: DEAD})
        for minute in range(1, 4):
            await world.sweep(at + minute * MINUTE, {other: DEAD})
        at += 20 * MINUTE
    # What is unstable clears after a longer hold.
    for minute in range(0, 130, 5):
        await world.sweep(at + minute * MINUTE, {other: DEAD})
    end = NOW + timedelta(hours=25)
    found = await figures(world, end=iso(end))
    assert [(one["string_id"], one["location_id"]) for one in found["standing"]] == [(STRINGS[1], LOCATIONS[0])]
    assert [(one["subject"], one["episode_count"]) for one in found["chattering"]] == [(FIRST, 4)]
    top = found["most_frequent"][0]
    (row,) = await world.rows("select sum(episode_count) as n from alert")
    assert (top["subject"], top["times"]) == (FIRST, 4)
    assert top["share_pct"] == pytest.approx(400 / row["n"], abs=0.05)


async def test_a_flood_is_counted(world: World) -> None:
    changed = {code: DEAD | {"temperature_c": 70.0} for code in BATTERIES}
    await world.sweep(NOW, changed)
    found = await figures(world, start=iso(NOW), end=iso(NOW + 10 * MINUTE))
    assert found["incident_count"] == 2 * len(STRINGS)
    assert found["flood_pct"] == (100.0 if 2 * len(STRINGS) > 10 else 0.0)
    assert found["load"] == band_of(2 * len(STRINGS))


@pytest.mark.parametrize(
    ("mean", "band"),
    [
        (0, "acceptable"),
        (1, "acceptable"),
        (1.01, "manageable"),
        (4, "demanding"),
        (9, "unacceptable"),
        (11, "intolerable"),
    ],
)
def test_bands(mean: float, band: str) -> None:
    assert band_of(mean) == band


@pytest.mark.parametrize("span", [(0, 5), (0, -10), (0, 400 * 1440)])
async def test_a_span_that_says_nothing_is_refused(world: World, span: tuple[int, int]) -> None:
    start, end = (NOW + at * MINUTE for at in span)
    query = {"start": iso(start), "end": iso(end)}
    answer = await world.client.get("incidents/figures", params=query, headers=named("mali"))
    assert (answer.status_code, answer.json()["code"]) == (422, "span_invalid")
