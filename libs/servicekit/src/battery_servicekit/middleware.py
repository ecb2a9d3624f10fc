"""Request id, access log line and request metrics in one middleware, in plain ASGI for speed."""

import re
from contextvars import ContextVar
from time import perf_counter
from uuid import uuid4

import httpx
import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from battery_servicekit.metrics import REQUEST_SECONDS

_log = structlog.get_logger("access")
_request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
# A caller's id goes into logs and headers, so only a harmless alphabet is accepted.
_ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_QUIET_PATHS = frozenset({"/health", "/health/ready", "/metrics"})


def current_request_id() -> str | None:
    """Return the id of the current request, None outside a request."""
    return _request_id.get()


async def pass_request_id(request: httpx.Request) -> None:
    """Give a call to another service the id of the request that causes it, so that one id finds both log lines.

    A hook for ``httpx.AsyncClient(event_hooks={"request": [pass_request_id]})``.
    """
    request_id = current_request_id()
    if request_id is not None:
        request.headers["X-Request-Id"] = request_id


class RequestContextMiddleware:
    """Assign each request an id, return it in the response, log and time the request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        proposed = Headers(scope=scope).get("x-request-id", "")
        request_id = proposed if _ACCEPTABLE_ID.fullmatch(proposed) else uuid4().hex
        token = _request_id.set(request_id)
        structlog.contextvars.bind_contextvars(request_id=request_id)
        started = perf_counter()
        status = 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        finally:
            self._record(scope, status, perf_counter() - started)
            structlog.contextvars.unbind_contextvars("request_id")
            _request_id.reset(token)

    @staticmethod
    def _record(scope: Scope, status: int, seconds: float) -> None:
        # The route's template keeps the number of labels small; with raw paths it would grow without limit.
        route = getattr(scope.get("route"), "path", "other")
        REQUEST_SECONDS.labels(scope["method"], route, str(status)).observe(seconds)
        if scope["path"] not in _QUIET_PATHS:
            _log.info("request", method=scope["method"], path=scope["path"], status=status, ms=round(seconds * 1e3, 1))
