"""Realtime events as they travel over Socket.IO, both directions."""

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from battery_contracts.alerts import AlertOut
from battery_contracts.enums import HealthStatus
from battery_contracts.ids import BatteryId, LocationId


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True)


class SubscribeLocation(_Event):
    """Client asks for the live values and alerts of a location."""

    location_id: LocationId


class SubscribeBattery(_Event):
    """Client asks for the live values and alerts of one battery."""

    battery_id: BatteryId


class Connected(_Event):
    """First event of a session."""

    session_id: str
    username: str
    server_time: AwareDatetime


class Subscribed(_Event):
    """Answer to a subscription: the room and the sequence number its next update follows."""

    room: str
    seq: int


class LiveColumns(_Event):
    """Newest values column by column, rounded to sensor resolution; a column without any value is omitted."""

    battery_id: list[str]
    time: list[AwareDatetime]
    voltage_v: list[float | None] | None = None
    current_a: list[float | None] | None = None
    temperature_c: list[float | None] | None = None
    internal_resistance_mohm: list[float | None] | None = None
    soc_pct: list[float | None] | None = None
    soh_pct: list[float | None] | None = None


class TelemetryUpdate(_Event):
    """New values of a room. ``seq`` grows by one per message; after a gap, read the snapshot again."""

    room: str
    seq: int
    location_id: str
    timestamp: AwareDatetime
    columns: LiveColumns


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
    alert: AlertOut


class StatusColumns(_Event):
    """Status of batteries whose open conditions changed."""

    battery_id: list[str]
    status: list[HealthStatus]
    open_critical: list[int]
    open_warning: list[int]


class BatteryStatusUpdate(_Event):
    """Statuses that changed in a location."""

    location_id: str
    columns: StatusColumns


class Pong(_Event):
    """Answer to ``ping``."""

    time: AwareDatetime


class RealtimeError(_Event):
    """A client event was rejected."""

    code: str
    detail: str


def location_room(location_id: str) -> str:
    """Name the room of a location."""
    return f"location:{location_id}"


def battery_room(battery_id: str) -> str:
    """Name the room of a battery."""
    return f"battery:{battery_id}"
