"""Two gateways on one database: however readings and restarts are spread over them, people see one history."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from battery_api.app.main import create_app
from battery_api.app.parts import PartOverrides
from battery_api.incidents.job import run_once
from battery_api.settings import GatewaySettings
from battery_servicekit.clock import FixedClock
from battery_servicekit.testing.asgi import asgi_client
from battery_servicekit.testing.postgres import new_database
from tests.alerts.world import (
    BATTERIES,
    FIRST,
    LOCATIONS,
    NOW,
    PER_STRING,
    PublishedEvents,
    World,
    iso,
    principals,
    reading,
)
from tests.support.callers import Callers

from .actions import act, listed, read

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
HERE = BATTERIES[: 2 * PER_STRING]
HOT = {"temperature_c": 41.0}
LOW = {"current_a": -40.0, "voltage_v": 9.5}


@asynccontextmanager
async def gateway(url: str, *, off: timedelta = timedelta()) -> AsyncIterator[World]:
    """A process on a database, whose clock may be off."""
    clock, published, callers = FixedClock(NOW + off), PublishedEvents(), Callers({})
    app = create_app(
        GatewaySettings(_env_file=None, database_url=url, jwt_secret_key="x" * 40, run_jobs=False),
        PartOverrides(clock=clock, publisher=published, authenticator=callers),
    )
    async with asgi_client(app) as client:
        client.base_url = client.base_url.join("/api/v1/")
        opened = World(app, client, clock, published)
        users = await opened.rows('select username, id from "user"')
        callers.known.update(principals({row["username"]: row["id"] for row in users}))
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def database_url(postgres_url: str, alert_template: str) -> AsyncIterator[str]:
    async with new_database(postgres_url, template=alert_template) as url:
        yield url


def mains(at: datetime, *, is_on: bool) -> dict[str, Any]:
    return {"location_id": LOCATIONS[0], "time": iso(at), "ambient_c": 24.0, "hvac": "running", "mains": is_on}


async def send(worlds: Sequence[World], at: datetime, values: dict[str, Any], *, mains_on: bool) -> None:
    """Post the reading of each battery and of the location on its own and all at once, spread over the gateways."""
    for world, off in zip(worlds, (timedelta(), 10 * MINUTE), strict=True):
        world.clock.set(max(world.clock.now(), at + off))
    posts: list[Awaitable[Any]] = [
        worlds[number % 2].post({"readings": [reading(code, at, **values)]}) for number, code in enumerate(HERE)
    ]
    posts.append(worlds[1].post({"site_readings": [mains(at, is_on=mains_on)]}))
    await asyncio.gather(*posts)


async def timelines(world: World) -> dict[tuple[str, str], list[str]]:
    """Return what the timelines of all alerts say, by subject and type."""
    alerts = await world.alerts(limit=200)
    details = [await world.detail(alert["alert_id"]) for alert in alerts]
    found = {
        (one["battery_id"] or one["string_id"] or one["location_id"], one["type"]): [e["kind"] for e in one["timeline"]]
        for one in details
    }
    assert len(found) == len(alerts), "an alert stands twice"
    return found


async def test_two_gateways_make_one_outage_of_it(database_url: str) -> None:
    async with gateway(database_url) as one, gateway(database_url, off=10 * MINUTE) as other:
        both = (one, other)
        await send(both, NOW, {}, mains_on=True)
        for second in range(60, 160, 10):
            await send(both, NOW + second * SECOND, LOW, mains_on=False)
        (incident,) = (await listed(one))["items"]
        assert (incident["family"], incident["battery_count"]) == ("power", len(HERE))
        active = await one.alerts(active="true", limit=200)
        low = [alert for alert in active if alert["type"] == "voltage_low"]
        assert sorted(alert["battery_id"] for alert in low) == sorted(HERE)
        for minute in range(4, 12):
            await send(both, NOW + minute * MINUTE, {}, mains_on=True)
        assert await one.alerts(active="true") == await other.alerts(active="true") == []
        for subject, kinds in (await timelines(one)).items():
            assert kinds == ["raised", "cleared"], subject
        events = sorted(one.published.take() + other.published.take())
        assert len(events) == len(set(events)) == 2 * len(await timelines(one))
        (ended,) = (await listed(other, status="cleared"))["items"]
        assert (ended["incident_id"], ended["active_count"]) == (incident["incident_id"], 0)
        kinds = [entry["kind"] for entry in (await read(one, ended["incident_id"]))["timeline"]]
        assert (kinds[0], kinds.count("opened"), kinds.count("cleared"), kinds[-1]) == ("opened", 1, 1, "cleared")


async def step(world: World, number: int) -> None:
    """Five minutes: heat for the first 100 of 140, and somebody snoozes it at 70 until 85."""
    at = NOW + 5 * number * MINUTE
    await world.sweep(at, {FIRST: HOT} if number < 20 else {}, BATTERIES[:PER_STRING])
    if number == 14:
        ((incident),) = (await listed(world))["items"]
        answer = await act(world, incident, "snooze", until=iso(NOW + 85 * MINUTE))
        assert answer.status_code == 200, answer.text
    await run_once(world.app.state.parts.context, world.published)


async def history(url: str, restarts: Sequence[int]) -> dict[str, Any]:
    """Return what people see after 28 steps, and what was announced, when the process restarts before some of them."""
    announced: list[Any] = []
    for first, last in itertools.pairwise([0, *restarts, 28]):
        async with gateway(url) as world:
            for number in range(first, last):
                await step(world, number)
            announced += world.published.take()
            announced += [(event.event, event.incident.status) for event in world.published.incidents]
    async with gateway(url) as world:
        world.clock.set(NOW + 140 * MINUTE)
        alerts = [await world.detail(alert["alert_id"]) for alert in await world.alerts()]
        incidents = [await read(world, number) for number in {alert["incident_id"] for alert in alerts}]
        return {"alerts": alerts, "incidents": incidents, "announced": sorted(announced)}


RESTARTS = {"hold": [6], "alarm": [13], "snooze": [16], "clear hold": [21], "each step": list(range(1, 28))}


@pytest.mark.parametrize("moment", RESTARTS)
async def test_a_restart_changes_nothing(postgres_url: str, alert_template: str, moment: str) -> None:
    async with new_database(postgres_url, template=alert_template) as url:
        expected = await history(url, [])
    assert sorted(alert["type"] for alert in expected["alerts"]) == ["temperature_deviation", "temperature_high"]
    for alert in expected["alerts"]:
        assert [entry["kind"] for entry in alert["timeline"]] == ["raised", "cleared"]
    (incident,) = expected["incidents"]
    assert [entry["kind"] for entry in incident["timeline"]] == ["opened", "snoozed", "snooze_ended", "cleared"]
    async with new_database(postgres_url, template=alert_template) as url:
        assert await history(url, RESTARTS[moment]) == expected
