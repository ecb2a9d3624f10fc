import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from battery_contracts.clients.breaker import CircuitBreaker
from battery_contracts.clients.errors import InvalidServiceResponse, ServiceRefused, ServiceUnavailable
from battery_contracts.clients.twin_analysis import TwinAnalysisClient
from battery_contracts.twin_analysis import (
    BlockState,
    CalibrateRequest,
    LoadStep,
    PhysicsRulQuery,
    PhysicsRulRequest,
    RunColumns,
    SimulateRequest,
    ValidateRequest,
)

REQUEST = SimulateRequest(
    blocks=[BlockState(battery_id="A", soc_pct=90), BlockState(battery_id="B", soc_pct=80)],
    profile=[LoadStep(duration_s=60, current_a=-60)],
    rated_ah=120,
)
ANSWER: dict[str, Any] = {
    "runtime_p10_s": 1000.0,
    "runtime_p50_s": 1500.0,
    "runtime_p90_s": 2000.0,
    "reaches_cut_off": True,
    "limiting_battery_id": "B",
    "limiting_probability": 0.8,
    "time_s": [0.0, 60.0],
    "current_a": [-60.0, -60.0],
    "string_voltage_v": [25.0, 24.5],
    "limiting_voltage_v": [12.4, 12.2],
    "limiting_soc_pct": [80.0, 79.0],
}
RUN = RunColumns(time_s=[0, 1], current_a=[0, 0], voltage_v=[12.6, 12.6], temperature_c=[25, 25])
FORECAST = {
    "battery_id": "A",
    "rul_days": {"p10": 100.0, "p50": 200.0, "p90": 400.0},
    "provenance": "prior_only",
    "as_of": "2026-11-20T12:00:00Z",
    "soh_pct": 90.0,
    "soh_sd_pct": 5.0,
    "ageing_over_25_c": 1.4,
}
LIFE = PhysicsRulRequest(
    as_of=datetime(2026, 11, 20, 12, tzinfo=UTC), batteries=[PhysicsRulQuery(battery_id="A", age_days=900)]
)
Handler = Callable[[httpx.Request], httpx.Response]


def client_of(handler: Handler) -> TwinAnalysisClient:
    http = httpx.AsyncClient(transport=httpx.MockTransport(handler))
    return TwinAnalysisClient(http, "http://twin/", token="secret", breaker=CircuitBreaker(threshold=2))


def answering(content: Any, status: int = 200) -> Handler:
    return lambda _: httpx.Response(status, json=content)


async def test_the_request_follows_the_contract() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=ANSWER)

    answer = await client_of(handler).simulate(REQUEST)
    assert answer.runtime_p50_s == 1500.0
    (request,) = seen
    assert (request.method, str(request.url)) == ("POST", "http://twin/api/v1/simulate")
    assert request.headers["authorization"] == "Bearer secret"
    assert SimulateRequest.model_validate(json.loads(request.content)) == REQUEST


@pytest.mark.parametrize(
    "wrong",
    [
        {"runtime_p10_s": 1600.0},
        {"runtime_p10_s": -1.0},
        {"limiting_battery_id": "C"},
        {"current_a": [-60.0]},
        {"runtime_p50_s": None},
        {"surplus": 1},
    ],
)
async def test_an_impossible_response_is_invalid_and_counts_as_a_failure(wrong: dict[str, Any]) -> None:
    client = client_of(answering(ANSWER | wrong))
    for _ in range(2):
        with pytest.raises(InvalidServiceResponse):
            await client.simulate(REQUEST)
    assert client.breaker.is_open


async def test_infinite_runtimes_are_invalid() -> None:
    body = json.dumps(ANSWER | {"runtime_p90_s": float("inf")}).encode()
    client = client_of(lambda _: httpx.Response(200, content=body))
    with pytest.raises(InvalidServiceResponse):
        await client.simulate(REQUEST)


async def test_a_refusal_keeps_its_code_and_is_no_failure_of_the_service() -> None:
    client = client_of(answering({"code": "parameters_invalid", "detail": "ocv_v: too short"}, 422))
    for _ in range(3):
        with pytest.raises(ServiceRefused) as refused:
            await client.simulate(REQUEST)
        assert (refused.value.status, refused.value.code) == (422, "parameters_invalid")
    assert not client.breaker.is_open


async def test_a_dead_twin_is_unavailable_and_soon_not_called() -> None:
    calls = 0

    def handler(request: httpx.Request) -> httpx.Response:
        nonlocal calls
        calls += 1
        raise httpx.ConnectError("refused", request=request)

    client = client_of(handler)
    for _ in range(5):
        with pytest.raises(ServiceUnavailable):
            await client.simulate(REQUEST)
    assert calls == 2


async def test_forecasts_must_be_of_the_requested_batteries() -> None:
    answer = await client_of(answering({"forecasts": [FORECAST]})).predict_rul(LIFE)
    assert answer.forecasts[0].rul_days.p50 == 200.0
    for wrong in (
        [],
        [FORECAST | {"battery_id": "B"}],
        [FORECAST, FORECAST],
        [FORECAST | {"rul_days": {"p10": 300.0, "p50": 200.0, "p90": 400.0}}],
    ):
        with pytest.raises(InvalidServiceResponse):
            await client_of(answering({"forecasts": wrong})).predict_rul(LIFE)


async def test_calibration_and_validation_reach_their_addresses() -> None:
    paths: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.path)
        return httpx.Response(422, json={"code": "run_invalid", "detail": "too short"})

    client = client_of(handler)
    with pytest.raises(ServiceRefused):
        await client.calibrate(CalibrateRequest(rated_ah=120, runs=[RUN]))
    with pytest.raises(ServiceRefused):
        await client.validate(ValidateRequest(run=RUN, rated_ah=120))
    assert paths == ["/api/v1/calibrate", "/api/v1/validate"]
