"""Requests and answers of silences and of the tags of strings."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Final

from pydantic import AwareDatetime, Field, StringConstraints

from battery_contracts.alerts import AlertOut
from battery_contracts.described import Described
from battery_contracts.enums import AlertType
from battery_contracts.instants import Instant
from battery_servicekit.pagination import Page
from battery_servicekit.plain_text import PlainLine, PlainText

LONGEST_SILENCE: Final = timedelta(days=30)
"""Longest time that one silence lasts."""
EARLIEST_START: Final = timedelta(minutes=5)
"""How far in the past a silence may start: work that has just begun, and clocks that differ."""
Reason = Annotated[PlainText, StringConstraints(min_length=1, max_length=2000)]
Tag = Annotated[PlainLine, StringConstraints(min_length=1, max_length=40, pattern=r"^[a-z0-9][a-z0-9_-]*$")]
ScopeId = Annotated[PlainLine, StringConstraints(min_length=1, max_length=80)]


class SilenceScope(StrEnum):
    """What a silence is about. A system or string leaves out what is raised for its location, as a mains outage."""

    LOCATION = "location"
    SYSTEM = "system"
    STRING = "string"
    TAG = "tag"


class SilenceState(StrEnum):
    """Whether a silence is to come, in force or over; one that was cancelled before its start is over."""

    UPCOMING = "upcoming"
    ACTIVE = "active"
    ENDED = "ended"


class SilenceIn(Described):
    """A silence that somebody sets."""

    scope: SilenceScope
    """What `scope_id` names."""
    scope_id: ScopeId = Field(description="Id of the location, system or string, or a tag of strings.")
    types: Annotated[list[AlertType], Field(min_length=1, max_length=len(AlertType))] | None = Field(
        None, description="Only alerts of these types; null for all."
    )
    starts_at: Instant | None = Field(None, description="When it starts, at most 5 min ago; null for now.")
    ends_at: Instant = Field(description="When it ends, at most 30 days after its start.")
    reason: Reason = Field(description="Why; 1 to 2,000 characters.")
    covers_safety: bool = Field(
        False, description="Also alerts of life-safety rules, from when a second person approves it."
    )


class SilenceOut(Described):
    """A silence with what became of it."""

    silence_id: int
    """Number of the silence."""
    state: SilenceState
    """Whether it is to come, in force or over."""
    scope: SilenceScope
    """What `scope_id` names."""
    scope_id: str
    """Id of the location, system or string, or a tag of strings."""
    types: list[AlertType] | None
    """Types of alerts that it covers; null for all."""
    starts_at: AwareDatetime
    """When it starts."""
    ends_at: AwareDatetime
    """When it ends unless somebody ends it earlier."""
    reason: str
    """Why it was set."""
    covers_safety: bool
    """True: it was asked to cover life-safety alerts too, which it does only from `approved_at` on."""
    created_at: AwareDatetime
    """When it was set."""
    created_by: str
    """Name of who set it."""
    approved_at: AwareDatetime | None
    """When a second person approved that it covers life-safety alerts; null where nobody has."""
    approved_by: str | None
    """Name of who approved it."""
    ended_at: AwareDatetime | None
    """When somebody ended it early; null where nobody did."""
    ended_by: str | None
    """Name of who ended it early."""
    hidden_count: int
    """Alerts that it covers or has covered."""


class HiddenAlertOut(Described):
    """An alert that a silence or maintenance window covers or has covered."""

    alert: AlertOut
    """The alert as it is now."""
    from_at: AwareDatetime
    """Since when it was covered."""
    until_at: AwareDatetime | None
    """Until when it was covered: the end of the silence or of the alert; null while it is covered."""


class SilencePage(Page[SilenceOut]):
    """A page of silences."""


class HiddenAlertPage(Page[HiddenAlertOut]):
    """A page of alerts that a silence or maintenance window covers or has covered."""


class TagsIn(Described):
    """The tags of a string; they replace those that it has."""

    tags: Annotated[list[Tag], Field(max_length=20)] = Field(
        description="Small letters, digits, `-` and `_`; 1 to 40 characters each."
    )


class TagsOut(Described):
    """A string with its tags."""

    string_id: str
    """Id of the string."""
    tags: list[str]
    """Its tags, sorted."""
