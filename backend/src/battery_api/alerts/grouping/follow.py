"""Let the incidents follow their alerts, in the transaction that changed them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Final, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.alerts.grouping import hiding, rows
from battery_api.alerts.grouping.matching import AFTERMATH, Candidate, GroupedAlert, match
from battery_api.alerts.grouping.progress import IncidentEntry, IncidentProgress, advance
from battery_api.alerts.grouping.topology import CAUSE_LEAD
from battery_api.alerts.subject_locks import lock_locations
from battery_contracts.incidents import IncidentChange

ADOPTED_AT_ONCE: Final = 500
"""Alerts without an incident that one run of the job takes: those of before there were incidents."""


class ChangedIncident(NamedTuple):
    """An incident that changed, and how."""

    incident_id: int
    kind: IncidentChange


class _Grouped(NamedTuple):
    """Which incidents are new, which alerts joined, and which incidents were merged into which, or lost alerts."""

    new: frozenset[int] = frozenset()
    joined: Mapping[int, Sequence[int]] = MappingProxyType({})
    merged: Mapping[int, int] = MappingProxyType({})
    left: frozenset[int] = frozenset()

    @property
    def changed(self) -> set[int]:
        """Numbers of all incidents that have changed."""
        return {*self.joined, *self.merged, *self.merged.values(), *self.left}


async def follow(
    connection: AsyncConnection, alert_ids: Sequence[int], *, now: datetime, is_replay: bool = False
) -> list[ChangedIncident]:
    """Give every new alert its incident, and bring the incidents of changed alerts up to date.

    If a cause appeared, ended or moved, or readings were judged again, the alerts around it are matched again, so that
    what came late ends where it would have been in time; what people have taken in hand stays as it is. The caller
    holds, or may take, the locks of the locations. Repeating it changes nothing.
    """
    if not alert_ids:
        return []
    alerts = await rows.read_alerts(connection, alert_ids)
    if not alerts:
        return []
    await lock_locations(connection, [alert.location_key for alert in alerts])
    grouped = await _group(connection, alerts, now=now, again=is_replay or any(alert.is_cause for alert in alerts))
    touched = {alert.incident_id for alert in alerts if alert.incident_id is not None}
    return await _bring_up_to_date(connection, sorted(touched | grouped.changed), grouped, now=now)


async def refresh(connection: AsyncConnection, incident_ids: Sequence[int], *, now: datetime) -> list[ChangedIncident]:
    """Bring incidents up to date with their alerts; the caller holds the locks of their locations."""
    return await _bring_up_to_date(connection, sorted(incident_ids), _Grouped(), now=now)


async def adopt(connection: AsyncConnection, *, now: datetime) -> list[ChangedIncident]:
    """Give incidents to alerts that have none yet, a part of them at a time."""
    return await follow(connection, await rows.find_ungrouped(connection, ADOPTED_AT_ONCE), now=now)


async def _group(
    connection: AsyncConnection, alerts: Sequence[GroupedAlert], *, now: datetime, again: bool
) -> _Grouped:
    fresh = [alert for alert in alerts if alert.incident_id is None]
    if not fresh and not again:
        return _Grouped()
    locations = sorted({alert.location_key for alert in alerts})
    first = min(alert.raised_at for alert in alerts) - max(CAUSE_LEAD, AFTERMATH)
    last = max(now, *(alert.cleared_at or now for alert in alerts)) + CAUSE_LEAD
    candidates = await rows.read_candidates(connection, locations, rows.CoveredSpan(first, last))
    members: list[GroupedAlert] = []
    if again:
        free = [one for one in candidates if not one.is_touched]
        members = await rows.read_members(connection, [_number(one) for one in free])
        for one in free:
            one.forget()
    known = match([*members, *fresh], candidates)
    new = set()
    for one in known:
        if one.incident_id is None:
            one.incident_id = await rows.insert_incident(connection, one, now=now)
            new.add(one.incident_id)
    moved = {one: [alert for alert in one.joined if alert.incident_id != one.incident_id] for one in known}
    joined = {_number(one): [alert.alert_id for alert in came] for one, came in moved.items() if came}
    await rows.assign(connection, {alert: number for number, came in joined.items() for alert in came})
    merged = _merged(known, members)
    for number, into in merged.items():
        await rows.merge(connection, number, into, now=now)
    left = {alert.incident_id for came in moved.values() for alert in came if alert.incident_id is not None}
    return _Grouped(frozenset(new), joined, merged, frozenset(left))


def _merged(known: Sequence[Candidate], members: Sequence[GroupedAlert]) -> dict[int, int]:
    """Return the incidents that lost every alert, each with the one to which its first went."""
    incident_of = {alert.alert_id: _number(one) for one in known for alert in one.joined}
    first: dict[int, GroupedAlert] = {}
    for alert in sorted(members, key=lambda alert: (alert.raised_at, alert.alert_id)):
        if alert.incident_id is not None:
            first.setdefault(alert.incident_id, alert)
    kept = set(incident_of.values())
    return {number: incident_of[alert.alert_id] for number, alert in first.items() if number not in kept}


async def _bring_up_to_date(
    connection: AsyncConnection, numbers: Sequence[int], grouped: _Grouped, *, now: datetime
) -> list[ChangedIncident]:
    stored = await rows.read_states(connection, numbers)
    await hiding.cover(connection, numbers, now=now)
    hidden = await hiding.read_hiders(connection, numbers)
    sums = await rows.sum_alerts(connection, numbers)
    states, entries, changes = {}, [], []
    for number, one in stored.items():
        progress = advance(
            one.state,
            sums[number],
            joined=grouped.joined.get(number, ()),
            is_new=number in grouped.new,
            now=now,
            silence_id=hidden.get(number),
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
