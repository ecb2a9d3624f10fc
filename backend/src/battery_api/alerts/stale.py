"""The watch for silence: raises one alert at the widest silent scope, clears it when data return."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.alerts.engine.rules import WATCH_RULES, SubjectKind
from battery_api.alerts.engine.silence import Heard, SubjectRef, hearing_of, partly_back, silent_subjects
from battery_api.alerts.recorder import events_of
from battery_api.alerts.records import (
    AlertDraft,
    SubjectKeys,
    TimelineEntry,
    open_counts,
    store_open_counts,
    write_alerts,
)
from battery_api.context import ProcessContext
from battery_api.fleet.status import stale_after_s
from battery_api.telemetry.ports import Publisher
from battery_contracts.enums import AlertType
from battery_contracts.events import AlertEvent

SETTLE: Final = timedelta(seconds=120)
"""How long a part of a silent location must be back before the rest gets narrower alerts."""
Row = Mapping[str, Any]
_RULE: Final = {rule.subject: rule for rule in WATCH_RULES}

_BATTERIES: Final = text(
    """
    select b.id as battery, b.code, b.string_id as string, g.code as string_code, b.location_id as location,
           l.code as location_code, g.system_id as system, s.time, s.reporting_interval_s
    from battery b
    join battery_state s on s.battery_id = b.id
    join string g on g.id = b.string_id
    join location l on l.id = b.location_id
    where b.removed_at is null and s.time is not null
    order by b.id
    """
)
_OPEN: Final = text(
    """
    select a.id, a.subject, a.location_id as location, a.system_id as system, a.string_id as string,
           a.battery_id as battery
    from alert a where a.type = 'data_stale' and a.cleared_at is null and a.resolved_at is null
    """
)
_RESOLVED: Final = text(
    """
    select a.location_id as location, a.string_id as string, a.battery_id as battery, max(a.resolved_at) as at
    from alert a where a.type = 'data_stale' and a.resolved_at > :since group by 1, 2, 3
    """
)
# Ingest locks the location's row first of all, so holding it keeps the location's readings out until the commit; the
# batteries' rows come before the alerts', as everywhere.
_LOCK_LOCATIONS: Final = text(
    "select 1 from location_state where location_id = any(:keys) order by location_id for update"
)
_LOCK_BATTERIES: Final = text(
    "select 1 from battery_state where battery_id = any(:keys) order by battery_id for update"
)


@dataclass(frozen=True, slots=True)
class _Silent:
    """A subject with what an alert of it needs to say."""

    keys: SubjectKeys
    last_heard_at: datetime
    battery_count: int


@dataclass(frozen=True, slots=True)
class _Plan:
    """What has to change: subjects to raise, and open alerts to clear."""

    raised: Mapping[SubjectRef, _Silent]
    cleared: Mapping[SubjectRef, int]
    open_keys: Mapping[SubjectRef, SubjectKeys]
    wanted: frozenset[SubjectRef]

    @property
    def locations(self) -> list[int]:
        """Keys of the locations concerned."""
        keys = [silent.keys.location_key for silent in self.raised.values()]
        keys += [self.open_keys[ref].location_key for ref in self.cleared]
        return sorted(set(keys))

    @property
    def batteries(self) -> list[int]:
        """Keys of the batteries whose own alerts change."""
        refs = (*self.raised, *self.cleared)
        return sorted({key for kind, key in refs if kind is SubjectKind.BATTERY})


class StaleWatch:
    """Looks for silence each time it is run.

    Silence counts from when the watch began at the earliest: after a restart of everything the senders get their time
    to come back before anybody is called. The open alerts in the database are its only state, so a restart neither
    forgets nor doubles any.

    Parameters
    ----------
    began_at
        Since when silence is watched; now, unless a test says otherwise.
    """

    def __init__(self, context: ProcessContext, *, began_at: datetime | None = None) -> None:
        self._context = context
        self._began_at = began_at or context.clock.now()
        # Since when a part of an open location or string is back; forgetting it merely waits once more.
        self._back_since: dict[SubjectRef, datetime] = {}

    async def run_once(self, publisher: Publisher) -> list[AlertEvent]:
        """Raise and clear stale alerts, announce the changes."""
        now = self._context.clock.now()
        async with self._context.database.begin() as connection:
            plan = await self._plan(connection, now)
            if not plan.raised and not plan.cleared:
                return []
            await connection.execute(_LOCK_LOCATIONS, {"keys": plan.locations})
            # Between the look and the lock a reading may have come.
            locked = frozenset(plan.locations)
            plan = await self._plan(connection, now, only=locked)
            await connection.execute(_LOCK_BATTERIES, {"keys": plan.batteries})
            drafts = _drafts(plan, now)
            await write_alerts(connection, drafts)
            await store_open_counts(connection, await open_counts(connection, plan.batteries))
            events = await events_of(connection, drafts)
        await publisher.publish_alerts(events)
        return events

    async def _plan(self, connection: AsyncConnection, now: datetime, only: frozenset[int] | None = None) -> _Plan:
        rows = await _rows(connection, _BATTERIES)
        opened = await _rows(connection, _OPEN)
        watched_from = await self._watched_from(connection, now)
        open_ids = {_ref(row): row["id"] for row in opened}
        is_open = frozenset(open_ids)
        heard = [
            Heard(
                row["location"],
                row["string"],
                row["battery"],
                hearing_of(
                    (now - row["time"]).total_seconds(),
                    (now - watched_from(row)).total_seconds(),
                    stale_after_s(row["reporting_interval_s"]),
                ),
            )
            for row in rows
        ]
        wanted = frozenset(silent_subjects(heard, is_open, self._may_narrow(heard, is_open, now)))
        members = _members(rows, wanted - is_open)
        open_keys = {_ref(row): _keys(row, row["subject"]) for row in opened}
        raised = {ref: _silent(ref, members[ref]) for ref in sorted(wanted - is_open)}
        cleared = {ref: open_ids[ref] for ref in sorted(is_open - wanted)}
        if only is not None:
            raised = {ref: silent for ref, silent in raised.items() if silent.keys.location_key in only}
            cleared = {ref: key for ref, key in cleared.items() if open_keys[ref].location_key in only}
        return _Plan(raised, cleared, open_keys, wanted)

    def _may_narrow(
        self, heard: Sequence[Heard], is_open: frozenset[SubjectRef], now: datetime
    ) -> frozenset[SubjectRef]:
        back = partly_back(heard, is_open)
        self._back_since = {ref: self._back_since.get(ref, now) for ref in back}
        return frozenset(ref for ref, since in self._back_since.items() if now - since >= SETTLE)

    async def _watched_from(self, connection: AsyncConnection, now: datetime) -> Callable[[Row], datetime]:
        """Return a function that says since when a battery's silence counts.

        Not before the watch began, and not before somebody resolved a stale alert that spoke of it: then the full time
        counts anew.
        """
        rows = await _rows(connection, _RESOLVED, since=now - timedelta(days=1))
        resolved: dict[SubjectRef, datetime] = {_ref(row): row["at"] for row in rows}

        def watched_from(row: Row) -> datetime:
            refs = [(kind, row[kind.value]) for kind in SubjectKind]
            return max([self._began_at, *(resolved[ref] for ref in refs if ref in resolved)])

        return watched_from


async def _rows(connection: AsyncConnection, statement: TextClause, **values: object) -> list[Row]:
    return [dict(row) for row in (await connection.execute(statement, values)).mappings()]


def _drafts(plan: _Plan, now: datetime) -> list[AlertDraft]:
    drafts = []
    for ref, alert_id in plan.cleared.items():
        keys = plan.open_keys[ref]
        wider = [(SubjectKind.STRING, keys.string_key), (SubjectKind.LOCATION, keys.location_key)]
        superseded = next((kind.value for kind, key in wider if (kind, key) in plan.wanted), None)
        data = {"superseded_by": superseded} if superseded else {}
        entry = TimelineEntry("cleared", now, data)
        drafts.append(AlertDraft(keys, AlertType.DATA_STALE, alert_id=alert_id, cleared_at=now, timeline=[entry]))
    drafts += [_raised(ref, silent, now) for ref, silent in plan.raised.items()]
    return drafts


def _raised(ref: SubjectRef, silent: _Silent, now: datetime) -> AlertDraft:
    rule = _RULE[ref[0]]
    value = (now - silent.last_heard_at).total_seconds()
    params = {
        "subject": silent.keys.code,
        "value": value,
        "value_min": value / 60.0,
        "threshold": rule.raise_value,
        "unit": rule.unit,
        "battery_count": silent.battery_count,
        "since": silent.last_heard_at,
    }
    data = {"rule_id": rule.rule_id, "severity": rule.severity, "respond_within": rule.respond_within, **params}
    return AlertDraft(
        silent.keys,
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


def _ref(row: Row) -> SubjectRef:
    for kind in (SubjectKind.BATTERY, SubjectKind.STRING):
        if row[kind.value] is not None:
            return kind, row[kind.value]
    return SubjectKind.LOCATION, row["location"]


def _members(rows: Sequence[Row], refs: frozenset[SubjectRef]) -> dict[SubjectRef, list[Row]]:
    members: dict[SubjectRef, list[Row]] = {}
    if not refs:
        return members
    for row in rows:
        for kind in SubjectKind:
            ref = (kind, row[kind.value])
            if ref in refs:
                members.setdefault(ref, []).append(row)
    return members


def _silent(ref: SubjectRef, members: Sequence[Row]) -> _Silent:
    kind, first = ref[0], members[0]
    codes = {
        SubjectKind.BATTERY: first["code"],
        SubjectKind.STRING: first["string_code"],
        SubjectKind.LOCATION: first["location_code"],
    }
    narrowed = dict(first)
    if kind is not SubjectKind.BATTERY:
        narrowed["battery"] = None
    if kind is SubjectKind.LOCATION:
        narrowed |= {"string": None, "system": None}
    return _Silent(_keys(narrowed, codes[kind]), max(row["time"] for row in members), len(members))


def _keys(row: Row, code: str) -> SubjectKeys:
    return SubjectKeys(code, row["location"], row["system"], row["string"], row["battery"])
