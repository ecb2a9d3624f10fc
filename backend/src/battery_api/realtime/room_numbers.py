"""Sequence numbers of rooms for many subscriptions at a time, on one database connection."""

import asyncio

from battery_api.db.session import Database
from battery_api.realtime.repository import find_room_seqs


class RoomNumbers:
    """Answers every question that waits with one query; meanwhile the next ones gather.

    However many clients subscribe at once, they occupy one connection of the pool that ingest needs too.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: dict[str, asyncio.Future[int | None]] = {}
        self._reader: asyncio.Task[None] | None = None

    async def read(self, room: str) -> int | None:
        """Return the number of a room's newest update, read after this call began; None if there is no such room.

        Raises
        ------
        SQLAlchemyError, OSError
            The database does not answer.
        """
        future = self._waiting.get(room)
        if future is None:
            future = self._waiting[room] = asyncio.get_running_loop().create_future()
        if self._reader is None or self._reader.done():
            self._reader = asyncio.create_task(self._read_waiting(), name="room-numbers")
        # Shielded: one client that goes away must not cancel the answer for the others.
        return await asyncio.shield(future)

    async def _read_waiting(self) -> None:
        while self._waiting:
            asked, self._waiting = self._waiting, {}
            try:
                async with self._database.begin() as connection:
                    numbers = await find_room_seqs(connection, list(asked))
            except Exception as error:  # noqa: BLE001  # whatever it is, those who wait have to get it
                for future in asked.values():
                    future.set_exception(error)
                    future.exception()  # Read once here: all who waited may have gone.
            else:
                for room, future in asked.items():
                    future.set_result(numbers.get(room))
