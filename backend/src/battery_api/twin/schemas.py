"""Responses of the twin endpoints."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from battery_api.fleet.runtime_schemas import RuntimeLoad, RuntimeValues
from battery_api.fleet.schemas import Estimate
from battery_contracts.described import Described
from battery_contracts.enums import NoEstimateReason
from battery_contracts.rounding import to_decimals
from battery_contracts.twin_analysis import SimulateResponse

DischargeMode = Literal["discharge", "test"]


class EvidenceKind(StrEnum):
    """Kind of evidence of a battery's health."""

    DISCHARGE = "discharge"
    TEST = "test"
    OHMIC = "ohmic"


class HealthEvidence(Described):
    """One piece of evidence of a battery's health, and its age.

    A discharge gives a state of health if it reached 15 % of the rated capacity; an ohmic measurement gives the
    resistance above the battery's own baseline.
    """

    kind: EvidenceKind
    """Kind of evidence."""
    at: AwareDatetime
    """When it was obtained: the end of a discharge, or the ohmic measurement."""
    age_days: Annotated[float, to_decimals(2)]
    """Days since then."""
    depth_pct: Annotated[float, to_decimals(1)] | None
    """Depth of the discharge in percent of the rated capacity; null for an ohmic measurement."""
    soh: Estimate | None
    """State of health that the discharge showed; null if it was too shallow, or for an ohmic measurement."""
    resistance_mohm: Annotated[float, to_decimals(3)] | None
    """Measured resistance in milliohms; null for a discharge."""
    resistance_drift_pct: Annotated[float, to_decimals(1)] | None
    """Increase over the battery's own baseline in percent, at 25 °C; null where it cannot be compared."""


class DailyEstimate(Described):
    """The last estimate of a day (Asia/Bangkok); days that have ended never change."""

    day: date
    """Day in Asia/Bangkok."""
    time: AwareDatetime
    """Time of the reading that the estimate is from."""
    soc: Estimate
    """State of charge: charge held, in percent of the present capacity."""
    soh: Estimate
    """State of health: present capacity, in percent of the rated one at 25 °C."""
    resistance_mohm: Annotated[float, to_decimals(3)] | None
    """Estimated resistance in milliohms; null where there is no estimate."""
    resistance_sd_mohm: Annotated[float, to_decimals(3)] | None
    """Standard deviation of the resistance in milliohms; null where there is no estimate."""


class TwinRecord(Described):
    """The digital twin's estimates of a battery, their evidence, and their history by day."""

    battery_id: str
    """Id of the battery."""
    generated_at: AwareDatetime
    """When the answer was made."""
    time: AwareDatetime | None = Field(description="Time of the newest reading; null before the first.")
    is_stale: bool
    """True: the newest reading is too old to describe the battery now."""
    soc: Estimate
    """State of charge: charge held, in percent of the present capacity."""
    soh: Estimate
    """State of health: present capacity, in percent of the rated one at 25 °C."""
    resistance_mohm: Annotated[float, to_decimals(3)] | None = Field(
        description="Estimated from the ohmic measurements."
    )
    resistance_sd_mohm: Annotated[float, to_decimals(3)] | None
    """Standard deviation of the resistance in milliohms; null where there is no estimate."""
    evidence: list[HealthEvidence] = Field(description="Newest first.")
    history: list[DailyEstimate] = Field(description="Oldest first.")


class DischargeBattery(Described):
    """One battery in a discharge."""

    battery_id: str
    """Id of the battery."""
    end_voltage_v: Annotated[float, to_decimals(3)] | None
    """Voltage in volts at the end of the discharge; null where it was not measured."""
    min_voltage_v: Annotated[float, to_decimals(3)] | None
    """Lowest voltage in volts; null where it was not measured."""
    mean_temperature_c: Annotated[float, to_decimals(1)] | None
    """Mean temperature of the case in degrees Celsius; null where it was not measured."""
    soh: Estimate | None = Field(description="Null if the discharge was too shallow, or the twin gave no estimate.")


