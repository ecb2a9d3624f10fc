"""Wire models of the digital twin other than estimates: remaining life, simulation, calibration and validation."""

from typing import Annotated, Any, Self

from pydantic import AfterValidator, AwareDatetime, ConfigDict, Field, FiniteFloat, ValidationInfo, model_validator

from battery_contracts.described import Described
from battery_contracts.enums import Provenance
from battery_contracts.rounding import to_decimals
from battery_contracts.twin import PhysicsRul

Temperature = Annotated[FiniteFloat, Field(ge=-40, le=90)]
Days = Annotated[FiniteFloat, Field(ge=0, le=36_525)]
Fraction = Annotated[FiniteFloat, Field(ge=0, le=1)]
Depth = Annotated[FiniteFloat, Field(ge=0, le=100)]
RatedAh = Annotated[FiniteFloat, Field(ge=1, le=10_000)]
Current = Annotated[FiniteFloat, Field(ge=-3000, le=3000)]
MAX_RUN_ROWS = 500_000
MAX_BLOCK_W = 40_000.0
"""Power that one block can be asked for; a 12 V block of 120 Ah gives a tenth of it for a minute."""
MAX_PROFILE_S = 172_800.0
"""A simulation ends after two days; no UPS battery bridges more."""


def _needed_without_parameters(rated_ah: float | None, info: ValidationInfo) -> float | None:
    if rated_ah is None and info.data.get("parameters") is None:
        raise ValueError("rated_ah is needed where no parameters are given: the capacity of a block, such as 120")
    return rated_ah


CapacityUnlessParameters = Annotated[
    RatedAh | None, Field(validate_default=True), AfterValidator(_needed_without_parameters)
]
"""Rated capacity of a request whose field ``parameters``, which comes first, may have it instead."""


class _Frozen(Described):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TemperatureSpan(_Frozen):
    """How long a battery was at one temperature."""

    days: Days
    """Duration in days."""
    temperature_c: Temperature
    """Temperature in degrees Celsius."""


class CapacityEvidence(_Frozen):
    """A capacity observation in percent of rated at 25 °C, with its standard deviation and age."""

    soh_pct: Annotated[FiniteFloat, Field(ge=0, le=150)]
    """Observed capacity in percent of the rated one, at 25 °C."""
    soh_sd_pct: Annotated[FiniteFloat, Field(gt=0, le=100)]
    """Standard deviation of the observation in percentage points."""
    provenance: Provenance
    """Kind of evidence."""
    age_days: Days = 0.0
    """Days since the observation."""


class PhysicsRulQuery(_Frozen):
    """History and expected duty of one battery."""

    battery_id: Annotated[str, Field(min_length=1, max_length=100)]
    """Id of the battery, which the answer repeats."""
    age_days: Days
    """Days since installation."""
    design_life_years: Annotated[FiniteFloat, Field(ge=1, le=30)] = 10.0
    """Life in years on float that the data sheet states."""
    temperature_history: Annotated[list[TemperatureSpan], Field(max_length=4000)] = Field(default=[])
    """How long it was at which temperature; empty if unknown."""
    discharge_depths_pct: Annotated[list[Depth], Field(max_length=20_000)] = Field(default=[])
    """Depth of each discharge so far in percent of the rated capacity."""
    expected_temperature_c: Temperature | None = None
    """Temperature in degrees Celsius from now on; null takes that of the history."""
    expected_cycles_per_year: Annotated[FiniteFloat, Field(ge=0, le=5000)] | None = None
    """Discharges per year from now on; null takes the rate of the history."""
    expected_depth_pct: Depth | None = None
    """Depth in percent of the discharges that `expected_cycles_per_year` counts; null assumes one."""
    evidence: Annotated[list[CapacityEvidence], Field(max_length=1000)] = Field(default=[])
    """Capacities that were observed; empty leaves age and duty alone."""


class PhysicsRulRequest(_Frozen):
    """Batteries to forecast, as of one instant."""

    as_of: AwareDatetime
    """Instant from which the days count."""
    batteries: Annotated[list[PhysicsRulQuery], Field(min_length=1, max_length=5000)]
    """The batteries to forecast."""


class PhysicsForecast(PhysicsRul):
    """Remaining life, with the present capacity and the ageing above 25 °C by the ageing law."""

    soh_pct: float
    """Present state of health in percent, by the ageing law and the evidence."""
    soh_sd_pct: float
    """Standard deviation of the state of health in percentage points."""
    ageing_over_25_c: float
    """How many times faster it aged than at 25 °C."""


