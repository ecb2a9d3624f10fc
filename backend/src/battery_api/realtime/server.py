"""The Socket.IO server: sessions, rooms and their authorisation.

A client sends its access token in ``auth.token``. Rooms are locations and batteries; the server decides whether a user
may enter one. Open sessions are checked against the accounts every few seconds: the client of a disabled user or an
ended session is disconnected, and so is a client that reads too slowly.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import socketio
import structlog
from pydantic import BaseModel, ValidationError

from battery_api.accounts.errors import NotAuthenticated
from battery_api.accounts.principal import Principal
from battery_api.accounts.sessions import Authenticator
from battery_api.context import ProcessContext
from battery_api.fleet.catalogue import CatalogueCache
from battery_api.realtime.repository import find_room_seq
from battery_contracts.events import (
    Connected,
    Pong,
    RealtimeError,
    SubscribeBattery,
    Subscribed,
    SubscribeLocation,
    battery_room,
    location_room,
)

_log = structlog.get_logger(__name__)

RECHECK_INTERVAL_S: Final = 2.0
"""How often open sessions are checked; verdicts are cached for 2 s, so a session ends within 5 s."""
MAX_ROOMS_PER_CLIENT: Final = 64
MAX_WAITING_PACKETS: Final = 500
"""Packets that may wait for one client; beyond it the client is disconnected and re-reads a snapshot."""


@dataclass(slots=True)
class _Session:
    token: str
    principal: Principal
    rooms: set[str]


class RealtimeServer:
    """Owns the Socket.IO server and the sessions on this replica."""

    def __init__(self, context: ProcessContext, catalogue: CatalogueCache, authenticator: Authenticator) -> None:
        self._context = context
        self._catalogue = catalogue
        self._authenticator = authenticator
        self._sessions: dict[str, _Session] = {}
        origins = list(context.settings.cors_origins)
        self.sio = socketio.AsyncServer(
            async_mode="asgi",
            client_manager=_redis_fan_out(context),
            # None means: same origin as the request's host. A wildcard would let any page listen with a stolen token.
            cors_allowed_origins=origins or None,
            max_http_buffer_size=64 * 1024,
            ping_interval=20,
            ping_timeout=20,
            logger=False,
            engineio_logger=False,
        )
        self._register()

    def asgi(self, other: Any) -> Any:
        """Return an ASGI app that serves ``/socket.io`` and passes everything else on."""
        return socketio.ASGIApp(self.sio, other_asgi_app=other, socketio_path="/socket.io")

    def watched_batteries(self) -> frozenset[str]:
        """Return the batteries whose own room has a listener on this replica."""
        prefix = battery_room("")
        return frozenset(
            room.removeprefix(prefix)
            for session in self._sessions.values()
            for room in session.rooms
            if room.startswith(prefix)
        )

    async def watch_sessions(self) -> None:
        """Disconnect sessions whose user was disabled or whose login ended, for the life of the process."""
        while True:
            await asyncio.sleep(RECHECK_INTERVAL_S)
            try:
                await self._recheck()
            except Exception as error:  # noqa: BLE001  # the watch must survive a database restart; the failure is logged
                _log.warning("session check failed", error=type(error).__name__)

    async def close(self) -> None:
        """Disconnect every client."""
        for sid in list(self._sessions):
            # A transport that is already broken must not keep the others open.
            with contextlib.suppress(Exception):
                await self.sio.disconnect(sid)
        await self.sio.shutdown()

    def _register(self) -> None:
        self.sio.on("connect", self._on_connect)
        self.sio.on("disconnect", self._on_disconnect)
        self.sio.on("ping", self._on_ping)
        self.sio.on("subscribe_location", self._on_subscribe_location)
        self.sio.on("unsubscribe_location", self._on_unsubscribe_location)
        self.sio.on("subscribe_battery", self._on_subscribe_battery)
        self.sio.on("unsubscribe_battery", self._on_unsubscribe_battery)

    async def _on_connect(self, sid: str, _environ: Mapping[str, Any], auth: object) -> None:
        token = auth.get("token") if isinstance(auth, Mapping) else None
        if not isinstance(token, str):
            raise socketio.exceptions.ConnectionRefusedError({"code": "not_authenticated"})
        try:
            principal = await self._authenticator.authenticate_token(token)
        except NotAuthenticated as error:
            raise socketio.exceptions.ConnectionRefusedError({"code": error.code}) from error
        self._sessions[sid] = _Session(token, principal, set())
        connected = Connected(session_id=sid, username=principal.name, server_time=self._context.clock.now())
        await self._emit(sid, "connected", connected)

    async def _on_disconnect(self, sid: str, _reason: object = None) -> None:
        self._sessions.pop(sid, None)

    async def _on_ping(self, sid: str, _data: object = None) -> None:
        await self._emit(sid, "pong", Pong(time=self._context.clock.now()))

    async def _on_subscribe_location(self, sid: str, data: object) -> None:
        request = await self._parse(sid, SubscribeLocation, data)
        if request is not None:
            await self._enter(sid, location_room(request.location_id), request.location_id)

    async def _on_subscribe_battery(self, sid: str, data: object) -> None:
        request = await self._parse(sid, SubscribeBattery, data)
        if request is None:
            return
        async with self._context.database.begin() as connection:
            catalogue = await self._catalogue.get(connection, self._context.clock.now())
        entry = catalogue.batteries.get(request.battery_id)
        await self._enter(sid, battery_room(request.battery_id), entry.location_code if entry else None)

    async def _on_unsubscribe_location(self, sid: str, data: object) -> None:
        request = await self._parse(sid, SubscribeLocation, data)
        if request is not None:
            await self._leave(sid, location_room(request.location_id))

    async def _on_unsubscribe_battery(self, sid: str, data: object) -> None:
        request = await self._parse(sid, SubscribeBattery, data)
        if request is not None:
            await self._leave(sid, battery_room(request.battery_id))

    async def _enter(self, sid: str, room: str, location_id: str | None) -> None:
        session = self._sessions.get(sid)
        if session is None:
            return
        if location_id is None or not session.principal.may_see(location_id):
            await self._refuse(sid, "not_found", f"There is no {room.replace(':', ' ')} that you may see.")
            return
        if len(session.rooms) >= MAX_ROOMS_PER_CLIENT and room not in session.rooms:
            await self._refuse(sid, "too_many_rooms", f"One client may listen to {MAX_ROOMS_PER_CLIENT} rooms.")
            return
        # Enter first, then read the number: an update in between arrives and is at most seen twice, never missed.
        session.rooms.add(room)
        await self.sio.enter_room(sid, room)
        async with self._context.database.begin() as connection:
            seq = await find_room_seq(connection, room)
        if seq is None:
            await self._leave(sid, room)
            await self._refuse(sid, "not_found", f"There is no {room.replace(':', ' ')} that you may see.")
            return
        await self._emit(sid, "subscribed", Subscribed(room=room, seq=seq))

    async def _leave(self, sid: str, room: str) -> None:
        session = self._sessions.get(sid)
        if session is not None:
            session.rooms.discard(room)
            await self.sio.leave_room(sid, room)

    async def _recheck(self) -> None:
        for sid, session in list(self._sessions.items()):
            if self._waiting_packets(sid) > MAX_WAITING_PACKETS:
                _log.warning("slow client dropped", user=session.principal.name)
                await self.sio.disconnect(sid)
                continue
            try:
                principal = await self._authenticator.authenticate_token(session.token, ignore_expiry=True)
            except NotAuthenticated as error:
                await self._refuse(sid, error.code, "Your session has ended; log in again.")
                await self.sio.disconnect(sid)
                continue
            if principal.location_codes != session.principal.location_codes or principal.role != session.principal.role:
                # Rights changed: the client reconnects and is authorised again.
                await self.sio.disconnect(sid)

    def _waiting_packets(self, sid: str) -> int:
        transport_id = self.sio.manager.eio_sid_from_sid(sid, "/")
        transport = self.sio.eio.sockets.get(transport_id)
        return 0 if transport is None else int(transport.queue.qsize())

    async def _parse(self, sid: str, kind: type[BaseModel], data: object) -> Any:
        try:
            return kind.model_validate(data)
        except ValidationError as error:
            first = error.errors()[0]
            await self._refuse(sid, "invalid_event", f"{'.'.join(str(p) for p in first['loc'])}: {first['msg']}")
            return None

    async def _refuse(self, sid: str, code: str, detail: str) -> None:
        await self._emit(sid, "error", RealtimeError(code=code, detail=detail))

    async def _emit(self, sid: str, event: str, payload: BaseModel) -> None:
        await self.sio.emit(event, payload.model_dump(mode="json", exclude_none=True), to=sid)


def _redis_fan_out(context: ProcessContext) -> Any:
    if context.settings.redis_url is None:
        return None
    return socketio.AsyncRedisManager(context.settings.redis_url.get_secret_value(), channel="battery")
