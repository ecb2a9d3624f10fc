"""What users do with alerts: list, acknowledge, comment, resolve."""

from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.accounts.audit import record_audit
from battery_api.accounts.principal import Principal
from battery_api.alerts import repository
from battery_api.alerts.alert_rows import open_counts
from battery_api.alerts.engine.rules import READING_RULES
from battery_api.alerts.engine.state import with_resolved, without_closed
from battery_api.alerts.errors import AlertAlreadyAcknowledged, AlertAlreadyResolved, AlertNotFound
from battery_api.alerts.grouping.follow import follow
from battery_api.alerts.judge_batch import incident_events
from battery_api.alerts.repository import AlertFilter, AlertState, AlertSubject, SubjectState
from battery_api.alerts.schemas import AlertDetail, AlertPage, AlertStats, DayCounts, TimelineEntryOut
from battery_api.alerts.subject_locks import lock_locations
from battery_api.db.bangkok import day_start, operating_day
from battery_api.fleet.status import stale_after_s, status_of
from battery_api.telemetry.store.columns import RuleState
from battery_api.telemetry.store.indices import BatteryKey
from battery_api.telemetry.store.instants import microseconds
from battery_api.telemetry.store.statements import write_open_counts, write_rule_states
from battery_contracts.enums import AlertType, Severity
from battery_contracts.events import BatteryStatusUpdate, StatusColumns
from battery_contracts.incidents import IncidentEvent
from battery_servicekit.pagination import PageRequest

STATS_DAYS: Final = 30


class Acted(NamedTuple):
    """What a person's action on an alert led to: the alert, its incident, and the battery's status where it changed."""

    detail: AlertDetail
    incidents: list[IncidentEvent]
    status: BatteryStatusUpdate | None = None


