"""Ends overrides whose time is over, with an entry in the audit log; the judge leaves them out by itself."""

from battery_api.accounts.audit import record_audit
from battery_api.alerts import override_repository as repository
from battery_api.context import ProcessContext


async def run_once(context: ProcessContext) -> None:
    """Delete the overrides that have expired."""
    async with context.database.begin() as connection:
        for ended in await repository.delete_expired(connection, context.clock.now()):
            data = {"scope": ended.scope, "scope_id": ended.scope_id}
            await record_audit(connection, actor="system", action="alert_rule.expired", target=ended.rule_id, data=data)
