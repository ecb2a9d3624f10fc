"""The model registry over HTTP."""

from typing import Annotated, cast

from fastapi import APIRouter, Depends, Request

from battery_contracts.ml import ModelDetail, ModelList, ModelSummary
from battery_ml.api.prediction import ChampionDep
from battery_ml.registry.catalogue import detail_of, list_summaries
from battery_ml.registry.errors import VersionNotFound, VersionUnusable
from battery_ml.registry.store import Registry
from battery_servicekit.problems import Conflict, NotFound, problems

router = APIRouter()


class ModelNotFound(NotFound):
    """No model has this version."""

    code = "model_not_found"


class ModelUnusable(Conflict):
    """The version is half written, or its files are not those of its manifest."""

    code = "model_unusable"


def get_registry(request: Request) -> Registry:
    """Return the registry."""
    return cast("Registry", request.app.state.registry)


RegistryDep = Annotated[Registry, Depends(get_registry)]


@router.get("/models")
def list_models(registry: RegistryDep) -> ModelList:
    """List all versions, newest first; those that cannot be used say why."""
    models: list[ModelSummary] = list_summaries(registry)
    return ModelList(models=models)


@router.get("/models/{version}", responses=problems(ModelNotFound, ModelUnusable))
def get_model(version: str, registry: RegistryDep) -> ModelDetail:
    """Return what is known of a version."""
    try:
        return detail_of(registry, version)
    except VersionNotFound as missing:
        raise ModelNotFound(str(missing)) from missing
    except VersionUnusable as unusable:
        raise ModelUnusable(str(unusable)) from unusable


@router.post("/models/{version}/promote", responses=problems(ModelNotFound, ModelUnusable))
def promote_model(version: str, registry: RegistryDep, champion: ChampionDep) -> ModelDetail:
    """Make a version the champion, an older one too; it answers from now on, without a restart."""
    try:
        # Made ready before it is promoted: what this service cannot use must not become its champion.
        champion.read(registry.load(version))
        registry.assign(version)
        # At once into memory, so that it is there to serve on should a later one be unusable.
        champion.look_again()
        champion.current()
        return detail_of(registry, version)
    except VersionNotFound as missing:
        raise ModelNotFound(str(missing)) from missing
    except VersionUnusable as unusable:
        raise ModelUnusable(f"{unusable}; the champion stays {champion.version or 'unset'}") from unusable
