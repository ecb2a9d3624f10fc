"""The audit log: who changed what, written in the transaction of the change."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.accounts import repository
from battery_api.accounts.principal import Principal
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
    """Append one entry; it is committed or rolled back together with the change it records."""
    values = {
        "actor": actor if isinstance(actor, str) else actor.name,
        "actor_id": None if isinstance(actor, str) else actor.user_id,
        "action": action,
        "target": target,
        "address": address,
        "request_id": current_request_id(),
        "data": dict(data or {}),
    }
    await repository.add_audit_entry(connection, values)
