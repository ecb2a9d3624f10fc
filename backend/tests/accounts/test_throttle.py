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

from battery_api.accounts.addresses import throttled_source
from battery_api.accounts.throttle import FREE_STRANGERS, LONGEST_ON_NAME_S, WINDOW, prune_once
from battery_servicekit.testing.process import running_service

from .world import ADMIN_PASSWORD, PASSWORD, SECRET, World, opened_world, outcome


@pytest_asyncio.fixture(loop_scope="session")
async def proxied(accounts_url: str) -> AsyncIterator[World]:
    """The gateway behind one trusted proxy, so that a test may call from anywhere."""
    async with opened_world(accounts_url, trusted_proxy_count=1) as opened:
        yield opened


def strangers_of(world: World) -> httpx.AsyncClient:
    """Return a client at the address of the world's own, without its cookies."""
    transport = world.client._transport
    return httpx.AsyncClient(transport=transport, base_url=world.client.base_url)


async def from_address(world: World, address: str, username: str, password: str = PASSWORD) -> httpx.Response:
    body = {"username": username, "password": password}
    return await world.client.post("auth/login", json=body, headers={"X-Forwarded-For": address})


async def test_each_failure_after_the_fifth_doubles_the_wait(world: World) -> None:
    for _ in range(5):
        assert outcome(await world.login("malee", "wrong")) == (401, "bad_credentials")
    for seconds in (2, 4, 8, 16, 32, 60, 60):
        # The right password waits as well, otherwise the response would reveal it.
        for password in ("wrong", PASSWORD):
            refused = await world.login("malee", password)
            assert outcome(refused) == (429, "too_many_attempts")
            assert refused.headers["retry-after"] == str(seconds)
        world.clock.advance(timedelta(seconds=seconds))
        assert outcome(await world.login("malee", "wrong")) == (401, "bad_credentials")
    world.clock.advance(timedelta(seconds=60))
    assert outcome(await world.login("malee")) == (200, "")
    world.clock.advance(WINDOW)
    assert outcome(await world.login("malee", "wrong")) == (401, "bad_credentials")
    assert outcome(await world.login("malee")) == (200, "")


async def test_the_failures_of_one_name_leave_others_behind_the_same_address_alone(world: World) -> None:
    for name in ("admin", "somchai", "nobody"):
        for _ in range(6):
            await world.login(name, "wrong")
    # Malee has never logged in from anywhere.
    assert outcome(await world.login("malee")) == (200, "")
    assert outcome(await world.login("somchai")) == (429, "too_many_attempts")


async def test_a_known_device_logs_in_while_others_behind_its_address_guess_at_its_name(world: World) -> None:
    login = await world.login("malee")
    assert login.status_code == 200
    cookie = login.cookies["battery_device"]
    async with strangers_of(world) as strangers:
        for _ in range(6):
            await strangers.post("auth/login", json={"username": "malee", "password": "wrong"})
        refused = await strangers.post("auth/login", json={"username": "malee", "password": PASSWORD})
    assert outcome(refused) == (429, "too_many_attempts")
    assert world.client.cookies["battery_device"] == cookie
    again = await world.login("malee")
    assert outcome(again) == (200, "")
    assert again.cookies["battery_device"] == cookie
    assert cookie not in str(await world.rows("select * from login_attempt"))


async def test_a_known_device_waits_for_its_own_failures_and_is_known_to_its_own_name_alone(world: World) -> None:
    await world.session("malee")
    for _ in range(5):
        assert outcome(await world.login("malee", "wrong")) == (401, "bad_credentials")
    assert outcome(await world.login("malee")) == (429, "too_many_attempts")
    async with strangers_of(world) as strangers:
        for _ in range(5):
            await strangers.post("auth/login", json={"username": "somchai", "password": "wrong"})
    assert outcome(await world.login("somchai")) == (429, "too_many_attempts")


