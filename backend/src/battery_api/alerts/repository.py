"""Reads and small writes of alerts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal, NamedTuple

import orjson
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.alerts.messages import render
from battery_api.db.bangkok import day_sql
from battery_api.telemetry.store.fleet_index import Kind
from battery_contracts.alerts import AlertOut

_ACTIVE: Final = "(a.cleared_at is null)"
"""Whether the condition lasts, whatever people have done about it."""
_PENDING: Final = f"({_ACTIVE} and a.acknowledged_at is null and a.resolved_at is null)"


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


class AlertSubject(NamedTuple):
    """What an alert is about: its type, and the keys and codes of its subject."""

    type: str
    rule_id: str | None
    location_key: int
    string_key: int | None
    battery_key: int | None
    location_code: str
    code: str

    @property
    def kind(self) -> Kind:
        """Kind of the subject."""
        if self.battery_key is not None:
            return "battery"
        return "location" if self.string_key is None else "string"

    @property
    def key(self) -> int:
        """Key of the subject."""
        return self.battery_key or self.string_key or self.location_key


class AlertState(NamedTuple):
    """How far an alert is."""

    acknowledged_at: datetime | None
    cleared_at: datetime | None
    resolved_at: datetime | None


class SubjectState(NamedTuple):
    """State row of a subject, as far as alerts need it."""

    time: datetime | None
    reporting_interval_s: float | None
    rule_state: dict[str, Any] | None


class AlertEntry(NamedTuple):
    """One entry of a timeline."""

    event_id: int
    at: datetime
    kind: str
    actor: str | None
    note: str | None
    data: dict[str, Any]


class AlertTotals(NamedTuple):
    """Numbers of alerts."""

    open_count: int
    active_count: int
    pending_count: int


class RaisedOnDay(NamedTuple):
    """Alerts raised on a day in Asia/Bangkok, by severity."""

    day: date
    info: int
    warning: int
    critical: int


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """Which alerts to list; None or empty means any. ``visible`` holds the caller's locations, None for all."""

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
        chosen = [clauses[name] for name, value in values.items() if value is not None]
        return chosen, {name: value for name, value in values.items() if value is not None}

    def conditions(self) -> tuple[str, dict[str, Any]]:
        """Return every condition as SQL, and its parameters."""
        clauses, values = self.about()
        flags = {_ACTIVE: self.active, "(a.acknowledged_at is not null)": self.acknowledged}
        flags["(a.resolved_at is not null)"] = self.resolved
        clauses += [condition if flag else f"not {condition}" for condition, flag in flags.items() if flag is not None]
        # The span of an alert, not only its start: one raised before `start` and still active belongs to it.
        if self.start is not None:
            clauses.append("(a.cleared_at is null or a.cleared_at >= :start)")
            values["start"] = self.start
        if self.end is not None:
            clauses.append("a.raised_at < :end")
            values["end"] = self.end
        return " and ".join(clauses) or "true", values


async def list_alerts(
    connection: AsyncConnection, alert_filter: AlertFilter, *, skip: int, limit: int
) -> tuple[list[AlertOut], int]:
    """Return a page of the matching alerts, newest first, and the number of all of them."""
    where, values = alert_filter.conditions()
    total = await connection.scalar(text(f"select count(*) {_JOINED} where {where}"), values) or 0
    statement = f"{_ALERTS} where {where} order by a.raised_at desc, a.id desc offset :skip limit :limit"
    rows = await connection.execute(text(statement), {**values, "skip": skip, "limit": limit})
    return [as_alert(row) for row in rows.mappings()], total


async def list_of_incident(
    connection: AsyncConnection, incident_id: int, *, skip: int, limit: int
) -> tuple[list[AlertOut], int]:
    """Return a page of an incident's alerts: active ones first, then the worst, then the newest; and their number."""
    total = await connection.scalar(text("select count(*) from alert where incident_id = :id"), {"id": incident_id})
    statement = f"""
        {_ALERTS} where a.incident_id = :id
        order by {_ACTIVE} desc, case a.severity when 'critical' then 2 when 'warning' then 1 else 0 end desc,
                 a.raised_at desc, a.id desc
        offset :skip limit :limit
    """
    rows = await connection.execute(text(statement), {"id": incident_id, "skip": skip, "limit": limit})
    return [as_alert(row) for row in rows.mappings()], total or 0


async def count_open(connection: AsyncConnection, alert_filter: AlertFilter) -> tuple[int, int]:
    """Return the numbers of active and of pending alerts among those about the same subjects."""
    clauses, values = alert_filter.about()
    statement = (
        f"select count(*) filter (where {_ACTIVE}), count(*) filter (where {_PENDING}) {_JOINED} "
        f"where {' and '.join([_ACTIVE, *clauses])}"
    )
    active, pending = (await connection.execute(text(statement), values)).one()
    return active, pending


async def list_by_id(connection: AsyncConnection, alert_ids: Sequence[int]) -> dict[int, AlertOut]:
    """Return alerts by id."""
    rows = await connection.execute(text(f"{_ALERTS} where a.id = any(:ids)"), {"ids": list(alert_ids)})
    return {row["id"]: as_alert(row) for row in rows.mappings()}


