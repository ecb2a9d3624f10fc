"""Complete FastAPI's description of an app: declared errors, access, examples and hand-parsed bodies."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from fastapi import FastAPI
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from pydantic import BaseModel

from battery_servicekit.body_limit import BodyLimitMiddleware, BodyTooLarge
from battery_servicekit.openapi.bodies import declare
from battery_servicekit.openapi.examples import Examples, show
from battery_servicekit.openapi.faulty_field import show_faulty_field
from battery_servicekit.openapi.marks import Access, accesses_of, errors_of
from battery_servicekit.problems import (
    MEDIA_TYPE,
    BadRequest,
    DomainError,
    Problem,
    RequestTimedOut,
    ValidationFailed,
    add_problem,
)
from battery_servicekit.strict_query import StrictRoute

_OF_FASTAPI: Final = ("HTTPValidationError", "ValidationError")
_OPEN: Final = "Needs no credentials."
_BOUNDS: Final = frozenset({"type", "title", "description", "examples", "anyOf", "default"})
Extend = Callable[[dict[str, Any]], None]


def serve_description(
    app: FastAPI,
    *,
    bodies: Sequence[type[BaseModel]] = (),
    examples: Examples | None = None,
    extend: Extend | None = None,
) -> None:
    """Serve the completed description of an app, whose routes may still be added.

    Parameters
    ----------
    bodies
        Models of bodies that routes parse by hand.
    examples
        Examples by operation id.
    extend
        Adds to the description what is not a route.
    """

    def describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            # Not `app.openapi`, which is this function; the method of the class makes what is completed here.
            description = FastAPI.openapi(app)
            _complete(app, description, bodies, examples or {})
            if extend is not None:
                extend(description)
            app.openapi_schema = description
        return app.openapi_schema

    app.openapi = describe  # type: ignore[method-assign]  # FastAPI's documented way


def _complete(app: FastAPI, description: dict[str, Any], bodies: Sequence[type[BaseModel]], examples: Examples) -> None:
    declare(description, [(Problem, "serialization"), *((model, "validation") for model in bodies)])
    for name in _OF_FASTAPI:
        description["components"]["schemas"].pop(name, None)
    limit = _body_limit(app)
    unused = set(examples)
    schemes: dict[str, Any] = {}
    described: list[tuple[dict[str, Any], Access | None]] = []
    for context in iter_route_contexts(app.routes):
        for operation in _operations(description, context):
            _declare_errors(operation, context, limit)
            _name_instance(operation, context.path_format or "")
            show_faulty_field(operation, description["components"]["schemas"])
            if operation["operationId"] in examples:
                unused.discard(operation["operationId"])
                show(operation, examples[operation["operationId"]])
            access = _access(context)
            schemes |= access.schemes if access else {}
            described.append((operation, access))
    if unused:
        raise ValueError(f"examples of operations that do not exist: {', '.join(sorted(unused))}")
    if schemes:
        description["components"]["securitySchemes"] = {name: dict(schemes[name]) for name in sorted(schemes)}
        for operation, access in described:
            _declare_access(operation, access)


def _operations(description: dict[str, Any], context: RouteContext) -> list[dict[str, Any]]:
    """Return the operations of a route; none for what is not described."""
    if not isinstance(context.original_route, APIRoute) or not context.include_in_schema:
        return []
    item = description["paths"][context.path_format]
    return [item[method.lower()] for method in sorted(context.methods or ()) if method.lower() in item]


def _declare_errors(operation: dict[str, Any], context: RouteContext, limit: Mapping[str, Any] | None) -> None:
    responses = operation["responses"]
    _drop_errors_of_fastapi(responses)
    errors: list[type[DomainError]] = errors_of(context.dependant)
    if context.body_field is not None:
        errors += [BadRequest, ValidationFailed]
    is_strict = isinstance(context.original_route, StrictRoute)
    if is_strict or any(_can_be_wrong(parameter) for parameter in operation.get("parameters", ())):
        errors.append(ValidationFailed)
    if "requestBody" in operation:
        errors.append(RequestTimedOut)
        if limit is not None and context.path_format not in limit.get("exempt_paths", ()):
            errors.append(BodyTooLarge)
    for error in errors:
        add_problem(responses, error, str(error.status))
    operation["responses"] = {status: responses[status] for status in sorted(responses)}


def _drop_errors_of_fastapi(responses: dict[str, Any]) -> None:
    schema = responses.get("422", {}).get("content", {}).get("application/json", {}).get("schema", {})
    if schema.get("$ref", "").endswith(f"/{_OF_FASTAPI[0]}"):
        del responses["422"]


def _can_be_wrong(parameter: dict[str, Any]) -> bool:
    """Return whether some value of a parameter is refused: a text without bounds takes every value."""
    schema = parameter["schema"]
    if parameter["required"] and parameter["in"] != "path":
        return True
    kinds = [kind for kind in schema.get("anyOf", [schema]) if kind.get("type") != "null"]
    return any(kind.get("type") != "string" or not kind.keys() <= _BOUNDS for kind in kinds)


def _name_instance(operation: dict[str, Any], path: str) -> None:
    """Write the path of the operation into its example problems, with the examples of its parameters."""
    for parameter in operation.get("parameters", ()):
        shown = parameter["schema"].get("examples")
        if parameter["in"] == "path" and shown:
            path = path.replace(f"{{{parameter['name']}}}", str(shown[0]))
    for response in operation["responses"].values():
        for example in response.get("content", {}).get(MEDIA_TYPE, {}).get("examples", {}).values():
            example["value"]["instance"] = path


def _access(context: RouteContext) -> Access | None:
    """Return whom a route lets in; None if everybody."""
    accesses = accesses_of(context.dependant)
    required = [access for access in accesses if not access.is_optional]
    if required:
        # Each dependency that names a role names the same one; a route has one caller.
        return required[-1]
    if not accesses:
        return None
    schemes = {name: scheme for access in accesses for name, scheme in access.schemes.items()}
    return Access(schemes, " ".join(access.sentence for access in accesses), is_optional=True)


def _declare_access(operation: dict[str, Any], access: Access | None) -> None:
    alternatives: list[dict[str, list[str]]] = [{name: []} for name in access.schemes] if access else []
    operation["security"] = [*alternatives, {}] if access and access.is_optional else alternatives
    sentence = access.sentence if access else _OPEN
    operation["description"] = f"{operation.get('description', '')}\n\n{sentence}".strip()


def _body_limit(app: FastAPI) -> Mapping[str, Any] | None:
    """Return the arguments of the middleware that limits bodies; None if nothing does."""
    limit: object = BodyLimitMiddleware
    return next((layer.kwargs for layer in app.user_middleware if layer.cls == limit), None)
