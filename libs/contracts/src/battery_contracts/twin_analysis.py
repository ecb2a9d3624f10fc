"""Wire models of the digital twin other than estimates: remaining life, simulation, calibration and validation."""

from typing import Annotated, Any, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from battery_contracts.enums import Provenance
from battery_contracts.twin import PhysicsRul

Temperature = Annotated[FiniteFloat, Field(ge=-40, le=90)]
Days = Annotated[FiniteFloat, Field(ge=0, le=36_525)]
Fraction = Annotated[FiniteFloat, Field(ge=0, le=1)]
RatedAh = Annotated[FiniteFloat, Field(ge=1, le=10_000)]
Current = Annotated[FiniteFloat, Field(ge=-3000, le=3000)]
MAX_RUN_ROWS = 500_000
MAX_PROFILE_S = 172_800.0
"""A simulation ends after two days; no UPS battery bridges more."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TemperatureSpan(_Frozen):
    """How long a battery was at one temperature."""

    days: Days
    temperature_c: Temperature


class CapacityEvidence(_Frozen):
    """A capacity observation in percent of rated at 25 °C, with its standard deviation and age."""

    soh_pct: Annotated[FiniteFloat, Field(ge=0, le=150)]
    soh_sd_pct: Annotated[FiniteFloat, Field(gt=0, le=100)]
    provenance: Provenance
    age_days: Days = 0.0


class PhysicsRulQuery(_Frozen):
    """History and expected duty of one battery."""

    battery_id: Annotated[str, Field(min_length=1, max_length=100)]
    age_days: Days
    design_life_years: Annotated[FiniteFloat, Field(ge=1, le=30)] = 10.0
    temperature_history: Annotated[list[TemperatureSpan], Field(max_length=4000)] = []
    discharge_depths_pct: Annotated[list[Annotated[FiniteFloat, Field(ge=0, le=100)]], Field(max_length=20_000)] = []
    expected_temperature_c: Temperature | None = None
    expected_cycles_per_year: Annotated[FiniteFloat, Field(ge=0, le=5000)] | None = None
    expected_depth_pct: Annotated[FiniteFloat, Field(ge=0, le=100)] | None = None
    evidence: Annotated[list[CapacityEvidence], Field(max_length=1000)] = []


class PhysicsRulRequest(_Frozen):
    """Batteries to forecast, as of one instant."""

    as_of: AwareDatetime
    batteries: Annotated[list[PhysicsRulQuery], Field(min_length=1, max_length=5000)]


class PhysicsForecast(PhysicsRul):
    """Remaining life, with the present capacity and the ageing above 25 °C by the ageing law."""

    soh_pct: float
    soh_sd_pct: float
    ageing_over_25_c: float


class PhysicsRulResponse(_Frozen):
    """Forecasts in the order of the request."""

    forecasts: list[PhysicsForecast]


class RunColumns(_Frozen):
    """A recorded run of one battery, oldest row first; current > 0 charges."""

    time_s: Annotated[list[FiniteFloat], Field(min_length=2, max_length=MAX_RUN_ROWS)]
    current_a: list[Current]
    voltage_v: list[Annotated[FiniteFloat, Field(ge=-30, le=30)]]
    temperature_c: list[Annotated[FiniteFloat, Field(ge=-40, le=150)]]

    @model_validator(mode="after")
    def _same_length(self) -> Self:
        for name, values in self:
            if len(values) != len(self.time_s):
                raise ValueError(f"{name} has {len(values)} values where time_s has {len(self.time_s)}")
        return self


class CalibrateRequest(_Frozen):
    """Runs of one block: a slow discharge and, if available, pulses."""

    rated_ah: RatedAh
    runs: Annotated[list[RunColumns], Field(min_length=1, max_length=20)]
    initial_soc: list[Fraction | None] | None = None

    @model_validator(mode="after")
    def _one_initial_soc_per_run(self) -> Self:
        if self.initial_soc is not None and len(self.initial_soc) != len(self.runs):
            raise ValueError(f"initial_soc has {len(self.initial_soc)} values where runs has {len(self.runs)}")
        return self


class Identified(_Frozen):
    """One parameter: value, standard deviation, and whether the runs inform it beyond the prior."""

    name: str
    value: float
    sd: float
    identifiable: bool
    reason: str


class FitError(_Frozen):
    """Deviation of the identified circuit from the runs that it was identified from."""

    voltage_rmse_mv: float
    worst_mv: float
    fitted_rows: int


class CalibrateResponse(_Frozen):
    """A parameter set with the quality of each value."""

    parameters: dict[str, Any]
    fit: FitError
    identified: list[Identified]
    notes: list[str]


class ValidateRequest(_Frozen):
    """A recorded run and the parameter set to check against it; by default that of the rated capacity."""

    run: RunColumns
    rated_ah: RatedAh | None = None
    parameters: dict[str, Any] | None = None
    initial_soc: Fraction | None = None

    @model_validator(mode="after")
    def _some_model(self) -> Self:
        if self.parameters is None and self.rated_ah is None:
            raise ValueError("rated_ah or parameters is needed")
        return self


class ValidateResponse(_Frozen):
    """Whether the filter's predictions and its stated uncertainty agree with a run."""

    rows: int
    voltage_rmse_mv: float
    voltage_bias_mv: float
    innovation_autocorrelation: float
    innovations_white: bool
    mean_nis: float
    nis_low: float
    nis_high: float
    consistent: bool
    findings: list[str]


