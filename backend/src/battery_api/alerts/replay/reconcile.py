"""Bring the alerts of a span in line with what its readings, judged again in order of time, say."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.alerts.alert_rows import (
    AlertDraft,
    SubjectKeys,
    TimelineEntry,
    update_parameters,
    write_alerts,
    write_timeline,
)
from battery_api.alerts.engine.rules import RULES
from battery_api.db.fetching import fetch_all
from battery_contracts.enums import AlertType, Severity

_STORED: Final = """
    select id, subject, location_id, type, severity, raised_at, cleared_at, end_reason from alert
    where subject = any($1::text[]) and rule_id = any($4::text[]) and withdrawn_at is null
      and (battery_id is null or battery_id = any($5::int[]))
      and (id = any($2::bigint[]) or raised_at > $3)
    order by raised_at, id
"""
_RULES: Final = [rule.rule_id for rule in RULES]
_ENTRIES: Final = "select alert_id, kind, at from alert_event where alert_id = any($1::bigint[])"
_WITHDRAW: Final = (
    "update alert set withdrawn_at = $2, cleared_at = coalesce(cleared_at, greatest(raised_at, $2)) "
    "where id = any($1::bigint[])"
)
_REVISE: Final = """
    update alert as a set
        raised_at = coalesce(i.raised_at, a.raised_at),
        severity = coalesce(i.severity, a.severity),
        respond_within = coalesce(i.respond_within, a.respond_within),
        rule_id = coalesce(i.rule_id, a.rule_id),
        value = case when i.rule_id is null then a.value else i.value end,
        threshold = case when i.rule_id is null then a.threshold else i.threshold end,
        unit = case when i.rule_id is null then a.unit else i.unit end,
        message_code = coalesce(i.message_code, a.message_code),
        message_params = coalesce(i.message_params::jsonb, a.message_params),
        peak_value = coalesce(i.peak_value, a.peak_value),
        episode_count = coalesce(i.episode_count, a.episode_count),
        acknowledged_at = case when i.needs_new_acknowledgement then null else a.acknowledged_at end,
        acknowledged_by = case when i.needs_new_acknowledgement then null else a.acknowledged_by end,
        resolved_at = case when i.needs_new_acknowledgement and i.cleared_at is null then null else a.resolved_at end,
        resolved_by = case when i.needs_new_acknowledgement and i.cleared_at is null then null else a.resolved_by end,
        cleared_at = case when i.cleared_at is not null
                          then greatest(i.cleared_at, coalesce(i.raised_at, a.raised_at)) end
    from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::float8[], $6::float8[], $7::text[], $8::text[],
                $9::text[], $10::float8[], $11::bool[], $12::timestamptz[], $13::int[], $14::bool[],
                $15::timestamptz[])
        as i(id, severity, respond_within, rule_id, value, threshold, unit, message_code, message_params, peak_value,
             needs_new_acknowledgement, cleared_at, episode_count, reopened, raised_at)
    where a.id = i.id
