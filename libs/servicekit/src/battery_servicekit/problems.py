"""Errors as RFC 9457 problem details: one shape, and a stable code for each error."""

import inspect
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, ClassVar, Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from battery_servicekit.middleware import current_request_id
from battery_servicekit.responses import JsonResponse

_log = structlog.get_logger(__name__)
MEDIA_TYPE = "application/problem+json"
HEADERS: Final = {
    "Retry-After": {
        "description": "Seconds after which to try again.",
        "schema": {"type": "integer", "minimum": 0, "examples": [2]},
    },
    "WWW-Authenticate": {
        "description": "The scheme of the credentials that are missing.",
        "schema": {"type": "string", "examples": ["Bearer"]},
    },
}
"""Headers that errors send, by name."""
_SCHEMA: Final = "#/components/schemas/Problem"


class FieldError(BaseModel):
    """What is wrong with one field of the request, and the remedy."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    field: str
    """Path of the field with dots between its parts, as `readings.3.voltage_v`."""
    code: str
    """Stable code of the fault, for programs."""
    detail: str
    """The fault and its remedy, for people."""


class Problem(BaseModel):
    """Error response of every endpoint (RFC 9457)."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    type: str = "about:blank"
    """Always `about:blank`: the code below tells the errors apart."""
    title: str
    """Name of the HTTP status."""
    status: int
    """HTTP status, as in the first line of the answer."""
    detail: str
    """What went wrong and what to do about it, for people; its wording may change."""
    code: str
    """Stable code of the error, for programs."""
    instance: str
    """Path of the request."""
    request_id: str | None
    """Id of the request, as in `X-Request-Id`; the service's log lines carry it."""
    errors: list[FieldError] | None = None
    """The faulty fields of the request, at most 100; absent where no single field is at fault."""
    state: dict[str, Any] | None = None
    """The thing that the request was about as it is now; with a conflict of some endpoints, absent otherwise."""


class DomainError(Exception):
    """An expected failure with a stable code and a status; the message is the detail shown to the caller."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 400
    sends: ClassVar[tuple[str, ...]] = ()
    """Headers that errors of the class send, unless there is no use in trying again."""

    def __init__(
        self,
        detail: str,
        *,
        errors: Sequence[FieldError] | None = None,
        headers: Mapping[str, str] | None = None,
        state: BaseModel | None = None,
    ) -> None:
        super().__init__(detail)
        self.state = state
        self.detail = detail
        self.errors = list(errors) if errors else None
        self.headers = dict(headers or {})


class NotFound(DomainError):
    """The resource does not exist, or the caller may not see it."""

    code, status = "not_found", 404


class Conflict(DomainError):
    """The request conflicts with the current state."""

    code, status = "conflict", 409


class Invalid(DomainError):
    """The request is well-formed but its content is not acceptable."""

    code, status = "invalid", 422


class Unavailable(DomainError):
    """Something that this response depends on is unavailable; try again later."""

    code, status = "unavailable", 503


class BadRequest(DomainError):
    """The body cannot be read as text of the declared encoding."""

    code, status = "bad_request", 400


class RequestTimedOut(DomainError):
    """The body did not arrive in time; the server answers this without the app."""

    code, status = "request_timeout", 408


class ValidationFailed(Invalid):
    """A parameter or a field of the body is missing or has a value that is not accepted."""

    code = "validation_failed"


def problems(*errors: type[DomainError]) -> dict[int | str, dict[str, Any]]:
    """Declare the errors of a route for its OpenAPI description."""
    described: dict[int | str, dict[str, Any]] = {}
    for error in sorted(errors, key=lambda error: (error.status, error.code)):
        add_problem(described, error, error.status)
    return described


def add_problem(responses: dict[Any, dict[str, Any]], error: type[DomainError], key: int | str) -> None:
    """Declare one more error under the key of its status, beside those that are declared there."""
    response = responses.setdefault(key, {})
    declared = response.setdefault("content", {}).setdefault(MEDIA_TYPE, {"schema": {"$ref": _SCHEMA}, "examples": {}})
    examples: dict[str, Any] = declared["examples"]
    meaning = (inspect.getdoc(error) or "").partition("\n\n")[0]
    examples[error.code] = {"summary": meaning, "value": _example(error, meaning)}
    for code in sorted(examples):
        examples[code] = examples.pop(code)
    response["description"] = f"Problem details; code: {', '.join(examples)}"
    for name in error.sends:
        response.setdefault("headers", {})[name] = HEADERS[name]


def _example(error: type[DomainError], detail: str) -> dict[str, Any]:
    problem = Problem(
        title=HTTPStatus(error.status).phrase,
        status=error.status,
        detail=detail,
        code=error.code,
        instance="/",
        request_id="5f0c1a7be0d94b5c8d7a3e6f21904c8b",
    )
    return problem.model_dump(mode="json", exclude_none=True)


def install_problem_handlers(app: FastAPI) -> None:
    """Answer every error of an app with problem details; an unexpected one is logged and its cause hidden."""
    app.add_exception_handler(DomainError, _on_domain_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_error)
    # Inside the request's context, so that the log line and the response carry its id; a handler for Exception would
    # run in the outermost layer, where the id is no longer known.
    app.add_middleware(UnexpectedErrorMiddleware)


class UnexpectedErrorMiddleware:
    """Turn an unexpected exception into a problem that hides its cause, and log it with the request's id."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        started = False

        async def send_noting_start(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, send_noting_start)
        except Exception as error:
            # The last line of defence: expected errors are answered further in.
            if scope["type"] != "http" or started:
                raise
            _log.error("unexpected error", path=scope["path"], exc_info=error)
            detail = "An internal error occurred; quote the request id when you report it."
            response = problem_response(Request(scope), status=500, code="internal_error", detail=detail)
            await response(scope, receive, send)


def problem_response(
    request: Request,
    *,
    status: int,
    code: str,
    detail: str,
    errors: list[FieldError] | None = None,
    headers: Mapping[str, str] | None = None,
    state: BaseModel | None = None,
) -> Response:
    """Render one problem."""
    problem = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        code=code,
        instance=request.url.path,
        request_id=current_request_id(),
        errors=errors,
        state=None if state is None else state.model_dump(mode="json"),
    )
    return JsonResponse(problem, status=status, media_type=MEDIA_TYPE, headers=headers, exclude_none=True)


def domain_problem(request: Request, error: DomainError) -> Response:
    """Render a domain error as a problem."""
    return problem_response(
        request,
        status=error.status,
        code=error.code,
        detail=error.detail,
        errors=error.errors,
        headers=error.headers,
        state=error.state,
    )


async def _on_domain_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, DomainError)
    return domain_problem(request, error)


async def _on_validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = [
        FieldError(field=_field_path(item["loc"]), code=str(item["type"]), detail=str(item["msg"]))
        for item in error.errors()
    ]
    named = "; ".join(f"{item.field}: {item.detail}" for item in errors[:3])
    return problem_response(
        request, status=ValidationFailed.status, code=ValidationFailed.code, detail=named, errors=errors[:100]
    )


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    phrase = HTTPStatus(error.status_code).phrase
    code = re.sub(r"[^a-z]+", "_", phrase.lower()).strip("_")
    return problem_response(
        request, status=error.status_code, code=code, detail=str(error.detail or phrase), headers=error.headers
    )


def _field_path(location: Sequence[int | str]) -> str:
    # The first part names the source (body, query, path); the rest is the field as the caller knows it.
    parts = [str(part) for part in location[1:]] or [str(part) for part in location]
    return ".".join(parts)
