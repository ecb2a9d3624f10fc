"""The real service as a process, called over HTTP."""

import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from battery_contracts.enums import StringMode
from battery_contracts.twin import EstimateRequest, EstimateResponse
from battery_servicekit.testing.process import running_service
from battery_twin.api.app import create_app

TOKEN = "token-of-the-platform"
AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}
FLEET = 1944


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    command = [str(Path(sys.executable).with_name("battery-twin-service"))]
    log = tmp_path_factory.mktemp("service") / "service.log"
    with running_service(command, {"SERVICE_TOKEN": TOKEN}, log=log) as service:
        service.wait_until_alive()
        yield service.url


def estimate_request(state: list[bytes | None], dt_s: float | None, count: int = FLEET) -> EstimateRequest:
    nothing: list[float | None] = [None] * count
    return EstimateRequest(
        battery_id=[f"BAT-{number}" for number in range(count)],
        model_id=["CSB-HX12-120"] * count,
        dt_s=[dt_s] * count,
        voltage_v=[13.6 + 0.0001 * number for number in range(count)],
        current_a=[0.3] * count,
        temperature_c=[25.0] * count,
        internal_resistance_mohm=nothing,
        float_current_ma=[36.0] * count,
        mode=[StringMode.FLOAT] * count,
        state=state,
        age_days=[700.0] * count,
    )


def estimate(url: str, request: EstimateRequest) -> EstimateResponse:
    content = request.model_dump_json().encode()
    response = httpx.post(f"{url}/api/v1/estimate", content=content, headers=AUTHORIZED, timeout=60)
    assert response.status_code == 200, response.text
    return EstimateResponse.model_validate_json(response.content)


def test_alive_and_ready(url: str) -> None:
    assert httpx.get(url + "/health").json()["status"] == "alive"
    ready = httpx.get(url + "/health/ready")
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")
    assert "http_request_seconds" in httpx.get(url + "/metrics").text


def test_the_fleet_in_one_call_and_again_from_its_states(url: str) -> None:
    first = estimate(url, estimate_request([None] * FLEET, None))
    second = estimate(url, estimate_request(first.state, 60.0))
    for response in (first, second):
        assert response.error == [None] * FLEET
        assert all(value is not None and 0 <= value <= 100 for value in response.soc_pct)
        assert set(response.soh_provenance) == {"prior_only"}
    assert all(len(state or b"") <= 520 for state in second.state)
    assert first.state != second.state


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer other"}], ids=["none", "other"])
def test_callers_without_the_token_are_refused(url: str, headers: dict[str, str]) -> None:
    response = httpx.post(f"{url}/api/v1/estimate", headers=headers)
    assert (response.status_code, response.json()["code"]) == (401, "service_token_missing")


@pytest.mark.parametrize("body", ["", "{", "[]", '{"battery_id": 3}'])
def test_a_malformed_request_is_refused_by_field(url: str, body: str) -> None:
    response = httpx.post(f"{url}/api/v1/estimate", content=body.encode(), headers=AUTHORIZED)
    assert response.status_code == 422
    assert response.json()["code"] == "validation_failed"
    assert response.json()["errors"]


def test_columns_of_different_length_are_named(url: str) -> None:
    body = estimate_request([None] * 3, None, 3).model_dump(mode="json") | {"voltage_v": [13.6, 13.6]}
    response = httpx.post(f"{url}/api/v1/estimate", json=body, headers=AUTHORIZED)
    assert response.status_code == 422
    assert "voltage_v" in response.json()["detail"]


def test_a_call_without_a_usable_reading_is_refused_by_field(url: str) -> None:
    body = estimate_request([None, None], None, 2).model_dump(mode="json") | {"current_a": [9000.0, -9000.0]}
    response = httpx.post(f"{url}/api/v1/estimate", json=body, headers=AUTHORIZED)
    assert (response.status_code, response.json()["code"]) == (422, "nothing_estimated")
    assert [error["field"] for error in response.json()["errors"]] == ["current_a.0", "current_a.1"]
    assert "BAT-0" in response.json()["detail"]


def test_description_has_every_call_once() -> None:
    described = create_app().openapi()["paths"]
    calls = [(method.upper(), path) for path, methods in described.items() for method in methods if "/api/" in path]
    paths = ("estimate", "predict/rul", "simulate", "calibrate", "validate")
    assert sorted(calls) == sorted(("POST", f"/api/v1/{path}") for path in paths)
    names = [operation["operationId"] for methods in described.values() for operation in methods.values()]
    assert len(set(names)) == len(names)
