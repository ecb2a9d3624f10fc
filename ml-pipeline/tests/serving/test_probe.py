"""Readiness predicts with the champion: a model without sound numbers is not ready."""

from pathlib import Path
from tempfile import NamedTemporaryFile

import catboost
import httpx
import numpy as np
import pytest
from fastapi import FastAPI

from battery_contracts.ml import DAILY_COLUMNS
from battery_ml.api.app import MlSettings, create_app
from battery_ml.arrays import FloatArray
from battery_ml.features.definition import FEATURES
from battery_ml.features.history import DailyHistory
from battery_ml.registry.store import StoredModel
from battery_ml.serving.predictor import Predictor
from battery_ml.serving.probe import PREDICTION_FAILED, PREDICTION_INVALID, fault_of, probe_history
from tests.support.tiny_model import fill, fleet, life_days, manifest_of, train

TRAINED_ON = fleet(96, seed=1)
CONTENT = train(TRAINED_ON, life_days(TRAINED_ON, seed=2), trees=10)


def predictor_of(content: bytes) -> Predictor:
    return Predictor(StoredModel(manifest_of("v1", content, TRAINED_ON), {"model.cbm": content}), FEATURES)


def without_numbers() -> bytes:
    """Return a model whose leaves hold NaN, as after a training that diverged."""
    with NamedTemporaryFile(suffix=".cbm") as file:
        file.write(CONTENT)
        file.flush()
        model = catboost.CatBoost().load_model(file.name)
    model.set_leaf_values(np.full(len(model.get_leaf_values()), np.nan))
    return bytes(model._serialize_model())


def test_the_history_of_the_probe_knows_every_feature_and_column() -> None:
    history = probe_history()
    assert set(history.days) == set(DAILY_COLUMNS)
    assert np.isfinite(FEATURES.compute(history)).all()


def test_a_sound_model_has_no_fault() -> None:
    assert fault_of(predictor_of(CONTENT), probe_history()) is None


def test_a_model_without_numbers_is_at_fault() -> None:
    assert fault_of(predictor_of(without_numbers()), probe_history()) == PREDICTION_INVALID


@pytest.mark.parametrize(
    "quantiles",
    [[1.0, np.nan, 3.0], [1.0, 2.0, np.inf], [-1.0, 2.0, 3.0], [3.0, 2.0, 1.0], [1.0, 3.0, 2.0]],
    ids=["nan", "infinite", "negative", "reversed", "median above P90"],
)
def test_unsound_quantiles_are_at_fault(quantiles: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    predictor = predictor_of(CONTENT)

    def days_at_end(history: DailyHistory) -> FloatArray:
        days = np.tile([1.0, 2.0, 3.0], (len(history.battery_ids), 1))
        days[-1] = quantiles
        return days

    monkeypatch.setattr(predictor, "days_at_end", days_at_end)
    assert fault_of(predictor, probe_history()) == PREDICTION_INVALID


@pytest.mark.parametrize("error", [catboost.CatBoostError("broken"), ValueError("broken"), FloatingPointError()])
def test_an_error_of_the_model_is_a_fault(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    predictor = predictor_of(CONTENT)

    def predict(_history: DailyHistory) -> None:
        raise error

    monkeypatch.setattr(predictor, "predict", predict)
    assert fault_of(predictor, probe_history()) == PREDICTION_FAILED


def test_a_fleet_unlike_the_history_is_no_fault() -> None:
    manifest = manifest_of("v1", CONTENT, TRAINED_ON)
    far = [norm.model_copy(update={"median": 1e6, "p5": 1e6, "p95": 1e6 + 1.0}) for norm in manifest.features]
    stored = StoredModel(manifest.model_copy(update={"features": far}), {"model.cbm": CONTENT})
    predictor = Predictor(stored, FEATURES)
    assert all(prediction.rul_days is None for prediction in predictor.predict(probe_history()))
    assert fault_of(predictor, probe_history()) is None


def service(folder: Path) -> FastAPI:
    return create_app(MlSettings(service_token="token", model_registry=str(folder)))


async def readiness(app: FastAPI) -> tuple[int, dict[str, str | bool | None]]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
        response = await client.get("/health/ready")
    return response.status_code, response.json()["checks"]["champion"]


async def test_readiness_without_a_champion(tmp_path: Path) -> None:
    status, check = await readiness(service(tmp_path))
    assert (status, check["state"], check["reason"]) == (503, "down", "no_champion")


async def test_readiness_with_a_sound_champion_names_its_version(tmp_path: Path) -> None:
    fill(tmp_path, ("v1",)).assign("v1")
    status, check = await readiness(service(tmp_path))
    assert (status, check["state"], check["reason"]) == (200, "up", "v1")


async def test_readiness_with_a_champion_without_numbers_is_down(tmp_path: Path) -> None:
    registry, content = fill(tmp_path, ()), without_numbers()
    registry.publish(manifest_of("v3", content, TRAINED_ON), {"model.cbm": content})
    registry.assign("v3")
    status, check = await readiness(service(tmp_path))
    assert (status, check["state"]) == (503, "down")
    assert check["reason"] == PREDICTION_INVALID