"""


class JudgedSubjects(NamedTuple):
    """The subjects that a replay judges: their codes, and the keys of the batteries that are in their positions now."""

    codes: list[str]
    battery_keys: list[int]


class StoredAlert(NamedTuple):
    """An alert as it is stored."""

    alert_id: int
    subject: str
    location: int
    type: str
    severity: str
    raised_at: datetime
    cleared_at: datetime | None
    end_reason: str | None


async def reconcile(
    connection: AsyncConnection, judged: JudgedSubjects, drafts: Sequence[AlertDraft], *, since: datetime, now: datetime
) -> list[AlertDraft]:
    """Write the alerts that a replay found after ``since``, and withdraw those that it did not find.

    A stored alert that overlaps with one found stays the same alert, with its notes and acknowledgement; where its
    beginning or end moved, the timeline says so. One that was over before it became known is recorded, but alarms
    nobody.
    """
    continued = [draft.alert_id for draft in drafts if draft.alert_id is not None]
    rows = await fetch_all(connection, _STORED, (judged.codes, continued, since, _RULES, judged.battery_keys))
    stored = [StoredAlert(*row) for row in rows]
    matches = _match(drafts, stored)
    matched = {alert.alert_id for alert in matches.values()}
    withdrawn = [alert for alert in stored if alert.alert_id not in matched]
    withdrawals = await _withdraw(connection, withdrawn, now)
    entries = await _entries(connection, matched)
    revised = [_revised(draft, alert, entries[alert.alert_id]) for draft, alert in matches.items()]
    # What ends comes before what opens: only one alert of a subject and type may be open.
    for is_open in (False, True):
        await _revise(connection, [draft for draft in revised if (draft.cleared_at is None) is is_open])
    fresh = [draft for draft in drafts if draft not in matches and draft.is_new]
    for is_open in (False, True):
        await write_alerts(connection, [draft for draft in fresh if (draft.cleared_at is None) is is_open])
    _link(matches)
    return [*withdrawals, *(draft for draft in revised if draft.timeline), *fresh]


def _match(drafts: Sequence[AlertDraft], stored: Sequence[StoredAlert]) -> dict[AlertDraft, StoredAlert]:
    """Pair what was found with what is stored: by number, then by beginning, then by overlap, each once."""
    matches: dict[AlertDraft, StoredAlert] = {}
    free = {alert.alert_id: alert for alert in stored}
    for draft in drafts:
        if draft.alert_id in free:
            matches[draft] = free.pop(draft.alert_id)
    for test in (_begin_together, _overlap):
        for draft in drafts:
            if draft in matches or draft.alert_id is not None:
                continue
            alert = next((one for one in free.values() if _is_same_kind(draft, one) and test(draft, one)), None)
            if alert is not None:
                matches[draft] = free.pop(alert.alert_id)
    return matches


def _is_same_kind(draft: AlertDraft, alert: StoredAlert) -> bool:
    return alert.subject == draft.subject.code and alert.type == draft.type.value


def _begin_together(draft: AlertDraft, alert: StoredAlert) -> bool:
    return draft.raised_at == alert.raised_at


def _overlap(draft: AlertDraft, alert: StoredAlert) -> bool:
    assert draft.raised_at is not None
    begins_before_end = draft.cleared_at is None or alert.raised_at <= draft.cleared_at
    return begins_before_end and (alert.cleared_at is None or draft.raised_at <= alert.cleared_at)


async def _entries(connection: AsyncConnection, alert_ids: Iterable[int]) -> dict[int, set[tuple[str, datetime]]]:
    ids = sorted(alert_ids)
    entries: dict[int, set[tuple[str, datetime]]] = {alert_id: set() for alert_id in ids}
    for alert_id, kind, at in await fetch_all(connection, _ENTRIES, (ids,)) if ids else ():
        entries[alert_id].add((kind, at))
    return entries


def _revised(draft: AlertDraft, alert: StoredAlert, known: set[tuple[str, datetime]]) -> AlertDraft:
    """Return the draft as changes of a stored alert, with the timeline entries that it does not have yet."""
    # An alert that ended with its subject stays ended.
    cleared_at = draft.cleared_at or (alert.cleared_at if alert.end_reason else None)
    revised = replace(draft, alert_id=alert.alert_id, cleared_at=cleared_at, timeline=[])
    if draft.severity is not None:
        is_worse = draft.severity.rank > Severity(alert.severity).rank
        revised.needs_new_acknowledgement = is_worse or draft.undoes_resolution
    moved: dict[str, Any] = {}
    if draft.raised_at is not None and draft.raised_at != alert.raised_at:
        moved |= {"raised_at": draft.raised_at, "raised_at_before": alert.raised_at}
    if alert.cleared_at is not None and cleared_at != alert.cleared_at:
        moved |= {"cleared_at": cleared_at, "cleared_at_before": alert.cleared_at}
    for entry in draft.timeline:
        if entry.kind in {"escalated", "reopened"} and (entry.kind, entry.at) not in known:
            revised.timeline.append(entry)
        if entry.kind == "cleared" and alert.cleared_at is None:
            revised.timeline.append(entry)
    if moved:
        revised.timeline.append(TimelineEntry("revised", cleared_at or draft.raised_at or alert.raised_at, moved))
    return revised


async def _withdraw(connection: AsyncConnection, withdrawn: Sequence[StoredAlert], now: datetime) -> list[AlertDraft]:
    if not withdrawn:
        return []
    await connection.exec_driver_sql(_WITHDRAW, ([alert.alert_id for alert in withdrawn], now))
    entry = TimelineEntry("withdrawn", now, {})
    await write_timeline(connection, [(alert.alert_id, entry) for alert in withdrawn])
    return [
        AlertDraft(SubjectKeys(one.subject, one.location), AlertType(one.type), alert_id=one.alert_id, timeline=[entry])
        for one in withdrawn
    ]


async def _revise(connection: AsyncConnection, drafts: Sequence[AlertDraft]) -> None:
    if not drafts:
        return
    parameters = (*update_parameters(drafts), [draft.raised_at for draft in drafts])
    await connection.exec_driver_sql(_REVISE, parameters)
    entries = [(draft.alert_id, entry) for draft in drafts for entry in draft.timeline if draft.alert_id is not None]
    await write_timeline(connection, entries)


def _link(matches: Mapping[AlertDraft, StoredAlert]) -> None:
    """Let the drafts know the rows that they became."""
    for draft, alert in matches.items():
        draft.alert_id = alert.alert_id
