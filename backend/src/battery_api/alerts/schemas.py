"""Requests and answers of the alert endpoints."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from battery_api.alerts.engine.floors import LONGEST_HOLD_S
from battery_api.alerts.engine.ladders import Direction, Gate, SubjectKind
from battery_api.alerts.limits import OverrideScope
from battery_contracts.alerts import AlertOut
from battery_contracts.described import Described
from battery_contracts.enums import AlertType, RespondWithin, Severity
from battery_contracts.events import AlertChange
from battery_contracts.instants import Instant
from battery_servicekit.pagination import Page
from battery_servicekit.plain_text import PlainText

Hold = Annotated[float, Field(ge=0, le=LONGEST_HOLD_S, allow_inf_nan=False)]
Reason = Annotated[PlainText, StringConstraints(min_length=1, max_length=500)]
Note = Annotated[PlainText, StringConstraints(max_length=2000)]

Comment = Annotated[PlainText, StringConstraints(min_length=1, max_length=2000)]


class AlertPage(Page[AlertOut]):
    """A page of alerts. The two counts cover what the filter is about, whatever its state and dates."""

    active_count: int = Field(description="Conditions that are active now.")
    pending_count: int = Field(description="Of these, those that nobody has acknowledged or resolved.")


class TimelineEntryOut(Described):
    """One entry of an alert's immutable timeline."""

    event_id: int
    """Number of the entry; a later entry has a larger one."""
    at: AwareDatetime
    """When it happened: event time for what readings caused, else the time of the request."""
    kind: AlertChange
    """What happened to the alert."""
    actor: str | None
    """User name of the person who did it; null for what readings caused."""
    note: str | None
    """What the person wrote; null where nothing was written."""
    data: dict[str, Any]
    """Particulars by name, as the value and the threshold of an escalation."""


class AlertDetail(AlertOut):
    """An alert with its timeline, oldest entry first."""

    timeline: list[TimelineEntryOut]
    """What happened to the alert, oldest entry first."""


class AcknowledgeIn(Described):
    """Acknowledgement of an alert."""

    note: Note = Field(description="What is being done; may be blank.")


class ResolveIn(Described):
    """Resolution of an alert."""

    note: Note | None = None
    """Why it is closed; null for no note."""


class CommentIn(Described):
    """What somebody adds to the record of an alert."""

    note: Comment
    """What was found or done, 1 to 2,000 characters."""


class DayCounts(Described):
    """Alerts raised on a day in Asia/Bangkok, by the severity that they reached."""

    day: date
    """Day in Asia/Bangkok."""
    info: int = 0
    """Alerts of the day that reached `info` at most."""
    warning: int = 0
    """Alerts of the day that reached `warning` at most."""
    critical: int = 0
    """Alerts of the day that reached `critical`."""


class AlertStats(Described):
    """Alerts in figures; the ``by_`` groups count active ones."""

    open_count: int = Field(
        description="Not resolved, and either active or never acknowledged; not those that ended with their subject."
    )
    active_count: int = Field(description="The condition is active now.")
    pending_count: int = Field(description="Active, and neither acknowledged nor resolved.")
    by_severity: dict[Severity, int]
    """Active alerts by severity."""
    by_type: dict[str, int]
    """Active alerts by type; a type without any is absent."""
    by_location: dict[str, int]
    """Active alerts by id of the location; a location without any is absent."""
    per_day: list[DayCounts] = Field(description="The last 30 days, today last.")


class OverrideIn(Described):
    """Values for a scope; a value that is left out keeps that of the wider scope."""

    scope: OverrideScope
    """Kind of what the values apply to; the nearest scope wins."""
    scope_id: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    """Id of the battery, string, location or battery model that the values apply to."""
    raise_value: Annotated[float, Field(allow_inf_nan=False)] | None = None
    """Limit beyond which the rule raises, in the unit of the rule; null keeps that of the wider scope."""
    clear_value: Annotated[float, Field(allow_inf_nan=False)] | None = None
    """Limit at which the alert clears, in the unit of the rule; null keeps that of the wider scope."""
    hold_s: Hold | None = None
    """Seconds that the condition must last before it raises; null keeps those of the wider scope."""
    clear_hold_s: Hold | None = None
    """Seconds that the condition must be over before the alert clears; null keeps those of the wider scope."""
    enabled: bool | None = None
    """False switches the rule off in the scope; null keeps the state of the wider scope."""
    reason: Reason | None = Field(
        default=None, description="Why; needed where a life-safety rule is weakened beyond its floor."
    )
    expires_at: Instant | None = Field(
        default=None,
        description="When the override ends by itself; needed, within 30 days, where a life-safety rule is weakened.",
    )


