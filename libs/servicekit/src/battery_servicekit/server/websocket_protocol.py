"""uvicorn's websocket protocol on a counted connection, with a bound on fragments."""

import asyncio
from typing import Any, Final, Self

from uvicorn.config import Config
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState

from battery_servicekit.server.connections import Connection, Connections, describe_connection

MAX_FRAGMENTS: Final = 256
"""Pieces of one message; empty ones are never too large, so their number has to be bounded."""
_POLICY_VIOLATION: Final = 1008


class BoundedWebSocketProtocol(WebSocketsSansIOProtocol):
    """One connection that speaks websocket."""

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
        self._connection: Connection | None = None
        self._fragment_count = 0

    @classmethod
    def bounded_by(cls, connections: Connections) -> type[Self]:
        """Return a class that uvicorn can instantiate, whose connections share ``connections``."""

        class Bound(cls):  # type: ignore[valid-type, misc]  # mypy knows no base class that is a variable
            def __init__(self, *args: Any, **options: Any) -> None:
                super().__init__(*args, **options, connections=connections)

        return Bound

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection over from the HTTP protocol."""
        super().connection_made(transport)
        self._connection = self._admitted.hand_over(self.transport, self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Give the place back."""
        self._admitted.forget(self.transport)
        super().connection_lost(exc)

    def handle_connect(self, event: Any) -> None:
        """Start the app with the connection in its scope."""
        super().handle_connect(event)
        # The app runs in a task that starts later, so its scope can still be completed.
        if self._connection is not None and hasattr(self, "scope"):
            describe_connection(self.scope, self._connection)  # type: ignore[arg-type]  # a TypedDict

    def handle_text(self, event: Any) -> None:
        """Begin a message of text."""
        self._fragment_count = 0
        super().handle_text(event)

    def handle_bytes(self, event: Any) -> None:
        """Begin a message of bytes."""
        self._fragment_count = 0
        super().handle_bytes(event)

    def handle_cont(self, event: Any) -> None:
        """Add a piece to a message."""
        self._fragment_count += 1
        if self.close_sent:
            return
        if self._fragment_count > MAX_FRAGMENTS:
            self.conn.fail(_POLICY_VIOLATION, "too many fragments")
            self.handle_parser_exception()
            return
        super().handle_cont(event)

    def is_idle(self) -> bool:
        """Return whether the client may be cut: one that has logged in waits for events and is not idle."""
        return self._connection is None or not self._connection.is_authenticated

    def check(self, elapsed_s: float) -> None:
        """Leave deadlines to the app, which knows who has logged in, and to the pings of the protocol."""
        del elapsed_s
