import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from battery_contracts.clients.breaker import CircuitBreaker
from battery_contracts.clients.errors import InvalidServiceResponse, ServiceRefused, ServiceUnavailable
from battery_contracts.clients.ml import MlClient
from battery_contracts.ml import RulBatchRequest, TrainRequest, TrainState

AS_OF = datetime(2026, 11, 20, tzinfo=UTC)
FIELDS: dict[str, Any] = {
    "as_of": AS_OF,
    "battery_id": ["A", "B"],
    "string_id": ["S", "S"],
    "age_days": [10.0, None],
    "rated_ah": [120.0, 120.0],
    "design_life_years": [10.0, 10.0],
    "days": 3,
    "daily": {"temperature_mean_c": bytes(2 * 3 * 4)},
}
REQUEST = RulBatchRequest(**FIELDS)


def prediction(battery_id: str, days: tuple[float, float, float] | None = (1.0, 2.0, 3.0)) -> dict[str, Any]:
    return {
        "battery_id": battery_id,
        "rul_days": None if days is None else dict(zip(("p10", "p50", "p90"), days, strict=True)),
        "withheld_reason": None,
        "confidence": None,
        "reasons": [],
        "model_version": "v1",
        "predicted_at": "2026-11-20T12:00:00Z",
    }


def client_of(handler: Callable[[httpx.Request], httpx.Response]) -> MlClient:
    http = httpx.AsyncClient(transport=httpx.MockTransport(handler))
    return MlClient(http, "http://ml/", token="secret", breaker=CircuitBreaker(threshold=2))


def answering(predictions: list[dict[str, Any]]) -> MlClient:
    return client_of(lambda _: httpx.Response(200, json={"model_version": "v1", "predictions": predictions}))


async def test_days_arrive_as_they_were_packed() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"model_version": "v1", "predictions": [prediction("A"), prediction("B")]})

    answer = await client_of(handler).predict_rul_batch(REQUEST)
    assert [one.battery_id for one in answer.predictions] == ["A", "B"]
    assert seen[0].url.path == "/api/v1/predict/rul/batch"
    assert seen[0].headers["authorization"] == "Bearer secret"
    assert RulBatchRequest.model_validate_json(seen[0].content) == REQUEST


@pytest.mark.parametrize(
    "predictions",
    [
        [prediction("B"), prediction("A")],
        [prediction("A")],
        [prediction("A"), prediction("B", (3.0, 2.0, 4.0))],
        [prediction("A"), prediction("B", None)],
    ],
    ids=["other order", "one is missing", "quantiles cross", "neither days nor reason"],
)
async def test_invalid_content_is_rejected_and_opens_the_breaker(predictions: list[dict[str, Any]]) -> None:
    client = answering(predictions)
    for _ in range(2):
        with pytest.raises(InvalidServiceResponse):
            await client.predict_rul_batch(REQUEST)
    assert client.breaker.is_open


async def test_a_service_without_a_champion_is_unavailable_then_left_alone() -> None:
    calls: list[int] = []

    def handler(_: httpx.Request) -> httpx.Response:
        calls.append(1)
        return httpx.Response(503, json={"code": "no_champion"})

    client = client_of(handler)
    for _ in range(4):
        with pytest.raises(ServiceUnavailable):
            await client.predict_rul_batch(REQUEST)
    assert len(calls) == 2


async def test_versions_and_jobs_are_quoted_and_refusals_keep_their_code() -> None:
    paths: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.raw_path.decode())
        return httpx.Response(404, json={"code": "model_not_found", "detail": "none"})

    client = client_of(handler)
    for call in (client.get_model, client.promote, client.get_train_job):
        with pytest.raises(ServiceRefused) as refused:
            await call("a/../b")
        assert refused.value.code == "model_not_found"
    assert paths == ["/api/v1/models/a%2F..%2Fb", "/api/v1/models/a%2F..%2Fb/promote", "/api/v1/train/a%2F..%2Fb"]


async def test_a_training_job_is_started() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        assert json.loads(request.content) == {"dataset": "/lives", "seed": 7}
        job = {"job_id": "j", "state": "running", "progress": 0.0, "step": "start", "started_at": AS_OF.isoformat()}
        return httpx.Response(202, json=job)

    assert (await client_of(handler).train(TrainRequest(dataset="/lives", seed=7))).state is TrainState.RUNNING


@pytest.mark.parametrize(
    "change",
    [{"age_days": [1.0]}, {"daily": {"temperature_mean_c": bytes(20)}}, {"days": 0}, {"battery_id": ["A", "A"]}],
    ids=["short column", "short rectangle", "no days", "twice"],
)
def test_a_batch_that_does_not_fit_together_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RulBatchRequest(**FIELDS | change)