class OverrideOut(OverrideIn):
    """A stored override."""

    override_id: int
    """Number by which the API addresses the override."""
    rule_id: str
    """Id of the rule whose values it sets."""
    updated_at: AwareDatetime
    """When it was last set."""
    updated_by: str | None
    """User name of the person, or name of the key, that last set it; null where that is not known."""


class FloorOut(Described):
    """The most lenient values that a life-safety rule may have without an administrator's reason and an expiry."""

    raise_value: float
    """Most lenient limit, in the unit of the rule."""
    hold_s: float
    """Longest hold in seconds."""


class BoundsOut(Described):
    """Lowest and highest value that a limit of a rule may have, in the unit of the rule."""

    low: float
    """Lowest value."""
    high: float
    """Highest value."""


class RuleOut(Described):
    """One rule with its defaults and the overrides that you may see."""

    rule_id: str
    """Id of the rule, as in the path of its overrides."""
    type: AlertType
    """What its alerts are about."""
    severity: Severity
    """Severity of its alerts."""
    respond_within: RespondWithin
    """Time in which somebody must respond."""
    subject: SubjectKind
    """Kind of what it judges."""
    signal: str
    """The number that it looks at."""
    direction: Direction
    """Which side of `raise_value` is the bad one."""
    unit: str | None
    """Unit of its limits; null for a number without one."""
    raise_value: float
    """Limit beyond which it raises, in `unit`."""
    clear_value: float
    """Limit at which its alert clears, in `unit`."""
    hold_s: float
    """Seconds that the condition must last before it raises."""
    clear_hold_s: float
    """Seconds that the condition must be over before its alert clears."""
    gate: Gate
    """State of the string in which it applies."""
    after_commissioning: bool = Field(description="Off during the first 90 days of a battery.")
    adjustable: bool
    """False: it takes no overrides."""
    has_hold: bool
    """False: it acts at once, and its overrides set no hold."""
    bounds: BoundsOut | None = Field(
        description="What `raise_value` and `clear_value` of an override may be; null where it takes none."
    )
    floor: FloorOut | None = Field(
        description="Of a life-safety rule: beyond it only administrators may go, with a reason, for 30 days."
    )
    source: str = Field(description="Where the defaults come from; EJ is engineering judgement.")
    overrides: list[OverrideOut]
    """Its overrides within your locations."""


class Origin(Described):
    """OverrideScope that an effective value comes from."""

    scope: Literal["default"] | OverrideScope
    """Kind of the scope; `default` where no override sets the value."""
    scope_id: str | None
    """Id of the scope; null for `default`."""


class EffectiveRuleOut(Described):
    """A rule as it applies to one battery: each value, and the scope it comes from."""

    rule_id: str
    """Id of the rule, as in the path of its overrides."""
    type: AlertType
    """What its alerts are about."""
    severity: Severity
    """Severity of its alerts."""
    respond_within: RespondWithin
    """Time in which somebody must respond."""
    signal: str
    """The number that it looks at."""
    direction: Direction
    """Which side of `raise_value` is the bad one."""
    unit: str | None
    """Unit of its limits; null for a number without one."""
    gate: Gate
    """State of the string in which it applies."""
    raise_value: float
    """Limit beyond which it raises, in `unit`."""
    clear_value: float
    """Limit at which its alert clears, in `unit`."""
    hold_s: float
    """Seconds that the condition must last before it raises."""
    clear_hold_s: float
    """Seconds that the condition must be over before its alert clears."""
    enabled: bool
    """False: it is switched off for this battery, and says nothing of it."""
    origin: Mapping[str, Origin]
    """The scope that each value comes from, by name of the value."""
    source: str
    """Where the defaults come from; EJ is engineering judgement."""
