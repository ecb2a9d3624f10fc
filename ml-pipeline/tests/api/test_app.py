"""The application in process: description, faults of requests, and settings."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
import pytest

from battery_contracts.ml import BATCH_TOO_LARGE, DAILY_COLUMNS
from battery_ml.api.app import VERSION, MlSettings, create_app
from tests.support.tiny_model import batch_of, fill, fleet

AUTHORIZED = {"Authorization": "Bearer token"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    registry = tmp_path_factory.mktemp("registry")
    fill(registry, ("v1",)).assign("v1")
    return registry


async def call(folder: Path, method: str, path: str, **content: Any) -> httpx.Response:
    transport = httpx.ASGITransport(create_app(MlSettings(service_token="token", model_registry=str(folder))))
    async with httpx.AsyncClient(transport=transport, base_url="http://service", headers=AUTHORIZED) as client:
        return await client.request(method, path, **content)


async def test_the_version_is_that_of_the_package(folder: Path) -> None:
    assert version("battery-ml") == VERSION
    assert (await call(folder, "GET", "/health")).json()["version"] == VERSION
    assert create_app().openapi()["info"]["version"] == VERSION


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"days": 0}, "days"),
        ({"as_of": "2026-11-20T00:00:00"}, "as_of"),
        ({"battery_id": ["B", "B"]}, "battery_id"),
        ({"age_days": [1.0]}, "age_days"),
        ({"daily": {"voltage_mean_v": "AAAA"}}, "daily"),
    ],
)
async def test_a_wrong_batch_is_refused_with_its_field(folder: Path, change: dict[str, Any], field: str) -> None:
    batch = batch_of(fleet(2, seed=3, days=40)).model_dump(mode="json")
    response = await call(folder, "POST", "/api/v1/predict/rul/batch", json=batch | change)
    assert response.status_code == 422
    assert field in response.text


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe"])
async def test_a_body_that_is_no_batch_is_refused(folder: Path, content: bytes) -> None:
    assert (await call(folder, "POST", "/api/v1/predict/rul/batch", content=content)).status_code == 422


@pytest.mark.parametrize("column", ["soh_pct", "truth_capacity_ah", "colour"])
async def test_columns_that_no_history_has_are_refused(folder: Path, column: str) -> None:
    batch = batch_of(fleet(2, seed=3, days=40)).model_dump(mode="json")
    daily = {column: batch["daily"]["voltage_mean_v"]}
    response = await call(folder, "POST", "/api/v1/predict/rul/batch", json=batch | {"daily": daily})
    assert (response.status_code, response.json()["code"]) == (422, "daily_columns_refused")
    assert column in response.text
    assert column not in DAILY_COLUMNS


async def test_a_batch_of_no_batteries_has_no_predictions(folder: Path) -> None:
    batch = batch_of(fleet(2, seed=3, days=40)).model_dump(mode="json")
    columns = ("battery_id", "string_id", "age_days", "rated_ah", "design_life_years", "baseline_resistance_mohm")
    empty = batch | {name: [] for name in columns} | {"daily": {}}
    response = await call(folder, "POST", "/api/v1/predict/rul/batch", json=empty)
    assert (response.status_code, response.json()["predictions"]) == (200, [])


def test_the_code_of_a_large_batch_is_part_of_the_description() -> None:
    responses = create_app().openapi()["paths"]["/api/v1/predict/rul/batch"]["post"]["responses"]
    assert {"413", "422", "503"} <= set(responses)
    assert BATCH_TOO_LARGE == "batch_too_large"


def test_the_registry_and_the_training_command_have_defaults(tmp_path: Path) -> None:
    settings = MlSettings(service_token="token", data_dir=tmp_path)
    assert settings.registry_address == str(tmp_path / "models")
    assert settings.training_command[1:] == ["train", "--registry", settings.registry_address]
    named = MlSettings(service_token="token", model_registry="memory://models", train_command=["retrain"])
    assert (named.registry_address, named.training_command) == ("memory://models", ["retrain"])
