"""The assembled service: in process, and as the real uvicorn process."""

import json
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from battery_servicekit.testing.asgi import asgi_client
from battery_servicekit.testing.process import ServiceProcess, running_service
from tests.example import create_app

FOLDER = Path(__file__).resolve().parents[1]
PROGRAM = [sys.executable, "-c", "import runpy; runpy.run_module('tests.example', run_name='__main__')"]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    log = tmp_path_factory.mktemp("service") / "log"
    with running_service(PROGRAM, {"PYTHONPATH": str(FOLDER)}, log=log) as running:
        running.wait_until_alive()
        yield running


def log_records(service: ServiceProcess) -> list[dict[str, Any]]:
    return [json.loads(line) for line in service.log.read_text().splitlines() if line.endswith("}")]


async def test_the_lifespan_surrounds_the_requests() -> None:
    events: list[str] = []
    async with asgi_client(create_app(events=events), headers={"X-Request-Id": "from-client"}) as client:
        assert events == ["started"]
        assert (await client.get("/health")).headers["x-request-id"] == "from-client"
    assert events == ["started", "stopped"]


async def test_the_client_leaves_the_lifespan_out_on_request() -> None:
    events: list[str] = []
    async with asgi_client(create_app(events=events), lifespan=False) as client:
        assert (await client.get("/health")).is_success
    assert events == []


async def test_operation_ids_carry_the_tag_and_the_function(client: httpx.AsyncClient) -> None:
    paths = (await client.get("/api/openapi.json")).json()["paths"]
    assert paths["/items/{item_id}"]["get"]["operationId"] == "items_get_item"
    assert paths["/health"]["get"]["operationId"] == "health_get_health"
    assert paths["/private"]["get"]["operationId"] == "root_read_private"


async def test_declared_problems_are_in_the_description(client: httpx.AsyncClient) -> None:
    description = (await client.get("/api/openapi.json")).json()
    responses = description["paths"]["/items/{item_id}"]["get"]["responses"]
    assert {"404", "409", "429"} <= responses.keys()
    assert responses["429"]["description"] == "Problem details; code: quota_exceeded"
    assert "Problem" in description["components"]["schemas"]


def test_a_real_server_logs_json_lines_with_the_request_id(service: ServiceProcess) -> None:
    response = httpx.get(service.url + "/items/7", headers={"X-Request-Id": "over-tcp"})
    assert response.json() == {"item_id": 7, "request_id": "over-tcp"}
    # The access line follows the response, which may arrive first.
    deadline = time.monotonic() + 10
    by_request: list[dict[str, Any]] = []
    while len(by_request) < 2 and time.monotonic() < deadline:
        by_request = [record for record in log_records(service) if record.get("request_id") == "over-tcp"]
    assert [(record["event"], record["logger"]) for record in by_request] == [
        ("item read", "example"),
        ("request", "access"),
    ]
    assert {record["service"] for record in by_request} == {"example"}


def test_a_real_server_hides_the_cause_of_an_error_and_logs_it_without_locals(service: ServiceProcess) -> None:
    response = httpx.get(service.url + "/failures/unexpected", headers={"X-Request-Id": "failed"})
    assert (response.status_code, response.json()["request_id"]) == (500, "failed")
    assert "swordfish" not in response.text
    error = next(
        record for record in log_records(service) if record.get("request_id") == "failed" and record["level"] == "error"
    )
    (cause,) = error["exception"]
    assert cause["exc_type"] == "RuntimeError"
    # The message was written for the log; the frames must not add what the variables held.
    assert all("locals" not in frame or not frame["locals"] for frame in cause["frames"])


def test_the_server_does_not_name_its_software(service: ServiceProcess) -> None:
    assert "server" not in httpx.get(service.url + "/health").headers


def test_a_refused_body_closes_the_connection_over_tcp(service: ServiceProcess) -> None:
    port = int(service.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(b"POST /items HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n")
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 413")
    assert json.loads(body)["detail"] == "The body may have at most 4,096 bytes."


def test_a_forwarded_address_is_not_trusted(service: ServiceProcess) -> None:
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "1.2.3.4"}
    assert httpx.get(service.url + "/peer", headers=headers).json() == ["127.0.0.1", "http"]


def test_it_stops_on_sigterm_and_ends_its_lifespan(tmp_path: Path) -> None:
    with running_service(PROGRAM, {"PYTHONPATH": str(FOLDER)}, log=tmp_path / "log") as running:
        running.wait_until_alive()
        code = running.stop(timeout_s=20)
        assert code in {0, -signal.SIGTERM}
        assert "Application shutdown complete." in [record["event"] for record in log_records(running)]


def test_production_without_a_token_does_not_start(tmp_path: Path) -> None:
    environment = {"PYTHONPATH": str(FOLDER), "ENVIRONMENT": "production", "SERVICE_TOKEN": "short-but-secret"}
    with (
        running_service(PROGRAM, environment, log=tmp_path / "log") as running,
        pytest.raises(RuntimeError, match="SERVICE_TOKEN must have at least 32 characters"),
    ):
        running.wait_until_alive()
    assert "short-but-secret" not in (tmp_path / "log").read_text()
