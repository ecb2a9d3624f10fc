"""uvicorn's httptools protocol with bounds: size and number of headers, deadlines for head and body, connections.

llhttp, the parser below httptools, has no limits of its own: it keeps a header of any size and copies it with every
piece that arrives. The bounds are therefore counted here, on the bytes, before and while they are parsed.
"""

import asyncio
from enum import Enum
from http import HTTPStatus
from typing import Any, Final, Self

import orjson
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from battery_servicekit.server.connections import Connection, Connections, describe_connection

MAX_PIPELINED: Final = 16
"""Requests that a client may send ahead of the answers; uvicorn itself queues any number of them."""
_MEDIA_TYPE: Final = b"application/problem+json"


class _Awaited(Enum):
    """What the client still has to send."""

    HEAD = "head"
    BODY = "body"
    NOTHING = "nothing"


class _HeadTooLarge(Exception):
    """The head of a request is above a limit; carries the sentence that the client gets."""


class _TooManyPipelined(Exception):
    """The client sends requests without waiting for answers."""


class BoundedHttpProtocol(HttpToolsProtocol):
    """One connection that speaks HTTP/1.1."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        connections: Connections,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._admitted = connections
        self._limits = connections.limits
        self._connection: Connection | None = None
        self._awaited = _Awaited.HEAD
        self._waited_s = 0.0
        self._body_bytes = 0
        self._head_bytes = 0
        self._header_count = 0
        self._pending_bytes = 0
        """Bytes since the parser last handed anything on: an unfinished head, or the trailer of a body."""
        self._is_refused = False
        self._is_overrun = False
        self._refusal: str | None = None

    @classmethod
    def bounded_by(cls, connections: Connections) -> type[Self]:
        """Return a class that uvicorn can instantiate, whose connections share ``connections``."""

        class Bound(cls):  # type: ignore[valid-type, misc]  # mypy knows no base class that is a variable
            def __init__(self, *args: Any, **options: Any) -> None:
                super().__init__(*args, **options, connections=connections)

        return Bound

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Take the connection in, or refuse it when every place is taken."""
        super().connection_made(transport)
        self._connection = self._admitted.admit(transport, self)
        if self._connection is None:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "too_many_connections", "Every connection is in use; retry.")

    def connection_lost(self, exc: Exception | None) -> None:
        """Give the place back."""
        self._admitted.forget(self.transport)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what arrived, unless the head or the trailer goes beyond its limit."""
        if self._is_refused:
            return
        if self._awaited is _Awaited.NOTHING:
            self._await(_Awaited.HEAD)
        self._pending_bytes += len(data)
        super().data_received(data)
        if self._pending_bytes > self._limits.max_head_bytes and not self.transport.is_closing():
            self._refuse_head(f"The headers may have at most {self._limits.max_head_bytes:,} bytes.")

    def send_400_response(self, msg: str) -> None:
        """Answer a request that cannot be parsed, or whose head is above a limit."""
        if self._is_overrun:
            self._is_refused = True
            self.transport.abort()
        elif self._refusal is not None:
            self._refuse_head(self._refusal)
        else:
            self._refuse(HTTPStatus.BAD_REQUEST, "bad_request", msg)

    def on_message_begin(self) -> None:
        """Begin a request."""
        if len(self.pipeline) >= MAX_PIPELINED:
            self._is_overrun = True
            raise _TooManyPipelined
        super().on_message_begin()
        if self._awaited is _Awaited.NOTHING:
            # The next request follows in the same bytes.
            self._await(_Awaited.HEAD)
        self._head_bytes = self._header_count = self._body_bytes = 0
        if self._connection is not None:
            describe_connection(self.scope, self._connection)  # type: ignore[arg-type]  # a TypedDict

    def on_url(self, url: bytes) -> None:
        """Count a piece of the request line."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count a header or a trailer."""
        self._header_count += 1
        if self._header_count > self._limits.max_headers:
            self._refusal = f"A request may have at most {self._limits.max_headers} headers."
            raise _HeadTooLarge(self._refusal)
        self._count(len(name) + len(value) + 4)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Await the body from here on."""
        self._pending_bytes = 0
        self._await(_Awaited.BODY)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Count a piece of the body."""
        self._pending_bytes = 0
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Await nothing: the request is complete."""
        self._pending_bytes = 0
        self._await(_Awaited.NOTHING)
        super().on_message_complete()

    def is_idle(self) -> bool:
        """Return whether the server owes the client nothing."""
        return self._awaited is not _Awaited.NOTHING or self._is_answered()

    def check(self, elapsed_s: float) -> str | None:
        """End the connection when the client has let the server wait for too long."""
        if self._awaited is _Awaited.NOTHING or self.flow.read_paused:
            # Nothing is owed, or the server itself does not read.
            return None
        if self._awaited is _Awaited.HEAD and not self._is_answered():
            return None
        if self._awaited is _Awaited.BODY and not self._is_answered() and self.cycle.waiting_for_100_continue:
            return None
        self._waited_s += elapsed_s
        if self._waited_s <= self._allowed_s():
            return None
        awaited = self._awaited.value
        if (
            self._connection is not None
            and self._awaited is _Awaited.HEAD
            and self._head_bytes + self._pending_bytes == 0
        ):
            # A connection that was opened ahead, as browsers do, and never used: no request, so no answer.
            self._is_refused = True
            self.transport.close()
        else:
            detail = f"The {awaited} of the request did not arrive in time."
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, "request_timeout", detail)
        return f"{awaited}_timeout"

    def _allowed_s(self) -> float:
        if self._awaited is _Awaited.HEAD or self._is_answered():
            return self._limits.head_timeout_s
        return self._limits.body_timeout_s + self._body_bytes / self._limits.body_min_bytes_per_s

    def _is_answered(self) -> bool:
        cycle = self._current()
        return cycle is None or cycle.response_complete

    def _current(self) -> RequestResponseCycle | None:
        # Declared by uvicorn as always there; before the first request there is none.
        return self.cycle

    def _await(self, awaited: _Awaited) -> None:
        self._awaited = awaited
        self._waited_s = 0.0

    def _count(self, head_bytes: int) -> None:
        self._head_bytes += head_bytes
        if self._head_bytes > self._limits.max_head_bytes:
            self._refusal = f"The headers may have at most {self._limits.max_head_bytes:,} bytes."
            raise _HeadTooLarge(self._refusal)

    def _refuse_head(self, detail: str) -> None:
        self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "headers_too_large", detail)

    def _refuse(self, status: HTTPStatus, code: str, detail: str) -> None:
        self._is_refused = True
        cycle = self._current()
        # Not into the middle of another answer: the client would take it for a part of that.
        if not self.pipeline and (cycle is None or not cycle.response_started or cycle.response_complete):
            problem = {"type": "about:blank", "title": status.phrase, "status": status, "detail": detail, "code": code}
            body = orjson.dumps(problem)
            head = b"HTTP/1.1 %d %s\r\ncontent-type: %s\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
            self.transport.write(head % (status, status.phrase.encode(), _MEDIA_TYPE, len(body)) + body)
        self.transport.close()
        if cycle is not None and not cycle.response_complete:
            # The app must not wait for the rest, nor write into a connection that is closing.
            cycle.disconnected = True
            cycle.message_event.set()
