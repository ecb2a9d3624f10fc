"""The model registry over HTTP."""

from typing import Annotated, cast

from fastapi import APIRouter, Depends, Path, Request

from battery_contracts.ml import ModelDetail, ModelList, ModelSummary
from battery_ml.api.prediction import ChampionDep
from battery_ml.registry.catalogue import detail_of, list_summaries
from battery_ml.registry.errors import VersionNotFound, VersionUnusable
from battery_ml.registry.store import Registry
from battery_servicekit.problems import Conflict, NotFound, problems
from battery_servicekit.strict_query import StrictRoute

router = APIRouter(route_class=StrictRoute)


class ModelNotFound(NotFound):
    """No model has this version."""

    code = "model_not_found"


class ModelUnusable(Conflict):
    """The version is incomplete, or its files do not match its manifest."""

    code = "model_unusable"


def get_registry(request: Request) -> Registry:
    """Return the registry."""
    return cast("Registry", request.app.state.registry)


RegistryDep = Annotated[Registry, Depends(get_registry)]
VersionPath = Annotated[str, Path(description="Version of the model.", examples=["20261120T031500-4f1c09ab"])]


@router.get("/models")
def list_models(registry: RegistryDep) -> ModelList:
    """List all versions, newest first; unusable ones carry their fault."""
    models: list[ModelSummary] = list_summaries(registry)
    return ModelList(models=models)


@router.get("/models/{version}", responses=problems(ModelNotFound, ModelUnusable))
def get_model(version: VersionPath, registry: RegistryDep) -> ModelDetail:
    """Return the details of a version."""
    try:
        return detail_of(registry, version)
    except VersionNotFound as missing:
        raise ModelNotFound(str(missing)) from missing
    except VersionUnusable as unusable:
        raise ModelUnusable(str(unusable)) from unusable


@router.post("/models/{version}/promote", responses=problems(ModelNotFound, ModelUnusable))
def promote_model(version: VersionPath, registry: RegistryDep, champion: ChampionDep) -> ModelDetail:
    """Make a version the champion; an older one is a rollback. It takes effect at once, without a restart."""
    try:
        # Loaded before it is promoted: a version that this service cannot use must not become its champion.
        champion.read(registry.load(version))
        registry.assign(version)
        # Into memory at once, so that it stays in service should a later one be unusable.
        champion.refresh()
        champion.current()
        return detail_of(registry, version)
    except VersionNotFound as missing:
        raise ModelNotFound(str(missing)) from missing
    except VersionUnusable as unusable:
        raise ModelUnusable(f"{unusable}; the champion stays {champion.version or 'unset'}") from unusable
