"""How an incident goes on when its alerts have changed: a pure function of what it was and what they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, NamedTuple

from battery_contracts.enums import RespondWithin, Severity
from battery_contracts.incidents import IncidentChange

_GRAVITY: Final[Sequence[IncidentChange]] = (
    "opened",
    "reopened",
    "escalated",
    "unhidden",
    "merged",
    "absorbed",
    "withdrawn",
    "hidden",
    "joined",
    "cleared",
    "acknowledged",
    "resolved",
)
_SHOWN_ALERTS: Final = 50


@dataclass(frozen=True, slots=True)
class IncidentState:
    """An incident as it is stored, without its place."""

    severity: Severity
    respond_within: RespondWithin
    opened_at: datetime
    cleared_at: datetime | None
    alert_count: int
    active_count: int
    unacknowledged_count: int
    battery_count: int
    battery_key: int | None
    types: Sequence[str]
    lead_alert_id: int | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    acknowledged_severity: Severity | None
    snoozed_until: datetime | None
    silence_id: int | None
    resolved_at: datetime | None
    resolved_by: str | None
    revision: int


class AlertSums(NamedTuple):
    """The alerts of an incident taken together; None where it has none.

    ``unresolved_count`` counts active alerts that nobody has resolved, ``resolved_count`` all that somebody has.
    """

    alert_count: int
    active_count: int
    unacknowledged_count: int
    unresolved_count: int
    resolved_count: int
    battery_count: int
    battery_key: int | None
    types: Sequence[str]
    lead_alert_id: int | None
    severity: Severity | None
    respond_within: RespondWithin | None
    opened_at: datetime | None
    last_cleared_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    resolved_at: datetime | None
    resolved_by: str | None


class IncidentEntry(NamedTuple):
    """One entry of an incident's timeline that no person made."""

    kind: IncidentChange
    at: datetime
    data: Mapping[str, Any] = {}


@dataclass(slots=True)
class IncidentProgress:
    """What becomes of an incident, and the entries that its timeline gets."""

    state: IncidentState
    entries: list[IncidentEntry] = field(default_factory=list)
    is_changed: bool = False

    @property
    def change(self) -> IncidentChange | None:
        """The gravest change; None where nothing changed."""
        kinds = {entry.kind for entry in self.entries}
        gravest = next((kind for kind in _GRAVITY if kind in kinds), None)
        return gravest or ("updated" if self.is_changed else None)


def advance(
    before: IncidentState,
    sums: AlertSums,
    *,
    joined: Sequence[int],
    is_new: bool,
    now: datetime,
    silence_id: int | None = None,
) -> IncidentProgress:
    """Return what becomes of an incident.

    Parameters
    ----------
    joined
        Numbers of the alerts that have just joined it.
    is_new
        It has just been opened for them.
    silence_id
        The silence or window that hides it now; None where one of its active alerts is not covered.
    """
    if sums.opened_at is None or sums.severity is None or sums.respond_within is None:
        return _emptied(before, now)
    cleared_at = None if sums.active_count else sums.last_cleared_at
    state = replace(
        before,
        severity=sums.severity,
        respond_within=sums.respond_within,
        opened_at=sums.opened_at,
        cleared_at=None if cleared_at is None else max(cleared_at, sums.opened_at),
        alert_count=sums.alert_count,
        active_count=sums.active_count,
        unacknowledged_count=sums.unacknowledged_count,
        battery_count=sums.battery_count,
        battery_key=sums.battery_key if sums.battery_count == 1 else None,
        types=tuple(sums.types),
        lead_alert_id=sums.lead_alert_id,
    )
    progress = IncidentProgress(state)
    if is_new:
        data = {"severity": state.severity.value, "alert_count": state.alert_count}
        progress.entries.append(IncidentEntry("opened", state.opened_at, data))
    elif joined:
        shown = list(joined[:_SHOWN_ALERTS])
        progress.entries.append(IncidentEntry("joined", now, {"alert_ids": shown, "count": len(joined)}))
    if not is_new:
        _get_worse(progress, before, now)
    _come_back(progress, before, sums, now)
    _end(progress, before)
    _hide(progress, silence_id, now)
    _follow_people(progress, sums)
    progress.is_changed = progress.state != before
    return progress


