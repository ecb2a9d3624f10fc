"""Responses of the fleet endpoints."""

from datetime import date
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from battery_api.fleet.runtime_schemas import StringRuntime, SystemRuntime
from battery_contracts.described import Described
from battery_contracts.enums import (
    HealthStatus,
    HvacState,
    JudgedSignal,
    NoEstimateReason,
    NotJudgedReason,
    Provenance,
    StringMode,
    SystemKind,
)
from battery_contracts.fleet import BatteryModel
from battery_contracts.rounding import to_decimals
from battery_servicekit.pagination import Page

Percent = Annotated[
    float,
    Field(ge=0, le=150, description="Percent of the rated value; a new battery can deliver more than 100."),
    to_decimals(1),
]


class StatusCounts(Described):
    """Numbers of batteries by status; the four add up to all batteries."""

    normal: int = 0
    """Batteries without an open alert; no alert is no proof of health."""
    warning: int = 0
    """Batteries whose worst open alert is a warning."""
    critical: int = 0
    """Batteries with an open critical alert."""
    no_data: int = 0
    """Batteries without present readings."""


class SeverityCounts(Described):
    """Numbers of alerts by severity."""

    info: int = 0
    """Alerts of severity `info`."""
    warning: int = 0
    """Alerts of severity `warning`."""
    critical: int = 0
    """Alerts of severity `critical`."""


class RoomEnvironment(Described):
    """Newest environment of a battery room; ``is_stale`` if no reading has arrived for too long."""

    time: AwareDatetime
    """When the room was measured."""
    ambient_c: Annotated[float, to_decimals(1)] | None
    """Temperature of the room in degrees Celsius; null where it was not measured."""
    humidity_pct: Annotated[float, to_decimals(0)] | None
    """Relative humidity of the room in percent; null where it was not measured."""
    hvac: HvacState | None
    """State of the air conditioning as the location reports it; null where it reports none."""
    mains: bool | None
    """True while the grid feeds the location; null where it does not report that."""
    is_stale: bool
    """True: the values are too old to describe the room now."""


NotJudgedCount = Annotated[
    int, Field(description="Batteries in service of which the rules cannot judge something, whatever their status.")
]


class LocationStats(Described):
    """A summary of a location."""

    status_counts: StatusCounts
    """Batteries in service by status."""
    not_judged_count: NotJudgedCount
    alert_counts: SeverityCounts
    """Active alerts by severity."""
    pending_alert_count: int
    """Active alerts that nobody has acknowledged or resolved."""
    mean_soh_pct: Annotated[float, to_decimals(1)] | None = Field(
        description="Mean over the batteries with evidence; age alone is not evidence."
    )
    soh_evidence_count: int = Field(
        description="Batteries whose state of health is based on a discharge, a test or an ohmic measurement."
    )
    soh_reason: NoEstimateReason | None
    """Why there is no mean state of health; null where there is one."""
    environment: RoomEnvironment | None
    """Newest environment of the battery room; null before its first reading."""
    newest_reading_at: AwareDatetime | None
    """Time of the newest reading of any battery; null before the first."""
    worst_battery_id: str | None
    """Id of the battery in the worst state; null while none is at `warning` or `critical`."""


class LocationOut(Described):
    """A data centre."""

    location_id: str
    """Id of the location, as `DC-CNX-01`."""
    name: str
    """Name for people."""
    region: str
    """Part of the country that it is in."""
    latitude: Annotated[float, to_decimals(6)]
    """Degrees north of the equator."""
    longitude: Annotated[float, to_decimals(6)]
    """Degrees east of Greenwich."""
    altitude_m: Annotated[float, to_decimals(1)]
    """Height above sea level in metres."""
    commissioned_on: date
    """Day on which it went into service."""
    utility: str
    """The electricity supplier."""
    climate_zone: str
    """Climate that its weather belongs to, as the catalogue names it."""
    system_count: int
    """Battery systems in service."""
    string_count: int
    """Strings in service."""
    battery_count: int
    """Batteries in service."""
    retired_at: AwareDatetime | None = Field(description="When the last of its batteries was retired, if all are.")
    stats: LocationStats | None = None
    """Counts, environment and worst battery; null unless `include_stats` asks for them."""


