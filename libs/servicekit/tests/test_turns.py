"""Heavy answers: a few at a time for each caller, and never long on the event loop."""

import asyncio
import time

import httpx
from fastapi import FastAPI

from battery_servicekit.turns import AT_ONCE, IN_TURN, CallerTurns, made_in_turns


async def test_a_caller_has_few_answers_made_at_once_and_others_do_not_wait_for_them() -> None:
    turns = CallerTurns()
    running: list[str] = []
    most: dict[str, int] = {}

    async def ask(caller: str) -> None:
        async with turns.of(caller):
            running.append(caller)
            most[caller] = max(most.get(caller, 0), running.count(caller))
            await asyncio.sleep(0.01)
            running.remove(caller)

    began = time.monotonic()
    greedy = [asyncio.create_task(ask("greedy")) for _ in range(40)]
    await asyncio.sleep(0)
    await ask("modest")
    assert time.monotonic() - began < 0.1, "it waited for the others"
    await asyncio.gather(*greedy)
    assert most == {"greedy": AT_ONCE, "modest": 1}
    # Nothing is kept of callers that are served.
    assert not turns._turns


async def test_credentials_distinguish_callers() -> None:
    app = FastAPI()
    running: list[int] = []

    @app.get("/heavy", dependencies=[IN_TURN])
    async def heavy() -> int:
        running.append(1)
        together = len(running)
        await asyncio.sleep(0.05)
        running.pop()
        return together

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:

        async def ask(token: str) -> int:
            return int((await client.get("/heavy", headers={"Authorization": f"Bearer {token}"})).text)

        same = await asyncio.gather(*(ask("one") for _ in range(8)))
        different = await asyncio.gather(*(ask(f"user {number}") for number in range(8)))
    assert max(same) == AT_ONCE
    assert max(different) == 8


async def test_others_have_the_event_loop_while_a_long_list_is_made() -> None:
    order: list[str] = []

    async def other() -> None:
        for _ in range(5):
            order.append("other")
            await asyncio.sleep(0)

    def make(number: int) -> int:
        order.append("item")
        return 2 * number

    made, _ = await asyncio.gather(made_in_turns(make, range(100)), other())
    assert made == [2 * number for number in range(100)]
    assert order.index("other") <= 10
    assert order.count("other") == 5
