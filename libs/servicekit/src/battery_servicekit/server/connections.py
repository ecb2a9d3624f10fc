"""The open connections of a process: who may come in, who goes when it is full, and who has taken too long."""

import asyncio
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import structlog
from prometheus_client import Counter, Gauge

from battery_servicekit.server.limits import ConnectionLimits, connections_allowed

_log = structlog.get_logger(__name__)
_OPEN = Gauge("http_connections", "Open connections, websockets included.")
_CLOSED = Counter("http_connections_closed_total", "Connections that the server closed.", ("reason",))

CLOSING_S: Final = 5.0
"""How long a closed connection may take to read its last bytes."""
_EXTENSION: Final = "battery.connection"


class Peer(Protocol):
    """The protocol object that serves a connection now."""

    def is_idle(self) -> bool:
        """Return whether the server owes the client nothing: no response is being computed or sent."""
        ...

    def check(self, elapsed_s: float) -> str | None:
        """Count the time that the client lets the server wait; return why the connection has to end, else None."""
        ...


@dataclass(eq=False, slots=True)
class Connection:
    """One connection: its transport, who serves it, and whether its client has proved who it is."""

    transport: asyncio.Transport
    peer: Peer
    is_authenticated: bool = False
    closing_s: float = 0.0
    stalled_s: float = 0.0
    unsent_bytes: int = 0

    def abort(self, reason: str) -> None:
        """Close the connection at once, whatever is still unsent."""
        _CLOSED.labels(reason).inc()
        self.transport.abort()

    def is_stalled(self, elapsed_s: float, limit_s: float) -> bool:
        """Return whether the client has taken none of what waits for it for ``limit_s``."""
        unsent_bytes = self.transport.get_write_buffer_size()
        waits = unsent_bytes > 0 and unsent_bytes >= self.unsent_bytes > 0
        self.stalled_s = self.stalled_s + elapsed_s if waits else 0.0
        self.unsent_bytes = unsent_bytes
        return self.stalled_s > limit_s


class Connections:
    """Every open connection of the process, oldest first."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self.limits = limits
        self._open: dict[asyncio.Transport, Connection] = {}
        self._sweep: asyncio.TimerHandle | None = None

    def admit(self, transport: asyncio.Transport, peer: Peer) -> Connection | None:
        """Take a new connection in; when all are taken, the oldest that has not logged in and waits makes room.

        Returns
        -------
        The connection, None if every other one is at work or belongs to a client that has logged in.
        """
        if len(self._open) >= connections_allowed(self.limits) and not self._make_room():
            _CLOSED.labels("refused").inc()
            return None
        connection = self._open[transport] = Connection(transport, peer)
        _OPEN.set(len(self._open))
        if self._sweep is None:
            self._arm()
        return connection

    def hand_over(self, transport: asyncio.Transport, peer: Peer) -> Connection | None:
        """Let another protocol serve a connection, as a websocket does after its handshake."""
        connection = self._open.get(transport)
        if connection is not None:
            connection.peer = peer
        return connection

    def forget(self, transport: asyncio.Transport) -> None:
        """Drop a connection that is closed."""
        self._open.pop(transport, None)
        _OPEN.set(len(self._open))

    def _make_room(self) -> bool:
        idle = [connection for connection in self._open.values() if connection.peer.is_idle()]
        strangers = (connection for connection in idle if not connection.is_authenticated)
        # A client that has logged in and left its connection open just connects again; a websocket is never idle then.
        leaving = next(strangers, None) or next(iter(idle), None)
        if leaving is None:
            return False
        leaving.abort("full")
        self.forget(leaving.transport)
        return True

    def _arm(self) -> None:
        self._sweep = asyncio.get_running_loop().call_later(self.limits.sweep_interval_s, self._look)

    def _look(self) -> None:
        self._sweep = None
        for connection in list(self._open.values()):
            self._look_at(connection, self.limits.sweep_interval_s)
        if self._open:
            self._arm()

    def _look_at(self, connection: Connection, elapsed_s: float) -> None:
        # Elapsed time is counted in sweeps: while the process itself is held up, no client is blamed for it.
        if connection.transport.is_closing():
            connection.closing_s += elapsed_s
            if connection.closing_s > CLOSING_S:
                connection.abort("closing")
        elif connection.is_stalled(elapsed_s, self.limits.stall_timeout_s):
            connection.abort("response_unread")
        elif (reason := connection.peer.check(elapsed_s)) is not None:
            _CLOSED.labels(reason).inc()
            _log.info("connection ended", reason=reason)


def describe_connection(scope: MutableMapping[str, Any], connection: Connection) -> None:
    """Attach a connection to the ASGI scope of what it carries."""
    scope.setdefault("extensions", {})[_EXTENSION] = connection


def connection_of(scope: Mapping[str, Any]) -> Connection | None:
    """Return the connection that carries a request, None where another server serves the app."""
    connection: Connection | None = scope.get("extensions", {}).get(_EXTENSION)
    return connection


def mark_authenticated(scope: Mapping[str, Any]) -> None:
    """Note that the client of a connection has proved who it is: it makes room for others last."""
    connection = connection_of(scope)
    if connection is not None:
        connection.is_authenticated = True
