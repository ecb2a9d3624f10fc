"""States of the other services: asked seldom, and never waited for twice."""

import asyncio
from datetime import timedelta

from battery_api.app.dependencies import DependencyStates
from battery_contracts.enums import ServiceState
from battery_servicekit.clock import FixedClock
from tests.support.fleet import NOW


class Service:
    """A service that answers when a test lets it."""

    def __init__(self, *, is_ready: bool) -> None:
        self.ready = is_ready
        self.asked = 0
        self.is_frozen = False

    async def is_ready(self) -> bool:
        self.asked += 1
        if self.is_frozen:
            await asyncio.sleep(3600)
        return self.ready


async def test_a_frozen_service_keeps_nobody_waiting_and_counts_as_before_until_it_is_known() -> None:
    clock, twin = FixedClock(NOW), Service(is_ready=True)
    states = DependencyStates(twin=twin, ml=None, simulator=None, clock=clock)
    first = await states.states()
    assert (first.twin, first.ml) == (ServiceState.UP, ServiceState.DOWN)
    twin.is_frozen = True
    for _ in range(5):
        clock.advance(timedelta(seconds=6))
        answer = await asyncio.wait_for(states.states(), 0.5)
        assert answer.twin is ServiceState.UP
    # One question is on its way, however often the page asks.
    assert twin.asked == 2
    await states.close()


async def test_an_answer_serves_for_some_seconds_and_is_then_renewed_behind_it() -> None:
    clock, twin = FixedClock(NOW), Service(is_ready=True)
    states = DependencyStates(twin=twin, ml=None, simulator=None, clock=clock)
    for _ in range(3):
        await states.states()
    assert twin.asked == 1
    twin.ready = False
    clock.advance(timedelta(seconds=6))
    assert (await states.states()).twin is ServiceState.UP
    await asyncio.sleep(0.01)
    assert (await states.states()).twin is ServiceState.DOWN
    await states.close()