class StringStateOut(Described):
    """Newest values of a string, which are null before its first reading, and its runtime."""

    time: AwareDatetime | None
    """When the values were measured; null before the first reading."""
    voltage_v: Annotated[float, to_decimals(2)] | None
    """Voltage of the whole string in volts; null where it was not measured."""
    current_a: Annotated[float, to_decimals(1)] | None
    """Current in amperes, positive while charging; null where it was not measured."""
    float_current_ma: Annotated[float, to_decimals(1)] | None
    """Float current in milliamperes; null where it was not measured."""
    ripple_voltage_v: Annotated[float, to_decimals(3)] | None
    """Ripple of the voltage in volts; null where it was not measured."""
    ripple_current_a: Annotated[float, to_decimals(2)] | None
    """Ripple of the current in amperes; null where it was not measured."""
    mode: StringMode | None
    """What the string does; null while that is unknown."""
    mode_since: AwareDatetime | None
    """Since when it has been in this mode; null while that is unknown."""
    reporting_interval_s: Annotated[float, to_decimals(1)] | None
    """Seconds between its readings, as learned from them; null until enough have arrived."""
    is_stale: bool
    """True: the values are too old to describe the string now."""
    runtime: StringRuntime
    """How long it lasts, or why that is not known."""


class StringOut(Described):
    """A string with its newest values."""

    string_id: str
    """Id of the string, as `DC-CNX-01-UPS-01-STR-01`."""
    system_id: str
    """Id of the battery system that it belongs to."""
    battery_count: int = Field(description="Batteries in service.")
    battery_ids: list[str] = Field(description="The batteries in service, by position; positions may be missing.")
    retired_battery_ids: list[str] = Field(description="The batteries of the string that are retired, by position.")
    retired_at: AwareDatetime | None = Field(description="When the last of its batteries was retired, if all are.")
    state: StringStateOut
    """Its newest values."""


class SystemOut(Described):
    """A UPS or rectifier plant with its strings."""

    system_id: str
    """Id of the battery system, as `DC-CNX-01-UPS-01`."""
    kind: SystemKind
    """What it feeds."""
    rated_power_kva: Annotated[float, to_decimals(1)]
    """Rated power in kilovolt-amperes."""
    runtime: SystemRuntime
    """How long it lasts, or why that is not known."""
    strings: list[StringOut]
    """Its strings, in the order of their ids."""


class LocationDetail(LocationOut):
    """A data centre with its systems and strings."""

    systems: list[SystemOut]
    """Its battery systems, in the order of their ids."""


class Estimate(Described):
    """An estimate with its 90 % interval and its provenance, or the reason why there is none."""

    value_pct: Percent | None
    """Estimate in percent; null where it is withheld, which is not zero and not good."""
    low_pct: Percent | None
    """Lower end of the 90 % interval in percent; null where the estimate is withheld."""
    high_pct: Percent | None
    """Upper end of the 90 % interval in percent; null where the estimate is withheld."""
    provenance: Provenance | None
    """Kind of evidence behind it, strongest first; null where the estimate is withheld."""
    reason: NoEstimateReason | None
    """Why it is withheld; null where there is an estimate."""


class LiveValues(Described):
    """Newest values of a battery, with their times and the age above which they are stale."""

    time: AwareDatetime
    """When the values were measured."""
    received_at: AwareDatetime
    """When the gateway received them."""
    voltage_v: Annotated[float, to_decimals(3)] | None
    """Voltage in volts, measured at the terminals; null where it was not measured."""
    current_a: Annotated[float, to_decimals(1)] | None
    """Current in amperes, positive while charging; null where neither it nor the string's is known."""
    temperature_c: Annotated[float, to_decimals(1)] | None
    """Temperature of the case in degrees Celsius; null where it was not measured."""
    internal_resistance_mohm: Annotated[float, to_decimals(2)] | None
    """Ohmic resistance in milliohms, as the monitor measures it; null before the first measurement."""
    resistance_measured_at: AwareDatetime | None
    """When the resistance was measured, which is rarer than voltage; null before the first time."""
    resistance_drift_pct: Annotated[float, to_decimals(1)] | None = Field(
        description="Increase over the battery's own baseline in percent, both corrected to 25 °C."
    )
    soc: Estimate
    """State of charge: charge held, in percent of the present capacity."""
    soh: Estimate
    """State of health: present capacity, in percent of the rated one at 25 °C."""
    quality: list[str]
    """Codes of what is remarkable about the newest reading; empty if nothing is."""
    reporting_interval_s: Annotated[float, to_decimals(1)] | None
    """Seconds between its readings, as learned from them; null until enough have arrived."""
    stale_after_s: Annotated[float, to_decimals(1)]
    """Age in seconds above which its values count as stale."""
    is_stale: bool
    """True: the values are too old to describe the battery now."""


