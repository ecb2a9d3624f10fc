import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from battery_contracts.fleet import FleetRow
from battery_sim.batch import Batch
from battery_sim.feed import Feed
from battery_sim.runner import FeedState, Runner
from battery_sim.settings import SimulatorSettings
from battery_synth.world import World
from tests.gateway_double import GatewayDouble

BATTERY = "BAT-DC-CNX-01-UPS-01-STR-01-001"


class SetClock:
    """The machine's clock after somebody set it."""

    def __init__(self) -> None:
        self.offset = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def settings(tmp_path: Path, fleet_csv: Path, gateway: GatewayDouble) -> SimulatorSettings:
    return SimulatorSettings.model_validate(
        {
            "data_dir": tmp_path,
            "gateway_url": gateway.url,
            "simulator_api_key": gateway.api_key,
            "simulator_fleet_csv": fleet_csv,
            "simulator_interval_s": 1.0,
        }
    )


@asynccontextmanager
async def running(settings: SimulatorSettings, clock: SetClock) -> AsyncIterator[Runner]:
    async with httpx.AsyncClient() as http:
        runner = Runner(settings, clock, http)
        task = asyncio.create_task(runner.run())
        try:
            yield runner
        finally:
            runner.stop()
            await task


async def until(condition: Callable[[], bool], *, timeout_s: float = 60.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110  # the condition is another thread's
            await asyncio.sleep(0.02)


def instants(gateway: GatewayDouble) -> list[datetime]:
    return [datetime.fromisoformat(text) for text in gateway.times_of(BATTERY)]


async def test_time_asleep_stays_a_gap(settings: SimulatorSettings, clock: SetClock, gateway: GatewayDouble) -> None:
    async with running(settings, clock) as runner:
        await until(lambda: len(gateway.arrivals) >= 2)
        fell_asleep = clock.now()
        clock.offset = timedelta(minutes=10)
        before = len(gateway.arrivals)
        await until(lambda: len(gateway.arrivals) >= before + 3)
        lag = runner.status().lag
        assert lag is not None
        assert lag < timedelta(minutes=1)
    woke = fell_asleep + timedelta(minutes=10)
    assert not [at for at in instants(gateway) if fell_asleep + timedelta(seconds=2) < at < woke - timedelta(seconds=1)]


async def test_clock_set_back_a_little_repeats_no_instant(
    settings: SimulatorSettings, clock: SetClock, gateway: GatewayDouble
) -> None:
    async with running(settings, clock):
        await until(lambda: len(gateway.arrivals) >= 2)
    clock.offset = timedelta(seconds=-4)
    async with running(settings, clock):
        before = len(gateway.arrivals)
        await until(lambda: len(gateway.arrivals) >= before + 2)
    assert all(len(values) == 1 for values in gateway.values.values())
    seen = instants(gateway)
    assert seen == sorted(set(seen))


async def test_clock_set_back_far_begins_again_at_once(
    settings: SimulatorSettings, clock: SetClock, gateway: GatewayDouble
) -> None:
    clock.offset = timedelta(hours=3)
    async with running(settings, clock) as runner:
        await until(lambda: len(gateway.arrivals) >= 2)
        clock.offset = timedelta(0)
        before = len(gateway.arrivals)
        await until(lambda: len(gateway.arrivals) >= before + 2)
        lag = runner.status().lag
        assert lag is not None
        assert abs(lag) < timedelta(minutes=1)


async def test_feed_that_stumbles_starts_again_by_itself(
    settings: SimulatorSettings, clock: SetClock, gateway: GatewayDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    tick, calls = Feed.tick, 0

    def stumbling(self: Feed, now: datetime) -> Batch | None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise ZeroDivisionError
        return tick(self, now)

    monkeypatch.setattr(Feed, "tick", stumbling)
    async with running(settings, clock) as runner:
        await until(lambda: runner.status().state is FeedState.FAILING)
        assert runner.status().reason == "ZeroDivisionError"
        before = len(gateway.arrivals)
        await until(lambda: len(gateway.arrivals) >= before + 2)
        assert runner.status().state is FeedState.FEEDING
    assert all(len(values) == 1 for values in gateway.values.values())


async def test_stop_does_not_wait_for_months_of_the_world(
    settings: SimulatorSettings, clock: SetClock, fleet: tuple[FleetRow, ...]
) -> None:
    settings.folder.mkdir()
    world = World.create(fleet, seed=1, start=clock.now() - timedelta(days=1500))
    (settings.folder / "world.checkpoint").write_bytes(world.dump())
    async with running(settings, clock) as runner:
        await until(lambda: runner.status().world_time is not None)
        assert runner.status().state is FeedState.STARTING
    kept = World.load((settings.folder / "world.checkpoint").read_bytes(), fleet)
    assert kept.time < clock.now() - timedelta(days=30)
