from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import Request
from fastapi.responses import PlainTextResponse

from battery_servicekit.application import create_service
from battery_servicekit.testing.asgi import asgi_client

LIMIT = 1000


async def size(
    method: str,
    path: str,
    content: bytes | AsyncIterator[bytes] | None = None,
    *,
    headers: dict[str, str] | None = None,
    stranger_limit: int | None = None,
) -> httpx.Response:
    app = create_service(
        service="echo",
        title="Echo",
        description="Returns the size of the body.",
        version="1",
        checks=(),
        body_limit_bytes=LIMIT,
        unlimited_paths=("/unlimited",),
        stranger_limit_bytes=stranger_limit,
    )

    @app.api_route("/{_path:path}", methods=["GET", "POST", "DELETE"])
    async def echo(request: Request) -> PlainTextResponse:
        return PlainTextResponse(str(len(await request.body())))

    async with asgi_client(app) as client:
        return await client.request(method, path, content=content, headers=headers)


async def pieces(count: int, each: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield bytes(each)


@pytest.mark.parametrize("method", ["POST", "DELETE"])
async def test_up_to_the_limit_the_body_arrives_whole(method: str) -> None:
    assert (await size(method, "/x", bytes(LIMIT))).text == str(LIMIT)
    assert (await size(method, "/x", pieces(LIMIT, 1))).text == str(LIMIT)
    assert (await size(method, "/x", b"")).text == "0"
    assert (await size("GET", "/x")).text == "0"


async def test_above_it_is_413_with_the_shape_of_every_error() -> None:
    for content in (bytes(LIMIT + 1), pieces(2, LIMIT), pieces(LIMIT + 1, 1)):
        answer = await size("POST", "/x", content)
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["connection"] == "close"
        assert answer.json()["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize("headers", [{"Authorization": "Bearer x"}, {"X-API-Key": "x"}])
async def test_who_brings_no_credentials_may_send_less(headers: dict[str, str]) -> None:
    for content in (bytes(101), pieces(101, 1)):
        refused = await size("POST", "/x", content, stranger_limit=100)
        assert (refused.status_code, "at most 100 bytes" in refused.json()["detail"]) == (413, True)
    assert (await size("POST", "/x", bytes(100), stranger_limit=100)).text == "100"
    assert (await size("POST", "/x", bytes(LIMIT), headers=headers, stranger_limit=100)).text == str(LIMIT)
    assert (await size("POST", "/x", bytes(LIMIT + 1), headers=headers, stranger_limit=100)).status_code == 413


async def test_an_exempt_path_accepts_any_size() -> None:
    assert (await size("POST", "/unlimited", bytes(50 * LIMIT))).text == str(50 * LIMIT)
    assert (await size("POST", "/unlimited/too", bytes(50 * LIMIT))).status_code == 413


async def test_a_declared_size_above_the_limit_is_refused_before_the_body_is_read() -> None:
    read = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal read
        read += 1
        yield bytes(LIMIT + 1)

    app = create_service(service="echo", title="Echo", description="x", version="1", checks=(), body_limit_bytes=LIMIT)
    async with asgi_client(app) as client:
        response = await client.post("/x", content=body(), headers={"Content-Length": str(LIMIT + 1)})
    assert response.status_code == 413
    assert response.json()["detail"] == "The body may have at most 1,000 bytes."
    assert read == 0


@pytest.mark.parametrize("declared", ["-1", "1e3", "९", "many"])
async def test_a_declared_size_that_is_no_number_does_not_help(declared: str) -> None:
    content = pieces(LIMIT + 1, 1)
    app = create_service(service="echo", title="Echo", description="x", version="1", checks=(), body_limit_bytes=LIMIT)
    async with asgi_client(app) as client:
        response = await client.post("/x", content=content, headers=[(b"Content-Length", declared.encode())])
    assert response.status_code == 413


async def test_without_a_limit_any_body_passes() -> None:
    app = create_service(service="echo", title="Echo", description="x", version="1", checks=())

    @app.post("/x")
    async def echo(request: Request) -> PlainTextResponse:
        return PlainTextResponse(str(len(await request.body())))

    async with asgi_client(app) as client:
        assert (await client.post("/x", content=bytes(100 * LIMIT))).text == str(100 * LIMIT)
