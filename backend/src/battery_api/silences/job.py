"""What becomes due: silences that start, and silences that end."""

from battery_api.context import ProcessContext
from battery_api.silences.effect import apply
from battery_api.telemetry.ports import Publisher


async def run_once(context: ProcessContext, publisher: Publisher) -> int:
    """Hide what silences have begun to cover, and bring back what they no longer do; return the changed incidents."""
    async with context.database.begin() as connection:
        events = await apply(connection, now=context.clock.now())
    await publisher.publish_alerts(events)
    return len(events)
