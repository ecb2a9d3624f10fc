"""Sequence numbers of rooms, from the state rows in which ingest raises them."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_contracts.events import battery_room, location_room

_LOCATION_SEQ = text("select s.seq from location_state s join location l on l.id = s.location_id where l.code = :code")
_BATTERY_SEQ = text(
    "select s.seq from battery_state s join battery b on b.id = s.battery_id "
    "where b.code = :code and b.removed_at is null"
)


async def find_room_seq(connection: AsyncConnection, room: str) -> int | None:
    """Return the sequence number of a room's newest update, None if there is no such location or battery."""
    for prefix, statement in ((location_room(""), _LOCATION_SEQ), (battery_room(""), _BATTERY_SEQ)):
        if room.startswith(prefix):
            seq: int | None = await connection.scalar(statement, {"code": room.removeprefix(prefix)})
            return seq
    return None
