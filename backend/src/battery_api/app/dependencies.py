"""Whether the services that the gateway depends on answer, asked at most every few seconds."""

import asyncio
from typing import Protocol

from battery_api.fleet.overview_schemas import Services
from battery_contracts.enums import ServiceState
from battery_servicekit.clock import Clock


class Dependency(Protocol):
    """A service that can be asked for its readiness."""

    async def is_ready(self) -> bool:
        """Return whether the service is ready."""
        ...


class DependencyStates:
    """Caches for ``max_age_s`` which dependencies are ready, so that pages and probes do not flood them with checks.

    What is older is asked for again in the background, while the present answer is given at once: a dependency that is
    frozen keeps nobody waiting. Only the very first answer is waited for.
    """

    def __init__(
        self,
        *,
        twin: Dependency | None,
        ml: Dependency | None,
        simulator: Dependency | None,
        clock: Clock,
        max_age_s: float = 5.0,
    ) -> None:
        self._dependencies: dict[str, Dependency | None] = {"twin": twin, "ml": ml, "simulator": simulator}
        self._clock = clock
        self._max_age_s = max_age_s
        self._states: dict[str, ServiceState] = {}
        self._checked_at_s: float | None = None
        self._check: asyncio.Task[None] | None = None

    async def states(self) -> Services:
        """Return the state of each dependency; one that is not configured is down."""
        now_s = self._clock.now().timestamp()
        is_fresh = self._checked_at_s is not None and 0 <= now_s - self._checked_at_s < self._max_age_s
        if not is_fresh and (self._check is None or self._check.done()):
            self._check = asyncio.create_task(self._ask(now_s), name="dependencies")
        if not self._states and self._check is not None:
            await asyncio.shield(self._check)
        return Services(**self._states)

    async def close(self) -> None:
        """End a check that is running."""
        if self._check is not None:
            self._check.cancel()
            await asyncio.wait({self._check})

    async def _ask(self, now_s: float) -> None:
        states = await asyncio.gather(*map(_state_of, self._dependencies.values()))
        self._states = dict(zip(self._dependencies, states, strict=True))
        self._checked_at_s = now_s


async def _state_of(dependency: Dependency | None) -> ServiceState:
    if dependency is None:
        return ServiceState.DOWN
    return ServiceState.UP if await dependency.is_ready() else ServiceState.DOWN
