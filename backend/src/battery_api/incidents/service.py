"""What people do about incidents: read, acknowledge, assign, comment, snooze, resolve."""

from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.accounts.audit import record_audit
from battery_api.accounts.principal import Principal
from battery_api.alerts import repository as alert_repository
from battery_api.alerts.grouping.follow import refresh
from battery_api.alerts.grouping.read import list_by_id
from battery_api.alerts.service import AlertService
from battery_api.alerts.subject_locks import lock_locations
from battery_api.incidents import repository
from battery_api.incidents.errors import (
    AlreadyAcknowledged,
    AssigneeUnknown,
    IncidentChanged,
    IncidentEnded,
    IncidentNotFound,
    SnoozeInvalid,
)
from battery_api.incidents.repository import IncidentFilter, IncidentKey, IncidentSort
from battery_api.incidents.schemas import (
    LONGEST_SNOOZE,
    BulkAcknowledged,
    BulkAcknowledgeIn,
    BulkRefusal,
    IncidentDetail,
    IncidentEntryOut,
    IncidentPage,
    Resolved,
)
from battery_contracts.alerts import AlertOut
from battery_contracts.events import BatteryStatusUpdate
from battery_contracts.incidents import IncidentChange, IncidentEvent, IncidentOut, IncidentStatus
from battery_servicekit.pagination import Page, PageRequest
from battery_servicekit.problems import DomainError

_ENDED: Final = frozenset(
    {IncidentStatus.RESOLVED, IncidentStatus.CLOSED, IncidentStatus.MERGED, IncidentStatus.WITHDRAWN}
)


class Action(NamedTuple):
    """What somebody does, as the timeline and the audit log record it."""

    kind: IncidentChange
    note: str | None
    data: dict[str, Any]


