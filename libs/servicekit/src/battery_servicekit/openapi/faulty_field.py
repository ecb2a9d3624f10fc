"""Which field the example of a refused request names: one that the operation has."""

from collections.abc import Mapping
from typing import Any

from battery_servicekit.problems import MEDIA_TYPE, FieldError, ValidationFailed


def show_faulty_field(operation: dict[str, Any], schemas: Mapping[str, Any]) -> None:
    """Write a field of the operation, and a fault that it can have, into its example of a refused request."""
    content = operation["responses"].get(str(ValidationFailed.status), {}).get("content", {})
    example = content.get(MEDIA_TYPE, {}).get("examples", {}).get(ValidationFailed.code)
    fault = _fault_of_body(operation, schemas) or _fault_of_parameters(operation)
    if example is None or fault is None:
        return
    example["value"]["detail"] = f"{fault.field}: {fault.detail}"
    example["value"]["errors"] = [fault.model_dump()]


def _fault_of_body(operation: dict[str, Any], schemas: Mapping[str, Any]) -> FieldError | None:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    for alternative in body.get("anyOf", [body]):
        schema = schemas.get(alternative.get("$ref", "").rpartition("/")[2], {})
        for field in schema.get("required", ()):
            return FieldError(field=field, code="missing", detail="Field required")
        if schema.get("additionalProperties") is False:
            return FieldError(field="surplus", code="extra_forbidden", detail="Extra inputs are not permitted")
    return None


def _fault_of_parameters(operation: dict[str, Any]) -> FieldError | None:
    for parameter in operation.get("parameters", ()):
        schema = parameter["schema"]
        for kind in schema.get("anyOf", [schema]):
            if "minimum" in kind:
                detail = f"Input should be greater than or equal to {kind['minimum']}"
                return FieldError(field=parameter["name"], code="greater_than_equal", detail=detail)
            if kind.get("type") == "integer":
                detail = "Input should be a valid integer, unable to parse string as an integer"
                return FieldError(field=parameter["name"], code="int_parsing", detail=detail)
            if kind.get("type") == "boolean":
                detail = "Input should be a valid boolean, unable to interpret input"
                return FieldError(field=parameter["name"], code="bool_parsing", detail=detail)
    return None
