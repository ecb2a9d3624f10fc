"""What the twin endpoints answer."""

from datetime import date
from enum import StrEnum
from typing import Literal

from pydantic import AwareDatetime, BaseModel, Field

from battery_api.fleet.schemas import Estimate
from battery_contracts.twin_analysis import SimulateResponse

DischargeMode = Literal["discharge", "test"]


class EvidenceKind(StrEnum):
    """What told something of a battery's health."""

    DISCHARGE = "discharge"
    TEST = "test"
    OHMIC = "ohmic"


class Evidence(BaseModel):
    """One thing that was seen of a battery's health, and how old it is.

    A discharge tells a state of health where it reached 15 % of the rated capacity; an ohmic measurement tells how far
    the resistance lies above the battery's own baseline.
    """

    kind: EvidenceKind
    at: AwareDatetime
    age_days: float
    depth_pct: float | None
    soh: Estimate | None
    resistance_mohm: float | None
    resistance_drift_pct: float | None


class DailyEstimate(BaseModel):
    """The last estimate of a day (Asia/Bangkok); days that are over never change."""

    day: date
    time: AwareDatetime
    soc: Estimate
    soh: Estimate
    resistance_mohm: float | None
    resistance_sd_mohm: float | None


class TwinRecord(BaseModel):
    """What the digital twin believes of a battery, why, and what it believed before."""

    battery_id: str
    generated_at: AwareDatetime
    time: AwareDatetime | None = Field(description="Of the newest reading; null before the first.")
    is_stale: bool
    soc: Estimate
    soh: Estimate
    resistance_mohm: float | None = Field(description="What the twin makes of the ohmic measurements.")
    resistance_sd_mohm: float | None
    evidence: list[Evidence] = Field(description="Newest first.")
    history: list[DailyEstimate] = Field(description="Oldest first.")


class DischargeBlock(BaseModel):
    """One block in a discharge."""

    battery_id: str
    end_voltage_v: float | None
    min_voltage_v: float | None
    mean_temperature_c: float | None
    soh: Estimate | None = Field(description="Null where the discharge was too shallow or the twin told nothing of it.")


class DischargeOut(BaseModel):
    """A stretch of time in which a string gave current.

    While ``is_open`` it may still go on. Unless ``complete``, readings are missing and more was drawn than was seen.
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
    """A discharge with all blocks of its string."""

    blocks: list[DischargeBlock]


class BatteryDischarge(DischargeOut):
    """A discharge with what one battery did in it."""

    block: DischargeBlock


class LoadBasis(StrEnum):
    """Where the load of a runtime comes from."""

    GIVEN = "given"
    PRESENT = "present"
    LAST_DISCHARGE = "last_discharge"


class RuntimeLoad(BaseModel):
    """The load a runtime holds for; exactly one of the two values is set."""

    basis: LoadBasis
    current_a: float | None
    power_w: float | None


class RuntimeOut(BaseModel):
    """How long a string lasts from now under a load, with its range and the block that ends it.

    Blocks without a present estimate are taken as weak as the weakest known one, and named.
    """

    string_id: str
    generated_at: AwareDatetime
    load: RuntimeLoad
    block_count: int
    assumed_battery_ids: list[str]
    oldest_reading_at: AwareDatetime
    simulation: SimulateResponse
