"""Alerts as rows: reduce the changes of a batch to as few rows as possible, and write them in a few statements."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final, Literal

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.telemetry.store.indices import BatteryKey
from battery_api.telemetry.store.statements import OpenCounts
from battery_contracts.enums import AlertType, RespondWithin, Severity

EventKind = Literal["raised", "escalated", "cleared", "reopened", "revised", "withdrawn"]


_EVENTS_OPEN: Final[tuple[EventKind, ...]] = ("withdrawn", "raised", "reopened", "escalated", "cleared", "revised")
_EVENTS_CLEARED: Final[tuple[EventKind, ...]] = ("withdrawn", "cleared", "revised")


@dataclass(frozen=True, slots=True)
class SubjectKeys:
    """Subject of an alert: its code, and the keys above it."""

    code: str
    location_key: int
    system_key: int | None = None
    string_key: int | None = None
    battery_key: int | None = None


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One line of an alert's timeline."""

    kind: EventKind
    at: datetime
    data: Mapping[str, Any]


@dataclass(slots=True, eq=False)
class AlertDraft:
    """An alert as a batch leaves it: a new one, or the changes of an open one (``alert_id`` set).

    For an open one, a field that is None keeps the stored value.
    """

    subject: SubjectKeys
    type: AlertType
    alert_id: int | None = None
    severity: Severity | None = None
    respond_within: RespondWithin | None = None
    rule_id: str | None = None
    raised_at: datetime | None = None
    cleared_at: datetime | None = None
    value: float | None = None
    threshold: float | None = None
    unit: str | None = None
    peak_value: float | None = None
    message_code: str | None = None
    message_params: Mapping[str, Any] | None = None
    episode_count: int | None = None
    reopened: bool = False
    """The condition of an alert that had cleared came back."""
    needs_new_acknowledgement: bool = False
    """It is worse than what was acknowledged or resolved, or not over as was thought."""
    undoes_resolution: bool = False
    """Somebody had resolved it, and it is not over."""
    timeline: list[TimelineEntry] = field(default_factory=list)

    @property
    def is_new(self) -> bool:
        """Whether this batch raised it."""
        return self.raised_at is not None

    @property
    def was_unknown(self) -> bool:
        """Whether it was not stored before; what a replay finds of a stored alert has no entry of its beginning."""
        return any(entry.kind == "raised" for entry in self.timeline)

    @property
    def event_kind(self) -> EventKind | None:
        """The one live event of this change: the last transition, None for a new peak alone.

        A condition that began and ended within one batch is over already: nobody is alarmed.
        """
        kinds = {entry.kind for entry in self.timeline}
        for kind in _EVENTS_OPEN if self.cleared_at is None else _EVENTS_CLEARED:
            if kind in kinds:
                return kind
        return None


def reopened_draft(
    subject: SubjectKeys, alert_type: AlertType, alert_id: int, *, resolved_at: datetime | None, now: datetime
) -> AlertDraft:
    """Return the change of an alert that somebody had resolved and whose condition lasts all the same."""
    return AlertDraft(
        subject,
        alert_type,
        alert_id=alert_id,
        needs_new_acknowledgement=True,
        undoes_resolution=True,
        timeline=[TimelineEntry("reopened", now, {"resolved_at": resolved_at})],
    )


