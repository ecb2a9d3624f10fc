"""Requests and answers of the incident endpoints."""

from datetime import timedelta
from typing import Annotated, Any, Final

from pydantic import AwareDatetime, Field, StringConstraints

from battery_contracts.described import Described
from battery_contracts.incidents import IncidentChange, IncidentOut
from battery_contracts.instants import Instant
from battery_servicekit.pagination import Page
from battery_servicekit.plain_text import PlainLine, PlainText

LONGEST_SNOOZE: Final = timedelta(days=7)
"""Longest time for which an incident may leave the inbox."""
Note = Annotated[PlainText, StringConstraints(min_length=1, max_length=2000)]
Revision = Annotated[int, Field(ge=1, le=2**31 - 1, description="Revision of the incident that you have seen.")]


class IncidentPage(Page[IncidentOut]):
    """A page of incidents. The counts cover what the filter is about, whatever its state and dates."""

    open_count: int = Field(description="Incidents that wait for somebody: open, or over and not acknowledged.")
    critical_count: int = Field(description="Of these, the critical ones.")
    alert_count: int = Field(description="Active alerts in incidents that have not ended and are not hidden.")
    hidden_count: int = Field(description="Active incidents that silences and maintenance windows hide.")


class IncidentEntryOut(Described):
    """One entry of an incident's immutable timeline."""

    event_id: int
    """Number of the entry; a later entry has a larger one."""
    at: AwareDatetime
    """When it happened: event time for what readings caused, else the time of the request."""
    kind: IncidentChange
    """What happened to the incident."""
    actor: str | None
    """Name of who did it; null for what readings caused."""
    note: str | None
    """What the person wrote; null where nothing was written."""
    data: dict[str, Any]
    """Particulars by name, as the severity of an escalation."""


class IncidentDetail(IncidentOut):
    """An incident with its timeline, oldest entry first."""

    timeline: list[IncidentEntryOut]
    """What happened to the incident, oldest entry first."""


class CommandIn(Described):
    """What somebody does about an incident, and the revision that they have seen."""

    revision: Revision
    note: Note = Field(description="What is being done, and why; 1 to 2,000 characters.")


class AcknowledgeIncidentIn(CommandIn):
    """Acknowledgement of an incident and of all its active alerts."""


class ResolveIncidentIn(CommandIn):
    """Resolution of an incident and of all its alerts."""


class SnoozeIn(CommandIn):
    """Time for which an incident leaves the inbox."""

    until: Instant
    """When it comes back; within 7 days."""


class EndSnoozeIn(Described):
    """An incident that comes back to the inbox before its time."""

    revision: Revision


class AssignIn(Described):
    """Who takes care of an incident."""

    revision: Revision
    assignee: Annotated[PlainLine, StringConstraints(min_length=1, max_length=80)] | None
    """User name of an active engineer or administrator with access to the location; null for nobody."""


class IncidentCommentIn(Described):
    """What somebody adds to the record of an incident."""

    note: Note = Field(description="What was found or done; 1 to 2,000 characters.")
    revision: Revision | None = Field(
        None, description="Needed only where the incident has ended, so that nobody comments on it unawares."
    )


class SeenIncident(Described):
    """An incident, and the revision that the caller has seen."""

    incident_id: Annotated[int, Field(ge=1, le=2**63 - 1)]
    """Number of the incident."""
    revision: Revision


class BulkAcknowledgeIn(Described):
    """Acknowledgement of several incidents with one note."""

    incidents: Annotated[list[SeenIncident], Field(min_length=1, max_length=200)]
    """The incidents, at most 200."""
    note: Note = Field(description="What is being done, and why; 1 to 2,000 characters.")


class BulkRefusal(Described):
    """An incident of a bulk request that was left as it is."""

    incident_id: int
    """Number of the incident."""
    code: str
    """Stable code of the reason."""
    detail: str
    """The reason in words."""
    incident: IncidentOut | None
    """The incident as it is now; null where the caller may not see it."""


class BulkAcknowledged(Described):
    """What became of each incident of a bulk request: every one is in one of the two lists."""

    acknowledged: list[IncidentOut]
    """The incidents that are acknowledged now."""
    refused: list[BulkRefusal]
    """The incidents that were left as they are, each with the reason."""


class Resolved(Described):
    """A resolved incident."""

    incident: IncidentDetail
    """The incident as it is now."""
    still_active_count: int
    """Alerts whose condition lasts all the same; if one outlasts its hold again, the incident comes back."""


class NoteTemplate(Described):
    """A note that may be sent as it is or completed."""

    template_id: str
    """Stable id of the template."""
    en: str
    """The note in English."""
    th: str
    """The note in Thai."""


class NoteTemplates(Described):
    """Templates of notes."""

    items: list[NoteTemplate]
    """The templates, the most common first."""
