"""Reads of incidents, and the writes of people's actions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.alerts.grouping.read import HIDDEN, JOINED, STATUS, list_matching
from battery_contracts.incidents import IncidentOut

IncidentSort = Literal["urgency", "opened_at", "updated_at"]
_RANK: Final = "case {0} when 'critical' then 2 when 'warning' then 1 else 0 end"
_URGENCY: Final = "array_position(array['30d', '7d', 'same_day'], i.respond_within)"
_WAITS: Final = f"(({STATUS}) in ('open', 'cleared') and not {HIDDEN})"
_ORDERS: Final[Mapping[IncidentSort, str]] = {
    "urgency": f"{_WAITS} desc, {_RANK.format('i.severity')} desc, {_URGENCY} desc, i.opened_at desc, i.id desc",
    "opened_at": "i.opened_at desc, i.id desc",
    "updated_at": "i.updated_at desc, i.id desc",
}


class IncidentKey(NamedTuple):
    """Where an incident is."""

    location_key: int
    location_code: str


class StoredEntry(NamedTuple):
    """One entry of a timeline."""

    event_id: int
    at: datetime
    kind: str
    actor: str | None
    note: str | None
    data: dict[str, Any]


class OpenTotals(NamedTuple):
    """What waits for somebody."""

    open_count: int
    critical_count: int
    alert_count: int
    hidden_count: int


@dataclass(frozen=True, slots=True)
class IncidentFilter:
    """Which incidents to list; None or empty means any. ``visible`` holds the caller's locations, None for all."""

    visible: frozenset[str] | None = None
    location_id: str | None = None
    string_id: str | None = None
    battery_id: str | None = None
    severities: Sequence[str] = ()
    types: Sequence[str] = ()
    families: Sequence[str] = ()
    statuses: Sequence[str] = ()
    assignee: str | None = None
    unassigned: bool = False
    search: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    include_hidden: bool = False

    def about(self) -> tuple[list[str], dict[str, Any]]:
        """Return the conditions on what an incident is about, and their parameters."""
        values: dict[str, Any] = {
            "visible": None if self.visible is None else sorted(self.visible),
            "location": self.location_id,
            "string": self.string_id,
            "battery": self.battery_id,
            "severities": list(self.severities) or None,
            "types": list(self.types) or None,
            "families": list(self.families) or None,
            "search": None if self.search is None else f"%{_literal(self.search)}%",
        }
        member = "exists (select from alert m join battery c on c.id = m.battery_id where m.incident_id = i.id and {0})"
        clauses = {
            "visible": "l.code = any(:visible)",
            "location": "l.code = :location",
            "string": "g.code = :string",
            "battery": member.format("c.code = :battery"),
            "severities": "i.severity = any(:severities)",
            "types": "i.types && cast(:types as text[])",
            "families": "i.family = any(:families)",
            "search": f"(l.code ilike :search or l.name ilike :search or g.code ilike :search "
            f"or {member.format('c.code ilike :search')})",
        }
        chosen = [clauses[name] for name, value in values.items() if value is not None]
        return chosen, {name: value for name, value in values.items() if value is not None}

    def conditions(self) -> tuple[str, dict[str, Any]]:
        """Return every condition as SQL, and its parameters."""
        clauses, values = self.about()
        if self.statuses:
            clauses.append(f"({STATUS}) = any(:statuses)")
            values["statuses"] = list(self.statuses)
        if not self.include_hidden:
            clauses.append(f"not {HIDDEN}")
        if self.unassigned:
            clauses.append("i.assignee_id is null")
        elif self.assignee is not None:
            clauses.append("u.username = :assignee")
            values["assignee"] = self.assignee
        # The span of an incident, not only its start.
        if self.start is not None:
            clauses.append("(i.cleared_at is null or i.cleared_at >= :start)")
            values["start"] = self.start
        if self.end is not None:
            clauses.append("i.opened_at < :end")
            values["end"] = self.end
        return " and ".join(clauses) or "true", values


def _literal(words: str) -> str:
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


async def list_incidents(
    connection: AsyncConnection, wanted: IncidentFilter, *, sort: IncidentSort, skip: int, limit: int, now: datetime
) -> tuple[list[IncidentOut], int]:
    """Return a page of the matching incidents, and the number of all of them."""
    where, values = wanted.conditions()
    statement = text(f"select count(*) {JOINED} where {where}")  # conditions of the code
    total = await connection.scalar(statement, {**values, "now": now}) or 0
    items = await list_matching(connection, where, values, order=_ORDERS[sort], skip=skip, limit=limit, now=now)
    return items, total


async def count_open(connection: AsyncConnection, wanted: IncidentFilter, *, now: datetime) -> OpenTotals:
    """Count what waits for somebody among the incidents about the same subjects."""
    clauses, values = wanted.about()
    where = " and ".join(["i.merged_into_id is null", *clauses])
    statement = text(
        f"""
        select count(*) filter (where {_WAITS}), count(*) filter (where {_WAITS} and i.severity = 'critical'),
               coalesce(sum(i.active_count) filter (where i.resolved_at is null and not {HIDDEN}), 0)::int,
               count(*) filter (where i.active_count > 0 and {HIDDEN})
        {JOINED} where {where}
        """  # conditions of the code
    )
    return OpenTotals(*(await connection.execute(statement, {**values, "now": now})).one())


