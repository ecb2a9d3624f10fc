import asyncio
import re

import httpx
import pytest
import structlog
from fastapi import FastAPI
from prometheus_client import REGISTRY
from pydantic import SecretStr
from starlette.types import Message
from structlog.testing import LogCapture

from battery_servicekit.application import create_service
from battery_servicekit.middleware import RequestContextMiddleware, current_request_id, pass_request_id
from battery_servicekit.testing.asgi import asgi_client
from tests.example import create_app

GENERATED = re.compile(r"[0-9a-f]{32}")


def request_count(route: str, status: str, method: str = "GET") -> float:
    labels = {"method": method, "route": route, "status": status}
    return REGISTRY.get_sample_value("http_request_seconds_count", labels) or 0.0


@pytest.mark.parametrize("request_id", ["a", "trace-1:2_3.4", "x" * 64])
async def test_an_acceptable_id_reaches_the_handler_and_returns(client: httpx.AsyncClient, request_id: str) -> None:
    response = await client.get("/items/1", headers={"X-Request-Id": request_id})
    assert response.headers["x-request-id"] == request_id
    assert response.json()["request_id"] == request_id


@pytest.mark.parametrize(
    "hostile", ["", " ", "x" * 65, "a\tb", "a b", "<script>", '{"a":1}', "id\x7f", "ä".encode(), "a\\nb"]
)
async def test_a_hostile_id_is_replaced(client: httpx.AsyncClient, hostile: str | bytes) -> None:
    value = hostile if isinstance(hostile, bytes) else hostile.encode()
    response = await client.get("/items/1", headers=[(b"X-Request-Id", value)])
    assert GENERATED.fullmatch(response.headers["x-request-id"])
    assert response.json()["request_id"] == response.headers["x-request-id"]


async def test_an_id_with_a_line_break_is_replaced_before_it_reaches_a_log_or_a_header() -> None:
    # httpx refuses such a header, an ASGI server might not.
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"x-request-id", b"good\r\nSet-Cookie: a=b")]
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/health",
        "raw_path": b"/health",
        "query_string": b"",
        "headers": headers,
        "http_version": "1.1",
        "scheme": "http",
        "server": ("test", 80),
        "client": None,
        "root_path": "",
    }
    await create_app()(scope, receive, send)
    returned = dict(sent[0]["headers"])[b"x-request-id"].decode()
    assert GENERATED.fullmatch(returned)


async def test_requests_without_an_id_get_different_ones(client: httpx.AsyncClient) -> None:
    ids = {(await client.get("/items/1")).headers["x-request-id"] for _ in range(5)}
    assert len(ids) == 5


async def test_concurrent_requests_keep_their_ids_apart(client: httpx.AsyncClient) -> None:
    ids = [f"request-{number}" for number in range(20)]
    responses = await asyncio.gather(*(client.get("/items/1", headers={"X-Request-Id": name}) for name in ids))
    assert [response.json()["request_id"] for response in responses] == ids


@pytest.mark.parametrize("path", ["/items/1", "/failures/missing", "/failures/unexpected", "/nowhere"])
async def test_the_context_is_empty_again_after_a_request(path: str) -> None:
    # Called directly, in this task: a client would run the app in a context of its own.
    transport = httpx.ASGITransport(app=create_app())
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        await client.get(path)
    assert current_request_id() is None
    assert "request_id" not in structlog.contextvars.get_contextvars()


async def test_each_request_is_logged_once_with_its_id(client: httpx.AsyncClient, log: LogCapture) -> None:
    await client.get("/items/5?token=secret", headers={"X-Request-Id": "id-5"})
    by_handler, by_middleware = log.entries
    assert (by_handler["event"], by_handler["request_id"]) == ("item read", "id-5")
    milliseconds = by_middleware.pop("ms")
    assert isinstance(milliseconds, float)
    assert milliseconds >= 0
    # The query string, which may carry secrets, stays out of the log.
    assert by_middleware == {
        "event": "request",
        "log_level": "info",
        "method": "GET",
        "path": "/items/5",
        "status": 200,
        "request_id": "id-5",
    }


@pytest.mark.parametrize("path", ["/health", "/health/ready", "/metrics"])
async def test_probes_are_not_logged(client: httpx.AsyncClient, log: LogCapture, path: str) -> None:
    assert (await client.get(path)).status_code == 200
    assert log.entries == []


async def test_the_metric_is_labelled_by_the_template_of_the_route(client: httpx.AsyncClient) -> None:
    before = request_count("/items/{item_id}", "200")
    for number in range(3):
        await client.get(f"/items/{number}")
    assert request_count("/items/{item_id}", "200") == before + 3
    assert request_count("/items/1", "200") == 0


async def test_unknown_paths_share_one_label(client: httpx.AsyncClient) -> None:
    before = request_count("other", "404")
    for number in range(3):
        await client.get(f"/guess/{number}")
    assert request_count("other", "404") == before + 3
    assert request_count("/guess/1", "404") == 0


async def test_an_unexpected_error_counts_as_500(client: httpx.AsyncClient) -> None:
    before = request_count("/failures/{kind}", "500")
    await client.get("/failures/unexpected")
    assert request_count("/failures/{kind}", "500") == before + 1


async def test_the_metrics_endpoint_exposes_the_request_histogram(client: httpx.AsyncClient) -> None:
    await client.post("/items", json={"name": "x"})
    response = await client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    lines = response.text.splitlines()
    assert "# TYPE http_request_seconds histogram" in lines
    assert any(
        line.startswith('http_request_seconds_bucket{le="+Inf",method="POST",route="/items",status="200"}')
        for line in lines
    )
    description = (await client.get("/api/openapi.json")).json()
    assert "/metrics" not in description["paths"]


async def test_metrics_behind_a_token_are_for_those_who_bring_it() -> None:
    app = create_service(
        service="x", title="X", description="x", version="1", checks=(), metrics_token=SecretStr("scrape-token")
    )
    async with asgi_client(app) as client:
        assert (await client.get("/metrics")).status_code == 401
        assert (await client.get("/metrics", headers={"Authorization": "Bearer other"})).status_code == 401
        answer = await client.get("/metrics", headers={"Authorization": "Bearer scrape-token"})
        assert (answer.status_code, "http_request_seconds" in answer.text) == (200, True)
        assert (await client.get("/health")).status_code == 200


async def test_a_call_to_another_service_carries_the_id_of_the_request_that_causes_it() -> None:
    async def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, text=request.headers.get("X-Request-Id", "none"))

    hooks = {"request": [pass_request_id]}
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), event_hooks=hooks) as twin:
        app = FastAPI()
        app.add_middleware(RequestContextMiddleware)

        @app.get("/ask")
        async def ask() -> str:
            return (await twin.get("http://twin/estimate")).text

        async with asgi_client(app) as client:
            assert (await client.get("/ask", headers={"X-Request-Id": "from-the-proxy-1"})).json() == "from-the-proxy-1"
            made = await client.get("/ask")
            assert made.json() == made.headers["X-Request-Id"] != "from-the-proxy-1"
        assert (await twin.get("http://twin/estimate")).text == "none"