async def list_timeline(connection: AsyncConnection, alert_id: int) -> list[AlertEntry]:
    """Return an alert's timeline, oldest first."""
    statement = text(
        """
        select e.id as event_id, e.at, e.kind, coalesce(u.username, e.data ->> 'actor') as actor, e.note, e.data
        from alert_event e left join "user" u on u.id = e.actor_id
        where e.alert_id = :alert_id order by e.id
        """
    )
    return [AlertEntry(*row) for row in await connection.execute(statement, {"alert_id": alert_id})]


_SUBJECT: Final = text(
    """
    select a.type, a.rule_id, a.location_id, a.string_id, a.battery_id, l.code, a.subject
    from alert a join location l on l.id = a.location_id where a.id = :alert_id
    """
)
_LOCK: Final = text("select acknowledged_at, cleared_at, resolved_at from alert where id = :alert_id for update")


async def find_subject(connection: AsyncConnection, alert_id: int) -> AlertSubject | None:
    """Return what an alert is about, None if there is no such alert."""
    row = (await connection.execute(_SUBJECT, {"alert_id": alert_id})).first()
    return None if row is None else AlertSubject(*row)


async def lock_alert(connection: AsyncConnection, alert_id: int) -> AlertState:
    """Lock an alert."""
    return AlertState(*(await connection.execute(_LOCK, {"alert_id": alert_id})).one())


async def lock_subject_state(connection: AsyncConnection, subject: AlertSubject) -> SubjectState:
    """Lock the state row of an alert's subject."""
    statement = text(
        f"select time, reporting_interval_s, rule_state from {subject.kind}_state "
        f"where {subject.kind}_id = :key for update"
    )
    return SubjectState(*(await connection.execute(statement, {"key": subject.key})).one())


async def mark_alert(
    connection: AsyncConnection,
    alert_id: int,
    kind: Literal["acknowledged", "resolved"],
    *,
    at: datetime,
    user_id: int | None,
) -> None:
    """Record that a user acknowledged or resolved an alert."""
    statement = text(f"update alert set {kind}_at = :at, {kind}_by = :by where id = :alert_id")
    await connection.execute(statement, {"at": at, "by": user_id, "alert_id": alert_id})


async def clear_alert(connection: AsyncConnection, alert_id: int, *, at: datetime) -> None:
    """Clear an alert, and note it in its timeline."""
    await connection.execute(
        text("update alert set cleared_at = greatest(raised_at, :at) where id = :alert_id"),
        {"at": at, "alert_id": alert_id},
    )
    await add_event(connection, alert_id, at=at, kind="cleared", actor_id=None, note=None, data={})


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
    """Append one entry to a timeline."""
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


async def totals(connection: AsyncConnection, *, visible: frozenset[str] | None) -> AlertTotals:
    """Count alerts."""
    statement = text(
        f"""
        select count(*) filter (where a.resolved_at is null and a.end_reason is null
                                      and (a.cleared_at is null or a.acknowledged_at is null)) as open_count,
               count(*) filter (where {_ACTIVE}) as active_count,
               count(*) filter (where {_PENDING}) as pending_count
        from alert a join location l on l.id = a.location_id
        where cast(:visible as text[]) is null or l.code = any(:visible)
        """
    )
    return AlertTotals(*(await connection.execute(statement, {"visible": _codes(visible)})).one())


async def active_by(connection: AsyncConnection, column: str, *, visible: frozenset[str] | None) -> dict[str, int]:
    """Count active alerts by a column of the joined row."""
    statement = text(
        f"select {column}, count(*) from alert a join location l on l.id = a.location_id "
        f"where {_ACTIVE} and (cast(:visible as text[]) is null or l.code = any(:visible)) group by 1 order by 1"
    )
    rows = await connection.execute(statement, {"visible": _codes(visible)})
    return {row[0]: row[1] for row in rows}


async def raised_per_day(
    connection: AsyncConnection, *, visible: frozenset[str] | None, since: datetime
) -> list[RaisedOnDay]:
    """Count raised alerts by day (Asia/Bangkok) and severity since an instant."""
    statement = text(
        f"""
        select {day_sql("a.raised_at")} as day,
               count(*) filter (where a.severity = 'info') as info,
               count(*) filter (where a.severity = 'warning') as warning,
               count(*) filter (where a.severity = 'critical') as critical
        from alert a join location l on l.id = a.location_id
        where a.raised_at >= :since and (cast(:visible as text[]) is null or l.code = any(:visible))
        group by 1 order by 1
        """
    )
    rows = await connection.execute(statement, {"since": since, "visible": _codes(visible)})
    return [RaisedOnDay(*row) for row in rows]


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
        withdrawn_at=row["withdrawn_at"],
        episode_count=row["episode_count"],
        end_reason=row["end_reason"],
        incident_id=row["incident_id"],
    )


def _codes(visible: frozenset[str] | None) -> list[str] | None:
    return None if visible is None else sorted(visible)