async def find_key(connection: AsyncConnection, incident_id: int) -> IncidentKey | None:
    """Return where an incident is, None if there is no such incident."""
    statement = text(
        "select i.location_id, l.code from incident i join location l on l.id = i.location_id where i.id = :id"
    )
    row = (await connection.execute(statement, {"id": incident_id})).first()
    return None if row is None else IncidentKey(*row)


async def list_timeline(connection: AsyncConnection, incident_id: int) -> list[StoredEntry]:
    """Return an incident's timeline, oldest first."""
    statement = text(
        """
        select e.id, e.at, e.kind, coalesce(u.username, e.actor), e.note, e.data
        from incident_event e left join "user" u on u.id = e.actor_id where e.incident_id = :id order by e.id
        """
    )
    return [StoredEntry(*row) for row in await connection.execute(statement, {"id": incident_id})]


async def list_alert_ids(connection: AsyncConnection, incident_id: int, *, unacknowledged: bool) -> list[int]:
    """Return the numbers of an incident's unresolved alerts; with ``unacknowledged`` only those that wait."""
    condition = "and a.cleared_at is null and a.acknowledged_at is null" if unacknowledged else ""
    statement = text(
        f"""
        select a.id from alert a
        where a.incident_id = :id and a.resolved_at is null and a.withdrawn_at is null {condition} order by a.id
        """  # noqa: S608  # conditions of the code
    )
    return [row[0] for row in await connection.execute(statement, {"id": incident_id})]


async def acknowledge_alerts(
    connection: AsyncConnection, alert_ids: Sequence[int], *, at: datetime, user_id: int | None, actor: str, note: str
) -> None:
    """Acknowledge alerts, each with an entry in its own timeline."""
    values = {"ids": list(alert_ids), "at": at, "by": user_id}
    await connection.execute(
        text("update alert set acknowledged_at = :at, acknowledged_by = :by where id = any(:ids)"), values
    )
    statement = text(
        "insert into alert_event (alert_id, at, kind, actor_id, note, data) "
        "select id, :at, 'acknowledged', :by, :note, cast(:data as jsonb) from unnest(cast(:ids as bigint[])) as i(id)"
    )
    await connection.execute(statement, {**values, "note": note, "data": orjson.dumps({"actor": actor}).decode()})


_CHANGEABLE: Final = frozenset(
    {
        "acknowledged_at",
        "acknowledged_by",
        "acknowledged_severity",
        "assignee_id",
        "snoozed_until",
        "resolved_at",
        "resolved_by",
    }
)


async def change(connection: AsyncConnection, incident_id: int, values: Mapping[str, Any], *, now: datetime) -> None:
    """Set what people set of an incident; its revision grows."""
    assert _CHANGEABLE.issuperset(values)
    assignments = "".join(f"{name} = :{name}, " for name in values)
    await connection.execute(
        text(f"update incident set {assignments} revision = revision + 1, updated_at = :now where id = :id"),  # noqa: S608  # names of the code
        {**values, "now": now, "id": incident_id},
    )


async def add_entry(
    connection: AsyncConnection,
    incident_id: int,
    kind: str,
    *,
    at: datetime,
    user_id: int | None,
    actor: str | None,
    note: str | None,
    data: Mapping[str, Any],
) -> None:
    """Append one entry to a timeline."""
    statement = text(
        "insert into incident_event (incident_id, at, kind, actor_id, actor, note, data) "
        "values (:id, :at, :kind, :by, :actor, :note, cast(:data as jsonb))"
    )
    values = {"id": incident_id, "at": at, "kind": kind, "by": user_id, "actor": actor, "note": note}
    await connection.execute(statement, {**values, "data": orjson.dumps(dict(data), option=orjson.OPT_UTC_Z).decode()})


async def find_assignee(connection: AsyncConnection, username: str, location_key: int) -> int | None:
    """Return the key of an active engineer or administrator with access to a location, None if there is none."""
    statement = text(
        """
        select u.id from "user" u
        where u.username = :username and u.is_active and u.role in ('engineer', 'admin')
          and (u.all_locations
               or exists (select from user_location o where o.user_id = u.id and o.location_id = :location))
        """
    )
    key: int | None = await connection.scalar(statement, {"username": username, "location": location_key})
    return key


async def find_due(connection: AsyncConnection, now: datetime) -> list[tuple[int, int]]:
    """Return the incidents whose snooze is over, each with the key of its location."""
    statement = text("select id, location_id from incident where snoozed_until <= :now order by id limit 500")
    return [(row[0], row[1]) for row in await connection.execute(statement, {"now": now})]
