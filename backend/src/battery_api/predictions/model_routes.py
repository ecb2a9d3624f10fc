"""Endpoints of the model registry and of training, which the prediction service answers."""

from typing import Annotated, Final

from fastapi import APIRouter, Path
from fastapi.responses import Response

from battery_api.accounts.audit import record_audit
from battery_api.accounts.deps import AdminDep
from battery_api.context import ContextDep
from battery_api.predictions.errors import MlUnavailable, ModelConflict, ModelRefused, RegistryEntryNotFound
from battery_api.predictions.registry import ask_registry
from battery_api.predictions.routes import FleetReader
from battery_api.predictions.schemas import ModelAccuracy
from battery_api.predictions.service import PredictionService
from battery_contracts.ml import ModelDetail, ModelList, TrainJob, TrainRequest
from battery_servicekit.problems import problems
from battery_servicekit.responses import JsonResponse
from battery_servicekit.strict_query import StrictRoute

router = APIRouter(tags=["models"], route_class=StrictRoute)
_REFUSALS = (RegistryEntryNotFound, ModelRefused, ModelConflict, MlUnavailable)
_ID: Final = r"^[A-Za-z0-9._+-]{1,100}$"
VersionPath = Annotated[
    str, Path(pattern=_ID, description="Version of the model.", examples=["20261120T031500-4f1c09ab"])
]
JobPath = Annotated[
    str, Path(pattern=_ID, description="Id of the training job.", examples=["0b9d5c7e41d84f0e9a6f2c3d8e7b1a54"])
]


@router.get("/models", response_model=ModelList, responses=problems(*_REFUSALS))
async def list_models(context: ContextDep, principal: FleetReader) -> Response:  # noqa: ARG001  # lets in who may read
    """List the versions of the model, newest first, with the figures of their evaluation."""
    return JsonResponse(await ask_registry(context.ml, lambda ml: ml.list_models()))


@router.post("/models/train", status_code=202, response_model=TrainJob, responses=problems(*_REFUSALS))
async def train_model(body: TrainRequest, context: ContextDep, principal: AdminDep) -> Response:
    """Start to train a version, which stays a candidate until it is promoted."""
    job = await ask_registry(context.ml, lambda ml: ml.train(body))
    async with context.database.begin() as connection:
        data = {"job_id": job.job_id, "dataset": body.dataset, "seed": body.seed}
        await record_audit(connection, actor=principal, action="model.train", target=job.job_id, data=data)
    return JsonResponse(job, status=202)


@router.get("/models/train/{job}", response_model=TrainJob, responses=problems(*_REFUSALS))
async def get_training(job: JobPath, context: ContextDep, principal: AdminDep) -> Response:  # noqa: ARG001  # lets in who may read
    """Return the progress of a training job."""
    return JsonResponse(await ask_registry(context.ml, lambda ml: ml.get_train_job(job)))


@router.get("/models/{version}", response_model=ModelDetail, responses=problems(*_REFUSALS))
async def get_model(version: VersionPath, context: ContextDep, principal: FleetReader) -> Response:  # noqa: ARG001  # lets in who may read
    """Return one version of the model: data, features, figures and files."""
    return JsonResponse(await ask_registry(context.ml, lambda ml: ml.get_model(version)))


@router.post("/models/{version}/promote", response_model=ModelDetail, responses=problems(*_REFUSALS))
async def promote_model(version: VersionPath, context: ContextDep, principal: AdminDep) -> Response:
    """Make a version the one in service, from the next run on."""
    async with context.database.begin() as connection:
        # Before the call: a process that dies after it must not leave a promotion without its entry.
        await record_audit(connection, actor=principal, action="model.promote_requested", target=version)
    promoted = await ask_registry(context.ml, lambda ml: ml.promote(version))
    async with context.database.begin() as connection:
        await record_audit(connection, actor=principal, action="model.promote", target=version)
    return JsonResponse(promoted)


@router.get("/models/{version}/accuracy", response_model=ModelAccuracy)
async def get_accuracy(version: VersionPath, context: ContextDep, principal: FleetReader) -> Response:
    """Return how far the predictions of a version were off where the end is known, and the drift of its inputs."""
    async with context.database.begin() as connection:
        return JsonResponse(await PredictionService(connection, principal, context.clock.now()).get_accuracy(version))
