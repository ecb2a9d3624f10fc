"""Let the incidents follow the silences, in the transaction that changed them, or when one starts or ends by itself."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.alerts.grouping import hiding
from battery_api.alerts.grouping.follow import refresh
from battery_api.alerts.judge_batch import incident_events
from battery_api.alerts.subject_locks import lock_locations
from battery_contracts.incidents import IncidentEvent


async def apply(connection: AsyncConnection, *, now: datetime) -> list[IncidentEvent]:
    """Hide and bring back what the silences of now want hidden and shown; return the events to publish.

    Whatever is due is found from the rows, so that two replicas, or one that died in between, do it once.
    """
    due = await hiding.find_due(connection, now)
    if not due:
        return []
    await lock_locations(connection, [location for _, location in due])
    # Another process may have done it between the look and the lock; the locks cover what was due before.
    locked = {location for _, location in due}
    due = [one for one in await hiding.find_due(connection, now) if one[1] in locked]
    changes = await refresh(connection, [incident for incident, _ in due], now=now)
    return await incident_events(connection, changes, now=now)
