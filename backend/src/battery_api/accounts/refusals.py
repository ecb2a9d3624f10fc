"""Refused administrative calls leave an entry in the audit log, with the address that they came from."""

import structlog
from fastapi import Request
from sqlalchemy.exc import SQLAlchemyError

from battery_api.accounts import repository
from battery_api.accounts.audit import record_audit
from battery_api.accounts.principal import Principal
from battery_api.context import ProcessContext
from battery_servicekit.problems import DomainError

_log = structlog.get_logger(__name__)


async def record_refusal(
    context: ProcessContext, request: Request, principal: Principal | None, address: str, error: DomainError
) -> None:
    """Record that a call was refused; the same refusal again within a minute adds nothing, so nobody floods the log."""
    route = request.scope.get("route")
    target = f"{request.method} {getattr(route, 'path', request.url.path)}"
    name = principal.name if principal else "anonymous"
    try:
        async with context.database.begin() as connection:
            if await repository.was_refused_lately(connection, actor=name, target=target, address=address):
                return
            await record_audit(
                connection,
                actor=principal or name,
                action=repository.REFUSED,
                target=target,
                data={"status": error.status, "code": error.code, "path": request.url.path[:200]},
                address=address,
            )
    except (SQLAlchemyError, OSError) as failure:
        # The refusal stands, whether or not it can be recorded.
        _log.warning("refusal not recorded", target=target, actor=name, error=repr(failure))
