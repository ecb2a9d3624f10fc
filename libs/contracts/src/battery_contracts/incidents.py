"""Wire models of incidents, shared by the REST answers and the realtime events."""

from enum import StrEnum
from typing import Literal

from pydantic import AwareDatetime, ConfigDict, Field

from battery_contracts.alerts import AlertOut
from battery_contracts.described import Described
from battery_contracts.enums import AlertType, RespondWithin, Severity


class IncidentFamily(StrEnum):
    """What an incident is about; alerts of one family in one string, or of one cause in a location, are one trouble."""

    POWER = "power"
    COOLING = "cooling"
    SILENCE = "silence"
    RUNAWAY = "runaway"
    VOLTAGE = "voltage"
    CURRENT = "current"
    TEMPERATURE = "temperature"
    RESISTANCE = "resistance"
    MONITORING = "monitoring"
    LIFE = "life"


class IncidentStatus(StrEnum):
    """How far an incident is.

    ``open`` and ``cleared`` wait for somebody: ``cleared`` is over, and nobody has acknowledged it. ``acknowledged`` is
    in somebody's hands and ``snoozed`` comes back. ``resolved`` (by a person), ``closed`` (over and acknowledged, or
    over and for information only), ``merged`` and ``withdrawn`` (it never was) have ended.
    """

    OPEN = "open"
    CLEARED = "cleared"
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    RESOLVED = "resolved"
    CLOSED = "closed"
    MERGED = "merged"
    WITHDRAWN = "withdrawn"


class HiderKind(StrEnum):
    """What keeps an incident out of the inbox."""

    SILENCE = "silence"
    WINDOW = "window"


class HiddenBy(Described):
    """The silence or maintenance window that keeps an incident out of the inbox."""

    model_config = ConfigDict(frozen=True)

    kind: HiderKind
    """Which of the two it is."""
    id: int
    """Its number."""
    ends_at: AwareDatetime
    """When it ends at the latest; what lasts then comes back."""


class IncidentOut(Described):
    """One incident: the alerts of one trouble, and what people do about it.

    ``revision`` grows with every action of a person and whenever the incident gets worse or comes back; a command names
    the revision that its sender has seen.
    """

    model_config = ConfigDict(frozen=True)

    incident_id: int
    """Number by which the API addresses the incident."""
    family: IncidentFamily
    """What it is about."""
    status: IncidentStatus
    """How far it is."""
    severity: Severity
    """Worst severity of its alerts so far."""
    respond_within: RespondWithin
    """Time in which somebody must respond."""
    location_id: str
    """Id of the location that it is in."""
    system_id: str | None
    """Id of the battery system; null for an incident of a location."""
    string_id: str | None
    """Id of the string; null for an incident of a location."""
    battery_id: str | None
    """Id of the battery where only one is affected; null otherwise."""
    types: list[AlertType]
    """Types of its alerts."""
    lead: AlertOut
    """The alert that says best what is wrong: the cause, else the worst."""
    is_active: bool
    """True while the condition of one of its alerts lasts."""
    opened_at: AwareDatetime
    """Event time at which its first alert was raised."""
    cleared_at: AwareDatetime | None
    """Event time at which its last condition ended; null while one is active."""
    alert_count: int
    """Alerts that belong to it; those that proved never to have been are not counted."""
    active_count: int
    """Alerts whose condition lasts."""
    unacknowledged_count: int
    """Active alerts that nobody has acknowledged or resolved; above 0 in an acknowledged incident they came later."""
    battery_count: int
    """Batteries with an alert of their own in it."""
    acknowledged_at: AwareDatetime | None
    """When somebody acknowledged it; null while nobody has, and again where it got worse since."""
    acknowledged_by: str | None
    """Name of who acknowledged it."""
    assignee: str | None
    """User name of the person who takes care of it; null while nobody does."""
    snoozed_until: AwareDatetime | None
    """When it comes back to the inbox; null where it is not snoozed."""
    hidden_by: HiddenBy | None
    """What keeps it out of the inbox: all its active alerts are covered; null for an incident that is shown."""
    resolved_at: AwareDatetime | None
    """When a person resolved it; null while nobody has, and again where a condition outlasts that."""
    resolved_by: str | None
    """Name of who resolved it."""
    merged_into: int | None
    """Number of the incident that explains it and has its alerts; null for one that stands by itself."""
    revision: int
    """Number of its state, to be named in commands."""
    updated_at: AwareDatetime
    """When it changed last, by the gateway's clock."""


IncidentChange = Literal[
    "updated",
    "opened",
    "joined",
    "escalated",
    "cleared",
    "reopened",
    "merged",
    "absorbed",
    "withdrawn",
    "acknowledged",
    "assigned",
    "comment",
    "snoozed",
    "snooze_ended",
    "resolved",
    "hidden",
    "unhidden",
]
"""What happened to an incident, in live events and in its timeline; ``updated`` (its figures alone) only in events."""


class IncidentEvent(Described):
    """An incident changed."""

    model_config = ConfigDict(frozen=True)

    event: IncidentChange = Field(description="What happened to the incident; the gravest of several changes.")
    incident: IncidentOut
    """The incident as it is now."""
