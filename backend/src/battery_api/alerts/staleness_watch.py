"""The staleness watch: raises one alert at the widest stale scope, and clears it when readings return."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.alerts import staleness_repository as repository
from battery_api.alerts.alert_rows import (
    AlertDraft,
    SubjectKeys,
    TimelineEntry,
    open_counts,
    reopened_draft,
    write_alerts,
)
from battery_api.alerts.engine.ladders import SubjectKind
from battery_api.alerts.engine.rules import WATCH_RULES
from battery_api.alerts.engine.staleness import (
    BatteryFreshness,
    SubjectRef,
    freshness_of,
    partly_back,
    stale_subjects,
)
from battery_api.alerts.judge_batch import settle
from battery_api.alerts.staleness_repository import MonitoredBattery, OpenStaleAlert, ResolvedStaleAlert
from battery_api.alerts.subject_locks import lock_batteries, lock_locations
from battery_api.context import ProcessContext
from battery_api.fleet.status import stale_after_s
from battery_api.telemetry.ports import Publisher
from battery_api.telemetry.store.statements import write_open_counts
from battery_contracts.enums import AlertType
from battery_contracts.events import AlertMessage

SETTLE: Final = timedelta(seconds=120)
"""How long a part of a stale location must be back before the rest gets narrower alerts."""
_RULE: Final = {rule.subject: rule for rule in WATCH_RULES}


@dataclass(frozen=True, slots=True)
class _StaleSubject:
    """A subject with what an alert about it says."""

    keys: SubjectKeys
    newest_arrival_at: datetime
    battery_count: int


@dataclass(frozen=True, slots=True)
class _Plan:
    """What has to change: subjects to raise, open alerts to clear, and resolved ones that are not over."""

    raised: Mapping[SubjectRef, _StaleSubject]
    cleared: Mapping[SubjectRef, int]
    reopened: Mapping[SubjectRef, OpenStaleAlert]
    open_keys: Mapping[SubjectRef, SubjectKeys]
    stale: frozenset[SubjectRef]

    @property
    def locations(self) -> list[int]:
        """Keys of the locations concerned."""
        keys = [subject.keys.location_key for subject in self.raised.values()]
        keys += [self.open_keys[ref].location_key for ref in (*self.cleared, *self.reopened)]
        return sorted(set(keys))

    @property
    def batteries(self) -> list[int]:
        """Keys of the batteries whose own alerts change."""
        refs = (*self.raised, *self.cleared)
        return sorted({key for kind, key in refs if kind is SubjectKind.BATTERY})


class StalenessWatch:
    """Looks for stale subjects each time it runs.

    Staleness counts from the start of the watch at the earliest: after a restart of everything the senders get their
    time to come back before anybody is alarmed. The open alerts in the database are its only state, so a restart
    neither forgets nor duplicates any.

    Parameters
    ----------
    began_at
        Start of the watch; now, unless a test sets it.
    """

    def __init__(self, context: ProcessContext, *, began_at: datetime | None = None) -> None:
        self._context = context
        self._began_at = began_at or context.clock.now()
        # Since when a part of a location or string with an open alert is back; losing it merely waits once more.
        self._back_since: dict[SubjectRef, datetime] = {}

    async def run_once(self, publisher: Publisher) -> list[AlertMessage]:
        """Raise and clear stale alerts, and publish the changes."""
        now = self._context.clock.now()
        async with self._context.database.begin() as connection:
            plan = await self._plan(connection, now)
            if not plan.raised and not plan.cleared and not plan.reopened:
                return []
            locked = frozenset(plan.locations)
            await lock_locations(connection, plan.locations)
            # A reading may have arrived between the plan and the lock.
            plan = await self._plan(connection, now, only=locked)
            await lock_batteries(connection, plan.batteries)
            drafts = _drafts(plan, now)
            await write_alerts(connection, drafts)
            await write_open_counts(connection, await open_counts(connection, plan.batteries))
            events = await settle(connection, drafts, now=now)
        await publisher.publish_alerts(events)
        return events

    async def _plan(self, connection: AsyncConnection, now: datetime, only: frozenset[int] | None = None) -> _Plan:
        rows = await repository.list_batteries(connection)
        opened = await repository.list_open(connection)
        watched_from = await self._watched_from(connection, now)
        open_ids = {_ref(alert): alert.alert_id for alert in opened}
        open_refs = frozenset(open_ids)
        batteries = [
            BatteryFreshness(
                row.location,
                row.string,
                row.battery,
                freshness_of(
                    (now - row.newest_arrival_at).total_seconds(),
                    (now - watched_from(row)).total_seconds(),
                    stale_after_s(row.reporting_interval_s),
                ),
            )
            for row in rows
        ]
        may_narrow = self._may_narrow(batteries, open_refs, now)
        stale = frozenset(stale_subjects(batteries, open_refs, may_narrow))
        resolved = {_ref(alert): alert for alert in opened if alert.resolved_at is not None}
        # What would be raised now if it were not open has outlasted its resolution.
        outlasting = stale_subjects(batteries, open_refs - resolved.keys(), may_narrow) if resolved else set()
        members = _members(rows, stale - open_refs)
        open_keys = {
            _ref(alert): SubjectKeys(alert.subject_code, alert.location, alert.system, alert.string, alert.battery)
            for alert in opened
        }
        raised = {ref: _stale_subject(ref, members[ref]) for ref in sorted(stale - open_refs)}
        cleared = {ref: open_ids[ref] for ref in sorted(open_refs - stale)}
        reopened = {ref: resolved[ref] for ref in sorted(stale & resolved.keys() & outlasting)}
        if only is not None:
            reopened = {ref: alert for ref, alert in reopened.items() if alert.location in only}
            raised = {ref: subject for ref, subject in raised.items() if subject.keys.location_key in only}
            cleared = {ref: alert_id for ref, alert_id in cleared.items() if open_keys[ref].location_key in only}
        return _Plan(raised, cleared, reopened, open_keys, stale)

    def _may_narrow(
        self, batteries: Sequence[BatteryFreshness], open_refs: frozenset[SubjectRef], now: datetime
    ) -> frozenset[SubjectRef]:
        back = partly_back(batteries, open_refs)
        self._back_since = {ref: self._back_since.get(ref, now) for ref in back}
        return frozenset(ref for ref, since in self._back_since.items() if now - since >= SETTLE)

    async def _watched_from(self, connection: AsyncConnection, now: datetime) -> Callable[[MonitoredBattery], datetime]:
        """Return a function that gives the instant from which a battery's staleness counts.

        Not before the watch began, and not before somebody resolved a stale alert about it: then the full time counts
        again.
        """
        resolved = {
            _ref(alert): alert.resolved_at
            for alert in await repository.list_resolved(connection, since=now - timedelta(days=1))
        }

        def watched_from(row: MonitoredBattery) -> datetime:
            return max([self._began_at, *(resolved[ref] for ref in _refs_of(row) if ref in resolved)])

        return watched_from


def _drafts(plan: _Plan, now: datetime) -> list[AlertDraft]:
    drafts = []
    for ref, alert_id in plan.cleared.items():
        keys = plan.open_keys[ref]
        wider = [(SubjectKind.STRING, keys.string_key), (SubjectKind.LOCATION, keys.location_key)]
        superseded = next((kind.value for kind, key in wider if (kind, key) in plan.stale), None)
        data = {"superseded_by": superseded} if superseded else {}
        entry = TimelineEntry("cleared", now, data)
        drafts.append(AlertDraft(keys, AlertType.DATA_STALE, alert_id=alert_id, cleared_at=now, timeline=[entry]))
    drafts += [
        reopened_draft(
            plan.open_keys[ref], AlertType.DATA_STALE, alert.alert_id, resolved_at=alert.resolved_at, now=now
        )
        for ref, alert in plan.reopened.items()
    ]
    drafts += [_raised(ref, subject, now) for ref, subject in plan.raised.items()]
    return drafts


def _raised(ref: SubjectRef, subject: _StaleSubject, now: datetime) -> AlertDraft:
    rule = _RULE[ref[0]]
    value = (now - subject.newest_arrival_at).total_seconds()
    params = {
        "subject": subject.keys.code,
        "value": value,
        "value_min": value / 60.0,
        "threshold": rule.raise_value,
        "unit": rule.unit,
        "battery_count": subject.battery_count,
        "since": subject.newest_arrival_at,
    }
    data = {"rule_id": rule.rule_id, "severity": rule.severity, "respond_within": rule.respond_within, **params}
    return AlertDraft(
        subject.keys,
        AlertType.DATA_STALE,
        severity=rule.severity,
        respond_within=rule.respond_within,
        rule_id=rule.rule_id,
        raised_at=now,
        value=value,
        threshold=rule.raise_value,
        unit=rule.unit,
        peak_value=value,
        message_code=rule.message_code,
        message_params=params,
        timeline=[TimelineEntry("raised", now, data)],
    )


def _ref(alert: OpenStaleAlert | ResolvedStaleAlert) -> SubjectRef:
    if alert.battery is not None:
        return SubjectKind.BATTERY, alert.battery
    if alert.string is not None:
        return SubjectKind.STRING, alert.string
    return SubjectKind.LOCATION, alert.location


def _refs_of(row: MonitoredBattery) -> tuple[SubjectRef, SubjectRef, SubjectRef]:
    return (
        (SubjectKind.BATTERY, row.battery),
        (SubjectKind.STRING, row.string),
        (SubjectKind.LOCATION, row.location),
    )


def _members(rows: Sequence[MonitoredBattery], refs: frozenset[SubjectRef]) -> dict[SubjectRef, list[MonitoredBattery]]:
    members: dict[SubjectRef, list[MonitoredBattery]] = {}
    if not refs:
        return members
    for row in rows:
        for ref in _refs_of(row):
            if ref in refs:
                members.setdefault(ref, []).append(row)
    return members


def _stale_subject(ref: SubjectRef, members: Sequence[MonitoredBattery]) -> _StaleSubject:
    kind, first = ref[0], members[0]
    keys = {
        SubjectKind.BATTERY: SubjectKeys(first.battery_code, first.location, first.system, first.string, first.battery),
        SubjectKind.STRING: SubjectKeys(first.string_code, first.location, first.system, first.string),
        SubjectKind.LOCATION: SubjectKeys(first.location_code, first.location),
    }
    return _StaleSubject(keys[kind], max(row.newest_arrival_at for row in members), len(members))
