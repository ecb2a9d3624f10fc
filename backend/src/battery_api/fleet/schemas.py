"""Responses of the fleet endpoints."""

from datetime import date
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, Field

from battery_contracts.enums import (
    HealthStatus,
    HvacState,
    JudgedSignal,
    NoEstimateReason,
    NotJudgedReason,
    Provenance,
    ServiceState,
    StringMode,
    SystemKind,
)
from battery_contracts.fleet import BatteryModel
from battery_servicekit.disk import DiskState
from battery_servicekit.pagination import Page

Percent = Annotated[
    float, Field(ge=0, le=150, description="Percent of the rated value; a new battery can deliver more than 100.")
]


class StatusCounts(BaseModel):
    """Numbers of batteries by status; the four add up to all batteries."""

    normal: int = 0
    warning: int = 0
    critical: int = 0
    no_data: int = 0


class SeverityCounts(BaseModel):
    """Numbers of alerts by severity."""

    info: int = 0
    warning: int = 0
    critical: int = 0


class RoomEnvironment(BaseModel):
    """Newest environment of a battery room; ``is_stale`` if no reading has arrived for too long."""

    time: AwareDatetime
    ambient_c: float | None
    humidity_pct: float | None
    hvac: HvacState | None
    mains: bool | None
    is_stale: bool


NotJudgedCount = Annotated[
    int, Field(description="Batteries in service of which the rules cannot judge something, whatever their status.")
]


class LocationStats(BaseModel):
    """A summary of a location."""

    status_counts: StatusCounts
    not_judged_count: NotJudgedCount
    alert_counts: SeverityCounts
    pending_alert_count: int
    mean_soh_pct: float | None = Field(description="Mean over the batteries with evidence; age alone is not evidence.")
    soh_evidence_count: int = Field(
        description="Batteries whose state of health is based on a discharge, a test or an ohmic measurement."
    )
    soh_reason: NoEstimateReason | None
    environment: RoomEnvironment | None
    newest_reading_at: AwareDatetime | None
    worst_battery_id: str | None


class LocationOut(BaseModel):
    """A data centre."""

    location_id: str
    name: str
    region: str
    latitude: float
    longitude: float
    altitude_m: float
    commissioned_on: date
    utility: str
    climate_zone: str
    system_count: int
    string_count: int
    battery_count: int
    retired_at: AwareDatetime | None = Field(description="When the last of its batteries was retired, if all are.")
    stats: LocationStats | None = None


class StringStateOut(BaseModel):
    """Newest values of a string; all null before its first reading."""

    time: AwareDatetime | None
    voltage_v: float | None
    current_a: float | None
    float_current_ma: float | None
    ripple_voltage_v: float | None
    ripple_current_a: float | None
    mode: StringMode | None
    mode_since: AwareDatetime | None
    reporting_interval_s: float | None
    is_stale: bool


class StringOut(BaseModel):
    """A string with its newest values."""

    string_id: str
    system_id: str
    battery_count: int = Field(description="Batteries in service.")
    battery_ids: list[str] = Field(description="The batteries in service, by position; positions may be missing.")
    retired_battery_ids: list[str] = Field(description="The batteries of the string that are retired, by position.")
    retired_at: AwareDatetime | None = Field(description="When the last of its batteries was retired, if all are.")
    state: StringStateOut


class SystemOut(BaseModel):
    """A UPS or rectifier plant with its strings."""

    system_id: str
    kind: SystemKind
    rated_power_kva: float
    strings: list[StringOut]


class LocationDetail(LocationOut):
    """A data centre with its systems and strings."""

    systems: list[SystemOut]


class Estimate(BaseModel):
    """An estimate with its 90 % interval and its provenance, or the reason why there is none."""

    value_pct: Percent | None
    low_pct: Percent | None
    high_pct: Percent | None
    provenance: Provenance | None
    reason: NoEstimateReason | None


class LiveValues(BaseModel):
    """Newest values of a battery, with their times and the age above which they are stale."""

    time: AwareDatetime
    received_at: AwareDatetime
    voltage_v: float | None
    current_a: float | None
    temperature_c: float | None
    internal_resistance_mohm: float | None
    resistance_measured_at: AwareDatetime | None
    resistance_drift_pct: float | None = Field(
        description="Increase over the battery's own baseline in percent, both corrected to 25 °C."
    )
    soc: Estimate
    soh: Estimate
    quality: list[str]
    reporting_interval_s: float | None
    stale_after_s: float
    is_stale: bool


