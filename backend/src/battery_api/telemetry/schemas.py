"""Responses of the telemetry endpoints; the frequent ones are rendered without these models, tests compare them."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from battery_contracts.described import Described
from battery_contracts.enums import HealthStatus

ResolutionLabel = Annotated[str, Field(pattern=r"^(raw|[1-9][0-9]*[mhd])$", examples=["6h"])]


class RoomSequence(Described):
    """Sequence number of a location's newest live message; the next one carries the following number."""

    seq: int
    """Number of the newest live message."""


class LatestColumns(Described):
    """Newest values of batteries column by column, one entry per battery, null where unknown."""

    battery_id: list[str]
    """Ids of the batteries in service, in their order."""
    time: list[AwareDatetime | None]
    """When the values were measured; null before the first reading."""
    received_at: list[AwareDatetime | None]
    """When the gateway received them; null before the first reading."""
    voltage_v: list[float | None]
    """Voltages in volts, measured at the terminals."""
    current_a: list[float | None]
    """Currents in amperes, positive while charging."""
    temperature_c: list[float | None]
    """Temperatures of the cases in degrees Celsius."""
    internal_resistance_mohm: list[float | None]
    """Ohmic resistances in milliohms, each from its last measurement."""
    resistance_drift_pct: list[float | None]
    """Increases over the batteries' own baselines in percent, both corrected to 25 °C."""
    soc_pct: list[float | None]
    """States of charge in percent; null where the estimate is withheld."""
    soh_pct: list[float | None]
    """States of health in percent; null where the estimate is withheld."""
    status: list[HealthStatus]
    """Worst open alert of each battery, or `no_data`; `normal` means that no alert is open."""
    stale_after_s: list[float]
    """Ages in seconds above which values count as stale."""
    open_critical: list[int]
    """Numbers of open critical alerts."""
    open_warning: list[int]
    """Numbers of open warnings."""


class TelemetryLatest(Described):
    """Newest values of every battery that the caller may see."""

    generated_at: AwareDatetime
    """When the snapshot was made."""
    locations: dict[str, RoomSequence]
    """Sequence numbers by id of the location."""
    columns: LatestColumns
    """The values."""


class ChannelPoints(Described):
    """Figures of one channel, one entry per point; null where the channel was not measured.

    ``mean`` is the time-weighted mean: a value holds until the channel's next one, at most 300 s, and what holds when
    a bucket begins counts in it. ``min``, ``max`` and ``last`` are of the readings in the bucket. A bucket from before
    means were weighted, whose readings are deleted, has the mean of its samples.
    """

    min: list[float | None]
    """Smallest value of the readings in the bucket."""
    max: list[float | None]
    """Largest value of the readings in the bucket."""
    mean: list[float | None]
    """Time-weighted mean of the bucket."""
    last: list[float | None]
    """Last value of the readings in the bucket."""


class SeriesColumns(Described):
    """Points column by column; ``count`` is the number of readings behind a point."""

    time: list[AwareDatetime]
    """Start of each bucket, or time of each reading where `bucket_s` is null."""
    count: list[int]
    """Readings behind each point."""
    voltage_v: ChannelPoints
    """Voltage in volts, measured at the terminals."""
    current_a: ChannelPoints
    """Current in amperes, positive while charging."""
    temperature_c: ChannelPoints
    """Temperature of the case in degrees Celsius."""
    internal_resistance_mohm: ChannelPoints
    """Ohmic resistance in milliohms, as the monitor measures it."""
    soc_pct: ChannelPoints
    """State of charge in percent, as the digital twin estimated it."""
    soh_pct: ChannelPoints
    """State of health in percent, as the digital twin estimated it."""


class TelemetrySeries(Described):
    """History of one battery. A bucket without readings is absent, so that gaps stay visible.

    ``resolution`` and ``bucket_s`` are both the width of a point; ``bucket_s`` is null for single readings.
    """

    battery_id: str
    """Id of the battery."""
    start: AwareDatetime
    """The history begins at this instant."""
    end: AwareDatetime
    """The history ends before this instant."""
    resolution: ResolutionLabel
    """Resolution in use: `raw`, or the width of a point, which `auto` chooses to fit `max_points`."""
    bucket_s: int | None
    """Width of a point in seconds; null for single readings."""
    source: Literal["telemetry", "telemetry_hourly", "telemetry_daily"]
    """Where the points come from: single readings, or aggregates of hours or days."""
    point_count: int
    """Points in each column."""
    raw_available_from: AwareDatetime | None
    """From when single readings are kept; before it only aggregates remain."""
    columns: SeriesColumns
    """The points."""


