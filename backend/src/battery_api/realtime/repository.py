"""Sequence numbers of rooms, from the state rows in which ingest raises them."""

from collections.abc import Iterable

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_contracts.events import battery_room, location_room

_LOCATION_SEQS = text(
    "select l.code, s.seq from location_state s join location l on l.id = s.location_id where l.code = any(:codes)"
)
_BATTERY_SEQS = text(
    "select b.code, s.seq from battery_state s join battery b on b.id = s.battery_id "
    "where b.code = any(:codes) and b.removed_at is null"
)


async def find_room_seqs(connection: AsyncConnection, rooms: Iterable[str]) -> dict[str, int]:
    """Return the sequence number of each room's newest update; without those that have no location or battery."""
    found: dict[str, int] = {}
    for room_of, statement in ((location_room, _LOCATION_SEQS), (battery_room, _BATTERY_SEQS)):
        prefix = room_of("")
        codes = [room.removeprefix(prefix) for room in rooms if room.startswith(prefix)]
        if codes:
            rows = await connection.execute(statement, {"codes": codes})
            found.update({room_of(code): seq for code, seq in rows})
    return found
