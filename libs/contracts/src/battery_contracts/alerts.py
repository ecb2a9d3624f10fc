"""Wire models of alerts, shared by the REST answers and the realtime events."""

from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from battery_contracts.enums import AlertType, RespondWithin, Severity


class AlertOut(BaseModel):
    """One alert: a condition of a battery, string or location over a span of event time.

    Two independent axes: active or cleared (the condition), unacknowledged or acknowledged (the operators).
    ``resolved`` means closed by a person, ``end_reason`` that the subject was replaced or retired, which clears its
    alerts whatever their condition. ``message`` is English; ``message_code`` with ``message_params`` lets a
    client render another language.
    """

    model_config = ConfigDict(frozen=True)

    alert_id: int
    type: AlertType
    severity: Severity
    respond_within: RespondWithin
    rule_id: str | None
    location_id: str
    system_id: str | None
    string_id: str | None
    battery_id: str | None
    is_active: bool
    raised_at: AwareDatetime
    cleared_at: AwareDatetime | None
    acknowledged_at: AwareDatetime | None
    acknowledged_by: str | None
    resolved_at: AwareDatetime | None
    resolved_by: str | None
    value: float | None = Field(description="Value that raised the alert, in `unit`.")
    threshold: float | None = Field(description="Raise limit of the rule in force at that time, in `unit`.")
    unit: str | None
    peak_value: float | None = Field(description="Worst value while active, in `unit`.")
    message: str
    message_code: str
    message_params: dict[str, Any]
    withdrawn_at: AwareDatetime | None = Field(
        None, description="When late readings showed that the condition had never been."
    )
    episode_count: int = Field(
        1, description="How often the condition came back within an hour; above 1 the alert is unstable."
    )
    end_reason: Literal["replaced", "retired"] | None = None
