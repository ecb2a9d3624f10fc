"""What the OpenAPI description of every service has to say, as a list of what is missing."""

import json
import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ValidationError

from battery_servicekit.openapi.examples import JSON, Example, Examples, success_of
from battery_servicekit.problems import MEDIA_TYPE, Problem


def gaps_of(description: dict[str, Any]) -> list[str]:
    """Return what a description leaves unsaid, each with the operation or the schema that lacks it."""
    gaps = [gap for name, schema in description["components"]["schemas"].items() for gap in _of_schema(name, schema)]
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            gaps += [f"{method.upper()} {path}: {gap}" for gap in _of_operation(operation)]
    return gaps


def _of_schema(name: str, schema: dict[str, Any]) -> Iterator[str]:
    if not schema.get("description"):
        yield f"{name} has no description"
    for field, described in schema.get("properties", {}).items():
        if not described.get("description"):
            yield f"{name}.{field} has no description"


def faults_of_examples(description: dict[str, Any], examples: Examples) -> list[str]:
    """Return which examples are not of the model that their operation declares, or are refused by it."""
    faults: list[str] = []
    for operations in description["paths"].values():
        for operation in operations.values():
            example = examples.get(operation["operationId"], Example())
            answer = operation["responses"][success_of(operation)]
            for part, value, body in (
                ("response", example.response, answer),
                ("request", example.request, operation.get("requestBody", {})),
            ):
                if isinstance(value, BaseModel):
                    faults += [f"{operation['operationId']} {part}: {fault}" for fault in _of_example(value, body)]
    return faults


def _of_example(value: BaseModel, body: dict[str, Any]) -> Iterator[str]:
    declared = body["content"][JSON]
    name = re.sub(r"[^A-Za-z0-9]", "_", type(value).__name__)
    named = json.dumps(declared["schema"])
    if f'"#/components/schemas/{name}"' not in named:
        yield f"{name} is not {named}"
    try:
        type(value).model_validate_json(json.dumps(declared["example"]))
    except ValidationError as refused:
        yield str(refused)


def _of_operation(operation: dict[str, Any]) -> Iterator[str]:
    for part in ("summary", "description"):
        if not operation.get(part):
            yield f"no {part}"
    for parameter in operation.get("parameters", ()):
        if not parameter.get("description"):
            yield f"parameter {parameter['name']} has no description"
    bodies = {"request": operation.get("requestBody", {}), "response": operation["responses"][success_of(operation)]}
    for part, body in bodies.items():
        content = body.get("content", {})
        if content and not any("example" in declared for declared in content.values()):
            yield f"the {part} has no example"
    if operation.get("security") and {} not in operation["security"] and "401" not in operation["responses"]:
        yield "needs credentials and does not declare 401"
    for status, response in operation["responses"].items():
        if status[0] in "45":
            yield from _of_error(status, response)


def _of_error(status: str, response: dict[str, Any]) -> Iterator[str]:
    if not response.get("description"):
        yield f"{status} has no description"
    content = response.get("content", {})
    if MEDIA_TYPE not in content:
        # Readiness says with 503 what is missing, and the import with 422 which lines are wrong, both in their own way.
        if not all("$ref" in declared.get("schema", {}) for declared in content.values()) or not content:
            yield f"{status} is no problem and has no schema"
        return
    examples = content[MEDIA_TYPE].get("examples", {})
    if not examples:
        yield f"{status} has no example"
    for code, example in examples.items():
        problem = Problem.model_validate(example["value"])
        if (problem.code, str(problem.status)) != (code, status):
            yield f"{status} has the example of {problem.status} {problem.code} under {code}"
