"""Entering and leaving rooms: what a client may follow, and from which number its updates count."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from pydantic import BaseModel, ValidationError

from battery_api.accounts.principal import Principal
from battery_api.context import ProcessContext
from battery_api.fleet.catalogue import CatalogueCache, FleetCatalogue
from battery_api.realtime.room_numbers import RoomNumbers
from battery_api.realtime.transports import DeclaredEventsServer
from battery_contracts.events import SubscribeBattery, Subscribed, SubscribeLocation, battery_room, location_room

MAX_ROOMS_PER_CLIENT: Final = 64
Refuse = Callable[[str, str, str], Awaitable[None]]
"""Answers a client with a code and a sentence: ``refuse(sid, code, detail)``."""
_Request = TypeVar("_Request", bound=BaseModel)


class Subscriptions:
    """Handlers of the events that subscribe and unsubscribe."""

    def __init__(
        self, context: ProcessContext, catalogue: CatalogueCache, sio: DeclaredEventsServer, refuse: Refuse
    ) -> None:
        self._context = context
        self._cache = catalogue
        self._sio = sio
        self._refuse = refuse
        self._numbers = RoomNumbers(context.database)
        self._reading = asyncio.Lock()

    async def enter_location(self, sid: str, principal: Principal, data: object) -> None:
        """Subscribe to a location."""
        request = await self._parse(sid, SubscribeLocation, data)
        if request is not None:
            await self._enter(sid, principal, location_room(request.location_id), request.location_id)

    async def enter_battery(self, sid: str, principal: Principal, data: object) -> None:
        """Subscribe to a battery."""
        request = await self._parse(sid, SubscribeBattery, data)
        if request is not None:
            entry = (await self._catalogue()).batteries.get(request.battery_id)
            await self._enter(sid, principal, battery_room(request.battery_id), entry.location_code if entry else None)

    async def leave_location(self, sid: str, _principal: Principal, data: object) -> None:
        """Unsubscribe from a location."""
        request = await self._parse(sid, SubscribeLocation, data)
        if request is not None:
            await self._sio.leave_room(sid, location_room(request.location_id))

    async def leave_battery(self, sid: str, _principal: Principal, data: object) -> None:
        """Unsubscribe from a battery."""
        request = await self._parse(sid, SubscribeBattery, data)
        if request is not None:
            await self._sio.leave_room(sid, battery_room(request.battery_id))

    async def _enter(self, sid: str, principal: Principal, room: str, location_id: str | None) -> None:
        if location_id is None or not principal.may_see(location_id):
            await self._refuse_unknown(sid, room)
            return
        if not self._sio.is_open(sid):
            # The session ended while the catalogue was read.
            return
        rooms = [entered for entered in self._sio.rooms(sid) if entered != sid]
        if len(rooms) >= MAX_ROOMS_PER_CLIENT and room not in rooms:
            await self._refuse(sid, "too_many_rooms", f"One client may listen to {MAX_ROOMS_PER_CLIENT} rooms.")
            return
        # Enter first, then read the number: an update in between arrives and is at most seen twice, never missed.
        await self._sio.enter_room(sid, room)
        try:
            seq = await self._numbers.read(room)
        except BaseException:
            # Without its number the client was not subscribed, so it must not receive either.
            await self._sio.leave_room(sid, room)
            raise
        if seq is None:
            await self._sio.leave_room(sid, room)
            await self._refuse_unknown(sid, room)
            return
        await self._sio.emit("subscribed", Subscribed(room=room, seq=seq).model_dump(mode="json"), to=sid)

    async def _catalogue(self) -> FleetCatalogue:
        now = self._context.clock.now()
        # One reader at a time: clients that come back together need one connection, not the whole pool.
        async with self._reading:
            catalogue = self._cache.current(now)
            if catalogue is None:
                async with self._context.database.begin() as connection:
                    catalogue = await self._cache.get(connection, now)
        return catalogue

    async def _parse(self, sid: str, kind: type[_Request], data: object) -> _Request | None:
        try:
            return kind.model_validate(data)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"]) or "event"
            await self._refuse(sid, "invalid_event", f"{field}: {first['msg']}")
            return None

    async def _refuse_unknown(self, sid: str, room: str) -> None:
        await self._refuse(sid, "not_found", f"There is no {room.replace(':', ' ')} that you may see.")