class LoadStep(_Frozen):
    """A load held for a time: a current (> 0 charges) or a power drawn from the block (W, > 0 discharges)."""

    duration_s: Annotated[FiniteFloat, Field(gt=0, le=2_592_000)]
    current_a: Current | None = None
    power_w: Annotated[FiniteFloat, Field(ge=-40_000, le=40_000)] | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.current_a is None) == (self.power_w is None):
            raise ValueError("exactly one of current_a and power_w is needed")
        return self


class BlockState(_Frozen):
    """Estimated state of one block at the start of a simulation."""

    battery_id: Annotated[str, Field(min_length=1, max_length=100)]
    soc_pct: Annotated[FiniteFloat, Field(ge=0, le=100)]
    soc_sd_pct: Annotated[FiniteFloat, Field(ge=0, le=100)] = 5.0
    soh_pct: Annotated[FiniteFloat, Field(gt=0, le=150)] = 100.0
    soh_sd_pct: Annotated[FiniteFloat, Field(ge=0, le=100)] = 10.0
    temperature_c: Temperature = 25.0
    resistance_ratio: Annotated[FiniteFloat, Field(gt=0, le=20)] = 1.0


class SimulateRequest(_Frozen):
    """A string of blocks in series under a load profile; the last step is held until the end of the discharge."""

    blocks: Annotated[list[BlockState], Field(min_length=1, max_length=400)]
    profile: Annotated[list[LoadStep], Field(min_length=1, max_length=5000)]
    rated_ah: RatedAh | None = None
    parameters: dict[str, Any] | None = None
    cut_off_v: Annotated[FiniteFloat, Field(ge=6, le=13)] = 10.5

    @model_validator(mode="after")
    def _some_model(self) -> Self:
        if self.parameters is None and self.rated_ah is None:
            raise ValueError("rated_ah or parameters is needed")
        before_last_s = sum(step.duration_s for step in self.profile[:-1])
        if before_last_s > MAX_PROFILE_S:
            raise ValueError(
                f"the steps of profile before the last one take {before_last_s:g} s; a simulation covers at most "
                f"{MAX_PROFILE_S:g} s, so shorten them"
            )
        return self


class SimulateResponse(_Frozen):
    """Runtime to cut-off with its interval, the battery that limits it, and the median course of the string."""

    runtime_p10_s: float
    runtime_p50_s: float
    runtime_p90_s: float
    reaches_cut_off: bool
    limiting_battery_id: str
    limiting_probability: float
    time_s: list[float]
    current_a: list[float]
    string_voltage_v: list[float]
    limiting_voltage_v: list[float]
    limiting_soc_pct: list[float]