class IncidentService:
    """Incidents for one caller on one connection; ``events`` and ``statuses`` are to be published after the commit."""

    def __init__(self, connection: AsyncConnection, principal: Principal, now: datetime) -> None:
        self._connection = connection
        self._principal = principal
        self._now = now
        self.events: list[IncidentEvent] = []
        self.statuses: list[BatteryStatusUpdate] = []

    async def list_incidents(self, wanted: IncidentFilter, page: PageRequest, sort: IncidentSort) -> IncidentPage:
        """List incidents, by default what waits for somebody first, the most urgent before the others."""
        items, total = await repository.list_incidents(
            self._connection, wanted, sort=sort, skip=page.skip, limit=page.limit, now=self._now
        )
        totals = await repository.count_open(self._connection, wanted, now=self._now)
        return IncidentPage(items=items, total=total, skip=page.skip, limit=page.limit, **totals._asdict())

    async def get_incident(self, incident_id: int) -> IncidentDetail:
        """Return an incident with its timeline."""
        await self._find(incident_id)
        return await self._detail(incident_id)

    async def list_alerts(self, incident_id: int, page: PageRequest) -> Page[AlertOut]:
        """List the alerts of an incident."""
        await self._find(incident_id)
        items, total = await alert_repository.list_of_incident(
            self._connection, incident_id, skip=page.skip, limit=page.limit
        )
        return Page[AlertOut](items=items, total=total, skip=page.skip, limit=page.limit)

    async def acknowledge(self, incident_id: int, revision: int, note: str) -> IncidentDetail:
        """Record that somebody takes care of an incident and of every alert that is active in it now."""
        incident = await self._lock(incident_id)
        _require_seen(incident, revision)
        _require_running(incident)
        waiting = await repository.list_alert_ids(self._connection, incident_id, unacknowledged=True)
        if incident.acknowledged_at is not None and not waiting:
            when = f"{incident.acknowledged_at:%Y-%m-%d %H:%M} UTC"
            raise AlreadyAcknowledged(
                f"Incident {incident_id} was acknowledged by {incident.acknowledged_by} at {when}.", state=incident
            )
        await repository.acknowledge_alerts(
            self._connection,
            waiting,
            at=self._now,
            user_id=self._principal.user_id,
            actor=self._principal.name,
            note=note,
        )
        values = {
            "acknowledged_at": self._now,
            "acknowledged_by": self._principal.name,
            "acknowledged_severity": incident.severity.value,
            "snoozed_until": None,
        }
        await self._act(incident_id, values, Action("acknowledged", note, {"alert_count": len(waiting)}))
        return await self._detail(incident_id)

    async def acknowledge_many(self, body: BulkAcknowledgeIn) -> BulkAcknowledged:
        """Acknowledge several incidents; one that cannot be is left as it is, with the reason."""
        acknowledged: list[IncidentOut] = []
        refused: list[BulkRefusal] = []
        seen = {one.incident_id: one for one in body.incidents}
        # Every location at once, in the order in which ingest locks them: the two can never deadlock.
        keys = [await repository.find_key(self._connection, number) for number in seen]
        await lock_locations(self._connection, [key.location_key for key in keys if key is not None])
        for one in seen.values():
            try:
                detail = await self.acknowledge(one.incident_id, one.revision, body.note)
            except DomainError as error:
                state = error.state if isinstance(error.state, IncidentOut) else None
                refused.append(
                    BulkRefusal(incident_id=one.incident_id, code=error.code, detail=error.detail, incident=state)
                )
            else:
                acknowledged.append(IncidentOut(**detail.model_dump(exclude={"timeline"})))
        return BulkAcknowledged(acknowledged=acknowledged, refused=refused)

    async def assign(self, incident_id: int, revision: int, assignee: str | None) -> IncidentDetail:
        """Give an incident to a person, or to nobody."""
        incident = await self._lock(incident_id)
        _require_seen(incident, revision)
        _require_running(incident)
        key = await self._find(incident_id)
        user_id = None
        if assignee is not None:
            user_id = await repository.find_assignee(self._connection, assignee, key.location_key)
            if user_id is None:
                raise AssigneeUnknown(
                    f"assignee: there is no active engineer or administrator {assignee!r} with access to "
                    f"{key.location_code}; choose one of its users."
                )
        data = {"assignee": assignee, "assignee_before": incident.assignee}
        await self._act(incident_id, {"assignee_id": user_id}, Action("assigned", None, data))
        return await self._detail(incident_id)

    async def comment(self, incident_id: int, note: str, revision: int | None) -> IncidentDetail:
        """Add to the timeline of an incident; of one that has ended only if the caller knows that it has."""
        incident = await self._lock(incident_id)
        if incident.status in _ENDED and revision != incident.revision:
            raise IncidentEnded(
                f"Incident {incident_id} is {incident.status.value}; read it, and send its revision "
                f"({incident.revision}) to comment all the same.",
                state=incident,
            )
        await self._record(incident_id, Action("comment", note, {}))
        await self._announce(incident_id, "comment")
        return await self._detail(incident_id)

    async def snooze(self, incident_id: int, revision: int, until: datetime, note: str) -> IncidentDetail:
        """Take an incident out of the inbox for a time; it comes back then, or as soon as it gets worse."""
        incident = await self._lock(incident_id)
        _require_seen(incident, revision)
        _require_running(incident)
        if not self._now < until <= self._now + LONGEST_SNOOZE:
            raise SnoozeInvalid(
                f"until: choose an instant after now ({self._now:%Y-%m-%dT%H:%M:%SZ}) and within "
                f"{LONGEST_SNOOZE.days} days."
            )
        await self._act(incident_id, {"snoozed_until": until}, Action("snoozed", note, {"until": until}))
        return await self._detail(incident_id)

    async def end_snooze(self, incident_id: int, revision: int) -> IncidentDetail:
        """Bring a snoozed incident back to the inbox."""
        incident = await self._lock(incident_id)
        _require_seen(incident, revision)
        _require_running(incident)
        if incident.snoozed_until is not None:
            await self._act(incident_id, {"snoozed_until": None}, Action("snooze_ended", None, {}))
        return await self._detail(incident_id)

    async def resolve(self, incident_id: int, revision: int, note: str) -> Resolved:
        """Record that an incident and all its alerts are dealt with.

        Alerts stay active for as long as their conditions last; one that outlasts its hold again brings it back.
        """
        incident = await self._lock(incident_id)
        _require_seen(incident, revision)
        _require_running(incident)
        alerts = AlertService(self._connection, self._principal, self._now)
        for alert_id in await repository.list_alert_ids(self._connection, incident_id, unacknowledged=False):
            update = await alerts.resolve_one(alert_id, note)
            if update is not None:
                self.statuses.append(update)
        values = {"resolved_at": self._now, "resolved_by": self._principal.name, "snoozed_until": None}
        await self._act(incident_id, values, Action("resolved", note, {"active_count": incident.active_count}))
        detail = await self._detail(incident_id)
        return Resolved(incident=detail, still_active_count=detail.active_count)

    async def _find(self, incident_id: int) -> IncidentKey:
        key = await repository.find_key(self._connection, incident_id)
        if key is None or not self._principal.may_see(key.location_code):
            raise IncidentNotFound(f"No incident {incident_id} that you may see.")
        return key

    async def _lock(self, incident_id: int) -> IncidentOut:
        """Lock the location, as ingest does, so that the incident stays as it is until the commit."""
        key = await self._find(incident_id)
        await lock_locations(self._connection, [key.location_key])
        return (await list_by_id(self._connection, [incident_id], now=self._now))[incident_id]

    async def _detail(self, incident_id: int) -> IncidentDetail:
        incident = (await list_by_id(self._connection, [incident_id], now=self._now))[incident_id]
        entries = await repository.list_timeline(self._connection, incident_id)
        timeline = [IncidentEntryOut(**entry._asdict()) for entry in entries]
        return IncidentDetail(**incident.model_dump(), timeline=timeline)

    async def _act(self, incident_id: int, values: dict[str, Any], action: Action) -> None:
        await repository.change(self._connection, incident_id, values, now=self._now)
        await self._record(incident_id, action)
        await refresh(self._connection, [incident_id], now=self._now)
        await self._announce(incident_id, action.kind)

    async def _record(self, incident_id: int, action: Action) -> None:
        await repository.add_entry(
            self._connection,
            incident_id,
            action.kind,
            at=self._now,
            user_id=self._principal.user_id,
            actor=self._principal.name,
            note=action.note,
            data=action.data,
        )
        await record_audit(
            self._connection,
            actor=self._principal,
            action=f"incident.{action.kind}",
            target=str(incident_id),
            data={} if action.note is None else {"note": action.note},
        )

    async def _announce(self, incident_id: int, kind: IncidentChange) -> None:
        incident = (await list_by_id(self._connection, [incident_id], now=self._now))[incident_id]
        self.events.append(IncidentEvent(event=kind, incident=incident))


def _require_seen(incident: IncidentOut, revision: int) -> None:
    if incident.revision != revision:
        raise IncidentChanged(
            f"Incident {incident.incident_id} has changed since (revision {incident.revision}, yours {revision}): "
            f"it is {incident.status.value} and {incident.severity.value}. Look at it and try again.",
            state=incident,
        )


def _require_running(incident: IncidentOut) -> None:
    if incident.status in _ENDED:
        raise IncidentEnded(f"Incident {incident.incident_id} is {incident.status.value}.", state=incident)
