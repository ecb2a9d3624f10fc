"""Locks of the state rows of subjects, in the order in which ingest takes them, so that nobody waits in a circle.

Ingest locks the location's row first of all, so holding it keeps the location's readings out until the commit; the
batteries' rows come before the alerts', as everywhere.
"""

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_LOCATIONS: Final = text("select 1 from location_state where location_id = any(:keys) order by location_id for update")
_BATTERIES: Final = text("select 1 from battery_state where battery_id = any(:keys) order by battery_id for update")


async def lock_locations(connection: AsyncConnection, keys: Iterable[int]) -> None:
    """Lock the state rows of locations in key order; whoever writes or groups their alerts holds them."""
    await _lock(connection, _LOCATIONS, keys)


async def lock_batteries(connection: AsyncConnection, keys: Iterable[int]) -> None:
    """Lock the state rows of batteries in key order."""
    await _lock(connection, _BATTERIES, keys)


async def _lock(connection: AsyncConnection, statement: Any, keys: Iterable[int]) -> None:
    await connection.execute(statement, {"keys": sorted(set(keys))})
