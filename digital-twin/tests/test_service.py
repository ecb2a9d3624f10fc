"""The real service as a process, called over HTTP."""

import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from battery_servicekit.testing.process import running_service
from battery_twin.api.app import CALLS, create_app

TOKEN = "token-of-the-platform"
AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    command = [str(Path(sys.executable).with_name("battery-twin-service"))]
    log = tmp_path_factory.mktemp("service") / "service.log"
    with running_service(command, {"SERVICE_TOKEN": TOKEN}, log=log) as service:
        service.wait_until_alive()
        yield service.url


def test_alive_but_not_ready_and_says_why(url: str) -> None:
    assert httpx.get(url + "/health").json()["status"] == "alive"
    ready = httpx.get(url + "/health/ready")
    assert ready.status_code == 503
    assert ready.json()["status"] == "unavailable"
    assert ready.json()["checks"]["capability"]["reason"] == "estimator_not_available"
    assert "http_request_seconds" in httpx.get(url + "/metrics").text


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_no_call_gets_a_made_up_answer(url: str, method: str, path: str) -> None:
    answer = httpx.request(method, f"{url}/api/v1{path.format(version='1', job='1')}", headers=AUTHORIZED)
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == "estimator_not_available"
    assert set(problem) == {"type", "title", "status", "detail", "code", "instance", "request_id"}


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer other"}], ids=["none", "other"])
def test_callers_without_the_token_learn_nothing(url: str, headers: dict[str, str]) -> None:
    method, path = CALLS[0]
    answer = httpx.request(method, f"{url}/api/v1{path}", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "service_token_missing")


def test_description_has_every_call_once() -> None:
    described = create_app().openapi()["paths"]
    calls = [(method.upper(), path) for path, methods in described.items() for method in methods if "/api/" in path]
    analysed = [("POST", f"/api/v1/{path}") for path in ("predict/rul", "simulate", "calibrate", "validate")]
    assert sorted(calls) == sorted([*((method, f"/api/v1{path}") for method, path in CALLS), *analysed])
    names = [operation["operationId"] for methods in described.values() for operation in methods.values()]
    assert len(set(names)) == len(names)
