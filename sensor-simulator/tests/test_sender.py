import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from battery_contracts.fleet import FleetRow
from battery_sim import sender as sender_module
from battery_sim.batch import make_batch
from battery_sim.sender import Sender, telemetry_client
from battery_sim.spool import Spool, SpoolUnavailable
from battery_sim.work_thread import WorkThread
from battery_synth.world import World
from tests.conftest import START
from tests.gateway_double import GatewayDouble


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool.sqlite", limit_bytes=2**30)


@pytest.fixture
def world(fleet: tuple[FleetRow, ...]) -> World:
    return World.create(fleet, seed=3, start=START)


@asynccontextmanager
async def sending(spool: Spool, gateway: GatewayDouble, *, api_key: str = "key") -> AsyncIterator[Sender]:
    work = WorkThread()
    async with httpx.AsyncClient() as http:
        sender = Sender(spool, telemetry_client(http, gateway.url, api_key), work)
        task = asyncio.create_task(sender.run())
        try:
            yield sender
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            work.close()


async def until(condition: Callable[[], bool], *, timeout_s: float = 60.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110  # the condition is another thread's
            await asyncio.sleep(0.02)


def fill(spool: Spool, world: World, count: int) -> list[str]:
    """Spool one string's batch a second and return the strings in this order."""
    strings = []
    for number in range(count):
        at = START + timedelta(seconds=number + 1)
        world.advance(at)
        string = world.string_ids[number % len(world.string_ids)]
        batch = make_batch(world.observe([string]), None)
        assert batch is not None
        spool.put(batch.body, reading_count=batch.reading_count, made_at=at)
        strings.append(string)
    return strings


async def test_backlog_drains_in_order_merged_into_few_requests(
    spool: Spool, world: World, gateway: GatewayDouble
) -> None:
    strings = fill(spool, world, 450)
    async with sending(spool, gateway) as sender:
        await until(lambda: spool.count == 0)
        assert sender.status.accepted == 450 * 25
        assert sender.status.is_connected
    # 5,000 readings a request are 200 batches of 25.
    assert len(gateway.arrivals) == 3
    order = [name for batch in gateway.arrivals for name, _ in batch if not name.startswith("BAT-")]
    assert order == strings


async def test_new_batch_is_sent_at_once(spool: Spool, world: World, gateway: GatewayDouble) -> None:
    async with sending(spool, gateway) as sender:
        await asyncio.sleep(0.1)
        fill(spool, world, 1)
        # Nothing but the notice wakes a sender that has emptied its spool.
        sender.notify()
        await until(lambda: spool.count == 0)


@pytest.mark.parametrize("status", [500, 502, 503, 408, 404, 429])
async def test_refusals_that_are_not_about_the_batch_are_tried_again(
    spool: Spool, world: World, gateway: GatewayDouble, status: int
) -> None:
    fill(spool, world, 3)
    gateway.answers = [(status, {})] * 2
    async with sending(spool, gateway) as sender:
        await until(lambda: sender.status.last_error is not None)
        assert not sender.status.is_connected
        assert spool.count == 3
        await until(lambda: spool.count == 0)
        assert sender.status.last_error is None
    assert gateway.statuses == [status, status, 200]
    assert spool.refused_count == 0


@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after_is_obeyed(spool: Spool, world: World, gateway: GatewayDouble, status: int) -> None:
    fill(spool, world, 1)
    gateway.answers = [(status, {"Retry-After": "2"})]
    started_s = time.monotonic()
    async with sending(spool, gateway):
        await until(lambda: spool.count == 0)
    assert time.monotonic() - started_s >= 2.0


@pytest.mark.parametrize("status", [401, 403])
async def test_unknown_key_waits_slowly_and_keeps_everything(
    spool: Spool, world: World, gateway: GatewayDouble, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender_module, "UNKNOWN_SENDER_PAUSE_S", 1.5)
    fill(spool, world, 2)
    gateway.answers = [(status, {})]
    async with sending(spool, gateway) as sender:
        await until(lambda: sender.status.last_error is not None)
        await asyncio.sleep(1.0)
        assert gateway.statuses == [status]
        assert (spool.count, spool.refused_count) == (2, 0)
        await until(lambda: spool.count == 0)


async def test_poison_batch_is_found_among_many_and_set_aside(
    spool: Spool, world: World, gateway: GatewayDouble
) -> None:
    strings = fill(spool, world, len(world.string_ids))
    gateway.poison = f'"{strings[7]}"'
    async with sending(spool, gateway):
        await until(lambda: spool.count == 0)
        await until(lambda: spool.refused_count == 1)
    arrived = [name for batch in gateway.arrivals for name, _ in batch if not name.startswith("BAT-")]
    assert arrived == [string for string in strings if string != strings[7]]


async def test_too_large_merge_is_halved_until_it_fits(spool: Spool, world: World, gateway: GatewayDouble) -> None:
    strings = fill(spool, world, 90)
    gateway.max_batch_rows = 300
    async with sending(spool, gateway):
        await until(lambda: spool.count == 0)
    assert spool.refused_count == 0
    arrived = [name for batch in gateway.arrivals for name, _ in batch if not name.startswith("BAT-")]
    assert arrived == strings


async def test_outage_of_the_gateway_loses_nothing(spool: Spool, world: World, gateway: GatewayDouble) -> None:
    gateway.stop()
    strings = fill(spool, world, 40)
    async with sending(spool, gateway) as sender:
        await until(lambda: sender.status.last_error is not None)
        await asyncio.sleep(1.0)
        assert spool.count == 40
        gateway.start()
        # The longest pause is 5 s, so that a gateway that is back is not left waiting.
        await until(lambda: spool.count == 0, timeout_s=8.0)
    arrived = [name for batch in gateway.arrivals for name, _ in batch if not name.startswith("BAT-")]
    assert arrived == strings


async def test_answer_outside_the_contract_keeps_the_batch(spool: Spool, world: World, gateway: GatewayDouble) -> None:
    fill(spool, world, 1)
    gateway.answers = [(204, {}), (302, {"Location": "/login"})]
    async with sending(spool, gateway):
        await until(lambda: spool.count == 0)
    assert gateway.statuses == [204, 302, 200]
    assert spool.refused_count == 0


async def test_acknowledged_batch_is_not_sent_again_while_the_disk_is_full(
    spool: Spool, world: World, gateway: GatewayDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(spool, world, 1)
    remove, refused = spool.remove, 0

    def remove_later(batches: object) -> None:
        nonlocal refused
        refused += 1
        if refused < 3:
            raise SpoolUnavailable("database or disk is full")
        remove(batches)  # type: ignore[arg-type]  # handed through

    monkeypatch.setattr(spool, "remove", remove_later)
    async with sending(spool, gateway):
        await until(lambda: spool.count == 0)
    assert len(gateway.arrivals) == 1
