"""Every call of every client against every way a service can fail."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from battery_contracts.clients.breaker import CircuitBreaker
from battery_contracts.clients.errors import InvalidServiceResponse, ServiceError, ServiceRefused, ServiceUnavailable
from battery_contracts.clients.gateway import TelemetryClient
from battery_contracts.clients.ml import MlClient
from battery_contracts.clients.mocks import ConstantTwin
from battery_contracts.clients.service import ServiceClient
from battery_contracts.clients.simulator import SimulatorClient
from battery_contracts.clients.twin import TwinClient
from battery_contracts.clients.twin_analysis import TwinAnalysisClient
from battery_contracts.ml import RulRequest, TrainRequest
from battery_contracts.telemetry import TelemetryBatch
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
from tests.test_ml_client import REQUEST as RUL_BATCH
from tests.test_ml_client import prediction
from tests.test_models import estimate_request

NOW = datetime(2026, 11, 20, tzinfo=UTC)
RUN = RunColumns(time_s=[0, 1], current_a=[0, 0], voltage_v=[12.6, 12.6], temperature_c=[25, 25])
RUL = RulRequest(
    battery_id="A",
    string_id="S",
    as_of=NOW,
    age_days=None,
    rated_ah=None,
    design_life_years=None,
    daily={"temperature_mean_c": [25.0]},
)
SIMULATION = SimulateRequest(
    blocks=[BlockState(battery_id="A", soc_pct=90)], profile=[LoadStep(duration_s=60, current_a=-60)], rated_ah=120
)
LIFE = PhysicsRulRequest(as_of=NOW, batteries=[PhysicsRulQuery(battery_id="A", age_days=1)])

Handler = Callable[[httpx.Request], httpx.Response]
Call = Callable[[httpx.AsyncClient, CircuitBreaker], Awaitable[object]]


def ml(http: httpx.AsyncClient, breaker: CircuitBreaker) -> MlClient:
    return MlClient(http, "http://ml", token="t", breaker=breaker)


def twin(http: httpx.AsyncClient, breaker: CircuitBreaker) -> TwinClient:
    return TwinClient(http, "http://twin", token="t", breaker=breaker)


def analysis(http: httpx.AsyncClient, breaker: CircuitBreaker) -> TwinAnalysisClient:
    return TwinAnalysisClient(http, "http://twin", token="t", breaker=breaker)


def gateway(http: httpx.AsyncClient, breaker: CircuitBreaker) -> TelemetryClient:
    client = TelemetryClient(http, "http://gateway", api_key="k")
    client.breaker = breaker
    return client


CALLS: dict[str, Call] = {
    "gateway.post": lambda http, breaker: gateway(http, breaker).post(TelemetryBatch()),
    "twin.estimate": lambda http, breaker: twin(http, breaker).estimate(estimate_request()),
    "analysis.predict_rul": lambda http, breaker: analysis(http, breaker).predict_rul(LIFE),
    "analysis.simulate": lambda http, breaker: analysis(http, breaker).simulate(SIMULATION),
    "analysis.calibrate": lambda http, breaker: analysis(http, breaker).calibrate(
        CalibrateRequest(rated_ah=120, runs=[RUN])
    ),
    "analysis.validate": lambda http, breaker: analysis(http, breaker).validate(ValidateRequest(run=RUN, rated_ah=120)),
    "ml.predict_rul": lambda http, breaker: ml(http, breaker).predict_rul(RUL),
    "ml.predict_rul_batch": lambda http, breaker: ml(http, breaker).predict_rul_batch(RUL_BATCH),
    "ml.list_models": lambda http, breaker: ml(http, breaker).list_models(),
    "ml.get_model": lambda http, breaker: ml(http, breaker).get_model("v1"),
    "ml.promote": lambda http, breaker: ml(http, breaker).promote("v1"),
    "ml.train": lambda http, breaker: ml(http, breaker).train(TrainRequest(dataset="/lives")),
    "ml.get_train_job": lambda http, breaker: ml(http, breaker).get_train_job("j"),
}
every_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())


async def failure(call: Call, handler: Handler, breaker: CircuitBreaker | None = None) -> ServiceError:
    async with httpx.AsyncClient(transport=httpx.MockTransport(handler)) as http:
        with pytest.raises(ServiceError) as failed:
            await call(http, breaker or CircuitBreaker())
    return failed.value


def raising(error: type[httpx.TransportError]) -> Handler:
    def handler(request: httpx.Request) -> httpx.Response:
        raise error("detail with internal-host", request=request)

    return handler


def answering(content: object) -> Handler:
    return lambda _: httpx.Response(200, json=content)


@every_call
@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError])
async def test_transport_failures_are_unavailable_and_count(call: Call, error: type[httpx.TransportError]) -> None:
    breaker = CircuitBreaker(threshold=1)
    failed = await failure(call, raising(error), breaker)
    assert isinstance(failed, ServiceUnavailable)
    assert failed.detail.startswith(f"{error.__name__} at http")
    assert isinstance(failed.__cause__, error)
    assert breaker.is_open


@every_call
@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7.0), (" 30 ", 30.0), (None, None), ("soon", None), ("-1", None)]
)
async def test_server_errors_are_unavailable_with_the_requested_delay(
    call: Call, header: str | None, seconds: float | None
) -> None:
    headers = {} if header is None else {"Retry-After": header}
    breaker = CircuitBreaker(threshold=1)
    failed = await failure(call, lambda _: httpx.Response(503, headers=headers), breaker)
    assert isinstance(failed, ServiceUnavailable)
    assert (failed.detail, failed.retry_after_s) == ("answered 503", seconds)
    assert breaker.is_open


@every_call
async def test_a_problem_is_a_refusal_that_closes_the_circuit(call: Call) -> None:
    problem = {"code": "not_permitted", "title": "Forbidden", "detail": "wrong token"}
    breaker = CircuitBreaker(threshold=2)
    breaker.failed()
    failed = await failure(call, lambda _: httpx.Response(403, json=problem, headers={"Retry-After": "2"}), breaker)
    assert isinstance(failed, ServiceRefused)
    assert (failed.status, failed.code, failed.retry_after_s) == (403, "not_permitted", 2.0)
    assert str(failed) == f"{failed.service}: 403 not_permitted wrong token"
    breaker.failed()
    assert not breaker.is_open


@every_call
@pytest.mark.parametrize("content", [b"", b"<html>", b"{torn", b"[]", b"null", b'{"unexpected": 1}'])
async def test_responses_of_another_shape_are_invalid_and_count(call: Call, content: bytes) -> None:
    breaker = CircuitBreaker(threshold=1)
    failed = await failure(call, lambda _: httpx.Response(200, content=content), breaker)
    assert isinstance(failed, InvalidServiceResponse)
    assert breaker.is_open


@every_call
async def test_an_open_circuit_calls_nothing(call: Call) -> None:
    breaker = CircuitBreaker(threshold=1)
    breaker.failed()
    requests: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200)

    assert isinstance(await failure(call, handler, breaker), ServiceUnavailable)
    assert requests == []


@pytest.mark.parametrize(
    ("content", "code", "detail"),
    [
        (b"<html>", None, "Not Found"),
        (b"[1]", None, "Not Found"),
        (b'{"title": "Gone"}', None, "Gone"),
        (b'{"code": "x", "detail": "y"}', "x", "y"),
    ],
)
async def test_refusals_without_a_problem_keep_what_they_have(content: bytes, code: str | None, detail: str) -> None:
    failed = await failure(CALLS["ml.list_models"], lambda _: httpx.Response(404, content=content))
    assert isinstance(failed, ServiceRefused)
    assert failed.code == code
    assert failed.detail.endswith(detail)


async def test_estimates_of_the_wrong_length_are_invalid_content() -> None:
    request = estimate_request(2)
    body = ConstantTwin().answer(request).model_dump(mode="json")
    for column in body:
        failed = await failure(CALLS["twin.estimate"], answering(body | {column: body[column][:1]}))
        assert isinstance(failed, InvalidServiceResponse), column
        assert failed.detail == "columns are not all of length 2"


@pytest.mark.parametrize(
    "content",
    [prediction("B"), prediction("A", (3.0, 2.0, 4.0)), prediction("A", None)],
    ids=["another battery", "quantiles cross", "neither days nor reason"],
)
async def test_a_single_prediction_with_impossible_content_is_invalid(content: dict[str, Any]) -> None:
    failed = await failure(CALLS["ml.predict_rul"], lambda _: httpx.Response(200, json=content))
    assert isinstance(failed, InvalidServiceResponse)


async def test_a_real_closed_port_and_a_real_silent_server() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with httpx.AsyncClient() as http:
            with pytest.raises(ServiceUnavailable, match="ConnectError"):
                await MlClient(http, url, token="t").list_models()
            listener.listen()
            # The kernel accepts the connection; nobody answers.
            with pytest.raises(ServiceUnavailable, match="ReadTimeout"):
                await MlClient(http, url, token="t", timeout_s=0.2).list_models()


async def test_a_cancelled_trial_call_leaves_room_for_the_next() -> None:
    under_way = asyncio.Event()

    async def hang(_: httpx.Request) -> httpx.Response:
        under_way.set()
        await asyncio.Event().wait()
        raise AssertionError("never reached")

    now_s = 0.0
    breaker = CircuitBreaker(threshold=1, pause_s=1, now_s=lambda: now_s)
    breaker.failed()
    now_s = 2.0
    async with httpx.AsyncClient(transport=httpx.MockTransport(hang)) as http:
        task = asyncio.create_task(ml(http, breaker).list_models())
        await under_way.wait()
        assert not breaker.admit()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert breaker.admit()


@pytest.mark.parametrize(("status", "ready"), [(200, True), (503, False), (404, False), (302, False)])
async def test_readiness_is_exactly_a_200(status: int, ready: bool) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/health/ready"
        return httpx.Response(status)

    async with httpx.AsyncClient(transport=httpx.MockTransport(handler)) as http:
        assert await SimulatorClient(http, "http://sim/", token="t").is_ready() is ready


async def test_readiness_ignores_the_circuit_and_transport_failures() -> None:
    breaker = CircuitBreaker(threshold=1)
    breaker.failed()
    async with httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(200))) as http:
        assert await ServiceClient(http, "http://x", token="t", breaker=breaker).is_ready()
    async with httpx.AsyncClient(transport=httpx.MockTransport(raising(httpx.ConnectError))) as http:
        assert not await ServiceClient(http, "http://x", token="t").is_ready()


async def test_a_sender_authenticates_by_its_key_alone_and_omits_what_it_lacks() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        assert request.headers["x-api-key"] == "k"
        assert "authorization" not in request.headers
        assert request.content == b"{}"
        return httpx.Response(200, json={"accepted": 0, "duplicates": 0, "late": 0, "rejected_count": 0})

    async with httpx.AsyncClient(transport=httpx.MockTransport(handler)) as http:
        result = await gateway(http, CircuitBreaker()).post(TelemetryBatch())
    assert (result.accepted, result.rejected) == (0, [])
