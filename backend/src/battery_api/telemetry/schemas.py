"""Responses of the telemetry endpoints; the frequent ones are rendered without these models, tests compare them."""

from typing import Literal

from pydantic import AwareDatetime, BaseModel

from battery_contracts.enums import HealthStatus


class RoomSequence(BaseModel):
    """Sequence number of a location's newest live message; the next one carries the following number."""

    seq: int


class LatestColumns(BaseModel):
    """Newest values of batteries column by column, one entry per battery, null where unknown."""

    battery_id: list[str]
    time: list[AwareDatetime | None]
    received_at: list[AwareDatetime | None]
    voltage_v: list[float | None]
    current_a: list[float | None]
    temperature_c: list[float | None]
    internal_resistance_mohm: list[float | None]
    resistance_drift_pct: list[float | None]
    soc_pct: list[float | None]
    soh_pct: list[float | None]
    status: list[HealthStatus]
    stale_after_s: list[float]
    open_critical: list[int]
    open_warning: list[int]


class TelemetryLatest(BaseModel):
    """Newest values of every battery that the caller may see."""

    generated_at: AwareDatetime
    locations: dict[str, RoomSequence]
    columns: LatestColumns


class ChannelPoints(BaseModel):
    """Figures of one channel, one entry per point; null where the channel was not measured.

    ``mean`` is the time-weighted mean: a value holds until the channel's next one, at most 300 s, and what holds when
    a bucket begins counts in it. ``min``, ``max`` and ``last`` are of the readings in the bucket. A bucket from before
    means were weighted, whose readings are deleted, has the mean of its samples.
    """

    min: list[float | None]
    max: list[float | None]
    mean: list[float | None]
    last: list[float | None]


class SeriesColumns(BaseModel):
    """Points column by column; ``count`` is the number of readings behind a point."""

    time: list[AwareDatetime]
    count: list[int]
    voltage_v: ChannelPoints
    current_a: ChannelPoints
    temperature_c: ChannelPoints
    internal_resistance_mohm: ChannelPoints
    soc_pct: ChannelPoints
    soh_pct: ChannelPoints


class TelemetrySeries(BaseModel):
    """History of one battery. A bucket without readings is absent, so that gaps stay visible.

    ``resolution`` is the one in use; ``bucket_s`` is the width of a point, a multiple of it, null for single readings.
    """

    battery_id: str
    start: AwareDatetime
    end: AwareDatetime
    resolution: Literal["raw", "1m", "1h", "1d"]
    bucket_s: int | None
    source: Literal["telemetry", "telemetry_hourly", "telemetry_daily"]
    point_count: int
    raw_available_from: AwareDatetime | None
    columns: SeriesColumns


class DayCompleteness(BaseModel):
    """Readings of one battery on one day (Asia/Bangkok).

    received = accepted + merged + corrected + duplicate + rejected. ``late`` is the part of ``accepted`` that arrived
    after newer readings. ``expected`` follows from the present reporting interval and is null while that is unknown.
    """

    battery_id: str
    day: str
    expected: int | None
    received: int
    accepted: int
    late: int
    merged: int
    corrected: int
    duplicate: int
    rejected: int
    complete_pct: float | None
