"""Incidents as they are shown."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.alerts import repository
from battery_contracts.alerts import AlertOut
from battery_contracts.incidents import HiddenBy, HiderKind, IncidentOut, IncidentStatus

STATUS: Final = """
    case when i.merged_into_id is not null then 'merged'
         when i.alert_count = 0 then 'withdrawn'
         when i.resolved_at is not null then 'resolved'
         when i.cleared_at is not null and (i.acknowledged_at is not null or i.severity = 'info') then 'closed'
         when i.snoozed_until > :now then 'snoozed'
         when i.acknowledged_at is not null then 'acknowledged'
         when i.cleared_at is not null then 'cleared'
         else 'open' end
"""
"""How far an incident is, as SQL of a row ``i`` at ``:now``; the words are those of `IncidentStatus`."""
HIDDEN: Final = (
    "(i.silence_id is not null and i.resolved_at is null and "
    "(i.cleared_at is not null or coalesce(h.ended_at, h.ends_at) > :now))"
)
"""Whether an incident is kept out of the inbox, as SQL of the rows ``i`` and ``h`` at ``:now``.

It is over with the silence, even before its end is worked off; what was over by then stays hidden.
"""
JOINED: Final = """
    from incident i
    join location l on l.id = i.location_id
    left join battery_system y on y.id = i.system_id
    left join string g on g.id = i.string_id
    left join battery b on b.id = i.battery_id
    left join "user" u on u.id = i.assignee_id
    left join silence h on h.id = i.silence_id
"""
_COLUMNS: Final = f"""
    select i.*, {STATUS} as status, l.code as location_code, y.code as system_code, g.code as string_code,
           b.code as battery_code, u.username as assignee, {HIDDEN} as is_hidden, h.kind as hider_kind,
           coalesce(h.ended_at, h.ends_at) as hider_ends_at
    {JOINED}
"""


async def list_matching(
    connection: AsyncConnection,
    where: str,
    values: Mapping[str, Any],
    *,
    order: str,
    skip: int,
    limit: int,
    now: datetime,
) -> list[IncidentOut]:
    """Return a page of the incidents that match conditions on the rows of `JOINED`."""
    statement = f"{_COLUMNS} where {where} order by {order} offset :skip limit :limit"
    rows = await connection.execute(text(statement), {**values, "now": now, "skip": skip, "limit": limit})
    return await _as_incidents(connection, rows.mappings().all())


async def list_by_id(
    connection: AsyncConnection, incident_ids: Sequence[int], *, now: datetime
) -> dict[int, IncidentOut]:
    """Return incidents by number; one that has lost its alerts to another keeps the alert that led it."""
    rows = await connection.execute(text(f"{_COLUMNS} where i.id = any(:ids)"), {"ids": list(incident_ids), "now": now})
    return {one.incident_id: one for one in await _as_incidents(connection, rows.mappings().all())}


async def _as_incidents(connection: AsyncConnection, rows: Sequence[RowMapping]) -> list[IncidentOut]:
    leads = await repository.list_by_id(connection, [row["lead_alert_id"] for row in rows if row["lead_alert_id"]])
    return [_as_incident(row, leads[row["lead_alert_id"]]) for row in rows if row["lead_alert_id"] in leads]


def _as_incident(row: RowMapping, lead: AlertOut) -> IncidentOut:
    return IncidentOut(
        incident_id=row["id"],
        family=row["family"],
        status=IncidentStatus(row["status"]),
        severity=row["severity"],
        respond_within=row["respond_within"],
        location_id=row["location_code"],
        system_id=row["system_code"],
        string_id=row["string_code"],
        battery_id=row["battery_code"],
        types=row["types"],
        lead=lead,
        is_active=row["active_count"] > 0,
        opened_at=row["opened_at"],
        cleared_at=row["cleared_at"],
        alert_count=row["alert_count"],
        active_count=row["active_count"],
        unacknowledged_count=row["unacknowledged_count"],
        battery_count=row["battery_count"],
        acknowledged_at=row["acknowledged_at"],
        acknowledged_by=row["acknowledged_by"],
        assignee=row["assignee"],
        snoozed_until=row["snoozed_until"],
        hidden_by=_hidden_by(row) if row["is_hidden"] else None,
        resolved_at=row["resolved_at"],
        resolved_by=row["resolved_by"],
        merged_into=row["merged_into_id"],
        revision=row["revision"],
        updated_at=row["updated_at"],
    )


def _hidden_by(row: RowMapping) -> HiddenBy:
    kind = HiderKind.SILENCE if row["hider_kind"] == "silence" else HiderKind.WINDOW
    return HiddenBy(kind=kind, id=row["silence_id"], ends_at=row["hider_ends_at"])
