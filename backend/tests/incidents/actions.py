"""What people do in the tests of incidents."""

from typing import Any

import httpx

from tests.alerts.world import BATTERIES, NOW, PER_STRING, World, named

DEAD = {"voltage_v": 0.5}


async def dead_string(world: World) -> dict[str, Any]:
    """Raise one incident of six dead blocks, and return it."""
    await world.sweep(NOW, dict.fromkeys(BATTERIES[:PER_STRING], DEAD))
    world.published.incidents.clear()
    ((incident),) = (await listed(world))["items"]
    return dict(incident)


async def listed(world: World, *, who: str = "mali", **query: Any) -> dict[str, Any]:
    answer = await world.client.get("incidents", params=query, headers=named(who))
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


async def read(world: World, number: int, *, who: str = "mali") -> dict[str, Any]:
    answer = await world.client.get(f"incidents/{number}", headers=named(who))
    assert answer.status_code == 200, answer.text
    detail: dict[str, Any] = answer.json()
    return detail


async def act(
    world: World, incident: dict[str, Any], action: str, *, who: str = "somchai", key: str | None = None, **body: Any
) -> httpx.Response:
    """Carry out a command on an incident as it was read, with a note unless the body has one."""
    values = {"revision": incident["revision"], "note": "on it"} | body
    values = {name: value for name, value in values.items() if value is not ...}
    headers = named(who) | ({} if key is None else {"Idempotency-Key": key})
    path = f"incidents/{incident['incident_id']}/{action}"
    return await world.client.post(path, json=values, headers=headers)
