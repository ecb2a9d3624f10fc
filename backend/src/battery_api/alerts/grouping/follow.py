"""Let the incidents follow their alerts, in the transaction that changed them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.alerts.grouping import rows
from battery_api.alerts.grouping.matching import AFTERMATH, Candidate, GroupedAlert, find_explained, match
from battery_api.alerts.grouping.progress import IncidentEntry, IncidentProgress, advance
from battery_api.alerts.grouping.topology import CAUSE_LEAD
from battery_contracts.incidents import IncidentChange

ADOPTED_AT_ONCE: Final = 500
"""Alerts without an incident that one run of the job takes: those of before there were incidents."""


class ChangedIncident(NamedTuple):
    """An incident that changed, and how."""

    incident_id: int
    kind: IncidentChange


class _Grouped(NamedTuple):
    """Which incidents are new, which alerts joined, and which incidents were merged into which."""

    new: frozenset[int]
    joined: dict[int, list[int]]
    merged: dict[int, int]


async def follow(connection: AsyncConnection, alert_ids: Sequence[int], *, now: datetime) -> list[ChangedIncident]:
    """Give every new alert its incident, and bring the incidents of changed alerts up to date.

    The caller holds, or may take, the locks of the locations. Repeating it changes nothing.
    """
    if not alert_ids:
        return []
    alerts = await rows.read_alerts(connection, alert_ids)
    if not alerts:
        return []
    await rows.lock_locations(connection, [alert.location_key for alert in alerts])
    grouped = await _group(connection, [alert for alert in alerts if alert.incident_id is None], now=now)
    touched = {alert.incident_id for alert in alerts if alert.incident_id is not None}
    touched |= grouped.joined.keys() | grouped.merged.keys() | set(grouped.merged.values())
    return await _bring_up_to_date(connection, sorted(touched), grouped, now=now)


async def refresh(connection: AsyncConnection, incident_ids: Sequence[int], *, now: datetime) -> list[ChangedIncident]:
    """Bring incidents up to date with their alerts; the caller holds the locks of their locations."""
    return await _bring_up_to_date(connection, sorted(incident_ids), _Grouped(frozenset(), {}, {}), now=now)


async def adopt(connection: AsyncConnection, *, now: datetime) -> list[ChangedIncident]:
    """Give incidents to alerts that have none yet, a part of them at a time."""
    return await follow(connection, await rows.find_ungrouped(connection, ADOPTED_AT_ONCE), now=now)


async def _group(connection: AsyncConnection, alerts: Sequence[GroupedAlert], *, now: datetime) -> _Grouped:
    if not alerts:
        return _Grouped(frozenset(), {}, {})
    locations = sorted({alert.location_key for alert in alerts})
    first = min(alert.raised_at for alert in alerts) - max(CAUSE_LEAD, AFTERMATH)
    last = max(now, *(alert.cleared_at or now for alert in alerts)) + CAUSE_LEAD
    known = match(alerts, await rows.read_candidates(connection, locations, rows.CoveredSpan(first, last)))
    new = set()
    for one in known:
        if one.incident_id is None:
            one.incident_id = await rows.insert_incident(connection, one, now=now)
            new.add(one.incident_id)
    joined = {_number(one): [alert.alert_id for alert in one.joined] for one in known if one.joined}
    await rows.assign(connection, {alert: number for number, members in joined.items() for alert in members})
    merged = {}
    for one, cause in find_explained(known):
        number, into = _number(one), _number(cause)
        moved = await rows.merge(connection, number, into, now=now)
        joined.setdefault(into, []).extend(moved)
        merged[number] = into
    return _Grouped(frozenset(new), joined, merged)


async def _bring_up_to_date(
    connection: AsyncConnection, numbers: Sequence[int], grouped: _Grouped, *, now: datetime
) -> list[ChangedIncident]:
    stored = await rows.read_states(connection, numbers)
    sums = await rows.sum_alerts(connection, numbers)
    states, entries, changes = {}, [], []
    for number, one in stored.items():
        progress = advance(
            one.state, sums[number], joined=grouped.joined.get(number, ()), is_new=number in grouped.new, now=now
        )
        _note_merging(progress, number, grouped, now)
        if progress.is_changed:
            states[number] = progress.state
        entries += [(number, entry) for entry in progress.entries]
        if progress.change is not None:
            changes.append(ChangedIncident(number, progress.change))
    await rows.write_states(connection, states, now=now)
    await rows.write_entries(connection, entries)
    return changes


def _note_merging(progress: IncidentProgress, number: int, grouped: _Grouped, now: datetime) -> None:
    into = grouped.merged.get(number)
    if into is not None:
        progress.entries = [IncidentEntry("merged", now, {"merged_into": into})]
        return
    absorbed = sorted(one for one, cause in grouped.merged.items() if cause == number)
    if absorbed:
        progress.entries.append(IncidentEntry("absorbed", now, {"incident_ids": absorbed}))


def _number(one: Candidate) -> int:
    assert one.incident_id is not None
    return one.incident_id
