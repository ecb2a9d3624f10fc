"""Responses of the twin endpoints."""

from datetime import date
from enum import StrEnum
from typing import Literal

from pydantic import AwareDatetime, BaseModel, Field

from battery_api.fleet.schemas import Estimate
from battery_contracts.enums import NoEstimateReason
from battery_contracts.twin_analysis import SimulateResponse

DischargeMode = Literal["discharge", "test"]


class EvidenceKind(StrEnum):
    """Kind of evidence of a battery's health."""

    DISCHARGE = "discharge"
    TEST = "test"
    OHMIC = "ohmic"


class HealthEvidence(BaseModel):
    """One piece of evidence of a battery's health, and its age.

    A discharge gives a state of health if it reached 15 % of the rated capacity; an ohmic measurement gives the
    resistance above the battery's own baseline.
    """

    kind: EvidenceKind
    at: AwareDatetime
    age_days: float
    depth_pct: float | None
    soh: Estimate | None
    resistance_mohm: float | None
    resistance_drift_pct: float | None


class DailyEstimate(BaseModel):
    """The last estimate of a day (Asia/Bangkok); days that have ended never change."""

    day: date
    time: AwareDatetime
    soc: Estimate
    soh: Estimate
    resistance_mohm: float | None
    resistance_sd_mohm: float | None


class TwinRecord(BaseModel):
    """The digital twin's estimates of a battery, their evidence, and their history by day."""

    battery_id: str
    generated_at: AwareDatetime
    time: AwareDatetime | None = Field(description="Time of the newest reading; null before the first.")
    is_stale: bool
    soc: Estimate
    soh: Estimate
    resistance_mohm: float | None = Field(description="Estimated from the ohmic measurements.")
    resistance_sd_mohm: float | None
    evidence: list[HealthEvidence] = Field(description="Newest first.")
    history: list[DailyEstimate] = Field(description="Oldest first.")


class DischargeBattery(BaseModel):
    """One battery in a discharge."""

    battery_id: str
    end_voltage_v: float | None
    min_voltage_v: float | None
    mean_temperature_c: float | None
    soh: Estimate | None = Field(description="Null if the discharge was too shallow, or the twin gave no estimate.")


class DischargeOut(BaseModel):
    """A stretch of time in which a string discharged.

    While ``is_open``, it may continue. Unless ``complete``, readings are missing and more was drawn than measured.
    """

    discharge_id: int
    string_id: str
    started_at: AwareDatetime
    ended_at: AwareDatetime
    duration_s: float
    mode: DischargeMode
    drawn_ah: float
    depth_pct: float
    mean_current_a: float
    min_voltage_v: float | None
    lowest_battery_id: str | None
    mean_temperature_c: float | None
    complete: bool
    is_open: bool


class StringDischarge(DischargeOut):
    """A discharge with all batteries of its string."""

    blocks: list[DischargeBattery]


class BatteryDischarge(DischargeOut):
    """A discharge as one battery went through it."""

    block: DischargeBattery


class LoadBasis(StrEnum):
    """Where the load of a runtime comes from."""

    GIVEN = "given"
    PRESENT = "present"
    LAST_DISCHARGE = "last_discharge"


class RuntimeLoad(BaseModel):
    """The load that a runtime applies to; exactly one of the two values is set."""

    basis: LoadBasis
    current_a: float | None
    power_w: float | None


class UnknownBattery(BaseModel):
    """A battery without a present estimate of its charge and capacity, and why."""

    battery_id: str
    reason: NoEstimateReason


class RuntimeOut(BaseModel):
    """Runtime of a string from now under a load, with its interval and the battery that limits it.

    Batteries without a present estimate count as weak as the weakest known one, and are named with the reason.
    """

    string_id: str
    generated_at: AwareDatetime
    load: RuntimeLoad
    block_count: int
    withheld_count: int = Field(
        description="Batteries that have no estimate or a withheld one; above 0 the runtime rests on an assumption."
    )
    unknown_batteries: list[UnknownBattery] = Field(description="Those that `withheld_count` counts, by position.")
    assumed_battery_ids: list[str] = Field(description="Their ids alone.")
    oldest_reading_at: AwareDatetime
    simulation: SimulateResponse
