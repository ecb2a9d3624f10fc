"""What people do in the tests of silences."""

from datetime import datetime, timedelta
from typing import Any

import httpx

from battery_api.silences.job import run_once
from tests.alerts.world import BATTERIES, FIRST, LOCATIONS, NOW, PER_STRING, STRINGS, World, iso, named, reading

DEAD = {"voltage_v": 0.5}
"""A lost voltage: a life-safety alert, at once."""
WEAK = {"voltage_v": 10.3}
"""Below the cut-off on discharge: no life-safety alert, after ten seconds; too near the others for an imbalance."""
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
STRING = STRINGS[0]


async def discharge(world: World, at: datetime, *weak: str, **changed: dict[str, Any]) -> None:
    """Post one minute of a discharge of the first string, ending at an instant, with some blocks at their end."""
    for second in (0, 30):
        moment = at - timedelta(seconds=30 - second)
        world.clock.set(max(world.clock.now(), moment))
        values = dict.fromkeys(weak, WEAK) | changed
        await world.post(
            {
                "string_readings": [{"string_id": STRING, "time": iso(moment), "current_a": -20.0}],
                "readings": [
                    reading(code, moment, **({"voltage_v": 10.9, "current_a": -20.0} | values.get(code, {})))
                    for code in BATTERIES[:PER_STRING]
                ],
            }
        )


async def silence(world: World, *, who: str = "somchai", key: str | None = None, **changed: Any) -> httpx.Response:
    """Ask for a silence of the first string for an hour, unless the test says otherwise."""
    now = world.clock.now()
    body = {"scope": "string", "scope_id": STRING, "ends_at": iso(now + HOUR), "reason": "Work on the string."}
    body = {name: value for name, value in (body | changed).items() if value is not ...}
    headers = named(who) | ({} if key is None else {"Idempotency-Key": key})
    return await world.client.post("silences", json=body, headers=headers)


async def silenced(world: World, **changed: Any) -> dict[str, Any]:
    answer = await silence(world, **changed)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def act(world: World, made: dict[str, Any], action: str, *, who: str = "somchai") -> httpx.Response:
    return await world.client.post(f"silences/{made['silence_id']}/{action}", headers=named(who))


async def hidden(world: World, made: dict[str, Any], *, who: str = "mali") -> list[dict[str, Any]]:
    answer = await world.client.get(f"silences/{made['silence_id']}/hidden", headers=named(who))
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def work_off(world: World, at: datetime) -> int:
    """Let the job look at an instant; return how many incidents changed."""
    world.clock.set(at)
    return await run_once(world.app.state.parts.context, world.published)


def changes(world: World) -> list[str]:
    """Return and drop what was published of incidents."""
    kinds: list[str] = [event.event for event in world.published.incidents]
    world.published.incidents.clear()
    return kinds


__all__ = ["BATTERIES", "FIRST", "LOCATIONS", "NOW", "PER_STRING"]
