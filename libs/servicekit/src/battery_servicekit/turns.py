"""Take turns with heavy answers, so that one caller's hundred lists make nobody else wait."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Final, TypeVar

from fastapi import Depends, Request

AT_ONCE: Final = 2
"""Heavy answers that are made for one caller at a time; the rest wait for their turn."""
_EVERY: Final = 10
Item = TypeVar("Item")
Made = TypeVar("Made")


class CallerTurns:
    """The answers being made, by caller."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._at_once = at_once
        self._turns: dict[str, asyncio.Semaphore] = {}
        self._waiting: dict[str, int] = {}

    @asynccontextmanager
    async def of(self, caller: str) -> AsyncIterator[None]:
        """Wait for a caller's turn and keep it until the answer is made."""
        turns = self._turns.setdefault(caller, asyncio.Semaphore(self._at_once))
        self._waiting[caller] = self._waiting.get(caller, 0) + 1
        try:
            async with turns:
                yield
        finally:
            self._waiting[caller] -= 1
            if not self._waiting[caller]:
                del self._waiting[caller], self._turns[caller]


_TURNS: Final = CallerTurns()


async def _in_turn(request: Request) -> AsyncIterator[None]:
    credentials = request.headers.get("authorization") or request.headers.get("x-api-key")
    caller = credentials or (request.client.host if request.client else "")
    # What is kept is not what opens doors.
    async with _TURNS.of(sha256(caller.encode()).hexdigest()):
        yield


IN_TURN: Final = Depends(_in_turn)
"""For endpoints whose answers are large."""


async def made_in_turns(make: Callable[[Item], Made], items: Iterable[Item]) -> list[Made]:
    """Return what ``make`` makes of each item, letting others have the event loop every few items."""
    made = []
    for number, item in enumerate(items, start=1):
        made.append(make(item))
        if number % _EVERY == 0:
            await asyncio.sleep(0)
    return made