class AlertService:
    """Alerts for one caller on one connection."""

    def __init__(self, connection: AsyncConnection, principal: Principal, now: datetime) -> None:
        self._connection = connection
        self._principal = principal
        self._now = now

    async def list_alerts(self, alert_filter: AlertFilter, page: PageRequest) -> AlertPage:
        """List alerts, newest first."""
        items, total = await repository.list_alerts(self._connection, alert_filter, skip=page.skip, limit=page.limit)
        active, pending = await repository.count_open(self._connection, alert_filter)
        return AlertPage(
            items=items, total=total, skip=page.skip, limit=page.limit, active_count=active, pending_count=pending
        )

    async def get_alert(self, alert_id: int) -> AlertDetail:
        """Return an alert with its timeline."""
        alert = (await repository.list_by_id(self._connection, [alert_id])).get(alert_id)
        if alert is None or not self._principal.may_see(alert.location_id):
            raise AlertNotFound(f"No alert {alert_id} that you may see.")
        entries = await repository.list_timeline(self._connection, alert_id)
        return AlertDetail(**alert.model_dump(), timeline=[TimelineEntryOut(**entry._asdict()) for entry in entries])

    async def stats(self) -> AlertStats:
        """Count alerts."""
        visible = self._principal.location_codes
        totals = await repository.totals(self._connection, visible=visible)
        first = day_start(self._now) - timedelta(days=STATS_DAYS - 1)
        raised = await repository.raised_per_day(self._connection, visible=visible, since=first)
        by_day = {counts.day: counts for counts in raised}
        days = [operating_day(first + timedelta(days=step)) for step in range(STATS_DAYS)]
        by_severity = await repository.active_by(self._connection, "a.severity", visible=visible)
        return AlertStats(
            open_count=totals.open_count,
            active_count=totals.active_count,
            pending_count=totals.pending_count,
            by_severity={severity: by_severity.get(severity.value, 0) for severity in Severity},
            by_type=await repository.active_by(self._connection, "a.type", visible=visible),
            by_location=await repository.active_by(self._connection, "l.code", visible=visible),
            per_day=[DayCounts(**by_day[day]._asdict()) if day in by_day else DayCounts(day=day) for day in days],
        )

    async def acknowledge(self, alert_id: int, note: str) -> Acted:
        """Record that somebody takes care of the alert."""
        subject = await self._find(alert_id)
        # Locations before alerts, as ingest does: the two can never deadlock.
        await lock_locations(self._connection, [subject.location_key])
        state = await repository.lock_alert(self._connection, alert_id)
        _require_unresolved(alert_id, state)
        if state.acknowledged_at is not None:
            raise AlertAlreadyAcknowledged(
                f"Alert {alert_id} was acknowledged at {state.acknowledged_at:%Y-%m-%d %H:%M} UTC."
            )
        await self._mark(alert_id, "acknowledged", note)
        return await self._acted(alert_id)

    async def resolve(self, alert_id: int, note: str | None) -> Acted:
        """Record that an alert is dealt with.

        The alert stays active for as long as its condition lasts. If that fills the hold of its rule once more, or gets
        worse, the resolution is undone, so that nothing that was resolved too early stays unnoticed.
        """
        update = await self.resolve_one(alert_id, note)
        return await self._acted(alert_id, update)

    async def resolve_one(self, alert_id: int, note: str | None) -> BatteryStatusUpdate | None:
        """Resolve an alert without its incident; return the battery's new status where it changed."""
        subject = await self._find(alert_id)
        # Locations, then state rows, then alerts, as ingest does: the two can never deadlock.
        await lock_locations(self._connection, [subject.location_key])
        subject_state = await repository.lock_subject_state(self._connection, subject)
        state = await repository.lock_alert(self._connection, alert_id)
        _require_unresolved(alert_id, state)
        await self._mark(alert_id, "resolved", note)
        update = None
        if state.cleared_at is not None:
            # What comes next is another alert, not the one that somebody has dealt with.
            rest = without_closed(subject_state.rule_state, AlertType(subject.type), alert_id)
            await self._write_rules(subject, subject_state, rest)
        elif subject.rule_id in READING_RULES:
            rest = with_resolved(subject_state.rule_state, AlertType(subject.type), alert_id, microseconds(self._now))
            if rest is not None:
                await self._write_rules(subject, subject_state, rest)
            else:
                update = await self._clear_unfollowed(alert_id, subject, subject_state)
        return update

    async def comment(self, alert_id: int, note: str) -> AlertDetail:
        """Add to the timeline, in whatever state the alert is; what is there stays as it is."""
        await self._find(alert_id)
        await self._record(alert_id, "comment", note)
        return await self.get_alert(alert_id)

    async def _acted(self, alert_id: int, status: BatteryStatusUpdate | None = None) -> Acted:
        changes = await follow(self._connection, [alert_id], now=self._now)
        incidents = await incident_events(self._connection, changes, now=self._now)
        return Acted(await self.get_alert(alert_id), incidents, status)

    async def _find(self, alert_id: int) -> AlertSubject:
        subject = await repository.find_subject(self._connection, alert_id)
        if subject is None or not self._principal.may_see(subject.location_code):
            raise AlertNotFound(f"No alert {alert_id} that you may see.")
        return subject

    async def _mark(self, alert_id: int, kind: Literal["acknowledged", "resolved"], note: str | None) -> None:
        user_id = self._principal.user_id
        await repository.mark_alert(self._connection, alert_id, kind, at=self._now, user_id=user_id)
        await self._record(alert_id, kind, note)

    async def _record(
        self, alert_id: int, kind: Literal["acknowledged", "resolved", "comment"], note: str | None
    ) -> None:
        await repository.add_event(
            self._connection,
            alert_id,
            at=self._now,
            kind=kind,
            actor_id=self._principal.user_id,
            note=note or None,
            data={"actor": self._principal.name},
        )
        await record_audit(
            self._connection,
            actor=self._principal,
            action=f"alert.{kind}",
            target=str(alert_id),
            data={"note": note} if note else {},
        )

    async def _write_rules(self, subject: AlertSubject, before: SubjectState, rest: RuleState | None) -> None:
        if rest != (before.rule_state or None):
            await write_rule_states(self._connection, subject.kind, [subject.key], [rest])

    async def _clear_unfollowed(
        self, alert_id: int, subject: AlertSubject, state: SubjectState
    ) -> BatteryStatusUpdate | None:
        """Clear an alert that no rule follows any more: its condition, if it lasts, raises a new one."""
        await repository.clear_alert(self._connection, alert_id, at=self._now)
        if subject.battery_key is None:
            return None
        return await self._recount(subject, BatteryKey(subject.battery_key), state)

    async def _recount(self, subject: AlertSubject, key: BatteryKey, state: SubjectState) -> BatteryStatusUpdate:
        counts = await open_counts(self._connection, [key])
        await write_open_counts(self._connection, counts)
        _, warning, critical = counts[key]
        limit = timedelta(seconds=stale_after_s(state.reporting_interval_s))
        status = status_of(
            is_stale=state.time is None or self._now - state.time > limit,
            open_critical=critical,
            open_warning=warning,
        )
        return BatteryStatusUpdate(
            location_id=subject.location_code,
            columns=StatusColumns(
                battery_id=[subject.code], status=[status], open_critical=[critical], open_warning=[warning]
            ),
        )


def _require_unresolved(alert_id: int, state: AlertState) -> None:
    if state.resolved_at is not None:
        raise AlertAlreadyResolved(f"Alert {alert_id} was resolved at {state.resolved_at:%Y-%m-%d %H:%M} UTC.")
