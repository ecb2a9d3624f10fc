"""The audit log: who changed what, written in the transaction of the change."""

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.accounts import repository
from battery_api.accounts.principal import Principal
from battery_servicekit.middleware import current_request_id

_caller_address: ContextVar[str | None] = ContextVar("caller_address", default=None)


def note_caller_address(address: str) -> None:
    """Note where the present request comes from, for the entries that it will write."""
    _caller_address.set(address)


async def record_audit(
    connection: AsyncConnection,
    *,
    actor: Principal | str,
    action: str,
    target: str | None = None,
    data: Mapping[str, Any] | None = None,
    address: str | None = None,
) -> None:
    """Append one entry; it is committed or rolled back together with the change it records.

    Without an address it carries the one of the present request, if there is one.
    """
    values = {
        "actor": actor if isinstance(actor, str) else actor.name,
        "actor_id": None if isinstance(actor, str) else actor.user_id,
        "action": action,
        "target": target,
        "address": address if address is not None else _caller_address.get(),
        "request_id": current_request_id(),
        "data": dict(data or {}),
    }
    await repository.add_audit_entry(connection, values)
