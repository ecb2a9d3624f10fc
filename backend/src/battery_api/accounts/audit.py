"""The audit log: who changed what, written in the transaction of the change."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.accounts.principal import Principal
from battery_api.db.tables.access import AuditLog
from battery_servicekit.middleware import current_request_id


async def record_audit(
    connection: AsyncConnection,
    *,
    actor: Principal | str,
    action: str,
    target: str | None = None,
    data: Mapping[str, Any] | None = None,
    address: str | None = None,
) -> None:
    """Append one line; it stands or falls with the change it tells of."""
    named = actor if isinstance(actor, str) else actor.name
    await connection.execute(
        insert(AuditLog).values(
            actor=named,
            actor_id=None if isinstance(actor, str) else actor.user_id,
            action=action,
            target=target,
            address=address,
            request_id=current_request_id(),
            data=dict(data or {}),
        )
    )


async def list_audit(connection: AsyncConnection, *, skip: int, limit: int) -> tuple[Sequence[RowMapping], int]:
    """Return a stretch of the log, newest first, and its length."""
    rows = await connection.execute(select(AuditLog.__table__).order_by(AuditLog.id.desc()).offset(skip).limit(limit))
    return rows.mappings().all(), await connection.scalar(select(func.count()).select_from(AuditLog)) or 0