class PhysicsRulResponse(_Frozen):
    """Forecasts in the order of the request."""

    forecasts: list[PhysicsForecast]
    """One forecast per battery."""


class RunColumns(_Frozen):
    """A recorded run of one battery, oldest row first; current > 0 charges."""

    time_s: Annotated[list[FiniteFloat], Field(min_length=2, max_length=MAX_RUN_ROWS)]
    """Seconds from any beginning, rising."""
    current_a: list[Current]
    """Currents in amperes, positive while charging."""
    voltage_v: list[Annotated[FiniteFloat, Field(ge=-30, le=30)]]
    """Voltages in volts, measured at the terminals."""
    temperature_c: list[Annotated[FiniteFloat, Field(ge=-40, le=150)]]
    """Temperatures in degrees Celsius."""

    @model_validator(mode="after")
    def _same_length(self) -> Self:
        for name, values in self:
            if len(values) != len(self.time_s):
                raise ValueError(f"{name} has {len(values)} values where time_s has {len(self.time_s)}")
        return self


class CalibrateRequest(_Frozen):
    """Runs of one block: a slow discharge and, if available, pulses."""

    rated_ah: RatedAh
    """Rated capacity in ampere-hours."""
    runs: Annotated[list[RunColumns], Field(min_length=1, max_length=20)]
    """Recorded runs of one block."""
    initial_soc: list[Fraction | None] | None = None
    """State of charge from 0 to 1 at the beginning of each run; null where it has to be estimated."""

    @model_validator(mode="after")
    def _one_initial_soc_per_run(self) -> Self:
        if self.initial_soc is not None and len(self.initial_soc) != len(self.runs):
            raise ValueError(f"initial_soc has {len(self.initial_soc)} values where runs has {len(self.runs)}")
        return self


class Identified(_Frozen):
    """One parameter: value, standard deviation, and whether the runs inform it beyond the prior."""

    name: str
    """Name of the parameter, which ends with its unit."""
    value: float
    """Identified value."""
    sd: float
    """Standard deviation of the value, in its unit."""
    identifiable: bool
    """False: the runs say nothing of it, and the value is the prior's."""
    reason: str
    """Why it is or is not identifiable, for people."""


class FitError(_Frozen):
    """Deviation of the identified circuit from the runs that it was identified from."""

    voltage_rmse_mv: float
    """Root mean square of the deviation in millivolts."""
    worst_mv: float
    """Largest deviation in millivolts."""
    fitted_rows: int
    """Rows of the runs that the fit used."""


class CalibrateResponse(_Frozen):
    """A parameter set with the quality of each value."""

    parameters: dict[str, Any]
    """The parameter set, to send as `parameters` of the other calls."""
    fit: FitError
    """How well it follows the runs."""
    identified: list[Identified]
    """How well each value is known."""
    notes: list[str]
    """What limits the use of the set, for people."""


class ValidateRequest(_Frozen):
    """A recorded run and the parameter set to check against it; by default that of the rated capacity."""

    run: RunColumns
    """The recorded run."""
    parameters: dict[str, Any] | None = None
    """Parameter set to check; null takes that of the rated capacity."""
    rated_ah: CapacityUnlessParameters = None
    """Rated capacity in ampere-hours; needed unless `parameters` is given, which has one."""
    initial_soc: Fraction | None = None
    """State of charge from 0 to 1 at the beginning; null takes 0.9."""


class ValidateResponse(_Frozen):
    """Whether the filter's predictions and its stated uncertainty agree with a run."""

    rows: int
    """Rows that were compared."""
    voltage_rmse_mv: float
    """Root mean square of the deviation of the voltage in millivolts."""
    voltage_bias_mv: float
    """Mean deviation of the voltage in millivolts."""
    innovation_autocorrelation: float
    """Correlation of each innovation with the one before, -1 to 1; 0 if the model is right."""
    innovations_white: bool
    """Whether that correlation is as small as chance makes it."""
    mean_nis: float
    """Mean of the normalised innovation squared; 1 if the stated uncertainty is right."""
    nis_low: float
    """Lower end of what chance makes of that mean."""
    nis_high: float
    """Upper end of what chance makes of that mean."""
    consistent: bool
    """Whether the mean is at most `nis_high`: a filter that claims too little certainty is consistent, too."""
    findings: list[str]
    """What does not agree, for people; empty if everything does."""


