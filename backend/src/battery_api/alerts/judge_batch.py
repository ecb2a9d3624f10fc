"""Run the rule engine over a batch and write its decisions on the batch's own connection."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog
from prometheus_client import Counter
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.alerts import repository
from battery_api.alerts.alert_rows import (
    AlertDraft,
    SubjectKeys,
    TimelineEntry,
    instant_of,
    open_counts,
    write_alerts,
)
from battery_api.alerts.engine.batch import (
    Outcome,
    find_candidates,
    judge_candidates,
)
from battery_api.alerts.engine.judge import Transition
from battery_api.alerts.engine.ladders import SubjectKind
from battery_api.alerts.engine.rules import RULE_BY_ID, RULES_OF
from battery_api.alerts.engine.state import (
    TypeState,
    type_states_to_json,
)
from battery_api.alerts.grouping.follow import ChangedIncident, follow
from battery_api.alerts.grouping.read import list_by_id
from battery_api.alerts.limits import OverrideSet
from battery_api.alerts.observations import SubjectGroup, observe
from battery_api.fleet.catalogue import BatteryEntry, LocationEntry, StringEntry
from battery_api.telemetry.ports import BatchVerdict, JudgedBatch
from battery_api.telemetry.store.columns import RuleState
from battery_api.telemetry.store.indices import BatteryKey
from battery_api.telemetry.store.statements import OpenCounts
from battery_contracts.enums import AlertType
from battery_contracts.events import AlertEvent, AlertMessage
from battery_contracts.incidents import IncidentEvent

_log = structlog.get_logger(__name__)
_ALERTS = Counter("alerts_total", "Changes of alerts that the rules made.", ("event", "type"))

Entry = BatteryEntry | StringEntry | LocationEntry
Outcomes = list[Outcome]


async def judge_batch(
    connection: AsyncConnection, batch: JudgedBatch, overrides: OverrideSet, *, now: datetime
) -> BatchVerdict:
    """Apply the rules in event time, write alerts and their timeline, return the new rule state."""
    observed = observe(batch, overrides)
    groups = observed.groups
    outcomes = {group.kind: outcomes_of(group) for group in groups}
    if not any(outcomes.values()):
        return BatchVerdict(flatlines=observed.flatlines, trends=observed.trends)
    drafts: list[AlertDraft] = []
    changed: dict[SubjectKind, dict[int, RuleState | None]] = {}
    links: list[tuple[SubjectKind, int, AlertType, AlertDraft]] = []
    for group in groups:
        for outcome in outcomes[group.kind]:
            changes, current = draft_changes(outcome, _keys_of(batch, group.kind, outcome.subject))
            drafts += changes
            if current is not None:
                links.append((group.kind, outcome.subject, outcome.type, current))
    await write_alerts(connection, drafts)
    written = {(kind, subject, alert_type): draft.alert_id for kind, subject, alert_type, draft in links}
    for group in groups:
        changed[group.kind] = _new_states(group, outcomes[group.kind], written)
    return BatchVerdict(
        battery_rule_state=changed[SubjectKind.BATTERY],
        string_rule_state=changed[SubjectKind.STRING],
        location_rule_state=changed[SubjectKind.LOCATION],
        open_counts=await _counts(connection, batch, drafts),
        flatlines=observed.flatlines,
        trends=observed.trends,
        events=await settle(connection, drafts, now=now),
    )


async def settle(
    connection: AsyncConnection,
    drafts: Sequence[AlertDraft],
    *,
    now: datetime,
    announced: Sequence[AlertDraft] | None = None,
) -> list[AlertMessage]:
    """Let incidents follow written alerts; return the live events of both.

    Parameters
    ----------
    announced
        Of a replay, the alerts that anybody is to hear of; None where readings were judged for the first time.
    """
    numbers = [draft.alert_id for draft in drafts if draft.alert_id is not None]
    changes = await follow(connection, numbers, now=now, is_replay=announced is not None)
    events = await _events_of(connection, drafts if announced is None else announced)
    return [*events, *await incident_events(connection, changes, now=now)]


async def incident_events(
    connection: AsyncConnection, changes: Sequence[ChangedIncident], *, now: datetime
) -> list[IncidentEvent]:
    """Return the live events of changed incidents."""
    if not changes:
        return []
    incidents = await list_by_id(connection, [change.incident_id for change in changes], now=now)
    return [
        IncidentEvent(event=change.kind, incident=incidents[change.incident_id])
        for change in changes
        if change.incident_id in incidents
    ]


async def _events_of(connection: AsyncConnection, drafts: Sequence[AlertDraft]) -> list[AlertEvent]:
    changed = [(draft.alert_id, draft.event_kind) for draft in drafts if draft.alert_id is not None]
    ids = [alert_id for alert_id, kind in changed if kind is not None]
    if not ids:
        return []
    alerts = await repository.list_by_id(connection, ids)
    events = []
    for alert_id, kind in changed:
        if kind is not None and alert_id in alerts:
            _ALERTS.labels(kind, alerts[alert_id].type.value).inc()
            events.append(AlertEvent(event=kind, alert=alerts[alert_id]))
    return events


def outcomes_of(group: SubjectGroup) -> Outcomes:
    """Run the rules of a group over its readings."""
    if not len(group.observations):
        return []
    rules = RULES_OF[group.kind]
    candidates = find_candidates(group.observations, rules, group.limits, group.states)
    if not candidates:
        return []
    return judge_candidates(
        group.observations,
        rules,
        group.limits,
        group.states,
        candidates,
        installed_us={
            index: round(entry.installed_at.timestamp() * 1e6)
            for index in candidates
            if isinstance(entry := group.subjects.entries[index], BatteryEntry)
        },
    )


def _keys_of(batch: JudgedBatch, kind: SubjectKind, index: int) -> SubjectKeys:
    if kind is SubjectKind.BATTERY:
        battery = batch.batteries.entries[index]
        string = batch.strings.entries[int(batch.batteries.string_index[index])]
        return SubjectKeys(battery.code, battery.location_key, string.system_key, battery.string_key, battery.key)
    if kind is SubjectKind.STRING:
        string = batch.strings.entries[index]
        return SubjectKeys(string.code, string.location_key, string.system_key, string.key)
    location = batch.locations.entries[index]
    return SubjectKeys(location.code, location.key)


def draft_changes(outcome: Outcome, subject: SubjectKeys) -> tuple[list[AlertDraft], AlertDraft | None]:
    """Turn the transitions of one type into drafts; also return the draft of the alert that the state remembers."""
    drafting = _Drafting(outcome, subject)
    for transition in outcome.transitions:
        drafting.take(transition)
    return drafting.drafts, drafting.remembered()


class _Drafting:
    """Follows the alert of one type through its transitions."""

    def __init__(self, outcome: Outcome, subject: SubjectKeys) -> None:
        self.drafts: list[AlertDraft] = []
        self._outcome = outcome
        self._subject = subject
        before, closed = outcome.before.alert, outcome.before.closed
        self._leading = None if before is None else RULE_BY_ID.get(before.rule_id)
        self._current = None if before is None else AlertDraft(subject, outcome.type, alert_id=before.alert_id)
        self._last = None if closed is None else AlertDraft(subject, outcome.type, alert_id=closed.alert.alert_id)

    def take(self, transition: Transition) -> None:
        """Change the alert by one transition."""
        draft = self._current or AlertDraft(self._subject, self._outcome.type)
        if transition.kind == "reopened" and self._current is None:
            draft = self._last or draft
            draft.cleared_at, draft.reopened = None, True
        self._change(draft)
        _apply(draft, transition, self._subject)
        if transition.kind == "escalated" and not draft.is_new:
            leading = self._leading
            draft.needs_new_acknowledgement = leading is None or transition.rule.severity.rank > leading.severity.rank
        if transition.resolved_us is not None:
            draft.needs_new_acknowledgement = draft.undoes_resolution = True
        self._current = None if transition.kind == "cleared" else draft
        self._last = draft if transition.kind == "cleared" else self._last

    def remembered(self) -> AlertDraft | None:
        """Return the draft of the alert that is open, or else of the one that closed last, with its final figures."""
        before, after = self._outcome.before.alert, self._outcome.after
        if after.alert is None:
            if after.closed is not None and self._last is not None:
                self._last.episode_count = after.closed.alert.episodes
            return self._last
        is_changed = before is None or (after.alert.peak, after.alert.episodes) != (before.peak, before.episodes)
        if is_changed and self._current is not None:
            self._current.peak_value, self._current.episode_count = after.alert.peak, after.alert.episodes
            self._change(self._current)
        return self._current

    def _change(self, draft: AlertDraft) -> None:
        if draft not in self.drafts:
            self.drafts.append(draft)


def _apply(draft: AlertDraft, transition: Transition, subject: SubjectKeys) -> None:
    rule, limits, at = transition.rule, transition.limits, instant_of(transition.at_us)
    data: dict[str, Any] = {"value": transition.value, "unit": rule.unit}
    if transition.kind == "cleared":
        draft.cleared_at, draft.peak_value = at, transition.peak
        draft.timeline.append(TimelineEntry("cleared", at, data))
        return
    if transition.kind == "raised":
        draft.raised_at = at
    since = instant_of(transition.since_us)
    draft.peak_value = transition.peak
    if transition.leads:
        _lead(draft, transition, subject)
    data |= {
        "rule_id": rule.rule_id,
        "severity": rule.severity.value,
        "respond_within": rule.respond_within.value,
        "threshold": limits.raise_value,
        "since": since,
    }
    if transition.resolved_us is not None:
        data["resolved_at"] = instant_of(transition.resolved_us)
    draft.timeline.append(TimelineEntry(transition.kind, at, data))


def _lead(draft: AlertDraft, transition: Transition, subject: SubjectKeys) -> None:
    """Let an alert say what the rule says that gives it its severity."""
    rule, limits = transition.rule, transition.limits
    draft.severity, draft.respond_within, draft.rule_id = rule.severity, rule.respond_within, rule.rule_id
    draft.value, draft.threshold, draft.unit = transition.value, limits.raise_value, rule.unit
    draft.message_code = rule.message_code
    draft.message_params = {
        "subject": subject.code,
        "value": transition.value,
        "threshold": limits.raise_value,
        "unit": rule.unit,
        "hold_s": limits.hold_us / 1e6,
        "hold_min": limits.hold_us / 60e6,
        **({"value_min": transition.value / 60.0} if rule.unit == "s" and transition.value is not None else {}),
        "since": instant_of(transition.since_us),
        **transition.parts,
    }


def _new_states(
    group: SubjectGroup, outcomes: Outcomes, written: Mapping[tuple[SubjectKind, int, AlertType], int | None]
) -> dict[int, RuleState | None]:
    states: dict[int, dict[AlertType, TypeState]] = {}
    for outcome in outcomes:
        of_subject = states.setdefault(outcome.subject, dict(group.states.get(outcome.subject, {})))
        key = (group.kind, outcome.subject, outcome.type)
        of_subject[outcome.type] = outcome.after.linked(written[key]) if key in written else outcome.after
    changed: dict[int, RuleState | None] = {}
    for index, of_subject in states.items():
        state = type_states_to_json(of_subject)
        if state != (group.subjects.rule_state[index] or None):
            changed[index] = state
    return changed


async def _counts(
    connection: AsyncConnection, batch: JudgedBatch, drafts: Sequence[AlertDraft]
) -> dict[int, OpenCounts]:
    keys = {draft.subject.battery_key for draft in drafts if draft.event_kind}
    counts = await open_counts(connection, [key for key in keys if key is not None])
    entries = enumerate(batch.batteries.entries)
    return {index: counts[BatteryKey(entry.key)] for index, entry in entries if entry.key in counts}
