"""Rules that need more than one reading: thermal runaway, losses of the mains, and the sleep after an ohmic test."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from battery_api.alerts.engine.trends import TrendTracker

from .test_claims import MEMBERS, rules, string_reading
from .world import FIRST, LOCATIONS, NOW, STRINGS, World, iso, reading

MINUTE = timedelta(minutes=1)
STEP = 5
"""Minutes between two sweeps."""


def sweep(at: datetime, *, hottest: float = 25.0, current_ma: float | None = 48.0, **values: Any) -> dict[str, Any]:
    """Return a body with one reading of each battery of the first string, of the string and of the room."""
    body = {
        "readings": [reading(code, at, **({"temperature_c": hottest} if code == FIRST else {})) for code in MEMBERS],
        "site_readings": [{"location_id": LOCATIONS[0], "time": iso(at), "ambient_c": 24.0, "mains": True}],
    }
    of_string = {"current_a": values.pop("current_a", 0.1)}
    if current_ma is not None:
        of_string["float_current_ma"] = current_ma
    return body | {"string_readings": [string_reading(at, **of_string)]} | values


def joined(bodies: list[dict[str, Any]]) -> dict[str, Any]:
    return {kind: [row for body in bodies for row in body[kind]] for kind in bodies[0]}


async def float_for(world: World, begin: datetime, hours: int) -> datetime:
    """Let the first string float quietly; return the end of it."""
    end = begin + timedelta(hours=hours)
    times = [begin + minute * MINUTE for minute in range(0, hours * 60, STEP)]
    for first in range(0, len(times), 60):
        await world.post(joined([sweep(at) for at in times[first : first + 60]]))
    return end


def runaway(begin: datetime, minutes: range, *, current: bool = True) -> list[dict[str, Any]]:
    """Return sweeps of a battery that warms by 6 °C/h while the float current doubles every 40 min."""
    return [
        sweep(
            begin + minute * MINUTE,
            hottest=round(25.0 + minute / 10, 1),
            current_ma=round(48.0 * 2 ** (minute / 40), 1) if current else None,
            current_a=round(0.1 + 0.048 * 2 ** (minute / 40), 2),
        )
        for minute in minutes
    ]


async def runaway_alerts(world: World, **query: Any) -> list[dict[str, Any]]:
    return [one for one in await world.alerts(**query) if one["type"] == "thermal_runaway"]


async def test_a_runaway_is_found_in_batches_of_one_and_after_a_restart_in_its_hold(world: World) -> None:
    begin = await float_for(world, NOW - timedelta(hours=30), 26)
    assert await rules(world) == set()
    bodies = runaway(begin, range(0, 180, STEP))
    for body in bodies[:-10]:
        # Every batch reads its state from the database, as after a restart.
        await world.post(body)
    (one,) = await runaway_alerts(world, active="true")
    assert (one["string_id"], one["severity"], one["respond_within"]) == (STRINGS[0], "critical", "same_day")
    assert one["rule_id"] == "thermal_runaway.composite"
    assert "times its steady value" in one["message"]
    assert one["message_params"]["float_current_ratio"] > 3.0
    assert one["message_params"]["over_room_c"] > 5.0
    # The alert stays while nothing is known, and when the heat no longer rises.
    later = begin + timedelta(minutes=130)
    await world.post(joined([sweep(later + minute * MINUTE, hottest=38.0) for minute in range(0, 10, STEP)]))
    assert await runaway_alerts(world, active="true")


async def test_a_runaway_that_came_shuffled_is_found_at_the_same_time(world: World) -> None:
    begin = await float_for(world, NOW - timedelta(hours=30), 26)
    bodies = runaway(begin, range(0, 150, STEP))
    for body in [*bodies[1::2], *bodies[::2]]:
        await world.post(body)
    (one,) = await runaway_alerts(world, active="true")
    assert one["rule_id"] == "thermal_runaway.composite"
    assert one["raised_at"] == iso(begin + timedelta(minutes=75))


async def test_without_a_probe_the_heat_alone_is_a_possible_runaway(world: World) -> None:
    begin = NOW - timedelta(hours=5)
    for body in runaway(begin, range(0, 150, STEP), current=False):
        await world.post(body)
    (one,) = await runaway_alerts(world, active="true")
    assert one["rule_id"] == "thermal_runaway.heat"
    assert "does not confirm" in one["message"]


async def mains(world: World, states: list[tuple[datetime, bool]]) -> None:
    await world.post(
        {"site_readings": [{"location_id": LOCATIONS[0], "time": iso(at), "mains": is_on} for at, is_on in states]}
    )


def losses(begin: datetime, count: int) -> list[tuple[datetime, bool]]:
    """Return reports of losses of two minutes, one every half hour."""
    return [
        (begin + (30 * number + minute) * MINUTE, minute not in {10, 11})
        for number in range(count)
        for minute in range(30)
    ]


def unstable(alerts: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(one["rule_id"], one["raised_at"]) for one in alerts if one["type"] == "grid_instability"]


async def test_mains_that_are_lost_again_and_again_are_unstable_once(world: World) -> None:
    begin = NOW - timedelta(hours=10)
    states = losses(begin, 7)
    for first in range(0, len(states), 7):
        await mains(world, states[first : first + 7])
    expected = [("grid_instability.warning", iso(begin + timedelta(minutes=70)))]
    assert unstable(await world.alerts(active="true")) == expected
    # The same readings again, and one that came late, count no loss twice.
    await mains(world, states[40:60])
    await mains(world, [(begin - MINUTE, True)])
    assert unstable(await world.alerts(active="true")) == expected


async def test_shuffled_reports_of_the_mains_give_the_same_alert_and_it_clears_with_the_day(world: World) -> None:
    begin = NOW - timedelta(hours=30)
    states = losses(begin, 4)
    await mains(world, states[1::2])
    await mains(world, states[::2])
    assert unstable(await world.alerts(active="true")) == [
        ("grid_instability.info", iso(begin + timedelta(minutes=70)))
    ]
    await mains(world, [(begin + timedelta(hours=26, minutes=minute), True) for minute in range(10)])
    assert unstable(await world.alerts(active="true")) == []


@pytest.mark.parametrize(
    ("is_on", "current_a", "is_judged"), [(True, None, True), (False, None, False), (False, 0.1, True)]
)
async def test_low_float_without_mains_is_judged_only_where_the_string_floats(
    world: World, is_on: bool, current_a: float | None, is_judged: bool
) -> None:
    begin = NOW - timedelta(hours=3)
    for minute in range(0, 60, STEP):
        at = begin + minute * MINUTE
        await mains(world, [(at, is_on)])
        await world.post({"readings": [reading(code, at, voltage_v=12.5, current_a=current_a) for code in MEMBERS]})
    assert ("voltage_low.float_critical" in await rules(world)) is is_judged


async def test_a_late_report_of_the_mains_takes_the_low_float_back(world: World) -> None:
    begin = NOW - timedelta(hours=3)
    for minute in range(0, 60, STEP):
        at = begin + minute * MINUTE
        await world.post({"readings": [reading(code, at, voltage_v=12.5, current_a=None) for code in MEMBERS]})
    assert "voltage_low.float_critical" in await rules(world)
    await mains(world, [(begin + minute * MINUTE, False) for minute in range(0, 60, STEP)])
    assert "voltage_low.float_critical" not in await rules(world)


async def low_after_test(world: World, begin: datetime, *, resistance_until: int, minutes: int) -> set[str]:
    for minute in range(0, minutes, STEP):
        at = begin + minute * MINUTE
        values = {"voltage_v": 12.5, "temperature_c": 52.0}
        if minute <= resistance_until:
            values["internal_resistance_mohm"] = 3.5
        await world.post({"readings": [reading(code, at, **values) for code in MEMBERS]})
    return await rules(world)


async def test_an_ohmic_test_holds_low_float_back_but_no_danger(world: World) -> None:
    found = await low_after_test(world, NOW - timedelta(hours=3), resistance_until=10, minutes=40)
    assert "voltage_low.float_critical" not in found
    assert "temperature_high.stop_charge" in found
    found = await low_after_test(world, NOW - timedelta(hours=2, minutes=20), resistance_until=-1, minutes=30)
    assert "voltage_low.float_critical" in found


async def test_a_monitor_that_sends_a_resistance_with_every_reading_is_judged(world: World) -> None:
    found = await low_after_test(world, NOW - timedelta(hours=3), resistance_until=200, minutes=150)
    assert "voltage_low.float_critical" in found


async def test_the_state_is_kept_for_each_string(world: World) -> None:
    await float_for(world, NOW - timedelta(hours=2), 1)
    rows = await world.rows("select trends from string_state where trends is not null")
    assert len(rows) == 1
    assert TrendTracker([rows[0]["trends"]]).stored() == [rows[0]["trends"]]
