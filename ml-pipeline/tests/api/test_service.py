"""The service as a process with a small trained model, called over HTTP through the gateway's client."""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from battery_contracts.clients.errors import ServiceRefused, ServiceUnavailable
from battery_contracts.clients.ml import MlClient
from battery_contracts.ml import RulBatchRequest, RulRequest, TrainJob, TrainRequest, TrainState
from battery_ml.api.app import create_app
from battery_ml.registry.shipped import shipped_model
from battery_ml.registry.store import Registry
from battery_servicekit.testing.process import ServiceProcess, running_service
from tests.support.fake_training import FAILS, HANGS, PUBLISHES_NOTHING, SUCCEEDS
from tests.support.tiny_model import AS_OF, batch_of, fill, fleet

TOKEN = "token-of-the-platform"
AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}
COMMAND = [str(Path(sys.executable).with_name("battery-ml-service"))]
TRAINER = Path(__file__).parents[1] / "support" / "fake_training.py"


def environment(folder: Path) -> dict[str, str]:
    command = [sys.executable, str(TRAINER), str(folder)]
    return {
        "SERVICE_TOKEN": TOKEN,
        "MODEL_REGISTRY": str(folder / "models"),
        "TRAIN_COMMAND": json.dumps(command),
        "INSTALL_SHIPPED_MODEL": "false",
    }


@pytest.fixture
def service(tmp_path: Path) -> Iterator[ServiceProcess]:
    with running_service(COMMAND, environment(tmp_path), log=tmp_path / "service.log") as running:
        running.wait_until_alive()
        yield running


@pytest.fixture
async def client(service: ServiceProcess) -> MlClient:
    return MlClient(httpx.AsyncClient(), service.url, token=TOKEN, timeout_s=60.0)


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return fill(tmp_path / "models", ("v1", "v2"))


def get(service: ServiceProcess, path: str) -> httpx.Response:
    return httpx.get(service.url + path)


def post_nothing(service: ServiceProcess) -> httpx.Response:
    return httpx.post(service.url + "/api/v1/predict/rul/batch", content=b"{}", headers=AUTHORIZED)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60.0
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_an_empty_registry_is_ready_with_the_model_of_the_package(tmp_path: Path) -> None:
    variables = environment(tmp_path) | {"INSTALL_SHIPPED_MODEL": "true"}
    with running_service(COMMAND, variables, log=tmp_path / "service.log") as running:
        running.wait_until_alive()
        ready = get(running, "/health/ready")
    shipped = shipped_model()
    assert shipped is not None
    assert (ready.status_code, ready.json()["checks"]["champion"]["reason"]) == (200, shipped.manifest.version)


async def test_without_a_champion_it_is_not_ready_and_predicts_nothing(
    service: ServiceProcess, client: MlClient
) -> None:
    assert get(service, "/health").json()["status"] == "alive"
    ready = get(service, "/health/ready")
    assert ready.status_code == 503
    assert ready.json()["checks"]["champion"]["reason"] == "no_champion"
    with pytest.raises(ServiceUnavailable):
        await client.predict_rul_batch(batch_of(fleet(24, seed=3)))
    response = post_nothing(service)
    assert (response.status_code, response.json()["code"]) == (503, "no_champion")
    assert (await client.list_models()).models == []


async def test_promotion_and_rollback_take_effect_without_a_restart(
    service: ServiceProcess, client: MlClient, registry: Registry
) -> None:
    assert [model.version for model in (await client.list_models()).models] == ["v2", "v1"]
    assert (await client.promote("v1")).aliases == ["champion"]
    request = batch_of(fleet(48, seed=3))
    assert (await client.predict_rul_batch(request)).model_version == "v1"
    ready = get(service, "/health/ready")
    assert (ready.status_code, ready.json()["checks"]["champion"]["reason"]) == (200, "v1")
    registry.assign("v2")
    wait_for(lambda: get(service, "/health/ready").json()["checks"]["champion"]["reason"] == "v2")
    assert (await client.promote("v1")).version == "v1"
    response = await client.predict_rul_batch(request)
    assert response.model_version == "v1"
    assert [prediction.battery_id for prediction in response.predictions] == request.battery_id
    assert [entry.version for entry in registry.history()] == ["v1", "v2", "v1"]


async def test_the_champion_stays_in_service_when_its_successor_is_corrupt(
    service: ServiceProcess, client: MlClient, registry: Registry, tmp_path: Path
) -> None:
    await client.promote("v1")
    model = tmp_path / "models" / "versions" / "v2" / "model.cbm"
    model.write_bytes(model.read_bytes()[:-1])
    alias = tmp_path / "models" / "aliases" / "champion.json"
    alias.write_text(registry.alias().model_copy(update={"version": "v2"}).model_dump_json())
    wait_for(lambda: get(service, "/health/ready").json()["status"] == "degraded")
    assert get(service, "/health/ready").json()["checks"]["champion"]["reason"] == "v1"
    assert (await client.predict_rul_batch(batch_of(fleet(24, seed=3)))).model_version == "v1"
    with pytest.raises(ServiceRefused) as refused:
        await client.promote("v2")
    assert (refused.value.status, refused.value.code) == (409, "model_unusable")
    assert "champion stays" in refused.value.detail
    with pytest.raises(ServiceRefused) as unknown:
        await client.promote("v9")
    assert (unknown.value.status, unknown.value.code) == (404, "model_not_found")


async def test_a_whole_fleet_is_predicted_in_one_call(client: MlClient, registry: Registry) -> None:
    registry.assign("v1")
    response = await client.predict_rul_batch(batch_of(fleet(1_944, seed=3)))
    assert len(response.predictions) == 1_944
    assert all(prediction.rul_days is not None and prediction.reasons for prediction in response.predictions)


