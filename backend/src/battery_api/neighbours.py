"""Whether the neighbouring services answer, asked at most every few seconds."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from battery_api.fleet.schemas import Services
from battery_contracts.enums import ServiceState
from battery_servicekit.clock import Clock


class _Neighbour(Protocol):
    async def is_ready(self) -> bool: ...


class Neighbours:
    """Remembers for ``max_age_s`` which neighbours were ready, so that pages and probes do not hammer them."""

    def __init__(
        self,
        *,
        twin: _Neighbour | None,
        ml: _Neighbour | None,
        simulator: _Neighbour | None,
        clock: Clock,
        max_age_s: float = 5.0,
    ) -> None:
        self._asked: dict[str, _Neighbour | None] = {"twin": twin, "ml": ml, "simulator": simulator}
        self._clock = clock
        self._max_age_s = max_age_s
        self._states: dict[str, ServiceState] = {}
        self._at: float | None = None
        self._lock = asyncio.Lock()

    async def states(self) -> Services:
        """Return the state of each neighbour; one that is not configured is down."""
        async with self._lock:
            now_s = self._clock.now().timestamp()
            if self._at is None or not 0 <= now_s - self._at < self._max_age_s:
                found = await asyncio.gather(*(_ask(neighbour) for neighbour in self._asked.values()))
                self._states = dict(zip(self._asked, found, strict=True))
                self._at = now_s
        return Services(**self._states)

    def probe(self, name: str) -> Callable[[], Awaitable[ServiceState]]:
        """Return a question about one neighbour."""

        async def ask() -> ServiceState:
            state: ServiceState = getattr(await self.states(), name)
            return state

        return ask


async def _ask(neighbour: _Neighbour | None) -> ServiceState:
    if neighbour is None:
        return ServiceState.DOWN
    return ServiceState.UP if await neighbour.is_ready() else ServiceState.DOWN
