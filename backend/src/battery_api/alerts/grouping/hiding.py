"""Which alerts silences and maintenance windows cover, and which incidents are hidden by them.

Whether an alert is covered follows from its row, the rows of the silences and the time, so that a process that dies
between two of them leaves nothing that the next look does not put right.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.alerts.engine.floors import floor_of
from battery_api.alerts.engine.rules import RULE_BY_ID
from battery_contracts.enums import AlertType

SAFETY_RULES: Final = sorted(
    rule.rule_id
    for rule in RULE_BY_ID.values()
    if floor_of(rule) is not None or rule.type is AlertType.THERMAL_RUNAWAY or rule.message_code == "voltage_lost"
)
"""Rules of which no silence hides an alert unless two people want it so."""
# What is over was covered if it was so when it ended.
_MOMENT: Final = "coalesce(a.cleared_at, :now)"
# The latest end is redundant: by its index, silences of long ago cost an ingest nothing.
_COVERS: Final = f"""(
    case s.scope
        when 'location' then a.location_id = s.location_id
        when 'system' then a.system_id = s.system_id
        when 'string' then a.string_id = s.string_id
        else exists (select from string_tag t where t.string_id = a.string_id and t.tag = s.tag) end
    and a.withdrawn_at is null
    and (s.types is null or a.type = any(s.types))
    and (s.rule_ids is null or a.rule_id = any(s.rule_ids))
    and s.ends_at > {_MOMENT}
    and s.starts_at <= {_MOMENT} and {_MOMENT} < coalesce(s.ended_at, s.ends_at)
    and (not (a.type = 'thermal_runaway' or coalesce(a.rule_id = any(cast(:safety as text[])), false))
         or (s.covers_safety and coalesce(s.approved_at <= {_MOMENT}, false)))
)"""
_UNCOVER: Final = text(
    f"""
    update silenced_alert r set until_at = greatest(:now, r.from_at)
    from alert a, silence s
    where r.until_at is null and a.id = r.alert_id and s.id = r.silence_id and a.incident_id = any(:incidents)
      and {_COVERS} is not true
    """  # noqa: S608  # conditions of the code
)
_COVER: Final = text(
    f"""
    insert into silenced_alert (silence_id, alert_id, from_at)
    select s.id, a.id, least(:now, {_MOMENT})
    from alert a join silence s on {_COVERS}
    where a.incident_id = any(:incidents)
    order by a.id, s.id
    on conflict (alert_id, silence_id) where until_at is null do nothing
    """  # noqa: S608  # conditions of the code
)
# An alert stays hidden for as long as the last of its silences, an incident for as long as the first of its alerts.
# Once an incident is over, what nobody has seen of it counts, not only what ended last.
_HIDERS: Final = """
    with member as (
        select a.id, a.incident_id, a.cleared_at is null as is_active,
               bool_or(a.cleared_at is null) over (partition by a.incident_id) as any_active
        from alert a where a.incident_id = any($1::bigint[]) and a.withdrawn_at is null
    )
    select m.incident_id, (array_agg(c.id order by c.end_at, c.id))[1] as silence_id
    from member m
    left join lateral (
        select s.id, coalesce(s.ended_at, s.ends_at) as end_at
        from silenced_alert r join silence s on s.id = r.silence_id
        where r.alert_id = m.id and r.until_at is null order by end_at desc, s.id limit 1
    ) c on true
    where m.is_active or not m.any_active
    group by m.incident_id having bool_and(c.id is not null)
"""
# Alerts that are over change only together with their incidents.
_DUE: Final = text(
    f"""
    select distinct a.incident_id, a.location_id
    from silenced_alert r join alert a on a.id = r.alert_id join silence s on s.id = r.silence_id
    where r.until_at is null and a.cleared_at is null and a.incident_id is not null and {_COVERS} is not true
    union
    select a.incident_id, a.location_id
    from silence s join alert a on {_COVERS}
    where s.starts_at <= :now and s.ends_at > :now and a.cleared_at is null and a.incident_id is not null
      and not exists (
          select from silenced_alert r where r.alert_id = a.id and r.silence_id = s.id and r.until_at is null)
    order by 1
    """  # noqa: S608  # conditions of the code
)


async def cover(connection: AsyncConnection, incident_ids: Sequence[int], *, now: datetime) -> None:
    """Write for the alerts of incidents which silences cover them now; the caller holds the locks of their locations.

    Repeating it changes nothing.
    """
    values: dict[str, Any] = {"incidents": list(incident_ids), "now": now, "safety": SAFETY_RULES}
    await connection.execute(_UNCOVER, values)
    await connection.execute(_COVER, values)


async def read_hiders(connection: AsyncConnection, incident_ids: Sequence[int]) -> dict[int, int]:
    """Return the hidden ones of incidents, each with the silence on whose end it comes back."""
    result = await connection.exec_driver_sql(_HIDERS, (list(incident_ids),))
    return {row.incident_id: row.silence_id for row in result}


async def find_due(connection: AsyncConnection, now: datetime) -> list[tuple[int, int]]:
    """Return the incidents in which an active alert is covered and not written so, or the reverse, with locations."""
    return [(row[0], row[1]) for row in await connection.execute(_DUE, {"now": now, "safety": SAFETY_RULES})]
