"""Realtime events as they travel over Socket.IO, both directions."""

from typing import Literal

from pydantic import AwareDatetime, ConfigDict

from battery_contracts.alerts import AlertOut
from battery_contracts.described import Described
from battery_contracts.enums import HealthStatus
from battery_contracts.ids import BatteryId, LocationId
from battery_contracts.incidents import IncidentEvent


class _Event(Described):
    model_config = ConfigDict(frozen=True)


class SubscribeLocation(_Event):
    """Client asks for the live values and alerts of a location."""

    location_id: LocationId
    """Id of the location to follow."""


class SubscribeBattery(_Event):
    """Client asks for the live values and alerts of one battery."""

    battery_id: BatteryId
    """Id of the battery to follow."""


class Connected(_Event):
    """First event of a session."""

    session_id: str
    """Id of the connection."""
    username: str
    """Name of the user, or of the key, that is connected."""
    server_time: AwareDatetime
    """Time of the gateway's clock."""


class Subscribed(_Event):
    """Answer to a subscription: the room and the sequence number its next update follows."""

    room: str
    """Name of the room, as `location:DC-CNX-01`."""
    seq: int
    """Sequence number that the next update follows."""


class LiveColumns(_Event):
    """Newest values column by column, rounded to sensor resolution; a column without any value is omitted."""

    battery_id: list[str]
    """Ids of the batteries with new values."""
    time: list[AwareDatetime]
    """When the values were measured."""
    voltage_v: list[float | None] | None = None
    """Voltages in volts, measured at the terminals."""
    current_a: list[float | None] | None = None
    """Currents in amperes, positive while charging."""
    temperature_c: list[float | None] | None = None
    """Temperatures of the cases in degrees Celsius."""
    internal_resistance_mohm: list[float | None] | None = None
    """Ohmic resistances in milliohms."""
    soc_pct: list[float | None] | None = None
    """States of charge in percent; null where the estimate is withheld."""
    soh_pct: list[float | None] | None = None
    """States of health in percent; null where the estimate is withheld."""


class TelemetryUpdate(_Event):
    """New values of a room. ``seq`` grows by one per message; after a gap, read the snapshot again."""

    room: str
    """Name of the room, as `location:DC-CNX-01`."""
    seq: int
    """Sequence number in the room; a gap means that messages were lost."""
    location_id: str
    """Id of the location."""
    timestamp: AwareDatetime
    """When the gateway received the values."""
    columns: LiveColumns
    """The new values."""


AlertChange = Literal[
    "raised",
    "escalated",
    "cleared",
    "reopened",
    "revised",
    "withdrawn",
    "ended",
    "acknowledged",
    "resolved",
    "comment",
]
"""What happened to an alert, in live events and in its timeline."""


class AlertEvent(_Event):
    """An alert changed."""

    event: AlertChange
    """What happened to the alert."""
    alert: AlertOut
    """The alert as it is now."""


AlertMessage = AlertEvent | IncidentEvent
"""What is published of alerts: the change of one alert, or of the incident that it belongs to."""


class StatusColumns(_Event):
    """Status of batteries whose open conditions changed."""

    battery_id: list[str]
    """Ids of the batteries whose status changed."""
    status: list[HealthStatus]
    """Worst open alert of each battery, or `no_data`; `normal` means that no alert is open."""
    open_critical: list[int]
    """Numbers of open critical alerts."""
    open_warning: list[int]
    """Numbers of open warnings."""


class BatteryStatusUpdate(_Event):
    """Statuses that changed in a location."""

    location_id: str
    """Id of the location."""
    columns: StatusColumns
    """The changed statuses."""


class PredictionColumns(_Event):
    """Remaining life of batteries, column by column; days count from ``as_of`` of the message."""

    battery_id: list[str]
    """Ids of the batteries that were predicted."""
    p10_days: list[float | None]
    """Days that are exceeded with a probability of 90 %; null where withheld."""
    p50_days: list[float | None]
    """Days that are exceeded with a probability of 50 %; null where withheld."""
    p90_days: list[float | None]
    """Days that are exceeded with a probability of 10 %; null where withheld."""
    longer_than_days: list[float | None]
    """A quantile that reaches these days means longer than; null where every quantile is what it says."""
    source: list[Literal["fused", "ml", "twin", "none"]]
    """What stands behind the days; `none` where they are withheld."""
    withheld_reason: list[str | None]
    """Code of why there are no days; null where there are."""
    predicted_at: list[AwareDatetime]
    """When the predictions were made."""


class PredictionUpdate(_Event):
    """New predictions of remaining life in a location."""

    location_id: str
    """Id of the location."""
    as_of: AwareDatetime
    """End of the last day on which the predictions rest."""
    columns: PredictionColumns
    """The new predictions."""


class Pong(_Event):
    """Answer to ``ping``."""

    time: AwareDatetime
    """Time of the gateway's clock."""


class RealtimeError(_Event):
    """A client event was rejected."""

    code: str
    """Stable code of the error, for programs."""
    detail: str
    """What went wrong and what to do about it, for people."""


def location_room(location_id: str) -> str:
    """Name the room of a location."""
    return f"location:{location_id}"


def battery_room(battery_id: str) -> str:
    """Name the room of a battery."""
    return f"battery:{battery_id}"