class NotJudged(BaseModel):
    """A signal that the alert rules cannot judge at present, and why: no alert about it says nothing of it."""

    signal: JudgedSignal
    reason: NotJudgedReason


class BatterySummary(BaseModel):
    """A battery in a list. The status ``normal`` means that no alert is open, not that good health is proven."""

    battery_id: str
    location_id: str
    system_id: str
    string_id: str
    position: int
    model_id: str
    serial_number: str
    installed_at: AwareDatetime
    status: HealthStatus
    status_reasons: list[str]
    not_judged: list[NotJudged] = Field(
        description="What the rules cannot judge of it at present, with the reason; empty if they judge everything."
    )
    live: LiveValues | None
    open_alerts: SeverityCounts
    rul_days: float | None = None
    retired_at: AwareDatetime | None = Field(
        description="From when the battery is out of service: not watched, and no part of any count."
    )
    retired_by: str | None
    retired_reason: str | None


class BatteryPage(Page[BatterySummary]):
    """One page of batteries."""

    unknown_count: int = Field(
        description="Batteries of the rest of the filter that have no value to compare or to sort by: a comparison "
        "leaves them out of `items` and `total`, a sort lists them last. 0 if every value is known."
    )


class BatteryDetail(BatterySummary):
    """A battery with its model, its baseline and the state of its string."""

    location_name: str
    model: BatteryModel
    baseline_resistance_mohm: float | None
    baseline_temperature_c: float | None
    age_years: float
    string_state: StringStateOut


class Services(BaseModel):
    """The current state of the services that the gateway depends on."""

    twin: ServiceState
    ml: ServiceState
    simulator: ServiceState


class Disk(BaseModel):
    """Free space of the platform's data folder; while it is full, nothing new is stored."""

    state: DiskState
    free_mb: int = Field(description="In MiB.")
    days_left: float | None = Field(description="At the rate of the last hours; null where it does not shrink.")


class FleetOverview(BaseModel):
    """A summary of the fleet, restricted to what the caller may see."""

    location_count: int
    system_count: int
    string_count: int
    battery_count: int
    status_counts: StatusCounts
    not_judged_count: NotJudgedCount
    alert_counts: SeverityCounts
    active_alert_count: int
    pending_alert_count: int
    mean_soh_pct: float | None = Field(description="Mean over the batteries with evidence; age alone is not evidence.")
    soh_evidence_count: int = Field(
        description="Batteries whose state of health is based on a discharge, a test or an ohmic measurement."
    )
    soh_reason: NoEstimateReason | None
    newest_reading_at: AwareDatetime | None
    generated_at: AwareDatetime
    services: Services
    disk: Disk


class ImportLineError(BaseModel):
    """An error in one line of an import file, with the remedy."""

    line: int = Field(description="Line of the file, 1 at the top; blank lines count.")
    field: str | None = Field(description="The column; null if the fields of the line cannot be told apart.")
    code: str
    detail: str


class ImportLineWarning(BaseModel):
    """Something in one line of an import file that is imported as it is but deserves a look."""

    line: int
    field: str
    code: str
    detail: str


class Replacement(BaseModel):
    """A battery that takes the position of another one."""

    line: int
    battery_id: str
    old_serial_number: str
    new_serial_number: str
    installed_at: AwareDatetime = Field(
        description="The readings from this instant on are the new battery's; a day begins at midnight in Asia/Bangkok."
    )


class ImportReport(BaseModel):
    """What an import has changed, or would change if it is a dry run; after any error nothing is changed."""

    dry_run: bool
    row_count: int
    created: int
    updated: int
    unchanged: int
    replaced: int
    replacements: list[Replacement] = Field(description="Each swap that `replaced` counts.")
    retired: int
    reinstated: int
    error_count: int
    errors: list[ImportLineError] = Field(description="The first 200 by line; `error_count` counts all.")
    warning_count: int
    warnings: list[ImportLineWarning] = Field(description="The first 200 by line; `warning_count` counts all.")