class NotJudged(Described):
    """A signal that the alert rules cannot judge at present, and why: no alert about it says nothing of it."""

    signal: JudgedSignal
    """What the rules cannot judge."""
    reason: NotJudgedReason
    """Why they cannot."""


class BatterySummary(Described):
    """A battery in a list. The status ``normal`` means that no alert is open, not that good health is proven."""

    battery_id: str
    """Id of the position in the fleet, as `BAT-DC-CNX-01-UPS-01-STR-01-001`; a replacement takes it over."""
    location_id: str
    """Id of the location that it is in."""
    system_id: str
    """Id of the battery system that it belongs to."""
    string_id: str
    """Id of the string that it is part of."""
    position: int
    """Number in its string, 1 at the positive end."""
    model_id: str
    """Id of its battery model."""
    serial_number: str
    """Manufacturer's serial number, which tells a battery from its replacement."""
    installed_at: AwareDatetime
    """When it was installed: the start of that day in Asia/Bangkok."""
    status: HealthStatus
    """Its worst open alert, or `no_data`; `normal` means that no alert is open."""
    status_reasons: list[str]
    """Types of the open alerts behind it, or `never_heard`, `data_stale`, `retired`; empty if there are none."""
    not_judged: list[NotJudged] = Field(
        description="What the rules cannot judge of it at present, with the reason; empty if they judge everything."
    )
    live: LiveValues | None
    """Its newest values; null before its first reading."""
    open_alerts: SeverityCounts
    """Its open alerts by severity."""
    rul_days: Annotated[float, to_decimals(1)] | None = None
    """Remaining life in days until the state of health falls to 80 %, median; null without a prediction."""
    rul_p10_days: Annotated[float, to_decimals(1)] | None = None
    """Days that are undercut with a probability of 10 %; null without a prediction, which is no long life."""
    rul_p50_days: Annotated[float, to_decimals(1)] | None = None
    """Median, as `rul_days`."""
    rul_p90_days: Annotated[float, to_decimals(1)] | None = None
    """Days that are exceeded with a probability of 10 %; null without a prediction."""
    rul_source: Literal["fused", "ml", "twin", "none"] | None = None
    """What stands behind the prediction; `none` where it is withheld, null before the first run."""
    rul_predicted_at: AwareDatetime | None = None
    """When it was predicted; null before the first run."""
    voltage_deviation_v: Annotated[float, to_decimals(3)] | None = Field(
        default=None,
        description="Its voltage less the median of its string in the same sweep, in volts; null where fewer than "
        "three batteries can be compared. A list sorted by it compares the size, whatever the sign.",
    )
    retired_at: AwareDatetime | None = Field(
        description="From when the battery is out of service: not watched, and no part of any count."
    )
    retired_by: str | None
    """User name of who retired it; null while it is in service."""
    retired_reason: str | None
    """Why it was retired; null while it is in service."""


class BatteryPage(Page[BatterySummary]):
    """One page of batteries."""

    unknown_count: int = Field(
        description="Batteries of the rest of the filter that have no value to compare or to sort by: a comparison "
        "leaves them out of `items` and `total`, a sort lists them last. 0 if every value is known."
    )


class BatteryDetail(BatterySummary):
    """A battery with its model, its baseline and the state of its string."""

    location_name: str
    """Name of its location."""
    model: BatteryModel
    """Nameplate of its model."""
    baseline_resistance_mohm: Annotated[float, to_decimals(3)] | None
    """Its own resistance when new, in milliohms; null if unknown, and then there is no drift."""
    baseline_temperature_c: Annotated[float, to_decimals(1)] | None
    """Temperature of the baseline measurement in degrees Celsius; null if unknown."""
    age_years: Annotated[float, to_decimals(2)]
    """Years since its installation."""
    string_state: StringStateOut
    """Newest values of its string."""
