"""Reads and small writes of alerts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.alerts.messages import render
from battery_contracts.alerts import AlertOut

_ACTIVE: Final = "(a.cleared_at is null and a.resolved_at is null)"
_PENDING: Final = f"({_ACTIVE} and a.acknowledged_at is null)"


def _name_of(kind: str) -> str:
    # A machine has no user row; the timeline remembers its name.
    return (
        f"case when a.{kind}_at is null then null when a.{kind}_by is not null then "
        f'(select u.username from "user" u where u.id = a.{kind}_by) else '
        f"(select e.data ->> 'actor' from alert_event e where e.alert_id = a.id and e.kind = '{kind}' "
        f"order by e.id desc limit 1) end as {kind}_name"
    )


_ALERTS: Final = f"""
    select a.*, l.code as location_code, y.code as system_code, g.code as string_code, b.code as battery_code,
           {_ACTIVE} as is_active, {_name_of("acknowledged")}, {_name_of("resolved")}
    from alert a
    join location l on l.id = a.location_id
    left join battery_system y on y.id = a.system_id
    left join string g on g.id = a.string_id
    left join battery b on b.id = a.battery_id
"""
_JOINED: Final = """
    from alert a join location l on l.id = a.location_id left join string g on g.id = a.string_id
    left join battery b on b.id = a.battery_id
"""


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """Which alerts a list wants; None or empty means any. ``visible`` holds the caller's locations, None for all."""

    visible: frozenset[str] | None = None
    location_id: str | None = None
    string_id: str | None = None
    battery_id: str | None = None
    severities: Sequence[str] = ()
    types: Sequence[str] = ()
    active: bool | None = None
    acknowledged: bool | None = None
    resolved: bool | None = None
    start: datetime | None = None
    end: datetime | None = None

    def about(self) -> tuple[list[str], dict[str, Any]]:
        """Return the conditions on what an alert is about, and their parameters."""
        values = {
            "visible": None if self.visible is None else sorted(self.visible),
            "location": self.location_id,
            "string": self.string_id,
            "battery": self.battery_id,
            "severities": list(self.severities) or None,
            "types": list(self.types) or None,
        }
        clauses = {
            "visible": "l.code = any(:visible)",
            "location": "l.code = :location",
            "string": "g.code = :string",
            "battery": "b.code = :battery",
            "severities": "a.severity = any(:severities)",
            "types": "a.type = any(:types)",
        }
        wanted = [clauses[name] for name, value in values.items() if value is not None]
        return wanted, {name: value for name, value in values.items() if value is not None}

    def conditions(self) -> tuple[str, dict[str, Any]]:
        """Return every condition as SQL, and its parameters."""
        clauses, values = self.about()
        flags = {_ACTIVE: self.active, "(a.acknowledged_at is not null)": self.acknowledged}
        flags["(a.resolved_at is not null)"] = self.resolved
        clauses += [
            condition if wanted else f"not {condition}" for condition, wanted in flags.items() if wanted is not None
        ]
        # The span of an alert, not only its beginning: one that began before `start` and still stands belongs to it.
        if self.start is not None:
            clauses.append("(a.cleared_at is null or a.cleared_at >= :start)")
            values["start"] = self.start
        if self.end is not None:
            clauses.append("a.raised_at < :end")
            values["end"] = self.end
        return " and ".join(clauses) or "true", values


async def list_alerts(
    connection: AsyncConnection, wanted: AlertFilter, *, skip: int, limit: int
) -> tuple[list[AlertOut], int]:
    """Return a stretch of the alerts that match, newest first, with the number of all that do."""
    where, values = wanted.conditions()
    total = await connection.scalar(text(f"select count(*) {_JOINED} where {where}"), values) or 0
    statement = f"{_ALERTS} where {where} order by a.raised_at desc, a.id desc offset :skip limit :limit"
    rows = await connection.execute(text(statement), {**values, "skip": skip, "limit": limit})
    return [as_alert(row) for row in rows.mappings()], total


async def count_open(connection: AsyncConnection, wanted: AlertFilter) -> tuple[int, int]:
    """Return how many alerts are active and how many of them pending, among those about the same things."""
    clauses, values = wanted.about()
    statement = (
        f"select count(*) filter (where {_ACTIVE}), count(*) filter (where {_PENDING}) {_JOINED} "
        f"where {' and '.join([_ACTIVE, *clauses])}"
    )
    row = (await connection.execute(text(statement), values)).one()
    return row[0], row[1]


