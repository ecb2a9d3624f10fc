"""The Socket.IO server: who may connect, which rooms they may enter, and when they have to go.

A client sends its access token in ``auth.token``. Rooms are locations and batteries; the server decides whether a user
may enter one. Clients and their rooms are those of the Socket.IO server itself, there is no second list. Every open
connection is checked against the accounts every second: the client of a disabled user or an ended session is cut off,
and so is one that reads too slowly or has not logged in.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Container, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

import socketio
import structlog
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError

from battery_api.accounts.errors import NotAuthenticated
from battery_api.accounts.principal import Principal
from battery_api.accounts.sessions import Authenticator
from battery_api.context import ProcessContext
from battery_api.fleet.catalogue import CatalogueCache
from battery_api.realtime.allowance import REFUSAL_PAUSE_S, Allowance
from battery_api.realtime.subscriptions import Subscriptions
from battery_api.realtime.transports import NAMESPACE, DeclaredEventsServer
from battery_contracts.events import Connected, Pong, RealtimeError, battery_room

_log = structlog.get_logger(__name__)

CHECK_INTERVAL_S: Final = 1.0
"""How often open connections are checked; verdicts are cached for 2 s, so a session ends within 5 s."""
CHECKED_AT_ONCE: Final = 2
LOGINS_AT_ONCE: Final = 3
"""Connections of the pool that checks and logins of sockets may take from requests."""
MAX_WAITING_PACKETS: Final = 500
"""Packets that may wait for one client; beyond it the client is disconnected and re-reads a snapshot."""


class EveryBattery(Container[str]):
    """Holds every battery: which of them are watched through another gateway is not known here."""

    def __contains__(self, _: object) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class _Client:
    token: str
    principal: Principal
    allowance: Allowance


class RealtimeServer:
    """Owns the Socket.IO server of this replica."""

    def __init__(self, context: ProcessContext, catalogue: CatalogueCache, authenticator: Authenticator) -> None:
        self._context = context
        self._authenticator = authenticator
        self._strangers_since_s: dict[str, float] = {}
        self._checks = asyncio.Semaphore(CHECKED_AT_ONCE)
        self._logins = asyncio.Semaphore(LOGINS_AT_ONCE)
        settings = context.settings
        self.sio = DeclaredEventsServer(
            self._on_event,
            async_mode="asgi",
            client_manager=_redis_fan_out(context),
            # None means: same origin as the request's host. A wildcard would let any page listen with a stolen token.
            cors_allowed_origins=list(settings.cors_origins) or None,
            max_http_buffer_size=settings.max_websocket_message_bytes,
            ping_interval=20,
            ping_timeout=20,
            # Loggers of ours: with True or False the packages add handlers that write plain text.
            logger=_errors_of("socketio.server"),
            engineio_logger=_errors_of("engineio.server"),
        )
        self.sio.on("connect", self._on_connect)
        rooms = Subscriptions(context, catalogue, self.sio, self._refuse)
        self._events: dict[str, Callable[[str, Principal, object], Awaitable[None]]] = {
            "ping": self._on_ping,
            "subscribe_location": rooms.enter_location,
            "subscribe_battery": rooms.enter_battery,
            "unsubscribe_location": rooms.leave_location,
            "unsubscribe_battery": rooms.leave_battery,
        }

    def asgi(self, other: Any) -> Any:
        """Return an ASGI app that serves ``/socket.io`` and passes everything else on."""
        return socketio.ASGIApp(self.sio, other_asgi_app=other, socketio_path="/socket.io")

    def watched_batteries(self) -> Container[str]:
        """Return the batteries whose own room has a listener; with several gateways any may have one on another."""
        if self._context.settings.redis_url is not None:
            return EveryBattery()
        prefix = battery_room("")
        return frozenset(room.removeprefix(prefix) for room in self.sio.room_names() if room.startswith(prefix))

    async def watch_sessions(self) -> None:
        """End connections without a valid login, for the life of the process."""
        await asyncio.gather(self._repeat(self._end_strangers), self._repeat(self._check_clients))

    async def close(self) -> None:
        """Disconnect every client."""
        for sid, transport_id in self.sio.clients():
            # A transport that is already broken must not keep the others open.
            with contextlib.suppress(Exception):
                await self._end(sid, transport_id)
        await self.sio.shutdown()

    async def _repeat(self, check: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(CHECK_INTERVAL_S)
            try:
                await check()
            except Exception as error:  # noqa: BLE001  # the watch must survive a database restart; the failure is logged
                _log.warning("session check failed", error=type(error).__name__)

    async def _on_connect(self, sid: str, _environ: Mapping[str, Any], auth: object) -> None:
        token = auth.get("token") if isinstance(auth, Mapping) else None
        if not isinstance(token, str):
            raise socketio.exceptions.ConnectionRefusedError({"code": "not_authenticated"})
        try:
            async with self._logins:
                principal = await self._authenticator.authenticate_token(token)
        except NotAuthenticated as error:
            raise socketio.exceptions.ConnectionRefusedError({"code": error.code}) from error
        except (SQLAlchemyError, OSError) as error:
            _log.warning("login of a socket failed", error=type(error).__name__)
            raise socketio.exceptions.ConnectionRefusedError({"code": "database_unavailable"}) from error
        settings = self._context.settings
        allowance = Allowance.full(
            burst=settings.realtime_event_burst, per_s=settings.realtime_events_per_s, now_s=monotonic()
        )
        await self.sio.save_session(sid, {"client": _Client(token, principal, allowance)})
        self.sio.mark_logged_in(self.sio.manager.eio_sid_from_sid(sid, NAMESPACE))
        connected = Connected(session_id=sid, username=principal.name, server_time=self._context.clock.now())
        await self._emit(sid, "connected", connected)

    async def _on_event(self, sid: str, event: str, arguments: list[object]) -> None:
        client = await self._client_of(sid)
        if client is None:
            return
        handler = self._events.get(event)
        if not client.allowance.take(monotonic()):
            allowed = f"{client.allowance.burst} events at once and {client.allowance.per_s:g} per second"
            await self._refuse(sid, "too_many_events", f"One connection may send {allowed}; wait and send it again.")
            await asyncio.sleep(REFUSAL_PAUSE_S)
            if client.allowance.is_abused:
                await self._end(sid, self.sio.manager.eio_sid_from_sid(sid, NAMESPACE))
        elif handler is None:
            await self._refuse(sid, "unknown_event", f"{event[:40]!r} is none of {', '.join(self._events)}.")
        elif len(arguments) > 1:
            await self._refuse(sid, "invalid_event", f"{event}: send one object, not {len(arguments)} arguments.")
        else:
            await self._handle(sid, client, event, handler(sid, client.principal, arguments[0] if arguments else None))

    async def _handle(self, sid: str, client: _Client, event: str, handling: Awaitable[None]) -> None:
        try:
            await handling
        except (SQLAlchemyError, OSError) as error:
            _log.warning("event failed", realtime_event=event, user=client.principal.name, error=type(error).__name__)
            await self._refuse(sid, "database_unavailable", f"{event}: the database does not answer; send it again.")

    async def _on_ping(self, sid: str, _principal: Principal, _data: object) -> None:
        await self._emit(sid, "pong", Pong(time=self._context.clock.now()))

    async def _end_strangers(self) -> None:
        now_s = monotonic()
        strangers = [name for name in self.sio.transport_ids() if not self.sio.is_logged_in(name)]
        self._strangers_since_s = {name: self._strangers_since_s.get(name, now_s) for name in strangers}
        timeout_s = self._context.settings.realtime_login_timeout_s
        late = [name for name, since_s in self._strangers_since_s.items() if now_s - since_s > timeout_s]
        for transport_id in [*late, *self.sio.orphans()]:
            await self.sio.hang_up(transport_id)

    async def _check_clients(self) -> None:
        outcomes = await asyncio.gather(
            *(self._check(*client) for client in self.sio.clients()), return_exceptions=True
        )
        failed = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
        if failed:
            _log.warning("session check failed", count=len(failed), error=type(failed[0]).__name__)

    async def _check(self, sid: str, transport_id: str) -> None:
        if not self.sio.is_logged_in(transport_id):
            return
        client = await self._client_of(sid)
        if client is None:
            await self._end(sid, transport_id)
            return
        if self.sio.waiting_packets(transport_id) > MAX_WAITING_PACKETS:
            _log.warning("slow client dropped", user=client.principal.name)
            await self._end(sid, transport_id)
            return
        try:
            async with self._checks:
                principal = await self._authenticator.authenticate_token(client.token, ignore_expiry=True)
        except NotAuthenticated as error:
            await self._refuse(sid, error.code, "Your session has ended; log in again.")
            await self._end(sid, transport_id)
            return
        if principal.location_codes != client.principal.location_codes or principal.role != client.principal.role:
            # Rights changed: the client reconnects and is authorised again.
            await self._end(sid, transport_id)

    async def _client_of(self, sid: str) -> _Client | None:
        try:
            session: dict[str, _Client] = await self.sio.get_session(sid)
        except KeyError:
            return None
        return session.get("client")

    async def _end(self, sid: str, transport_id: str) -> None:
        await self.sio.disconnect(sid)
        await self.sio.hang_up(transport_id)

    async def _refuse(self, sid: str, code: str, detail: str) -> None:
        await self._emit(sid, "error", RealtimeError(code=code, detail=detail))

    async def _emit(self, sid: str, event: str, payload: BaseModel) -> None:
        await self.sio.emit(event, payload.model_dump(mode="json", exclude_none=True), to=sid)


def _errors_of(name: str) -> logging.Logger:
    logger = logging.getLogger(name)
    logger.setLevel(logging.ERROR)
    return logger


def _redis_fan_out(context: ProcessContext) -> Any:
    if context.settings.redis_url is None:
        return None
    return socketio.AsyncRedisManager(context.settings.redis_url.get_secret_value(), channel="battery")
