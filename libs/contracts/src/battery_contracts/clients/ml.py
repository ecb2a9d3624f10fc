"""Client of the prediction service: remaining life, the model registry and training."""

from urllib.parse import quote

from battery_contracts.clients.service import ServiceClient
from battery_contracts.ml import (
    ModelDetail,
    ModelList,
    RulBatchRequest,
    RulBatchResponse,
    RulPrediction,
    RulRequest,
    TrainJob,
    TrainRequest,
)


class MlClient(ServiceClient):
    """Call the prediction service."""

    service = "ml-pipeline"

    async def predict_rul(self, request: RulRequest) -> RulPrediction:
        """Predict one battery."""

        def fault(prediction: RulPrediction) -> str | None:
            return _fault([request.battery_id], [prediction])

        content = request.model_dump_json().encode()
        return await self._call("POST", "/api/v1/predict/rul", RulPrediction, content=content, fault=fault)

    async def predict_rul_batch(self, request: RulBatchRequest, *, timeout_s: float = 60.0) -> RulBatchResponse:
        """Predict many batteries; the predictions are in the order of the request."""

        def fault(response: RulBatchResponse) -> str | None:
            return _fault(request.battery_id, response.predictions)

        content = request.model_dump_json().encode()
        return await self._call(
            "POST", "/api/v1/predict/rul/batch", RulBatchResponse, content=content, timeout_s=timeout_s, fault=fault
        )

    async def list_models(self) -> ModelList:
        """List the versions, newest first."""
        return await self._call("GET", "/api/v1/models", ModelList)

    async def get_model(self, version: str) -> ModelDetail:
        """Return the details of a version."""
        return await self._call("GET", f"/api/v1/models/{quote(version, safe='')}", ModelDetail)

    async def promote(self, version: str) -> ModelDetail:
        """Make a version the champion."""
        return await self._call("POST", f"/api/v1/models/{quote(version, safe='')}/promote", ModelDetail)

    async def train(self, request: TrainRequest) -> TrainJob:
        """Start a training job."""
        return await self._call("POST", "/api/v1/train", TrainJob, content=request.model_dump_json().encode())

    async def get_train_job(self, job_id: str) -> TrainJob:
        """Return the state of a job."""
        return await self._call("GET", f"/api/v1/train/{quote(job_id, safe='')}", TrainJob)


def _fault(requested: list[str], predictions: list[RulPrediction]) -> str | None:
    if [prediction.battery_id for prediction in predictions] != requested:
        return "predictions are not for the requested batteries"
    for prediction in predictions:
        days = prediction.rul_days
        # Comparisons with NaN are false, so this rejects NaN too.
        if days is not None and not days.p10 <= days.p50 <= days.p90 < float("inf"):
            return f"quantiles of {prediction.battery_id} are not in order"
        if days is None and not prediction.withheld_reason:
            return f"{prediction.battery_id} has neither days nor a reason"
    return None
