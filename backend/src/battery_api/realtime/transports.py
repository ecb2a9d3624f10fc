"""A Socket.IO server that takes declared events only and whose connections can be ended for good.

python-socketio calls the handlers of its own events (``connect``, ``disconnect``) also when a client sends an event of
that name; a client could so leave the server's books without leaving its rooms.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import parse_qs

import socketio

from battery_servicekit.server.connections import connection_of, mark_authenticated

NAMESPACE: Final = "/"
FAREWELL_S: Final = 1.0
"""How long a client that is cut off may take to read the reason."""

Receiver = Callable[[str, str, list[object]], Awaitable[None]]


class DeclaredEventsServer(socketio.AsyncServer):  # type: ignore[misc]  # the package has no types
    """Hands every event of a logged-in client to one receiver: ``receive(sid, event, arguments)``.

    Events of one connection are handled one after another, and meanwhile nothing more is read from it.
    """

    def __init__(self, receive: Receiver, **options: Any) -> None:
        super().__init__(async_handlers=False, **options)
        self._receive = receive
        self._upgraded: dict[str, Mapping[str, Any]] = {}

    async def _handle_event(self, eio_sid: str, namespace: str | None, id: int | None, data: Any) -> None:  # noqa: A002  # the name of the parent
        sid = self.manager.sid_from_eio_sid(eio_sid, namespace or NAMESPACE)
        if sid is None or not self.manager.is_connected(sid, namespace or NAMESPACE):
            return
        event = data[0] if isinstance(data, list) and data and isinstance(data[0], str) else ""
        await self._receive(sid, event, data[1:] if isinstance(data, list) else [])
        if id is not None:
            await self._send_packet(
                eio_sid, self.packet_class(socketio.packet.ACK, namespace=namespace, id=id, data=[])
            )

    async def _handle_eio_message(self, eio_sid: str, data: Any) -> None:
        # A transport that was ended may still deliver what its client had sent before.
        if eio_sid in self.environ:
            await super()._handle_eio_message(eio_sid, data)

    def clients(self) -> list[tuple[str, str]]:
        """Return the session and the transport of every client that has logged in or is about to."""
        return list(self.manager.get_participants(NAMESPACE, None))

    def is_open(self, sid: str) -> bool:
        """Return whether a session has not ended."""
        return bool(self.manager.is_connected(sid, NAMESPACE))

    def is_logged_in(self, transport_id: str) -> bool:
        """Return whether the client of a transport has logged in."""
        sid = self.manager.sid_from_eio_sid(transport_id, NAMESPACE)
        return sid is not None and bool(self.manager.is_connected(sid, NAMESPACE))

    def transport_ids(self) -> list[str]:
        """Return every open transport, logged in or not."""
        return list(self.eio.sockets)

    def room_names(self) -> Iterator[str]:
        """Return the rooms that have a member here."""
        return (room for room in self.manager.rooms.get(NAMESPACE, {}) if isinstance(room, str))

    def waiting_packets(self, transport_id: str) -> int:
        """Return how many packets wait for a client to read them."""
        transport = self.eio.sockets.get(transport_id)
        return 0 if transport is None else int(transport.queue.qsize())

    def scopes_of(self, transport_id: str) -> list[Mapping[str, Any]]:
        """Return the ASGI scopes that carry a transport: of its first request, and of the websocket that took over."""
        scopes = [self.environ.get(transport_id, {}).get("asgi.scope"), self._upgraded.get(transport_id)]
        return [scope for scope in scopes if scope is not None]

    async def hang_up(self, transport_id: str) -> None:
        """End a connection: out of every room, transport closed, and cut if the client does not follow."""
        scopes = self.scopes_of(transport_id)
        transport = self.eio.sockets.get(transport_id)
        if transport is not None:
            # Not the method of the server: it waits until the client has read everything, which may be never.
            await transport.close(wait=False, reason=self.reason.SERVER_DISCONNECT)
            transport.queue.put_nowait(None)
            self.eio.sockets.pop(transport_id, None)
        sid = self.manager.sid_from_eio_sid(transport_id, NAMESPACE)
        if sid is not None:
            await self.manager.disconnect(sid, NAMESPACE, ignore_queue=True)
        for connection in filter(None, map(connection_of, scopes)):
            asyncio.get_running_loop().call_later(FAREWELL_S, connection.abort, "realtime")

    def mark_logged_in(self, transport_id: str) -> None:
        """Note on the connections of a transport that their client has logged in."""
        for scope in self.scopes_of(transport_id):
            mark_authenticated(scope)

    def orphans(self) -> list[str]:
        """Return the transports that have ended while a websocket that should take them over is still open."""
        return [transport_id for transport_id in self._upgraded if transport_id not in self.eio.sockets]

    async def handle_request(self, scope: Mapping[str, Any], receive: Any, send: Any) -> Any:
        """Serve one request or websocket, remembering the websocket that takes a polling transport over."""
        transport_id = _transport_of(scope)
        if transport_id is None or scope["type"] != "websocket":
            return await super().handle_request(scope, receive, send)
        if transport_id in self._upgraded:
            # One websocket takes a transport over; others would wait for ever.
            await receive()
            return await send({"type": "websocket.close"})
        self._upgraded[transport_id] = scope
        if self.is_logged_in(transport_id):
            self.mark_logged_in(transport_id)
        try:
            return await super().handle_request(scope, receive, send)
        finally:
            del self._upgraded[transport_id]


def _transport_of(scope: Mapping[str, Any]) -> str | None:
    named = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("sid")
    return named[0] if named else None