async def test_a_device_cookie_that_was_never_given_out_is_replaced(world: World) -> None:
    world.client.cookies.set("battery_device", "chosen-by-somebody", domain="test.local", path="/api/v1/auth")
    login = await world.login("malee")
    assert login.cookies["battery_device"] != "chosen-by-somebody"
    header = next(value for value in login.headers.get_list("set-cookie") if value.startswith("battery_device"))
    assert {"HttpOnly", "SameSite=strict", "Path=/api/v1/auth"} <= {part.strip() for part in header.split(";")}


async def test_a_parallel_burst_cannot_pass(world: World) -> None:
    responses = await asyncio.gather(*(world.login("malee", "wrong") for _ in range(12)))
    assert sorted(response.status_code for response in responses) == [401] * 5 + [429] * 7


async def test_successes_do_not_count_and_do_not_wipe_failures(world: World) -> None:
    for _ in range(8):
        assert outcome(await world.login("malee")) == (200, "")
    for _ in range(4):
        assert outcome(await world.login("malee", "wrong")) == (401, "bad_credentials")
    assert outcome(await world.login("malee")) == (200, "")
    assert outcome(await world.login("malee", "wrong")) == (401, "bad_credentials")
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


async def flood(world: World, name: str, count: int) -> None:
    for number in range(count):
        host = f"198.51.{number // 250}.{number % 250}"
        assert (await from_address(world, host, name, "wrong")).status_code == 401


async def test_a_flood_on_a_name_delays_strangers_and_not_its_known_addresses(proxied: World) -> None:
    home, cafe = "203.0.113.1", "203.0.113.2"
    assert (await from_address(proxied, home, "Malee")).status_code == 200
    proxied.client.cookies.clear()
    await flood(proxied, "malee", FREE_STRANGERS)
    stranger = await from_address(proxied, cafe, "MALEE")
    assert outcome(stranger) == (429, "too_many_attempts")
    assert stranger.headers["retry-after"] == "2"
    assert (await from_address(proxied, home, "malee")).status_code == 200
    assert (await from_address(proxied, cafe, "somchai")).status_code == 200


async def test_the_owner_gets_in_from_a_new_address_however_long_the_flood_lasts(proxied: World) -> None:
    cafe = "203.0.113.2"
    await flood(proxied, "malee", FREE_STRANGERS)
    assert (await from_address(proxied, cafe, "malee")).headers["retry-after"] == "2"
    waited_s = 0
    for hosts in range(20):
        # Addresses that have waited guess on and raise the delay of everybody.
        for number in range(5):
            await from_address(proxied, f"192.0.2.{10 * hosts + number}", "malee", "wrong")
        answer = await from_address(proxied, cafe, "malee")
        if answer.status_code == 200:
            break
        # Impatience does not put it off.
        seconds = int(answer.headers["retry-after"])
        assert (await from_address(proxied, cafe, "malee")).headers["retry-after"] == str(seconds)
        proxied.clock.advance(timedelta(seconds=seconds))
        waited_s += seconds
    assert answer.status_code == 200
    assert 0 < waited_s <= LONGEST_ON_NAME_S


async def test_an_address_that_tries_many_names_delays_only_strangers_and_lets_them_in(proxied: World) -> None:
    office = "203.0.113.7"
    assert (await from_address(proxied, office, "somchai")).status_code == 200
    proxied.client.cookies.clear()
    for number in range(FREE_STRANGERS):
        assert (await from_address(proxied, office, f"guess{number}", "wrong")).status_code == 401
    assert (await from_address(proxied, office, "somchai")).status_code == 200
    proxied.client.cookies.clear()
    newcomer = await from_address(proxied, office, "malee")
    assert (outcome(newcomer), newcomer.headers["retry-after"]) == ((429, "too_many_attempts"), "2")
    proxied.clock.advance(timedelta(seconds=2))
    assert (await from_address(proxied, office, "malee")).status_code == 200


async def test_a_stolen_session_does_not_guess_the_password_freely_nor_delay_the_owner(world: World) -> None:
    session = await world.session("malee")
    headers = {"Authorization": f"Bearer {session['access_token']}"}
    body = {"current_password": "wrong", "new_password": "seven green kettles"}
    answers = [await world.client.post("auth/change-password", json=body, headers=headers) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert outcome(await world.login("malee")) == (200, "")


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
