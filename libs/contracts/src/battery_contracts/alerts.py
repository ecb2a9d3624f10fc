"""Wire models of alerts, shared by the REST answers and the realtime events."""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, ConfigDict, Field

from battery_contracts.described import Described
from battery_contracts.enums import AlertType, RespondWithin, Severity
from battery_contracts.rounding import to_decimals


class AlertOut(Described):
    """One alert: a condition of a battery, string or location over a span of event time.

    Two independent axes: active or cleared (the condition), unacknowledged or acknowledged (the operators).
    ``resolved`` means that a person holds it to be dealt with, which ends no condition; ``end_reason`` that the
    subject was replaced or retired, which clears its alerts whatever their condition. ``message`` is English;
    ``message_code`` with ``message_params`` lets a client render another language.
    """

    model_config = ConfigDict(frozen=True)

    alert_id: int
    """Number by which the API addresses the alert."""
    type: AlertType
    """What it is about."""
    severity: Severity
    """Worst severity that it reached; it falls only where it is raised again after somebody resolved it."""
    respond_within: RespondWithin
    """Time in which somebody must respond."""
    rule_id: str | None
    """Id of the rule that raised it; null where none did."""
    location_id: str
    """Id of the location that it is in."""
    system_id: str | None
    """Id of the battery system; null for an alert of a location."""
    string_id: str | None
    """Id of the string; null for an alert of a location."""
    battery_id: str | None
    """Id of the battery; null for an alert of a string or a location."""
    is_active: bool
    """True while the condition lasts, also of a resolved alert."""
    raised_at: AwareDatetime
    """Event time at which it was raised."""
    cleared_at: AwareDatetime | None
    """Event time at which the condition ended; null while it is active."""
    acknowledged_at: AwareDatetime | None
    """When somebody acknowledged it; null while nobody has."""
    acknowledged_by: str | None
    """Name of who acknowledged it; null while nobody has."""
    resolved_at: AwareDatetime | None
    """When a person resolved it; null while nobody has, and again if its condition outlasts that."""
    resolved_by: str | None
    """Name of who resolved it; null while nobody has."""
    value: Annotated[float, to_decimals(4)] | None = Field(description="Value that raised the alert, in `unit`.")
    threshold: Annotated[float, to_decimals(4)] | None = Field(
        description="Raise limit of the rule in force at that time, in `unit`."
    )
    unit: str | None
    """Unit of the values; null for a number without one."""
    peak_value: Annotated[float, to_decimals(4)] | None = Field(description="Worst value while active, in `unit`.")
    message: str
    """What is wrong, in English."""
    message_code: str
    """Stable code of the message, for rendering in another language."""
    message_params: dict[str, Any]
    """Values that the message is rendered with, by name."""
    withdrawn_at: AwareDatetime | None = Field(
        None, description="When late readings showed that the condition had never been."
    )
    episode_count: int = Field(
        1, description="How often the condition came back within an hour; above 1 the alert is unstable."
    )
    incident_id: int | None = Field(
        None, description="Number of the incident that it belongs to; null for a moment after it was recorded."
    )
    end_reason: Literal["replaced", "retired"] | None = None
    """Set where the subject was replaced or retired, which clears its alerts; null otherwise."""
