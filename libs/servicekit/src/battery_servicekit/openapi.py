"""OpenAPI models of bodies that routes parse by hand for speed, so that FastAPI does not see them."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

Direction = Literal["validation", "serialization"]


def body_of(model: type[BaseModel]) -> dict[str, Any]:
    """Return the ``openapi_extra`` of a route that parses a body of this model by hand."""
    reference = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": reference}}}}


def declare(
    description: dict[str, Any], models: Sequence[tuple[type[BaseModel], Direction]]
) -> Mapping[Any, dict[str, Any]]:
    """Add models, and those nested in them, to the components of a description; return references by model."""
    references, definitions = models_json_schema(models, ref_template="#/components/schemas/{model}")
    schemas = description.setdefault("components", {}).setdefault("schemas", {})
    for name, schema in definitions.get("$defs", {}).items():
        schemas.setdefault(name, schema)
    return references


def declare_bodies(app: FastAPI, *models: type[BaseModel]) -> None:
    """Add the models of bodies that are parsed by hand to an app's description."""

    def describe() -> dict[str, Any]:
        # Not `app.openapi`, which is this function; the class's method caches its result.
        description = FastAPI.openapi(app)
        declare(description, [(model, "validation") for model in models])
        return description

    app.openapi = describe  # type: ignore[method-assign]  # FastAPI's documented way