async def test_one_battery_is_predicted_from_plain_lists(client: MlClient, registry: Registry) -> None:
    registry.assign("v1")
    history = fleet(1, seed=3)
    request = RulRequest(
        battery_id="B",
        string_id="S",
        as_of=AS_OF,
        age_days=history.age_days[0],
        rated_ah=120.0,
        design_life_years=10.0,
        daily={name: list(values[0]) for name, values in history.days.items()},
    )
    prediction = await client.predict_rul(request)
    assert prediction.rul_days is not None
    # Without its string, the features relative to the string are unknown.
    assert any("unknown" in why for why in prediction.widened_because)
    with pytest.raises(ServiceRefused) as refused:
        await client.predict_rul(request.model_copy(update={"daily": {"soh_pct": [90.0]}}))
    assert refused.value.code == "daily_columns_refused"
    assert "truth" in refused.value.detail


async def test_a_hundred_thousand_batteries_are_too_many(client: MlClient, registry: Registry) -> None:
    registry.assign("v1")
    count = 100_000
    request = RulBatchRequest(
        as_of=AS_OF,
        battery_id=[str(number) for number in range(count)],
        string_id=["S"] * count,
        age_days=[1.0] * count,
        rated_ah=[1.0] * count,
        design_life_years=[1.0] * count,
        days=1,
        daily={"temperature_mean_c": bytes(4 * count)},
    )
    with pytest.raises(ServiceRefused) as refused:
        await client.predict_rul_batch(request)
    assert (refused.value.status, refused.value.code) == (413, "batch_too_large")
    assert "100000" in refused.value.detail
    assert "5000" in refused.value.detail
    assert (await client.predict_rul_batch(batch_of(fleet(24, seed=3)))).model_version == "v1"


async def test_a_battery_without_readings_affects_no_other(client: MlClient, registry: Registry) -> None:
    registry.assign("v1")
    history = fleet(48, seed=3)
    unread = {name: values.copy() for name, values in history.days.items()}
    for values in unread.values():
        values[5] = float("nan")
    response = await client.predict_rul_batch(batch_of(replace(history, days=unread)))
    withheld = [p.battery_id for p in response.predictions if p.rul_days is None]
    assert withheld == ["B00005"]


async def finished(client: MlClient, job: TrainJob) -> TrainJob:
    deadline = time.monotonic() + 60.0
    while (current := await client.get_train_job(job.job_id)).state is TrainState.RUNNING:
        assert time.monotonic() < deadline
    return current


async def test_a_training_job_is_followed_to_its_end(client: MlClient) -> None:
    done = await finished(client, await client.train(TrainRequest(dataset="/lives", seed=SUCCEEDS)))
    assert (done.state, done.version, done.progress) == (TrainState.SUCCEEDED, "v2", 1.0)
    failed = await finished(client, await client.train(TrainRequest(dataset="/lives", seed=FAILS)))
    assert failed.state is TrainState.FAILED
    assert "status 3" in (failed.error or "")
    assert "without failures" in (failed.error or "")
    unpublished = await finished(client, await client.train(TrainRequest(dataset="/lives", seed=PUBLISHES_NOTHING)))
    assert (unpublished.state, unpublished.error) == (TrainState.FAILED, "training succeeded but published no version")
    with pytest.raises(ServiceRefused) as unknown:
        await client.get_train_job("none")
    assert unknown.value.code == "job_not_found"


def alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


@pytest.mark.parametrize("crash", [False, True], ids=["asked to stop", "killed"])
async def test_training_does_not_outlive_the_service(
    service: ServiceProcess, client: MlClient, tmp_path: Path, crash: bool
) -> None:
    job = await client.train(TrainRequest(dataset="/lives", seed=HANGS))
    with pytest.raises(ServiceRefused) as second:
        await client.train(TrainRequest(dataset="/lives", seed=SUCCEEDS))
    assert (second.value.status, second.value.code) == (409, "training_under_way")
    assert job.job_id in second.value.detail
    file = tmp_path / "pids"
    wait_for(lambda: file.exists() and len(file.read_text().split()) == 2)
    pids = [int(pid) for pid in file.read_text().split()]
    assert all(map(alive, pids))
    assert os.getpid() not in pids
    if crash:
        service.kill()
    else:
        service.stop()
    wait_for(lambda: not any(map(alive, pids)))


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer other"}], ids=["none", "other"])
def test_callers_without_the_token_are_refused(service: ServiceProcess, headers: dict[str, str]) -> None:
    for method, path in (("GET", "/models"), ("POST", "/predict/rul/batch"), ("POST", "/train")):
        response = httpx.request(method, f"{service.url}/api/v1{path}", headers=headers)
        assert (response.status_code, response.json()["code"]) == (401, "service_token_missing")


def test_the_description_lists_each_call_once() -> None:
    described = create_app().openapi()["paths"]
    calls = {(method.upper(), path) for path, methods in described.items() for method in methods if "/api/" in path}
    assert calls == {
        ("POST", "/api/v1/predict/rul"),
        ("POST", "/api/v1/predict/rul/batch"),
        ("GET", "/api/v1/models"),
        ("GET", "/api/v1/models/{version}"),
        ("POST", "/api/v1/models/{version}/promote"),
        ("POST", "/api/v1/train"),
        ("GET", "/api/v1/train/{job}"),
    }
    names = [operation["operationId"] for methods in described.values() for operation in methods.values()]
    assert len(set(names)) == len(names)
