import asyncio
import os
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from battery_api.accounts.throttle import FAILURES_PER_NAME, prune_once, throttled_source
from battery_servicekit.testing.process import running_service

from .world import ADMIN_PASSWORD, PASSWORD, SECRET, World, opened_world, outcome


@pytest_asyncio.fixture(loop_scope="session")
async def proxied(accounts_url: str) -> AsyncIterator[World]:
    """The gateway behind one trusted proxy, so that a test may call from anywhere."""
    async with opened_world(accounts_url, trusted_proxy_count=1) as opened:
        yield opened


async def from_address(world: World, address: str, username: str, password: str = PASSWORD) -> httpx.Response:
    body = {"username": username, "password": password}
    return await world.client.post("auth/login", json=body, headers={"X-Forwarded-For": address})


async def test_the_sixth_failure_in_a_minute_waits(world: World) -> None:
    for second in range(5):
        assert outcome(await world.login(f"guess{second}", "wrong")) == (401, "bad_credentials")
        world.clock.advance(timedelta(seconds=2))
    # The right password waits as well, otherwise the response would reveal it.
    for username, password in (("malee", "wrong"), ("malee", PASSWORD)):
        refused = await world.login(username, password)
        assert outcome(refused) == (429, "too_many_attempts")
        assert refused.headers["retry-after"] == "50"
    world.clock.advance(timedelta(seconds=50))
    assert outcome(await world.login("malee")) == (200, "")
    assert outcome(await world.login("malee", "wrong")) == (401, "bad_credentials")
    assert outcome(await world.login("malee", "wrong")) == (429, "too_many_attempts")


async def test_a_parallel_burst_cannot_pass(world: World) -> None:
    responses = await asyncio.gather(*(world.login("malee", "wrong") for _ in range(12)))
    assert sorted(response.status_code for response in responses) == [401] * 5 + [429] * 7


async def test_successes_do_not_count_and_do_not_wipe_failures(world: World) -> None:
    for _ in range(8):
        assert outcome(await world.login("malee")) == (200, "")
    for _ in range(5):
        assert outcome(await world.login("admin", "wrong")) == (401, "bad_credentials")
    assert outcome(await world.login("malee")) == (429, "too_many_attempts")


async def test_replicas_count_together(world: World, accounts_url: str) -> None:
    async with opened_world(accounts_url) as replica:
        for each in (world, replica, world, replica, world):
            assert outcome(await each.login("malee", "wrong")) == (401, "bad_credentials")
        assert outcome(await replica.login("malee", "wrong")) == (429, "too_many_attempts")


async def test_a_forwarded_address_is_ignored_without_a_proxy(world: World) -> None:
    responses = [await from_address(world, f"203.0.113.{host}", "malee", "wrong") for host in range(6)]
    assert [response.status_code for response in responses] == [401] * 5 + [429]
    assert {row["address"] for row in await world.rows("select address from login_attempt")} == {"192.0.2.1"}


async def test_only_the_part_that_our_proxy_wrote_counts(proxied: World) -> None:
    for host in range(5):
        spoofed = f"198.51.100.{host}, 203.0.113.9"
        assert outcome(await from_address(proxied, spoofed, "malee", "wrong")) == (401, "bad_credentials")
    assert outcome(await from_address(proxied, "198.51.100.99, 203.0.113.9", "malee")) == (429, "too_many_attempts")
    assert outcome(await from_address(proxied, "203.0.113.10", "malee")) == (200, "")


async def test_one_ipv6_customer_is_one_source(proxied: World) -> None:
    for host in range(5):
        assert (await from_address(proxied, f"2001:db8:0:1::{host:x}", "malee", "wrong")).status_code == 401
    assert (await from_address(proxied, "2001:db8:0:1:ffff::1", "malee")).status_code == 429
    assert (await from_address(proxied, "2001:db8:0:2::1", "malee")).status_code == 200


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8::1", "2001:db8::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("unknown", "unknown"),
        ("x" * 500, "x" * 64),
    ],
)
def test_the_source_by_which_attempts_are_counted(address: str, source: str) -> None:
    assert throttled_source(address) == source


async def test_a_flood_on_a_name_slows_strangers_but_not_its_owner(proxied: World) -> None:
    home, cafe = "203.0.113.1", "203.0.113.2"
    assert (await from_address(proxied, home, "Malee")).status_code == 200
    flood = [await from_address(proxied, f"198.51.100.{host}", "malee", "wrong") for host in range(FAILURES_PER_NAME)]
    assert {response.status_code for response in flood} == {401}
    stranger = await from_address(proxied, cafe, "MALEE")
    assert outcome(stranger) == (429, "too_many_attempts")
    assert stranger.headers["retry-after"] == "60"
    assert (await from_address(proxied, home, "malee")).status_code == 200
    assert (await from_address(proxied, cafe, "somchai")).status_code == 200
    proxied.clock.advance(timedelta(minutes=1))
    assert (await from_address(proxied, cafe, "malee")).status_code == 200


async def test_old_rows_are_pruned_and_needed_ones_stay(world: World) -> None:
    session = await world.session("malee")
    await world.login("malee", "wrong")
    context = world.app.state.parts.context

    async def stored_rows() -> tuple[int, int]:
        attempts, tokens = [await world.rows(f"select id from {table}") for table in ("login_attempt", "refresh_token")]
        return len(attempts), len(tokens)

    await prune_once(context)
    assert await stored_rows() == (2, 1)
    world.clock.advance(timedelta(days=2))
    await prune_once(context)
    assert await stored_rows() == (1, 1)
    assert outcome(await world.refresh(session["refresh_token"])) == (200, "")
    world.clock.advance(timedelta(days=29))
    await prune_once(context)
    assert await stored_rows() == (0, 0)


async def test_the_real_server_ignores_forwarded_addresses(accounts_url: str, tmp_path: Path) -> None:
    environment: dict[str, str] = {
        "DATABASE_URL": accounts_url,
        "JWT_SECRET_KEY": SECRET,
        "BATTERY_ADMIN_PASSWORD": ADMIN_PASSWORD,
        "DATA_DIR": str(tmp_path),
        "RUN_JOBS": "false",
        "PYTHONUNBUFFERED": "1",
        "PATH": os.environ["PATH"],
    }
    command = [str(Path(sys.executable).with_name("battery-api")), "serve"]
    with running_service(command, environment, log=tmp_path / "gateway.log") as gateway:
        await asyncio.to_thread(gateway.wait_until_alive)
        async with httpx.AsyncClient(base_url=gateway.url) as client:
            responses: list[Any] = [
                await client.post(
                    "/api/v1/auth/login",
                    json={"username": "malee", "password": "wrong"},
                    headers={"X-Forwarded-For": f"203.0.113.{host}"},
                )
                for host in range(6)
            ]
    assert [response.status_code for response in responses] == [401] * 5 + [429]
    assert 1 <= int(responses[-1].headers["retry-after"]) <= 60