class LoadStep(_Frozen):
    """A load held for a time: a current (> 0 charges) or a power drawn from the block (W, > 0 discharges)."""

    duration_s: Annotated[FiniteFloat, Field(gt=0, le=2_592_000)]
    """Seconds for which the load is held."""
    current_a: Current | None = None
    """Current in amperes, positive while charging; null where the load is a power."""
    power_w: Annotated[FiniteFloat, Field(ge=-MAX_BLOCK_W, le=MAX_BLOCK_W)] | None = None
    """Power in watts, drawn from each block; null where the load is a current."""

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.current_a is None) == (self.power_w is None):
            raise ValueError("exactly one of current_a and power_w is needed")
        return self


class BlockState(_Frozen):
    """Estimated state of one block at the start of a simulation."""

    battery_id: Annotated[str, Field(min_length=1, max_length=100)]
    """Id of the block, which the answer repeats."""
    soc_pct: Annotated[FiniteFloat, Field(ge=0, le=100)]
    """State of charge in percent."""
    soc_sd_pct: Annotated[FiniteFloat, Field(ge=0, le=100)] = 5.0
    """Standard deviation of the state of charge in percentage points."""
    soh_pct: Annotated[FiniteFloat, Field(gt=0, le=150)] = 100.0
    """State of health in percent of the rated capacity."""
    soh_sd_pct: Annotated[FiniteFloat, Field(ge=0, le=100)] = 10.0
    """Standard deviation of the state of health in percentage points."""
    temperature_c: Temperature = 25.0
    """Temperature in degrees Celsius."""
    resistance_ratio: Annotated[FiniteFloat, Field(gt=0, le=20)] = 1.0
    """Resistance over that of the parameter set; 1 for a new block."""


class SimulateRequest(_Frozen):
    """A string of blocks in series under a load profile; the last step is held until the end of the discharge."""

    blocks: Annotated[list[BlockState], Field(min_length=1, max_length=400)]
    """The blocks in series."""
    profile: Annotated[list[LoadStep], Field(min_length=1, max_length=5000)]
    """The steps of the load, in their order."""
    parameters: dict[str, Any] | None = None
    """Parameter set of the blocks; null takes that of the rated capacity."""
    rated_ah: CapacityUnlessParameters = None
    """Rated capacity of a block in ampere-hours; needed unless `parameters` is given, which has one."""
    cut_off_v: Annotated[FiniteFloat, Field(ge=6, le=13)] = 10.5
    """Voltage in volts per block at which the discharge ends."""

    @model_validator(mode="after")
    def _profile_ends(self) -> Self:
        before_last_s = sum(step.duration_s for step in self.profile[:-1])
        if before_last_s > MAX_PROFILE_S:
            raise ValueError(
                f"the steps of profile before the last one take {before_last_s:g} s; a simulation covers at most "
                f"{MAX_PROFILE_S:g} s, so shorten them"
            )
        return self


class SimulateResponse(_Frozen):
    """Runtime to cut-off with its interval, the battery that limits it, and the median course of the string."""

    runtime_p10_s: Annotated[float, to_decimals(1)]
    """Runtime in seconds that is undercut with a probability of 10 %."""
    runtime_p50_s: Annotated[float, to_decimals(1)]
    """Median runtime in seconds."""
    runtime_p90_s: Annotated[float, to_decimals(1)]
    """Runtime in seconds that is exceeded with a probability of 10 %."""
    reaches_cut_off: bool
    """False: the string outlasts the simulation, and the runtimes are lower bounds."""
    limiting_battery_id: str
    """Id of the block that most likely reaches the cut-off first."""
    limiting_probability: Annotated[float, to_decimals(4)]
    """Probability from 0 to 1 that this block is the first."""
    time_s: list[Annotated[float, to_decimals(1)]]
    """Seconds from the beginning, for the columns below."""
    current_a: list[Annotated[float, to_decimals(2)]]
    """Current in amperes, positive while charging."""
    string_voltage_v: list[Annotated[float, to_decimals(2)]]
    """Median voltage of the string in volts."""
    limiting_voltage_v: list[Annotated[float, to_decimals(3)]]
    """Median voltage of the limiting block in volts."""
    limiting_soc_pct: list[Annotated[float, to_decimals(2)]]
    """Median state of charge of the limiting block in percent."""
