import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from battery_api.app.main import STRANGER_LIMIT_BYTES

from .world import World, outcome

GOOD: dict[str, Any] = {"username": "malee", "password": "wrong"}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "null",
        "[]",
        "{",
        '"text"',
        "1e999",
        "[" * 16_000,
        '{"username": "malee"}',
        json.dumps({**GOOD, "username": None}),
        json.dumps({**GOOD, "username": 5}),
        json.dumps({**GOOD, "username": "x" * 300}),
        json.dumps({**GOOD, "username": "a\x00b"}),
        json.dumps({**GOOD, "username": "\ud800"}),
        json.dumps({**GOOD, "password": "\ud800"}),
        json.dumps({**GOOD, "password": "x" * 257}),
        json.dumps({**GOOD, "password": ""}),
        json.dumps({**GOOD, "password": ["x"]}),
        json.dumps({**GOOD, "session": "header"}),
        json.dumps({**GOOD, "role": "admin"}),
        json.dumps({**GOOD, "\ud800": 1}),
        b"\xff\xfe\x00",
        b'{"username": "\xff"}',
    ],
)
async def test_a_broken_login_is_4xx(world: World, content: str | bytes) -> None:
    response = await world.client.post("auth/login", content=content, headers={"Content-Type": "application/json"})
    status, _ = outcome(response)
    assert status in {400, 422}
    assert await world.rows("select id from login_attempt") == []


@pytest.mark.parametrize("password", ["a\x00b", "รหัสผ่าน", "\U0001f50b" * 64, " ", "a\u0301", "{}", "' or 1=1 --"])
async def test_a_strange_password_is_just_wrong(world: World, password: str) -> None:
    assert outcome(await world.login("malee", password)) == (401, "bad_credentials")


async def test_a_password_is_the_same_however_it_is_composed(world: World) -> None:
    admin = await world.headers("admin")
    new = {"username": "jose", "password": "cafe\u0301 au lait noir", "role": "viewer"}
    assert (await world.client.post("auth/users", json=new, headers=admin)).status_code == 201
    assert outcome(await world.login("jose", "caf\u00e9 au lait noir")) == (200, "")


async def test_validation_never_echoes_a_password(world: World) -> None:
    secret = "a password typed twice " * 20
    response = await world.login("malee", secret)
    assert outcome(response) == (422, "validation_failed")
    assert "typed twice" not in response.text


async def test_huge_bodies_are_413_and_not_read_to_their_end(world: World) -> None:
    sent = 0

    async def flood() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(200):
            sent += 1
            yield bytes(1 << 10)

    headers = {"Content-Type": "application/json"}
    declared = await world.client.post("auth/login", content=b" " * (STRANGER_LIMIT_BYTES + 1), headers=headers)
    streamed = await world.client.post("auth/login", content=flood(), headers=headers)
    assert [outcome(response) for response in (declared, streamed)] == [(413, "body_too_large")] * 2
    assert STRANGER_LIMIT_BYTES // (1 << 10) <= sent < 200
    padded = json.dumps(GOOD).encode().ljust(STRANGER_LIMIT_BYTES)
    assert outcome(await world.client.post("auth/login", content=padded, headers=headers)) == (401, "bad_credentials")


async def test_a_streamed_body_within_bounds_arrives_whole(world: World) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for one in json.dumps(GOOD):
            yield one.encode()

    response = await world.client.post("auth/login", content=pieces(), headers={"Content-Type": "application/json"})
    assert outcome(response) == (401, "bad_credentials")
