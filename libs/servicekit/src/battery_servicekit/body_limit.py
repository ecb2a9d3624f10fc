"""Limit the size of request bodies before they are parsed: an unlimited one would fill the memory."""

from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from battery_servicekit.problems import DomainError, problem_response

_WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS"})
_CREDENTIALS = ("authorization", "x-api-key")


class BodyTooLarge(DomainError):
    """The body is larger than this path takes."""

    code, status = "body_too_large", 413


class BodyLimitMiddleware:
    """Answer 413 to bodies above a limit, except on paths that limit their own bodies.

    Parameters
    ----------
    stranger_limit_bytes
        Limit without credentials, on every path: what many strangers hold together must not fill the memory.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        limit_bytes: int,
        exempt_paths: Sequence[str] = (),
        stranger_limit_bytes: int | None = None,
    ) -> None:
        self._app = app
        self._limit_bytes = limit_bytes
        self._stranger_limit_bytes = limit_bytes if stranger_limit_bytes is None else stranger_limit_bytes
        self._exempt_paths = frozenset(exempt_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"] in self._exempt_paths:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        declared = headers.get("content-length")
        is_stranger = not any(name in headers for name in _CREDENTIALS)
        limit_bytes = self._stranger_limit_bytes if is_stranger else self._limit_bytes
        if declared is None and scope["method"] in _WITHOUT_BODY:
            await self._app(scope, receive, send)
            return
        if declared is not None and declared.isascii() and declared.isdigit() and int(declared) > limit_bytes:
            await self._refuse(scope, receive, send, limit_bytes)
            return
        body = bytearray()
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            if len(body) > limit_bytes:
                await self._refuse(scope, receive, send, limit_bytes)
                return
            more = message.get("more_body", False)
        await self._app(scope, _replay(bytes(body), receive), send)

    @staticmethod
    async def _refuse(scope: Scope, receive: Receive, send: Send, limit_bytes: int) -> None:
        answer = problem_response(
            Request(scope),
            status=BodyTooLarge.status,
            code=BodyTooLarge.code,
            detail=f"The body may have at most {limit_bytes:,} bytes.",
            # The rest of the body stays unread, so the connection cannot carry another request.
            headers={"Connection": "close"},
        )
        await answer(scope, receive, send)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that yields the body already read, then whatever follows it."""
    replayed = False

    async def replay() -> Message:
        nonlocal replayed
        if replayed:
            return await receive()
        replayed = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
