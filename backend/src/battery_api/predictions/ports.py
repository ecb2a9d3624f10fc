"""What predictions need of the daily histories of the fleet."""

from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from battery_contracts.ml import RulBatchRequest


class HistoryReader(Protocol):
    """Reads the daily history of the batteries of a location."""

    async def read_histories(
        self, connection: AsyncConnection, location: int, as_of: datetime
    ) -> RulBatchRequest | None:
        """Return the histories of the batteries in service of a location up to the last whole day before ``as_of``.

        ``location`` is the key of the database. A battery without any day is left out; None if there is no other.
        """
        ...

    async def progress(self, connection: AsyncConnection, now: datetime) -> tuple[int, bool]:
        """Return a number that rises with each past day of a string that is computed, and whether some still wait."""
        ...
