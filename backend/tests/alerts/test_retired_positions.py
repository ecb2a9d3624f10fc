"""Which positions of a string are in service: a retired one leaves a gap, it does not shorten the string."""

from typing import Any

from .test_endings import get, retire
from .world import BATTERIES, LOCATIONS, PER_STRING, STRINGS, World, named

SECOND = BATTERIES[1]


async def string_of(world: World, **query: Any) -> dict[str, Any] | None:
    detail = await get(world, f"locations/{LOCATIONS[0]}", **query)
    strings = (string for system in detail["systems"] for string in system["strings"])
    return next((string for string in strings if string["string_id"] == STRINGS[0]), None)


async def test_retired_position_in_the_middle_is_named_and_the_others_stay(world: World) -> None:
    await retire(world, f"batteries/{SECOND}")
    string = await string_of(world)
    assert string is not None
    assert string["battery_ids"] == [code for code in BATTERIES[:PER_STRING] if code != SECOND]
    assert string["retired_battery_ids"] == [SECOND]
    assert (string["battery_count"], string["retired_at"]) == (PER_STRING - 1, None)


async def test_retired_string_is_listed_on_request_with_all_that_can_come_back(world: World) -> None:
    await retire(world, f"strings/{STRINGS[0]}")
    assert await string_of(world) is None
    string = await string_of(world, include_retired=True)
    assert string is not None
    assert (string["battery_ids"], string["retired_battery_ids"]) == ([], list(BATTERIES[:PER_STRING]))
    assert string["retired_at"] is not None
    body = {"reason": "retired by mistake"}
    await world.client.post(f"strings/{STRINGS[0]}/unretire", json=body, headers=named("root"))
    string = await string_of(world)
    assert string is not None
    assert (string["battery_ids"], string["retired_battery_ids"]) == (list(BATTERIES[:PER_STRING]), [])
