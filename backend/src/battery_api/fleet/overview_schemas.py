"""Response of the overview endpoint."""

from typing import Annotated

from pydantic import AwareDatetime, Field

from battery_api.fleet.schemas import NotJudgedCount, SeverityCounts, StatusCounts
from battery_contracts.described import Described
from battery_contracts.enums import NoEstimateReason, ServiceState
from battery_contracts.rounding import to_decimals
from battery_servicekit.disk import DiskState


class Services(Described):
    """The current state of the services that the gateway depends on."""

    twin: ServiceState
    """The digital twin, which estimates charge and health."""
    ml: ServiceState
    """The service that predicts remaining life."""
    simulator: ServiceState
    """The simulator, which feeds the platform where there are no sensors."""


class Disk(Described):
    """Free space of the platform's data folder; while it is full, nothing new is stored."""

    state: DiskState
    """Whether there is room; `full` means that nothing new is stored."""
    free_mb: int = Field(description="In MiB.")
    days_left: Annotated[float, to_decimals(1)] | None = Field(
        description="At the rate of the last hours; null where it does not shrink."
    )


class FleetOverview(Described):
    """A summary of the fleet, restricted to what the caller may see."""

    location_count: int
    """Locations in service."""
    system_count: int
    """Battery systems in service."""
    string_count: int
    """Strings in service."""
    battery_count: int
    """Batteries in service."""
    status_counts: StatusCounts
    """Batteries in service by status."""
    not_judged_count: NotJudgedCount
    alert_counts: SeverityCounts
    """Active alerts by severity."""
    active_alert_count: int
    """Alerts whose condition is active now."""
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
    newest_reading_at: AwareDatetime | None
    """Time of the newest reading of any battery; null before the first."""
    generated_at: AwareDatetime
    """When the summary was made."""
    services: Services
    """The services that the gateway depends on."""
    disk: Disk
    """Room for new data."""
