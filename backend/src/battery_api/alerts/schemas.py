"""Requests and answers of the alert endpoints."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from battery_api.alerts.engine.floors import LONGEST_HOLD_S
from battery_api.alerts.engine.ladders import Direction, Gate, SubjectKind
from battery_api.alerts.limits import OverrideScope
from battery_contracts.alerts import AlertOut
from battery_contracts.enums import AlertType, RespondWithin, Severity
from battery_contracts.events import AlertChange
from battery_servicekit.pagination import Page
from battery_servicekit.plain_text import PlainText

Hold = Annotated[float, Field(ge=0, le=LONGEST_HOLD_S, allow_inf_nan=False)]
Reason = Annotated[PlainText, StringConstraints(min_length=1, max_length=500)]
Note = Annotated[PlainText, StringConstraints(max_length=2000)]


class AlertPage(Page[AlertOut]):
    """A page of alerts. The two counts cover what the filter is about, whatever its state and dates."""

    active_count: int = Field(description="Conditions that are active now.")
    pending_count: int = Field(description="Of these, those that nobody has acknowledged.")


class TimelineEntryOut(BaseModel):
    """One entry of an alert's immutable timeline."""

    event_id: int
    at: AwareDatetime
    kind: AlertChange
    actor: str | None
    note: str | None
    data: dict[str, Any]


class AlertDetail(AlertOut):
    """An alert with its timeline, oldest entry first."""

    timeline: list[TimelineEntryOut]


class AcknowledgeIn(BaseModel):
    """Acknowledgement of an alert."""

    note: Note = Field(description="What is being done; may be blank.")


class ResolveIn(BaseModel):
    """Resolution of an alert."""

    note: Note | None = None


class DayCounts(BaseModel):
    """Alerts raised on a day in Asia/Bangkok, by the severity that they reached."""

    day: date
    info: int = 0
    warning: int = 0
    critical: int = 0


class AlertStats(BaseModel):
    """Alerts in figures; the ``by_`` groups count active ones."""

    open_count: int = Field(
        description="Not resolved, and either active or never acknowledged; not those that ended with their subject."
    )
    active_count: int = Field(description="The condition is active now.")
    pending_count: int = Field(description="Active and not acknowledged.")
    by_severity: dict[Severity, int]
    by_type: dict[str, int]
    by_location: dict[str, int]
    per_day: list[DayCounts] = Field(description="The last 30 days, today last.")


class OverrideIn(BaseModel):
    """Values for a scope; a value that is left out keeps that of the wider scope."""

    scope: OverrideScope
    scope_id: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    raise_value: Annotated[float, Field(allow_inf_nan=False)] | None = None
    clear_value: Annotated[float, Field(allow_inf_nan=False)] | None = None
    hold_s: Hold | None = None
    clear_hold_s: Hold | None = None
    enabled: bool | None = None
    reason: Reason | None = Field(
        default=None, description="Why; needed where a life-safety rule is weakened beyond its floor."
    )
    expires_at: AwareDatetime | None = Field(
        default=None,
        description="When the override ends by itself; needed, within 30 days, where a life-safety rule is weakened.",
    )


class OverrideOut(OverrideIn):
    """A stored override."""

    override_id: int
    rule_id: str
    updated_at: AwareDatetime
    updated_by: str | None


class FloorOut(BaseModel):
    """The most lenient values that a life-safety rule may have without an administrator's reason and an expiry."""

    raise_value: float
    hold_s: float


class RuleOut(BaseModel):
    """One rule with its defaults and the overrides that you may see."""

    rule_id: str
    type: AlertType
    severity: Severity
    respond_within: RespondWithin
    subject: SubjectKind
    signal: str
    direction: Direction
    unit: str | None
    raise_value: float
    clear_value: float
    hold_s: float
    clear_hold_s: float
    gate: Gate
    after_commissioning: bool = Field(description="Off during the first 90 days of a battery.")
    adjustable: bool
    floor: FloorOut | None = Field(
        description="Of a life-safety rule: beyond it only administrators may go, with a reason, for 30 days."
    )
    source: str = Field(description="Where the defaults come from; EJ is engineering judgement.")
    overrides: list[OverrideOut]


class Origin(BaseModel):
    """OverrideScope that an effective value comes from."""

    scope: Literal["default"] | OverrideScope
    scope_id: str | None


class EffectiveRuleOut(BaseModel):
    """A rule as it applies to one battery: each value, and the scope it comes from."""

    rule_id: str
    type: AlertType
    severity: Severity
    respond_within: RespondWithin
    signal: str
    direction: Direction
    unit: str | None
    gate: Gate
    raise_value: float
    clear_value: float
    hold_s: float
    clear_hold_s: float
    enabled: bool
    origin: Mapping[str, Origin]
    source: str