def instant_of(time_us: int) -> datetime:
    """Return an instant in UTC from microseconds since 1970."""
    return datetime.fromtimestamp(time_us // 1_000_000, UTC).replace(microsecond=time_us % 1_000_000)


_UPDATE: Final = """
    update alert as a set
        severity = coalesce(i.severity, a.severity),
        respond_within = coalesce(i.respond_within, a.respond_within),
        rule_id = coalesce(i.rule_id, a.rule_id),
        value = case when i.rule_id is null then a.value else i.value end,
        threshold = case when i.rule_id is null then a.threshold else i.threshold end,
        unit = case when i.rule_id is null then a.unit else i.unit end,
        message_code = coalesce(i.message_code, a.message_code),
        message_params = coalesce(i.message_params::jsonb, a.message_params),
        peak_value = coalesce(i.peak_value, a.peak_value),
        acknowledged_at = case when i.needs_new_acknowledgement then null else a.acknowledged_at end,
        acknowledged_by = case when i.needs_new_acknowledgement then null else a.acknowledged_by end,
        resolved_at = case when i.needs_new_acknowledgement and i.cleared_at is null then null else a.resolved_at end,
        resolved_by = case when i.needs_new_acknowledgement and i.cleared_at is null then null else a.resolved_by end,
        episode_count = coalesce(i.episode_count, a.episode_count),
        cleared_at = greatest(i.cleared_at, case when i.cleared_at is not null then a.raised_at end)
    from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::float8[], $6::float8[], $7::text[], $8::text[],
                $9::text[], $10::float8[], $11::bool[], $12::timestamptz[], $13::int[], $14::bool[])
        as i(id, severity, respond_within, rule_id, value, threshold, unit, message_code, message_params, peak_value,
             needs_new_acknowledgement, cleared_at, episode_count, reopened)
    where a.id = i.id and (a.cleared_at is null or i.reopened)
"""
_INSERT: Final = """
    insert into alert (type, severity, respond_within, rule_id, subject, location_id, system_id, string_id, battery_id,
                       raised_at, cleared_at, value, threshold, unit, peak_value, message_code, message_params,
                       episode_count)
    select type, severity, respond_within, rule_id, subject, location_id, system_id, string_id, battery_id,
           raised_at, cleared_at, value, threshold, unit, peak_value, message_code, message_params::jsonb, episode_count
    from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::int[], $8::int[], $9::int[],
                $10::timestamptz[], $11::timestamptz[], $12::float8[], $13::float8[], $14::text[], $15::float8[],
                $16::text[], $17::text[], $18::int[])
        as i(type, severity, respond_within, rule_id, subject, location_id, system_id, string_id, battery_id,
             raised_at, cleared_at, value, threshold, unit, peak_value, message_code, message_params, episode_count)
    on conflict (subject, type) where cleared_at is null do nothing
    returning id, subject, type, raised_at
"""
_OPEN: Final = """
    select a.id, a.subject, a.type, a.severity
    from alert a join unnest($1::text[], $2::text[]) as i(subject, type) on a.subject = i.subject and a.type = i.type
    where a.cleared_at is null
"""
_TIMELINE: Final = """
    insert into alert_event (alert_id, at, kind, data)
    select alert_id, at, kind, data::jsonb
    from unnest($1::bigint[], $2::timestamptz[], $3::text[], $4::text[]) as i(alert_id, at, kind, data)
"""
_OPEN_COUNTS: Final = """
    select b.id,
           count(a.id) filter (where a.severity = 'info')::int,
           count(a.id) filter (where a.severity = 'warning')::int,
           count(a.id) filter (where a.severity = 'critical')::int
    from unnest($1::int[]) as b(id)
    left join alert a on a.battery_id = b.id and a.cleared_at is null
    group by b.id
"""


async def write_alerts(connection: AsyncConnection, drafts: Sequence[AlertDraft]) -> None:
    """Write rows and timeline of alerts; new ones get their ``alert_id``.

    The caller holds the locks of the subjects. If an open alert of the same subject and type exists all the same, its
    row is continued: an alert is never duplicated.
    """
    new = [draft for draft in drafts if draft.is_new]
    if new:
        await _insert(connection, new)
    existing = [draft for draft in drafts if not draft.is_new and draft.alert_id is not None]
    if existing:
        await connection.exec_driver_sql(_UPDATE, update_parameters(existing))
    entries = [(draft.alert_id, entry) for draft in drafts for entry in draft.timeline if draft.alert_id is not None]
    await write_timeline(connection, entries)


async def write_timeline(connection: AsyncConnection, entries: Sequence[tuple[int, TimelineEntry]]) -> None:
    """Append entries to the timelines of alerts, each given with the number of its alert."""
    if not entries:
        return
    await connection.exec_driver_sql(
        _TIMELINE,
        (
            [alert_id for alert_id, _ in entries],
            [entry.at for _, entry in entries],
            [entry.kind for _, entry in entries],
            [_json(entry.data) for _, entry in entries],
        ),
    )


async def open_counts(connection: AsyncConnection, battery_keys: Sequence[int]) -> dict[BatteryKey, OpenCounts]:
    """Count the open alerts of batteries from their rows, so that a stored counter can never drift."""
    if not battery_keys:
        return {}
    rows: Sequence[Any] = (await connection.exec_driver_sql(_OPEN_COUNTS, (sorted(battery_keys),))).all()
    return {BatteryKey(key): (info, warning, critical) for key, info, warning, critical in rows}


async def _insert(connection: AsyncConnection, new: Sequence[AlertDraft]) -> None:
    rows: Sequence[Any] = (await connection.exec_driver_sql(_INSERT, _insert_parameters(new))).all()
    ids = {(subject, kind, raised_at): alert_id for alert_id, subject, kind, raised_at in rows}
    missing = []
    for draft in new:
        draft.alert_id = ids.get((draft.subject.code, draft.type.value, draft.raised_at))
        if draft.alert_id is None:
            missing.append(draft)
    if not missing:
        return
    pairs = ([draft.subject.code for draft in missing], [draft.type.value for draft in missing])
    open_rows: Sequence[Any] = (await connection.exec_driver_sql(_OPEN, pairs)).all()
    present = {(subject, kind): (alert_id, Severity(severity)) for alert_id, subject, kind, severity in open_rows}
    for draft in missing:
        alert_id, severity = present[draft.subject.code, draft.type.value]
        _continue_open(draft, alert_id, severity)


def _continue_open(draft: AlertDraft, alert_id: int, severity: Severity) -> None:
    """Turn a new alert into changes of the open one that exists in its place."""
    assert draft.severity is not None
    draft.alert_id, draft.raised_at = alert_id, None
    draft.needs_new_acknowledgement = draft.severity.rank > severity.rank
    kinds: set[EventKind] = (
        {"cleared", "reopened", "escalated"} if draft.needs_new_acknowledgement else {"cleared", "reopened"}
    )
    entries = [replace(entry, kind="escalated") if entry.kind == "raised" else entry for entry in draft.timeline]
    draft.timeline = [entry for entry in entries if entry.kind in kinds]
    if not draft.needs_new_acknowledgement:
        draft.severity = draft.respond_within = draft.rule_id = draft.message_code = draft.message_params = None


def update_parameters(drafts: Sequence[AlertDraft]) -> tuple[list[Any], ...]:
    """Return the columns that change a stored alert, in the order of the update statements."""
    return (
        [draft.alert_id for draft in drafts],
        [draft.severity for draft in drafts],
        [draft.respond_within for draft in drafts],
        [draft.rule_id for draft in drafts],
        [draft.value for draft in drafts],
        [draft.threshold for draft in drafts],
        [draft.unit for draft in drafts],
        [draft.message_code for draft in drafts],
        [None if draft.message_params is None else _json(draft.message_params) for draft in drafts],
        [draft.peak_value for draft in drafts],
        [draft.needs_new_acknowledgement for draft in drafts],
        [draft.cleared_at for draft in drafts],
        [draft.episode_count for draft in drafts],
        [draft.reopened for draft in drafts],
    )


def _insert_parameters(drafts: Sequence[AlertDraft]) -> tuple[list[Any], ...]:
    return (
        [draft.type for draft in drafts],
        [draft.severity for draft in drafts],
        [draft.respond_within for draft in drafts],
        [draft.rule_id for draft in drafts],
        [draft.subject.code for draft in drafts],
        [draft.subject.location_key for draft in drafts],
        [draft.subject.system_key for draft in drafts],
        [draft.subject.string_key for draft in drafts],
        [draft.subject.battery_key for draft in drafts],
        [draft.raised_at for draft in drafts],
        [draft.cleared_at for draft in drafts],
        [draft.value for draft in drafts],
        [draft.threshold for draft in drafts],
        [draft.unit for draft in drafts],
        [draft.peak_value for draft in drafts],
        [draft.message_code for draft in drafts],
        [_json(draft.message_params or {}) for draft in drafts],
        [draft.episode_count or 1 for draft in drafts],
    )


def _json(value: Mapping[str, Any]) -> str:
    return orjson.dumps(dict(value), option=orjson.OPT_UTC_Z).decode()
