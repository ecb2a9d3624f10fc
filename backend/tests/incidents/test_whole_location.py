"""A location of 216 batteries on battery until all are empty: one incident, and every alert in it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest_asyncio

from tests.alerts.world import LOCATIONS, NOW, USERS_SQL, World, iso
from tests.support.fleet import battery_codes, fleet_template

from .actions import act, listed

PER_STRING = 108
HERE = [code for code in battery_codes(PER_STRING) if LOCATIONS[0] in code]
SECOND = timedelta(seconds=1)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def alert_template(postgres_url: str) -> AsyncIterator[str]:
    """Name of a migrated database with two locations of two long strings each."""
    async with fleet_template(postgres_url, PER_STRING, USERS_SQL) as name:
        yield name


async def report(world: World, seconds: int, *, voltage_v: float, current_a: float, mains: bool) -> None:
    at = NOW + seconds * SECOND
    world.clock.set(at)
    body: dict[str, Any] = {
        "columns": {
            "battery_id": HERE,
            "time": [iso(at)] * len(HERE),
            "voltage_v": [voltage_v] * len(HERE),
            "current_a": [current_a] * len(HERE),
            "temperature_c": [25.0] * len(HERE),
        },
        "site_readings": [{"location_id": LOCATIONS[0], "time": iso(at), "ambient_c": 24.0, "mains": mains}],
    }
    await world.post(body)


async def test_an_outage_of_216_batteries_is_one_incident(world: World) -> None:
    assert len(HERE) == 216
    await report(world, 0, voltage_v=13.6, current_a=0.1, mains=True)
    for step in range(1, 20):
        await report(world, 10 * step, voltage_v=12.0 - 0.15 * step, current_a=-60.0, mains=False)
    page = await listed(world, include_hidden="true")
    ((incident),) = page["items"]
    assert (incident["family"], incident["battery_count"]) == ("power", 216)
    (row,) = await world.rows("select count(*) as n, count(incident_id) as grouped from alert")
    assert row["n"] == row["grouped"] == incident["alert_count"]
    # One line of the inbox instead of one for each alert.
    assert page["total"] <= 0.1 * row["n"]
    acknowledged = (await act(world, incident, "acknowledge", note="generator is being started by hand")).json()
    assert acknowledged["unacknowledged_count"] == 0
    for step in range(20, 40):
        await report(world, 30 * step, voltage_v=13.0, current_a=10.0, mains=True)
    after = (await listed(world, include_hidden="true"))["items"]
    assert [one["incident_id"] for one in after] == [incident["incident_id"]]
