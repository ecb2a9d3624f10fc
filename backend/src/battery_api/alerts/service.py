"""What people do with alerts: look, acknowledge, resolve."""

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.accounts.audit import record_audit
from battery_api.accounts.principal import Principal
from battery_api.alerts import repository
from battery_api.alerts.engine.state import without_type
from battery_api.alerts.errors import AlertAlreadyAcknowledged, AlertAlreadyResolved, AlertNotFound
from battery_api.alerts.records import open_counts, store_open_counts, store_rule_state
from battery_api.alerts.repository import AlertFilter
from battery_api.alerts.schemas import AlertDetail, AlertPage, AlertStats, DayCounts, TimelineEntryOut
from battery_api.fleet.status import stale_after_s, status_of
from battery_contracts.enums import AlertType, Severity
from battery_contracts.events import BatteryStatusUpdate, StatusColumns
from battery_servicekit.pagination import PageRequest

BANGKOK: Final = ZoneInfo("Asia/Bangkok")
STATS_DAYS: Final = 30

_FIND: Final = text(
    """
    select a.type, a.location_id, a.string_id, a.battery_id, l.code as location_code
    from alert a join location l on l.id = a.location_id where a.id = :alert_id
    """
)
_LOCK: Final = text("select acknowledged_at, cleared_at, resolved_at from alert where id = :alert_id for update")


class AlertService:
    """Alerts for one caller on one connection."""

    def __init__(self, connection: AsyncConnection, principal: Principal, now: datetime) -> None:
        self._connection = connection
        self._principal = principal
        self._now = now

    async def list_alerts(self, wanted: AlertFilter, page: PageRequest) -> AlertPage:
        """List alerts, newest first."""
        items, total = await repository.list_alerts(self._connection, wanted, skip=page.skip, limit=page.limit)
        active, pending = await repository.count_open(self._connection, wanted)
        return AlertPage(
            items=items, total=total, skip=page.skip, limit=page.limit, active_count=active, pending_count=pending
        )

    async def get_alert(self, alert_id: int) -> AlertDetail:
        """Return an alert with its timeline."""
        alert = (await repository.list_by_id(self._connection, [alert_id])).get(alert_id)
        if alert is None or not self._principal.may_see(alert.location_id):
            raise AlertNotFound(f"No alert {alert_id} that you may see.")
        rows = await repository.list_timeline(self._connection, alert_id)
        return AlertDetail(**alert.model_dump(), timeline=[TimelineEntryOut(**row) for row in rows])

    async def stats(self) -> AlertStats:
        """Count alerts."""
        visible = self._principal.location_codes
        totals = await repository.totals(self._connection, visible=visible)
        today = self._now.astimezone(BANGKOK).replace(hour=0, minute=0, second=0, microsecond=0)
        first = today - timedelta(days=STATS_DAYS - 1)
        raised = await repository.raised_per_day(self._connection, visible=visible, since=first)
        by_day = {row["day"]: DayCounts(**row) for row in raised}
        days = [(first + timedelta(days=step)).date() for step in range(STATS_DAYS)]
        by_severity = await repository.active_by(self._connection, "a.severity", visible=visible)
        return AlertStats(
            **totals,
            by_severity={severity: by_severity.get(severity.value, 0) for severity in Severity},
            by_type=await repository.active_by(self._connection, "a.type", visible=visible),
            by_location=await repository.active_by(self._connection, "l.code", visible=visible),
            per_day=[by_day.get(day) or DayCounts(day=day) for day in days],
        )

    async def acknowledge(self, alert_id: int, note: str) -> AlertDetail:
        """Note that somebody has taken the alert on."""
        await self._find(alert_id)
        row = await self._lock(alert_id)
        if row["resolved_at"] is not None:
            raise AlertAlreadyResolved(f"Alert {alert_id} was resolved at {row['resolved_at']:%Y-%m-%d %H:%M} UTC.")
        if row["acknowledged_at"] is not None:
            at = row["acknowledged_at"]
            raise AlertAlreadyAcknowledged(f"Alert {alert_id} was acknowledged at {at:%Y-%m-%d %H:%M} UTC.")
        await self._mark(alert_id, "acknowledged", note)
        return await self.get_alert(alert_id)

    async def resolve(self, alert_id: int, note: str | None) -> tuple[AlertDetail, BatteryStatusUpdate | None]:
        """Close an alert; also return the battery's new status where it changed.

        The rule starts afresh: a condition that lasts must hold for its full time again and then raises a new alert,
        so that nothing that was waved away stays silent.
        """
        found = await self._find(alert_id)
        # The state row before the alert row, as ingest does it: the two never wait for each other in a circle.
        state = await self._lock_state(found)
        row = await self._lock(alert_id)
        if row["resolved_at"] is not None:
            raise AlertAlreadyResolved(f"Alert {alert_id} was resolved at {row['resolved_at']:%Y-%m-%d %H:%M} UTC.")
        await self._mark(alert_id, "resolved", note)
        update = None
        if row["cleared_at"] is None:
            kind, key = _subject_of(found)
            rest = without_type(state["rule_state"], AlertType(found["type"]))
            if rest != (state["rule_state"] or None):
                await store_rule_state(self._connection, kind, key, rest)
            if found["battery_id"] is not None:
                update = await self._recount(found, state)
        return await self.get_alert(alert_id), update

    async def _find(self, alert_id: int) -> RowMapping:
        found = (await self._connection.execute(_FIND, {"alert_id": alert_id})).mappings().first()
        if found is None or not self._principal.may_see(found["location_code"]):
            raise AlertNotFound(f"No alert {alert_id} that you may see.")
        return found

    async def _lock(self, alert_id: int) -> RowMapping:
        return (await self._connection.execute(_LOCK, {"alert_id": alert_id})).mappings().one()

    async def _lock_state(self, found: RowMapping) -> RowMapping:
        kind, key = _subject_of(found)
        statement = text(f"select * from {kind}_state where {kind}_id = :key for update")  # noqa: S608  # one of three words
        return (await self._connection.execute(statement, {"key": key})).mappings().one()

    async def _mark(self, alert_id: int, kind: str, note: str | None) -> None:
        statement = f"update alert set {kind}_at = :at, {kind}_by = :by where id = :alert_id"  # noqa: S608  # one of two words
        values = {"at": self._now, "by": self._principal.user_id, "alert_id": alert_id}
        await self._connection.execute(text(statement), values)
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

    async def _recount(self, found: RowMapping, state: RowMapping) -> BatteryStatusUpdate:
        key = found["battery_id"]
        counts = await open_counts(self._connection, [key])
        await store_open_counts(self._connection, counts)
        _, warning, critical = counts[key]
        code = await self._connection.scalar(text("select code from battery where id = :key"), {"key": key})
        time = state["time"]
        limit = timedelta(seconds=stale_after_s(state["reporting_interval_s"]))
        status = status_of(
            is_stale=time is None or self._now - time > limit, open_critical=critical, open_warning=warning
        )
        return BatteryStatusUpdate(
            location_id=found["location_code"],
            columns=StatusColumns(battery_id=[code], status=[status], open_critical=[critical], open_warning=[warning]),
        )


def _subject_of(found: RowMapping) -> tuple[str, int]:
    for kind in ("battery", "string"):
        if found[f"{kind}_id"] is not None:
            return kind, found[f"{kind}_id"]
    return "location", found["location_id"]
