"""Hostile values in every parameter and in every field of every body: refused or answered, never a server error."""

import copy
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any
from urllib.parse import quote

import pytest
import pytest_asyncio

from tests.accounts.world import World

from .operations import Operation, operations
from .worlds import OWN, Callers, populated

TEXTS = (
    "",
    " ",
    "\x00",
    "a\x00b",
    "%00",
    "\ufeff",
    "\u202edrow",
    "\U0001f50b" * 50,
    "ก" * 5000,
    "x" * 30_000,
    "../../etc/passwd",
    "' or 1=1 --",
    "{{7*7}}",
    "0",
    "-1",
    "-0",
    "1e400",
    "NaN",
    "Infinity",
    "2147483648",
    "9223372036854775808",
    "99999999999999999999999999",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999-12:00",
    "2026-02-30T00:00:00Z",
    "2569-11-20T00:00:00+07:00",
    "2026-11-20T00:00:00+99:99",
    "1732000000",
    "true",
    "null",
    "[]",
)
VALUES: tuple[Any, ...] = (
    *(text for text in TEXTS if len(text) < 10_000),
    None,
    True,
    0,
    -1,
    0.5,
    1e308,
    -1e308,
    2**31,
    2**63,
    10**40,
    [],
    {},
    [None],
    [[[[[[]]]]]],
    {"\x00": "\ud800"},
    ["x"] * 2000,
)
ENDS_CALLERS = frozenset({"POST auth/logout", "POST auth/change-password"})
TRIED = [operation for operation in operations() if operation.name not in ENDS_CALLERS]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def fuzzed(postgres_url: str, rights_template: str) -> AsyncIterator[tuple[World, Callers]]:
    """A world that these tests may damage."""
    limits: dict[str, Any] = {
        f"requests_per_minute_of_{caller}": 1_000_000_000 for caller in ("user", "key", "address")
    }
    async with populated(postgres_url, rights_template, foreign=False, **limits) as world:
        yield world


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value of a body, the first two of a list standing for the rest."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(value, list) else ()
    for name, item in items:
        yield from leaves(item, (*path, name))


def replaced(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    """Return a body with another value at a path."""
    if not path:
        return value
    changed = copy.deepcopy(body)
    inner = changed
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    return changed


def hostile_requests(operation: Operation, ids: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the request of the example with one value after another replaced."""
    request = operation.requests(ids)[0]
    for parameter in operation.parameters:
        name = parameter["name"]
        for text in TEXTS:
            if parameter["in"] == "query":
                yield request | {"params": request["params"] | {name: text}}
            elif parameter["in"] == "path":
                yield request | {"url": operation.path.format_map({**ids, name: quote(text, safe="")})}
    if "json" in request:
        for path in leaves(request["json"]):
            for value in VALUES:
                body = json.dumps(replaced(request["json"], path, value), allow_nan=True).encode(
                    "utf-8", "surrogatepass"
                )
                bare = {key: item for key, item in request.items() if key != "json"}
                yield bare | {"content": body, "headers": {"Content-Type": "application/json"}}


@pytest.mark.parametrize("operation", TRIED, ids=lambda operation: operation.name)
async def test_no_value_is_a_server_error(fuzzed: tuple[World, Callers], operation: Operation) -> None:
    world, callers = fuzzed
    admin = callers.everywhere["admin"]
    for request in hostile_requests(operation, callers.ids[OWN]):
        answer = await world.client.request(**request | {"headers": {**request.get("headers", {}), **admin}})
        is_away = answer.status_code == 503 and answer.json()["code"] in {"twin_unavailable", "ml_unavailable"}
        assert answer.status_code < 500 or is_away, (request, answer.text)
        if answer.is_error:
            assert answer.headers["content-type"] == "application/problem+json", request
            assert {"code", "detail", "status"} <= answer.json().keys()


@pytest.mark.parametrize("depth", [100, 10_000, 400_000])
@pytest.mark.parametrize("bracket", ["[]", "{}"])
async def test_no_depth_of_a_body_is_a_server_error(fuzzed: tuple[World, Callers], depth: int, bracket: str) -> None:
    world, callers = fuzzed
    inner = b"[" * depth + b"]" * depth if bracket == "[]" else b'{"a":' * depth + b"1" + b"}" * depth
    admin = callers.everywhere["admin"] | {"Content-Type": "application/json"}
    for path, name in (("alerts/1/comments", b"note"), ("telemetry", b"readings"), ("auth/users", b"username")):
        answer = await world.client.post(path, content=b'{"' + name + b'":' + inner + b"}", headers=admin)
        is_refused = answer.status_code in {400, 413, 422}
        assert is_refused or answer.json()["accepted"] == 0, (path, answer.text[:200])
