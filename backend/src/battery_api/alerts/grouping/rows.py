"""Rows of incidents, and of the alerts that they are made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.alerts.grouping.matching import EXPLAINING, Candidate, GroupedAlert
from battery_api.alerts.grouping.progress import AlertSums, IncidentEntry, IncidentState
from battery_api.alerts.grouping.topology import FAMILY_OF, IncidentGroup
from battery_api.db.fetching import fetch_all
from battery_contracts.enums import AlertType, RespondWithin, Severity
from battery_contracts.incidents import IncidentFamily

_ALERTS: Final = """
    select id, type, location_id, system_id, string_id, battery_id, incident_id, raised_at, cleared_at
    from alert where id = any($1::bigint[]) and (withdrawn_at is null or incident_id is not null)
"""
_MEMBERS: Final = """
    select id, type, location_id, system_id, string_id, battery_id, incident_id, raised_at, cleared_at
    from alert where incident_id = any($1::bigint[]) and withdrawn_at is null
"""
_UNGROUPED: Final = """
    select id from alert where incident_id is null and withdrawn_at is null order by id limit $1
"""
# An incident is a cause for as long as the alert lasts that makes it one.
_CANDIDATES: Final = """
    select i.id, i.family, i.location_id, i.string_id, i.opened_at, i.cleared_at, i.resolved_at,
           i.acknowledged_at is not null or i.assignee_id is not null or i.snoozed_until is not null
               or i.resolved_at is not null as is_touched,
           c.cause_from, c.cause_until, c.lasts
    from incident i
    left join lateral (
        select min(a.raised_at) as cause_from, max(a.cleared_at) as cause_until, bool_or(a.cleared_at is null) as lasts
        from alert a
        where i.string_id is null and a.incident_id = i.id and a.battery_id is null and a.withdrawn_at is null
          and a.type = $4::jsonb ->> i.family
    ) c on true
    where i.location_id = any($1::int[]) and i.merged_into_id is null and i.opened_at <= $3
      and (i.cleared_at is null or i.cleared_at >= $2)
    order by i.id
"""
_INSERT: Final = """
    insert into incident (family, location_id, system_id, string_id, severity, respond_within, opened_at, updated_at)
    values ($1, $2, $3, $4, 'info', '30d', $5, $6) returning id
"""
_ASSIGN: Final = """
    update alert a set incident_id = i.incident_id
    from unnest($1::bigint[], $2::bigint[]) as i(id, incident_id) where a.id = i.id
"""
_MERGE: Final = "update incident set merged_into_id = $2, revision = revision + 1, updated_at = $3 where id = $1"
_STATES: Final = """
    select id, severity, respond_within, opened_at, cleared_at, alert_count, active_count, unacknowledged_count,
           battery_count, battery_id as battery_key, types, lead_alert_id, acknowledged_at, acknowledged_by,
           acknowledged_severity, snoozed_until, silence_id, resolved_at, resolved_by, revision, merged_into_id
    from incident where id = any($1::bigint[]) order by id for update
"""
_RANKS: Final = "case {0}.severity when 'critical' then 2 when 'warning' then 1 else 0 end"
_ACTOR: Final = """
    case when a.{0}_at is null then null when a.{0}_by is not null then
        (select u.username from "user" u where u.id = a.{0}_by)
    else (select e.data ->> 'actor' from alert_event e
          where e.alert_id = a.id and e.kind = '{0}' order by e.id desc limit 1) end as {0}_name
"""
_SUMS: Final = f"""
    with member as (
        select a.*, {_RANKS.format("a")} as rank, {_ACTOR.format("acknowledged")}, {_ACTOR.format("resolved")},
               array_position(array['30d', '7d', 'same_day'], a.respond_within) as urgency
        from alert a where a.incident_id = any($1::bigint[]) and a.withdrawn_at is null
    ), lead as (
        select distinct on (m.incident_id) m.incident_id, m.id
        from member m join incident i on i.id = m.incident_id
        order by m.incident_id, ($2::jsonb ->> m.type = i.family) desc, (m.battery_id is null) desc,
                 (m.cleared_at is null) desc, m.rank desc, m.urgency desc, m.raised_at, m.id
    )
    select m.incident_id, count(*)::int as alert_count,
           count(*) filter (where m.cleared_at is null)::int as active_count,
           count(*) filter (where m.cleared_at is null and m.acknowledged_at is null and m.resolved_at is null)::int
               as unacknowledged_count,
           count(*) filter (where m.cleared_at is null and m.resolved_at is null)::int as unresolved_count,
           count(m.resolved_at)::int as resolved_count, count(distinct m.battery_id)::int as battery_count,
           min(m.battery_id) as battery_key, array_agg(distinct m.type order by m.type) as types,
           min(l.id) as lead_alert_id, (array_agg(m.severity order by m.rank desc))[1] as severity,
           (array_agg(m.respond_within order by m.rank desc, m.urgency desc))[1] as respond_within,
           min(m.raised_at) as opened_at, max(m.cleared_at) as last_cleared_at,
           max(m.acknowledged_at) as acknowledged_at,
           (array_agg(m.acknowledged_name order by m.acknowledged_at desc nulls last))[1] as acknowledged_by,
           max(m.resolved_at) as resolved_at,
           (array_agg(m.resolved_name order by m.resolved_at desc nulls last))[1] as resolved_by
    from member m join lead l on l.incident_id = m.incident_id
    group by m.incident_id
