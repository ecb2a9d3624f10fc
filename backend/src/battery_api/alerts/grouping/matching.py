"""Find the incident of each alert: the one that explains it, the one of its group, or a new one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from battery_api.alerts.grouping.topology import CAUSE_LEAD, CAUSES_OF, Coverage, IncidentGroup, group_of
from battery_contracts.enums import AlertType
from battery_contracts.incidents import IncidentFamily

AFTERMATH: Final = timedelta(hours=1)
"""How long after its end a cause still explains what is raised: strings recharge, rooms cool down (EJ)."""
_FOREVER: Final = datetime.max.replace(tzinfo=UTC)
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)
EXPLAINING: Final = {
    IncidentFamily.POWER: AlertType.MAINS_OUTAGE,
    IncidentFamily.COOLING: AlertType.HVAC_FAILURE,
    IncidentFamily.SILENCE: AlertType.DATA_STALE,
}
"""The type of alert that makes an incident of a location a cause: an unstable grid explains no low voltage."""


class GroupedAlert(NamedTuple):
    """An alert as far as grouping needs it."""

    alert_id: int
    type: AlertType
    location_key: int
    system_key: int | None
    string_key: int | None
    battery_key: int | None
    incident_id: int | None
    raised_at: datetime
    cleared_at: datetime | None

    @property
    def group(self) -> IncidentGroup:
        """The group that it belongs to."""
        return group_of(self.type, self.location_key, self.string_key, self.battery_key)

    @property
    def is_cause(self) -> bool:
        """Whether it explains alerts of other families, or of its own in narrower places."""
        group = self.group
        return group.coverage is Coverage.LOCATION and EXPLAINING.get(group.family) is self.type


@dataclass(slots=True, eq=False)
class Candidate:
    """An incident that alerts may join; a new one has no number yet.

    ``opened_at`` and ``cleared_at`` span its alerts, ``cause_from`` and ``cause_until`` those that make it a cause.
    """

    group: IncidentGroup
    opened_at: datetime | None = None
    cleared_at: datetime | None = None
    incident_id: int | None = None
    resolved_at: datetime | None = None
    is_touched: bool = False
    """Somebody has acknowledged, assigned, snoozed or resolved it: what belongs to it stays."""
    cause_from: datetime | None = None
    cause_until: datetime | None = None
    joined: list[GroupedAlert] = field(default_factory=list)

    def forget(self) -> None:
        """Forget its alerts, which are to be matched again."""
        self.opened_at = self.cleared_at = self.cause_from = self.cause_until = None

    def take(self, alert: GroupedAlert) -> None:
        """Let an alert belong to it."""
        self.joined.append(alert)
        if self.opened_at is None:
            self.opened_at, self.cleared_at = alert.raised_at, alert.cleared_at
        self.opened_at = min(self.opened_at, alert.raised_at)
        if alert.cleared_at is None or (self.cleared_at is not None and alert.cleared_at > self.cleared_at):
            self.cleared_at = alert.cleared_at
        if alert.is_cause:
            until = alert.cleared_at or _FOREVER
            self.cause_from = min(self.cause_from or alert.raised_at, alert.raised_at)
            self.cause_until = max(self.cause_until or until, until)

    def holds(self, alert: GroupedAlert) -> bool:
        """Return whether an alert of its group is part of it: they overlap, and nobody had resolved it before."""
        if self.opened_at is None:
            return alert.incident_id is not None and alert.incident_id == self.incident_id
        begins_before_end = self.cleared_at is None or alert.raised_at <= self.cleared_at
        ends_after_begin = alert.cleared_at is None or alert.cleared_at >= self.opened_at
        is_new_occurrence = self.resolved_at is not None and alert.raised_at > self.resolved_at
        return begins_before_end and ends_after_begin and not is_new_occurrence

    def explains(self, raised_at: datetime) -> bool:
        """Return whether what was raised at an instant is a consequence."""
        if self.cause_from is None or self.cause_until is None:
            return False
        is_over = self.cause_until != _FOREVER and raised_at > self.cause_until + AFTERMATH
        is_new_occurrence = self.resolved_at is not None and raised_at > self.resolved_at
        return raised_at >= self.cause_from - CAUSE_LEAD and not is_over and not is_new_occurrence


def match(alerts: Iterable[GroupedAlert], candidates: Sequence[Candidate]) -> list[Candidate]:
    """Let every alert join an incident, causes first; return the candidates with the new ones after them."""
    known = list(candidates)
    for alert in sorted(alerts, key=_causes_first):
        incident = _cause_of(alert, known) or _own_group(alert, known)
        if incident is None:
            incident = Candidate(alert.group)
            known.append(incident)
        incident.take(alert)
    return known


def _causes_first(alert: GroupedAlert) -> tuple[int, bool, datetime, int]:
    group = alert.group
    return (_width(group.family), group.coverage is Coverage.STRING, alert.raised_at, alert.alert_id)


def _width(family: IncidentFamily) -> int:
    return list(IncidentFamily).index(family)


def _cause_of(alert: GroupedAlert, known: Sequence[Candidate]) -> Candidate | None:
    if alert.is_cause and alert.type is AlertType.MAINS_OUTAGE:
        return None
    for family in CAUSES_OF[alert.group.family]:
        if family is alert.group.family and alert.group.coverage is Coverage.LOCATION:
            continue
        for one in known:
            is_cause = one.group == IncidentGroup(family, alert.location_key, None)
            if is_cause and one.explains(alert.raised_at):
                return one
    return None


def _own_group(alert: GroupedAlert, known: Sequence[Candidate]) -> Candidate | None:
    fitting = [one for one in known if one.group == alert.group and one.holds(alert)]
    # An incident that has alerts before one that waits for its first again.
    return max(fitting, key=lambda one: one.opened_at or _LONG_AGO, default=None)
