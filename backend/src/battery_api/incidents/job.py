"""What becomes due: snoozes that are over, and alerts that have no incident yet."""

from battery_api.alerts.grouping.follow import ChangedIncident, adopt
from battery_api.alerts.judge_batch import incident_events
from battery_api.alerts.subject_locks import lock_locations
from battery_api.context import ProcessContext
from battery_api.incidents import repository
from battery_api.telemetry.ports import Publisher


async def run_once(context: ProcessContext, publisher: Publisher) -> int:
    """Bring back what was snoozed until now, and adopt alerts of before there were incidents; return the changes."""
    now = context.clock.now()
    async with context.database.begin() as connection:
        due = await repository.find_due(connection, now)
        await lock_locations(connection, [location for _, location in due])
        # Somebody may have ended the snooze between the look and the lock.
        due = await repository.find_due(connection, now) if due else []
        for number, _ in due:
            await repository.change(connection, number, {"snoozed_until": None}, now=now)
            await repository.add_entry(
                connection, number, "snooze_ended", at=now, user_id=None, actor=None, note=None, data={}
            )
        changes = [ChangedIncident(number, "snooze_ended") for number, _ in due]
        changes += await adopt(connection, now=now)
        events = await incident_events(connection, changes, now=now)
    await publisher.publish_alerts(events)
    return len(changes)
