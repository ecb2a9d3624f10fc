"""Remaining life of the fleet in one call against one call per battery, reasons included: G18 and G19.

Run: python benchmarks/ml.py. The model is trained first, on the simulated fleet of the tests: it knows nothing of real
batteries, but it has the inputs of a real model.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray

from battery_contracts.ml import RulBatchRequest, RulBatchResponse, RulPrediction, RulRequest
from battery_ml.features.definition import FEATURES
from battery_ml.models.read import read_life_model
from battery_ml.registry.store import StoredModel
from battery_ml.serving.predictor import Predictor
from battery_ml.serving.requests import history_of_batch
from battery_servicekit.testing.process import running_service

sys.path.insert(0, str(Path(__file__).parents[1] / "ml-pipeline"))

tiny_model: Any = import_module("tests.support.tiny_model")
FLEET = 1944
SAMPLE = 50
ROUNDS = 3
TOKEN = "benchmark"
VERSION = "v1"
FloatArray = NDArray[np.float64]


def spent_s(work: Callable[[], object]) -> float:
    """Return how long the work takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def medians_s(whole: Callable[[], object], each: Callable[[], object]) -> tuple[float, float]:
    """Return the medians of the fleet at once and of the fleet one by one, the latter scaled from a sample."""
    whole()
    # In turns, so that what else the machine does falls on both.
    rounds = [(spent_s(whole), spent_s(each) * FLEET / SAMPLE) for _ in range(ROUNDS)]
    at_once, one_by_one = zip(*rounds, strict=True)
    return statistics.median(at_once), statistics.median(one_by_one)


def requests_of_sample(batch: RulBatchRequest) -> list[bytes]:
    """Return the bodies of requests for the first batteries, one each."""
    values = {name: np.frombuffer(packed, "<f4").reshape(FLEET, batch.days) for name, packed in batch.daily.items()}
    resistance_mohm = batch.baseline_resistance_mohm or [None] * FLEET
    requests = [
        RulRequest(
            battery_id=batch.battery_id[row],
            string_id=batch.string_id[row],
            as_of=batch.as_of,
            age_days=batch.age_days[row],
            rated_ah=batch.rated_ah[row],
            design_life_years=batch.design_life_years[row],
            baseline_resistance_mohm=resistance_mohm[row],
            daily={
                name: [float(value) if np.isfinite(value) else None for value in column[row]]
                for name, column in values.items()
            },
        )
        for row in range(SAMPLE)
    ]
    return [request.model_dump_json().encode() for request in requests]


def over_http(folder: Path, batch: RulBatchRequest) -> tuple[float, float]:
    """Return the medians of whole calls to a real process; bodies are made before, answers are read as models."""
    command = [str(Path(sys.executable).with_name("battery-ml-service"))]
    environment = {"SERVICE_TOKEN": TOKEN, "DATA_DIR": str(folder)}
    body, bodies = batch.model_dump_json().encode(), requests_of_sample(batch)
    with (
        running_service(command, environment, log=folder / "service.log") as service,
        httpx.Client(base_url=service.url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=120.0) as client,
    ):
        service.wait_until_alive()

        def call(path: str, content: bytes) -> bytes:
            answer = client.post(
                f"/api/v1/predict/{path}", content=content, headers={"Content-Type": "application/json"}
            )
            answer.raise_for_status()
            return answer.content

        def whole() -> None:
            response = RulBatchResponse.model_validate_json(call("rul/batch", body))
            assert all(one.rul_days is not None and one.reasons for one in response.predictions)

        def each() -> None:
            for content in bodies:
                RulPrediction.model_validate_json(call("rul", content))

        return medians_s(whole, each)


def of_reasons(stored: StoredModel, features: FloatArray) -> tuple[float, float]:
    """Return the medians of the SHAP values of the rows (n, features) alone, at once and row by row."""
    model: Any = read_life_model(stored.manifest, stored.files)
    curves = model.curves(features)
    singles = [(features[row : row + 1], model.curves(features[row : row + 1])) for row in range(SAMPLE)]

    def each() -> None:
        for row, curve in singles:
            model.effects_days(row, curve)

    return medians_s(lambda: model.effects_days(features, curves), each)


def in_process(predictor: Predictor, batch: RulBatchRequest) -> float:
    """Return the median of the predictions without HTTP."""
    history = history_of_batch(batch)
    return statistics.median(spent_s(lambda: predictor.predict(history)) for _ in range(ROUNDS))


def main() -> None:
    """Measure and print."""
    batch = tiny_model.batch_of(tiny_model.fleet(FLEET, seed=3))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        registry = tiny_model.fill(folder / "models", (VERSION,))
        registry.assign(VERSION)
        stored = registry.load(VERSION)
        features = FEATURES.compute(history_of_batch(batch))
        shap_s, shap_each_s = of_reasons(stored, features)
        process_s = in_process(Predictor(stored, FEATURES), batch)
        whole_s, each_s = over_http(folder, batch)
    sys.stdout.write(
        f"remaining life of {FLEET:,} batteries with {batch.days} days each, medians; one by one scaled from {SAMPLE}\n"
        f"  in process, features and reasons included                    {1e3 * process_s:10.0f} ms\n"
        f"  HTTP, one call                                               {1e3 * whole_s:10.0f} ms\n"
        f"  HTTP, one call per battery                                   {1e3 * each_s:10.0f} ms\n"
        f"  SHAP values, one batch                                       {1e3 * shap_s:10.0f} ms\n"
        f"  SHAP values, row by row                                      {1e3 * shap_each_s:10.0f} ms\n"
        f"G18 one call over one by one, HTTP and features included: {each_s / whole_s:.0f} x (at least 100)\n"
        f"G19 SHAP in a batch over row by row: {shap_each_s / shap_s:.0f} x (at least 30)\n"
    )


if __name__ == "__main__":
    main()
