"""OpenAPI models of bodies that routes parse by hand for speed, so that FastAPI does not see them."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

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
