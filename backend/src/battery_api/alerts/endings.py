"""The end of a battery is an event: its alerts end with it, in the same transaction, and their timelines say why."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.accounts.principal import Principal
from battery_api.alerts import ending_repository, repository
from battery_api.alerts.ending_repository import EndEntry, HangingAlert
from battery_api.alerts.grouping.follow import follow
from battery_api.alerts.judge_batch import incident_events
from battery_api.fleet.ports import BatteryEnd, Ended
from battery_contracts.enums import HealthStatus
from battery_contracts.events import AlertEvent, BatteryStatusUpdate, StatusColumns


class AlertEndings:
    """Ends alerts and rule states of batteries; implements `fleet.ports.Endings`."""

    async def end(
        self, connection: AsyncConnection, ends: Sequence[BatteryEnd], *, actor: Principal | str, now: datetime
    ) -> Ended:
        """End the open alerts of batteries that were replaced or retired, and let their rules restart.

        An alert of a string or location ends with the last of its batteries in service; one about missing readings
        ends as well when no battery is left that ever sent one.
        """
        locations = sorted({end.location_key for end in ends})
        strings = sorted({end.string_key for end in ends})
        batteries = sorted({end.battery_key for end in ends})
        await ending_repository.lock_subjects(connection, locations=locations, strings=strings, batteries=batteries)
        hanging = await ending_repository.list_hanging(
            connection, locations=locations, strings=strings, batteries=batteries
        )
        entries = [_entry(alert, _end_of(alert, ends), actor, now) for alert in hanging]
        actor_id = None if isinstance(actor, str) else actor.user_id
        if entries:
            await ending_repository.end_alerts(connection, entries, actor_id=actor_id)
        await ending_repository.restart_rules(connection, batteries=batteries, strings=strings)
        numbers = [entry.alert_id for entry in entries]
        changes = await follow(connection, numbers, now=now)
        alerts = await repository.list_by_id(connection, numbers)
        return Ended(
            alerts=[
                *(AlertEvent(event="ended", alert=alerts[number]) for number in numbers),
                *await incident_events(connection, changes, now=now),
            ],
            statuses=_statuses(ends),
        )


def _end_of(alert: HangingAlert, ends: Sequence[BatteryEnd]) -> BatteryEnd:
    """Return the end that an alert goes with: that of its battery, or the last one of its string or location."""
    if alert.battery is not None:
        own = [end for end in ends if end.battery_key == alert.battery]
    elif alert.string is not None:
        own = [end for end in ends if end.string_key == alert.string]
    else:
        own = [end for end in ends if end.location_key == alert.location]
    return max(own, key=lambda end: end.ended_at)


def _entry(alert: HangingAlert, end: BatteryEnd, actor: Principal | str, now: datetime) -> EndEntry:
    # An installation may be dated before the alert was raised, or ahead of the clock; an alert ends after it began.
    at = max(alert.raised_at, min(end.ended_at, now))
    name = actor if isinstance(actor, str) else actor.name
    data = {"reason": end.reason, "actor": name}
    if alert.battery is not None:
        data |= end.data
    return EndEntry(alert.alert_id, at, end.reason, end.note, data)


def _statuses(ends: Sequence[BatteryEnd]) -> list[BatteryStatusUpdate]:
    """Return one message per location: whatever is in the position now, it has sent nothing yet."""
    updates = []
    for location in sorted({end.location_code for end in ends}):
        codes = sorted({end.battery_code for end in ends if end.location_code == location})
        columns = StatusColumns(
            battery_id=codes,
            status=[HealthStatus.NO_DATA] * len(codes),
            open_critical=[0] * len(codes),
            open_warning=[0] * len(codes),
        )
        updates.append(BatteryStatusUpdate(location_id=location, columns=columns))
    return updates