class StatePoints(Described):
    """A state, one entry per point."""

    last: list[str | None]
    """Last value of the readings in the bucket; null where it was not reported."""
    seen: list[list[str]]
    """All values of the readings in the bucket, each once, so that a short change stays visible."""


class YesOrNoPoints(Described):
    """Something that is or is not, one entry per point."""

    last: list[bool | None]
    """Last value of the readings in the bucket; null where it was not reported."""
    seen: list[list[bool]]
    """All values of the readings in the bucket, each once, so that a short change stays visible."""


class StringSeriesColumns(Described):
    """Points of a string column by column; ``count`` is the number of readings behind a point."""

    time: list[AwareDatetime]
    """Start of each bucket, or time of each reading where `bucket_s` is null."""
    count: list[int]
    """Readings behind each point."""
    voltage_v: ChannelPoints
    """Voltage of the whole string in volts."""
    current_a: ChannelPoints
    """Current in amperes, positive while charging."""
    float_current_ma: ChannelPoints
    """Float current in milliamperes."""
    ripple_voltage_v: ChannelPoints
    """Ripple voltage in volts RMS."""
    ripple_current_a: ChannelPoints
    """Ripple current in amperes RMS."""
    mode: StatePoints
    """Operating mode: as the monitor reports it, else derived from the current."""
    reported_mode: StatePoints
    """Operating mode as the monitor reports it."""


class StringSeries(Described):
    """History of one string. A bucket without readings is absent, so that gaps stay visible."""

    string_id: str
    """Id of the string."""
    start: AwareDatetime
    """The history begins at this instant."""
    end: AwareDatetime
    """The history ends before this instant."""
    resolution: ResolutionLabel
    """Resolution in use: `raw`, or the width of a point, which `auto` chooses to fit `max_points`."""
    bucket_s: int | None
    """Width of a point in seconds; null for single readings."""
    point_count: int
    """Points in each column."""
    columns: StringSeriesColumns
    """The points."""


class EnvironmentColumns(Described):
    """Points of a room column by column; ``count`` is the number of readings behind a point."""

    time: list[AwareDatetime]
    """Start of each bucket, or time of each reading where `bucket_s` is null."""
    count: list[int]
    """Readings behind each point."""
    ambient_c: ChannelPoints
    """Temperature of the room in degrees Celsius."""
    humidity_pct: ChannelPoints
    """Relative humidity in percent."""
    hvac: StatePoints
    """State of the air conditioning."""
    mains: YesOrNoPoints
    """Whether the mains are there."""


class EnvironmentSeries(Described):
    """History of the battery room of one location. A bucket without readings is absent, so that gaps stay visible."""

    location_id: str
    """Id of the location."""
    start: AwareDatetime
    """The history begins at this instant."""
    end: AwareDatetime
    """The history ends before this instant."""
    resolution: ResolutionLabel
    """Resolution in use: `raw`, or the width of a point, which `auto` chooses to fit `max_points`."""
    bucket_s: int | None
    """Width of a point in seconds; null for single readings."""
    point_count: int
    """Points in each column."""
    columns: EnvironmentColumns
    """The points."""


class DayCompleteness(Described):
    """Readings of one battery on one day (Asia/Bangkok).

    received = accepted + merged + corrected + duplicate + rejected. ``late`` is the part of ``accepted`` that arrived
    after newer readings. ``expected`` follows from the present reporting interval and is null while that is unknown.
    """

    battery_id: str
    """Id of the battery."""
    day: str
    """Day in Asia/Bangkok, as `2026-11-20`."""
    expected: int | None
    """Readings that its reporting interval makes likely; null while the interval is unknown."""
    received: int
    """Readings that arrived."""
    accepted: int
    """Readings that were stored as new ones."""
    late: int
    """Those of `accepted` that arrived after newer readings."""
    merged: int
    """Readings that added channels to a stored one."""
    corrected: int
    """Readings that changed a value of a stored one."""
    duplicate: int
    """Readings that said the same as a stored one."""
    rejected: int
    """Readings that were not stored."""
    complete_pct: float | None
    """Accepted readings in percent of the expected ones, at most 100; null while these are unknown."""