def _emptied(before: IncidentState, now: datetime) -> IncidentProgress:
    """Every alert proved never to have been, or went to the incident that explains it."""
    cleared_at = before.cleared_at or max(now, before.opened_at)
    state = replace(
        before,
        alert_count=0,
        active_count=0,
        unacknowledged_count=0,
        battery_count=0,
        snoozed_until=None,
        silence_id=None,
        cleared_at=cleared_at,
    )
    entries = [IncidentEntry("withdrawn", now)] if before.alert_count else []
    return IncidentProgress(state, entries, state != before)


def _get_worse(progress: IncidentProgress, before: IncidentState, now: datetime) -> None:
    state = progress.state
    if state.severity.rank <= before.severity.rank:
        return
    data = {"severity": state.severity.value, "severity_before": before.severity.value}
    progress.entries.append(IncidentEntry("escalated", now, data))
    seen = before.acknowledged_severity
    if seen is not None and state.severity.rank > seen.rank:
        state = _unacknowledged(state)
    progress.state = replace(state, snoozed_until=None, revision=state.revision + 1)


def _come_back(progress: IncidentProgress, before: IncidentState, sums: AlertSums, now: datetime) -> None:
    state = progress.state
    was_over = before.cleared_at is not None and before.alert_count > 0
    if was_over and state.cleared_at is None:
        # What was over and acknowledged had left the inbox.
        progress.entries.append(IncidentEntry("reopened", now, {"cleared_at": before.cleared_at}))
        progress.state = replace(
            _unacknowledged(state), snoozed_until=None, resolved_at=None, resolved_by=None, revision=state.revision + 1
        )
    elif before.resolved_at is not None and sums.unresolved_count:
        progress.entries.append(IncidentEntry("reopened", now, {"resolved_at": before.resolved_at}))
        progress.state = replace(
            _unacknowledged(state), resolved_at=None, resolved_by=None, revision=state.revision + 1
        )


def _end(progress: IncidentProgress, before: IncidentState) -> None:
    state = progress.state
    if state.cleared_at is not None and before.cleared_at is None:
        progress.entries.append(IncidentEntry("cleared", state.cleared_at))
        progress.state = replace(state, snoozed_until=None)


def _hide(progress: IncidentProgress, silence_id: int | None, now: datetime) -> None:
    state = progress.state
    if state.silence_id is None and silence_id is not None:
        progress.entries.append(IncidentEntry("hidden", now, {"silence_id": silence_id}))
    elif state.silence_id is not None and silence_id is None:
        # It comes back: whoever acts on it has to have seen that.
        progress.entries.append(IncidentEntry("unhidden", now, {"silence_id": state.silence_id}))
        state = replace(state, revision=state.revision + 1)
    progress.state = replace(state, silence_id=silence_id)


def _follow_people(progress: IncidentProgress, sums: AlertSums) -> None:
    """Take over what people did to each of its alerts, one by one."""
    state = progress.state
    if state.resolved_at is None and sums.resolved_count == sums.alert_count and sums.resolved_at is not None:
        progress.entries.append(IncidentEntry("resolved", sums.resolved_at, {"actor": sums.resolved_by}))
        state = replace(state, resolved_at=sums.resolved_at, resolved_by=sums.resolved_by, revision=state.revision + 1)
    is_seen = sums.active_count > 0 and sums.unacknowledged_count == 0 and sums.acknowledged_at is not None
    if state.acknowledged_at is None and state.resolved_at is None and is_seen:
        progress.entries.append(
            IncidentEntry("acknowledged", sums.acknowledged_at or state.opened_at, {"actor": sums.acknowledged_by})
        )
        state = replace(
            state,
            acknowledged_at=sums.acknowledged_at,
            acknowledged_by=sums.acknowledged_by,
            acknowledged_severity=state.severity,
            revision=state.revision + 1,
        )
    progress.state = state


def _unacknowledged(state: IncidentState) -> IncidentState:
    return replace(state, acknowledged_at=None, acknowledged_by=None, acknowledged_severity=None)