async def list_by_id(connection: AsyncConnection, alert_ids: Sequence[int]) -> dict[int, AlertOut]:
    """Return alerts by id."""
    rows = await connection.execute(text(f"{_ALERTS} where a.id = any(:ids)"), {"ids": list(alert_ids)})
    return {row["id"]: as_alert(row) for row in rows.mappings()}


async def list_timeline(connection: AsyncConnection, alert_id: int) -> Sequence[RowMapping]:
    """Return an alert's timeline, oldest first."""
    statement = text(
        """
        select e.id as event_id, e.at, e.kind, coalesce(u.username, e.data ->> 'actor') as actor, e.note, e.data
        from alert_event e left join "user" u on u.id = e.actor_id
        where e.alert_id = :alert_id order by e.id
        """
    )
    return (await connection.execute(statement, {"alert_id": alert_id})).mappings().all()


async def add_event(
    connection: AsyncConnection,
    alert_id: int,
    *,
    at: datetime,
    kind: str,
    actor_id: int | None,
    note: str | None,
    data: Mapping[str, Any],
) -> None:
    """Append one line to a timeline."""
    await connection.execute(
        text(
            "insert into alert_event (alert_id, at, kind, actor_id, note, data) "
            "values (:alert_id, :at, :kind, :actor_id, :note, cast(:data as jsonb))"
        ),
        {
            "alert_id": alert_id,
            "at": at,
            "kind": kind,
            "actor_id": actor_id,
            "note": note,
            "data": orjson.dumps(dict(data)).decode(),
        },
    )


async def totals(connection: AsyncConnection, *, visible: frozenset[str] | None) -> RowMapping:
    """Count alerts over all."""
    statement = text(
        f"""
        select count(*) filter (where a.resolved_at is null and (a.cleared_at is null or a.acknowledged_at is null))
                   as open_count,
               count(*) filter (where {_ACTIVE}) as active_count,
               count(*) filter (where {_PENDING}) as pending_count
        from alert a join location l on l.id = a.location_id
        where cast(:visible as text[]) is null or l.code = any(:visible)
        """
    )
    return (await connection.execute(statement, {"visible": _codes(visible)})).mappings().one()


async def active_by(connection: AsyncConnection, column: str, *, visible: frozenset[str] | None) -> dict[str, int]:
    """Count active alerts by a column of the joined row."""
    statement = text(
        f"select {column}, count(*) from alert a join location l on l.id = a.location_id "
        f"where {_ACTIVE} and (cast(:visible as text[]) is null or l.code = any(:visible)) group by 1 order by 1"
    )
    return {row[0]: row[1] for row in await connection.execute(statement, {"visible": _codes(visible)})}


async def raised_per_day(
    connection: AsyncConnection, *, visible: frozenset[str] | None, since: datetime
) -> Sequence[RowMapping]:
    """Count raised alerts by day (Asia/Bangkok) and severity since an instant."""
    statement = text(
        """
        select (a.raised_at at time zone 'Asia/Bangkok')::date as day,
               count(*) filter (where a.severity = 'info') as info,
               count(*) filter (where a.severity = 'warning') as warning,
               count(*) filter (where a.severity = 'critical') as critical
        from alert a join location l on l.id = a.location_id
        where a.raised_at >= :since and (cast(:visible as text[]) is null or l.code = any(:visible))
        group by 1 order by 1
        """
    )
    return (await connection.execute(statement, {"since": since, "visible": _codes(visible)})).mappings().all()


def as_alert(row: RowMapping) -> AlertOut:
    """Build the wire model from a joined row."""
    params = row["message_params"]
    return AlertOut(
        alert_id=row["id"],
        type=row["type"],
        severity=row["severity"],
        respond_within=row["respond_within"],
        rule_id=row["rule_id"],
        location_id=row["location_code"],
        system_id=row["system_code"],
        string_id=row["string_code"],
        battery_id=row["battery_code"],
        is_active=row["is_active"],
        raised_at=row["raised_at"],
        cleared_at=row["cleared_at"],
        acknowledged_at=row["acknowledged_at"],
        acknowledged_by=row["acknowledged_name"],
        resolved_at=row["resolved_at"],
        resolved_by=row["resolved_name"],
        value=row["value"],
        threshold=row["threshold"],
        unit=row["unit"],
        peak_value=row["peak_value"],
        message=render(row["message_code"], params),
        message_code=row["message_code"],
        message_params=params,
    )


def _codes(visible: frozenset[str] | None) -> list[str] | None:
    return None if visible is None else sorted(visible)
