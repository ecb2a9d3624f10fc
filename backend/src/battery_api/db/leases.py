"""Leases in the database, which decide which replica runs a job."""

from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_TAKE: Final = text(
    """
    insert into lease (name, holder, expires_at) values (:name, :holder, :expires_at)
    on conflict (name) do update set holder = excluded.holder, expires_at = excluded.expires_at
    where lease.holder = excluded.holder or lease.expires_at < :now
    returning holder
    """
)


async def take_lease(
    connection: AsyncConnection, name: str, *, holder: str, now: datetime, expires_at: datetime
) -> bool:
    """Take or extend a lease; False while another holder has it."""
    values = {"name": name, "holder": holder, "now": now, "expires_at": expires_at}
    return await connection.scalar(_TAKE, values) is not None