class DischargeOut(Described):
    """A stretch of time in which a string discharged.

    While ``is_open``, it may continue. Unless ``complete``, readings are missing and more was drawn than measured.
    """

    discharge_id: int
    """Number by which the platform knows the discharge."""
    string_id: str
    """Id of the string that discharged."""
    started_at: AwareDatetime
    """When it began."""
    ended_at: AwareDatetime
    """When it ended, or the newest reading of one that may continue."""
    duration_s: Annotated[float, to_decimals(1)]
    """Seconds from its beginning to its end."""
    mode: DischargeMode
    """`test` for a deliberate discharge, else `discharge`."""
    drawn_ah: Annotated[float, to_decimals(2)]
    """Charge drawn in ampere-hours; a lower bound unless `complete`."""
    depth_pct: Annotated[float, to_decimals(1)]
    """Charge drawn in percent of the rated capacity; a lower bound unless `complete`."""
    mean_current_a: Annotated[float, to_decimals(2)]
    """Mean current in amperes; negative."""
    min_voltage_v: Annotated[float, to_decimals(3)] | None
    """Lowest voltage of one of its batteries in volts; null where none was measured."""
    lowest_battery_id: str | None
    """Id of the battery with the lowest voltage; null where none was measured."""
    mean_temperature_c: Annotated[float, to_decimals(1)] | None
    """Mean temperature of its batteries in degrees Celsius; null where none was measured."""
    complete: bool
    """False: readings are missing, and more was drawn than measured."""
    is_open: bool
    """True: it may continue."""


class StringDischarge(DischargeOut):
    """A discharge with all batteries of its string."""

    blocks: list[DischargeBattery]
    """The batteries of the string, by position."""


class BatteryDischarge(DischargeOut):
    """A discharge as one battery went through it."""

    block: DischargeBattery
    """The battery itself."""


class UnknownBattery(Described):
    """A battery without a present estimate of its charge and capacity, and why."""

    battery_id: str
    """Id of the battery."""
    reason: NoEstimateReason
    """Why it has no present estimate."""


class RuntimeOut(Described):
    """Runtime of a string from now under a load, with its interval and the battery that limits it.

    Batteries without a present estimate count as weak as the weakest known one, with a larger deviation, since they may
    be worse. They are named with the reason.
    """

    string_id: str
    """Id of the string."""
    generated_at: AwareDatetime
    """When the answer was made."""
    load: RuntimeLoad
    """The load that the runtime applies to."""
    block_count: int
    """Batteries of the string."""
    withheld_count: int = Field(
        description="Batteries that have no estimate or a withheld one; above 0 the runtime rests on an assumption."
    )
    unknown_batteries: list[UnknownBattery] = Field(description="Those that `withheld_count` counts, by position.")
    assumed_battery_ids: list[str] = Field(description="Their ids alone.")
    oldest_reading_at: AwareDatetime
    """Time of the oldest reading that the runtime rests on."""
    simulation: SimulateResponse
    """The simulated discharge, with its runtime."""


class SystemStringRuntime(RuntimeValues):
    """Runtime of one string of a system under its share of the load."""

    string_id: str
    """Id of the string."""
    load: RuntimeLoad | None
    """Its share of the load; null where none is known."""
    block_count: int
    """Batteries of the string."""
    withheld_count: int = Field(
        description="Batteries that have no estimate or a withheld one; above 0 the runtime rests on an assumption."
    )
    unknown_batteries: list[UnknownBattery] = Field(description="Those that `withheld_count` counts, by position.")


class SystemRuntimeOut(RuntimeValues):
    """Runtime of a battery system from now, with the runtimes of its strings.

    It lasts until the first of its strings reaches the cut-off at its share. That is conservative for the load, which
    the other strings still carry then; it says nothing of how long those last, since from there on they carry more than
    they were judged for. If one string in service has no runtime, the system has none, for the reason of that string.
    """

    system_id: str
    """Id of the battery system."""
    generated_at: AwareDatetime
    """When the answer was made."""
    load: RuntimeLoad | None
    """The load of the whole system; null where that of a string is not known."""
    limiting_string_id: str | None
    """Id of the string with the shortest P10; null where there is no runtime."""
    withheld_count: int
    """Batteries without a present estimate in all of its strings."""
    strings: list[SystemStringRuntime]
    """Its strings in service, in the order of their ids."""
