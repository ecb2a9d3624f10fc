"""What becomes due: silences and windows that start or end, and tests whose strings have recharged."""

from battery_api.accounts.audit import record_audit
from battery_api.context import ProcessContext
from battery_api.silences import window_repository
from battery_api.silences.effect import apply
from battery_api.telemetry.ports import Publisher


async def run_once(context: ProcessContext, publisher: Publisher) -> int:
    """Close what is over, hide what has begun to be covered, bring back the rest; return the changed incidents."""
    now = context.clock.now()
    async with context.database.begin() as connection:
        for window in await window_repository.close_recharged(connection, now):
            await record_audit(connection, actor="system", action="maintenance_window.closed", target=str(window))
        events = await apply(connection, now=now)
    await publisher.publish_alerts(events)
    return len(events)