"""  # noqa: S608  # names of the code
_EXPLAINING: Final = orjson.dumps({family.value: kind.value for family, kind in EXPLAINING.items()}).decode()
_FAMILIES: Final = orjson.dumps({kind.value: family.value for kind, family in FAMILY_OF.items()}).decode()
_UPDATE: Final = """
    update incident as t set
        severity = i.severity, respond_within = i.respond_within, opened_at = i.opened_at, cleared_at = i.cleared_at,
        alert_count = i.alert_count, active_count = i.active_count, unacknowledged_count = i.unacknowledged_count,
        battery_count = i.battery_count, battery_id = i.battery_id,
        types = string_to_array(i.types, ','), lead_alert_id = i.lead_alert_id,
        acknowledged_at = i.acknowledged_at, acknowledged_by = i.acknowledged_by,
        acknowledged_severity = i.acknowledged_severity, snoozed_until = i.snoozed_until,
        resolved_at = i.resolved_at, resolved_by = i.resolved_by, revision = i.revision, silence_id = i.silence_id,
        updated_at = $19
    from unnest($1::bigint[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::int[], $7::int[],
                $8::int[], $9::int[], $10::int[], $11::text[], $12::bigint[], $13::timestamptz[], $14::text[],
                $15::text[], $16::timestamptz[], $17::timestamptz[], $18::text[], $20::int[], $21::int[])
        as i(id, severity, respond_within, opened_at, cleared_at, alert_count, active_count, unacknowledged_count,
             battery_count, battery_id, types, lead_alert_id, acknowledged_at, acknowledged_by, acknowledged_severity,
             snoozed_until, resolved_at, resolved_by, revision, silence_id)
    where t.id = i.id
"""
_TIMELINE: Final = """
    insert into incident_event (incident_id, at, kind, actor, data)
    select incident_id, at, kind, actor, data::jsonb
    from unnest($1::bigint[], $2::timestamptz[], $3::text[], $4::text[], $5::text[])
        as i(incident_id, at, kind, actor, data)
"""
_STATE_FIELDS: Final = frozenset(one.name for one in fields(IncidentState))
_NOBODY: Final = AlertSums(0, 0, 0, 0, 0, 0, None, (), None, None, None, None, None, None, None, None, None)


class CoveredSpan(NamedTuple):
    """The instants that alerts cover."""

    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class StoredIncident:
    """An incident's state, and where its alerts went if another one explains it."""

    state: IncidentState
    merged_into: int | None


async def read_alerts(connection: AsyncConnection, alert_ids: Sequence[int]) -> list[GroupedAlert]:
    """Return alerts, without those that were withdrawn before they had an incident."""
    rows = await fetch_all(connection, _ALERTS, (list(alert_ids),))
    return [GroupedAlert(row[0], AlertType(row[1]), *row[2:]) for row in rows]


async def read_members(connection: AsyncConnection, incident_ids: Sequence[int]) -> list[GroupedAlert]:
    """Return the alerts of incidents."""
    rows = await fetch_all(connection, _MEMBERS, (list(incident_ids),))
    return [GroupedAlert(row[0], AlertType(row[1]), *row[2:]) for row in rows]


async def find_ungrouped(connection: AsyncConnection, limit: int) -> list[int]:
    """Return the numbers of alerts without an incident, the oldest first."""
    return [row[0] for row in await fetch_all(connection, _UNGROUPED, (limit,))]


async def read_candidates(connection: AsyncConnection, locations: Sequence[int], span: CoveredSpan) -> list[Candidate]:
    """Return the incidents of locations that overlap a span."""
    candidates = []
    for row in await fetch_all(connection, _CANDIDATES, (list(locations), span.first, span.last, _EXPLAINING)):
        until = datetime.max.replace(tzinfo=span.last.tzinfo) if row.lasts else row.cause_until
        candidates.append(
            Candidate(
                IncidentGroup(IncidentFamily(row.family), row.location_id, row.string_id),
                row.opened_at,
                row.cleared_at,
                row.id,
                row.resolved_at,
                row.is_touched,
                row.cause_from,
                until,
            )
        )
    return candidates


async def insert_incident(connection: AsyncConnection, one: Candidate, *, now: datetime) -> int:
    """Write a new incident, whose figures follow from its alerts; return its number."""
    system_key = one.joined[0].system_key if one.group.string_key is not None else None
    assert one.opened_at is not None
    values = (one.group.family.value, one.group.location_key, system_key, one.group.string_key, one.opened_at, now)
    (row,) = await fetch_all(connection, _INSERT, values)
    number: int = row[0]
    return number


async def assign(connection: AsyncConnection, incident_of: Mapping[int, int]) -> None:
    """Let alerts belong to incidents, both by number."""
    await connection.exec_driver_sql(_ASSIGN, (list(incident_of), list(incident_of.values())))


async def merge(connection: AsyncConnection, one: int, into: int, *, now: datetime) -> None:
    """Note that an incident has gone over to the one that explains it."""
    await connection.exec_driver_sql(_MERGE, (one, into, now))


async def read_states(connection: AsyncConnection, incident_ids: Sequence[int]) -> dict[int, StoredIncident]:
    """Return and lock incidents, by number."""
    stored = {}
    for row in await fetch_all(connection, _STATES, (list(incident_ids),)):
        values = {name: value for name, value in row._mapping.items() if name in _STATE_FIELDS}  # noqa: SLF001  # public by its documentation
        seen = values["acknowledged_severity"]
        values |= {
            "severity": Severity(row.severity),
            "respond_within": RespondWithin(row.respond_within),
            "acknowledged_severity": None if seen is None else Severity(seen),
            "types": tuple(row.types),
        }
        stored[row.id] = StoredIncident(IncidentState(**values), row.merged_into_id)
    return stored


async def sum_alerts(connection: AsyncConnection, incident_ids: Sequence[int]) -> dict[int, AlertSums]:
    """Return the alerts of each incident taken together."""
    sums = dict.fromkeys(incident_ids, _NOBODY)
    for row in await fetch_all(connection, _SUMS, (list(incident_ids), _FAMILIES)):
        values = {name: value for name, value in row._mapping.items() if name in AlertSums._fields}  # noqa: SLF001  # public by its documentation
        values |= {"severity": Severity(row.severity), "respond_within": RespondWithin(row.respond_within)}
        sums[row.incident_id] = AlertSums(**values)
    return sums


async def write_states(connection: AsyncConnection, states: Mapping[int, IncidentState], *, now: datetime) -> None:
    """Write incidents, by number."""
    if not states:
        return
    rows = list(states.values())
    columns: list[Any] = [
        [one.severity for one in rows],
        [one.respond_within for one in rows],
        [one.opened_at for one in rows],
        [one.cleared_at for one in rows],
        [one.alert_count for one in rows],
        [one.active_count for one in rows],
        [one.unacknowledged_count for one in rows],
        [one.battery_count for one in rows],
        [one.battery_key for one in rows],
        [",".join(one.types) for one in rows],
        [one.lead_alert_id for one in rows],
        [one.acknowledged_at for one in rows],
        [one.acknowledged_by for one in rows],
        [one.acknowledged_severity for one in rows],
        [one.snoozed_until for one in rows],
        [one.resolved_at for one in rows],
        [one.resolved_by for one in rows],
    ]
    await connection.exec_driver_sql(
        _UPDATE, (list(states), *columns, now, [one.revision for one in rows], [one.silence_id for one in rows])
    )


async def write_entries(connection: AsyncConnection, entries: Sequence[tuple[int, IncidentEntry]]) -> None:
    """Append entries to the timelines of incidents, each given with the number of its incident."""
    if not entries:
        return
    await connection.exec_driver_sql(
        _TIMELINE,
        (
            [number for number, _ in entries],
            [entry.at for _, entry in entries],
            [entry.kind for _, entry in entries],
            [entry.data.get("actor") for _, entry in entries],
            [orjson.dumps(dict(entry.data), option=orjson.OPT_UTC_Z).decode() for _, entry in entries],
        ),
    )
