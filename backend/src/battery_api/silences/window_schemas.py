"""Requests and answers of maintenance windows."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Final

from pydantic import AwareDatetime, Field

from battery_api.silences.schemas import Reason, ScopeId, SilenceScope, SilenceState
from battery_contracts.described import Described
from battery_contracts.instants import Instant
from battery_contracts.rounding import to_decimals
from battery_servicekit.pagination import Page

LATEST_CLOSE: Final = timedelta(hours=48)
"""How long after its planned end a test stays open at most, while its strings recharge."""


class WindowKind(StrEnum):
    """What is done in a window.

    A ``test`` hides only what a discharge test is expected to raise, until its strings have recharged;
    ``maintenance`` hides everything but life-safety alerts, until its planned end.
    """

    TEST = "test"
    MAINTENANCE = "maintenance"


class WindowIn(Described):
    """Planned work or a planned test."""

    kind: WindowKind
    """What is done."""
    scope: SilenceScope
    """What `scope_id` names."""
    scope_id: ScopeId = Field(description="Id of the location, system or string, or a tag of strings.")
    starts_at: Instant = Field(description="When it starts, at most 5 min ago.")
    ends_at: Instant = Field(description="When it is planned to end, at most 30 days after its start.")
    reason: Reason = Field(description="What is done; 1 to 2,000 characters.")


class WindowOut(Described):
    """A maintenance window with what became of it."""

    window_id: int
    """Number of the window."""
    kind: WindowKind
    """What is done."""
    state: SilenceState
    """Whether it is to come, open or over."""
    scope: SilenceScope
    """What `scope_id` names."""
    scope_id: str
    """Id of the location, system or string, or a tag of strings."""
    starts_at: AwareDatetime
    """When it starts."""
    planned_ends_at: AwareDatetime
    """When it is planned to end."""
    ends_at: AwareDatetime
    """When it ends at the latest: a test 48 h after its plan, if its strings have not recharged before."""
    reason: str
    """What is done."""
    created_at: AwareDatetime
    """When it was planned."""
    created_by: str
    """Name of who planned it."""
    ended_at: AwareDatetime | None
    """When it ended before `ends_at`; null where it did not."""
    ended_by: str | None
    """Name of who ended it; null also where it closed because its strings had recharged."""
    hidden_count: int
    """Alerts that it covers or has covered."""


class WindowDischarge(Described):
    """A discharge within a window: the evidence of a test."""

    discharge_id: int
    """Number by which the platform knows the discharge."""
    string_id: str
    """Id of the string that discharged."""
    started_at: AwareDatetime
    """When it began."""
    ended_at: AwareDatetime
    """When it ended, or the newest reading of one that may continue."""
    depth_pct: Annotated[float, to_decimals(1)]
    """Charge drawn in percent of the rated capacity; a lower bound unless `complete`."""
    complete: bool
    """False: readings are missing."""
    is_open: bool
    """True while it may continue."""


class WindowDetail(WindowOut):
    """A maintenance window with the discharges of its strings."""

    discharges: list[WindowDischarge]
    """Discharges of its strings that lie at least partly within it, oldest first."""


class WindowPage(Page[WindowOut]):
    """A page of maintenance windows."""
