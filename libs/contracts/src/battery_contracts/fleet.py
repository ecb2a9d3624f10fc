"""The fleet catalogue: nameplates of battery models and the flat row that describes one installed battery."""

from datetime import date
from typing import Annotated, Final, Literal

from pydantic import ConfigDict, Field, ValidationInfo, field_validator

from battery_contracts.described import Described
from battery_contracts.enums import SystemKind
from battery_contracts.ids import (
    BatteryId,
    LocationId,
    StringId,
    SystemId,
    position_of,
    string_of,
    system_of,
)


class BatteryModel(Described):
    """Nameplate of a battery model; every figure is per 12 V block at 25 °C unless its name says otherwise."""

    model_config = ConfigDict(frozen=True)

    model_id: str
    """Id of the model, as the fleet catalogue names it."""
    manufacturer: str
    """Name of the manufacturer."""
    name: str
    """Name of the model for people."""
    chemistry: Literal["VRLA-AGM"] = "VRLA-AGM"
    """Type of the cells."""
    nominal_voltage_v: float
    """Nominal voltage in volts."""
    cell_count: int
    """Cells in series in one battery."""
    rated_capacity_ah: float
    """Capacity in ampere-hours at the 10 h rate, to 1.80 V per cell."""
    float_voltage_low_v: float
    """Lower end of the float voltage in volts that the data sheet allows."""
    float_voltage_high_v: float
    """Upper end of the float voltage in volts that the data sheet allows."""
    float_compensation_v_per_c: float
    """Change of the float voltage in volts per degree Celsius above 25 °C; negative."""
    nominal_resistance_mohm: float
    """Ohmic resistance in milliohms of a new, charged battery."""
    max_charge_current_a: float
    """Largest charging current in amperes."""
    mass_kg: float
    """Mass in kilograms."""
    design_life_years: float
    """Life in years on float that the data sheet states."""


CSB_HX12_120: Final = BatteryModel(
    model_id="CSB-HX12-120",
    manufacturer="CSB",
    name="HX12-120 (generic 12 V 120 Ah AGM)",
    nominal_voltage_v=12.0,
    cell_count=6,
    rated_capacity_ah=120.0,
    # 2.25 to 2.30 V per cell; set point 13.65 V per block, -3.3 mV per cell and degree (manufacturers' data sheets).
    float_voltage_low_v=13.5,
    float_voltage_high_v=13.8,
    float_compensation_v_per_c=-0.0198,
    nominal_resistance_mohm=3.5,
    max_charge_current_a=36.0,
    mass_kg=36.0,
    design_life_years=10.0,
)
BBOXX_17: Final = BatteryModel(
    model_id="GENERIC-12-17",
    manufacturer="Generic",
    name="12 V 17 Ah AGM (laboratory block)",
    nominal_voltage_v=12.0,
    cell_count=6,
    rated_capacity_ah=17.0,
    float_voltage_low_v=13.5,
    float_voltage_high_v=13.8,
    float_compensation_v_per_c=-0.0198,
    nominal_resistance_mohm=13.0,
    max_charge_current_a=5.1,
    mass_kg=5.5,
    design_life_years=5.0,
)
BATTERY_MODELS: Final = {model.model_id: model for model in (CSB_HX12_120, BBOXX_17)}
"""Nameplates the platform knows, by model id."""


class FleetRow(Described):
    """One installed battery with everything above it, as one row of the fleet catalogue (CSV)."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    location_id: LocationId
    location_name: Annotated[str, Field(min_length=1, max_length=80)]
    region: Annotated[str, Field(min_length=1, max_length=40)]
    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]
    altitude_m: Annotated[float, Field(ge=-430, le=9000)]
    commissioned_on: date
    utility: Annotated[str, Field(min_length=1, max_length=20)]
    climate_zone: Annotated[str, Field(min_length=1, max_length=20)]
    system_id: SystemId
    system_kind: SystemKind
    rated_power_kva: Annotated[float, Field(gt=0, le=10_000)]
    string_id: StringId
    battery_id: BatteryId
    position: Annotated[int, Field(ge=1, le=999)]
    model_id: str
    serial_number: Annotated[str, Field(min_length=3, max_length=64)]
    installed_on: date
    baseline_resistance_mohm: Annotated[float, Field(gt=0, lt=1000)] | None = None
    baseline_temperature_c: Annotated[float, Field(ge=-40, le=80)] | None = None
    retired_on: date | None = None

    # One check per field, so that an error names its column and one wrong id does not hide the next error. A field that
    # is itself invalid is absent from `info.data`: what depends on it is not judged.
    @field_validator("system_id")
    @classmethod
    def _is_in_its_location(cls, system_id: str, info: ValidationInfo) -> str:
        location_id = info.data.get("location_id")
        if location_id is not None and not system_id.startswith(f"{location_id}-"):
            raise ValueError(f"system_id {system_id} is not part of location_id {location_id}")
        return system_id

    @field_validator("string_id")
    @classmethod
    def _is_in_its_system(cls, string_id: str, info: ValidationInfo) -> str:
        system_id = info.data.get("system_id")
        if system_id is not None and system_of(string_id) != system_id:
            raise ValueError(f"string_id {string_id} is not part of system_id {system_id}")
        return string_id

    @field_validator("battery_id")
    @classmethod
    def _is_in_its_string(cls, battery_id: str, info: ValidationInfo) -> str:
        string_id = info.data.get("string_id")
        if string_id is not None and string_of(battery_id) != string_id:
            raise ValueError(f"battery_id {battery_id} is not part of string_id {string_id}")
        return battery_id

    @field_validator("position")
    @classmethod
    def _is_the_position_of_its_id(cls, position: int, info: ValidationInfo) -> int:
        battery_id = info.data.get("battery_id")
        if battery_id is not None and position_of(battery_id) != position:
            raise ValueError(f"position {position} differs from the one in battery_id {battery_id}")
        return position

    @field_validator("model_id")
    @classmethod
    def _is_a_known_model(cls, model_id: str) -> str:
        if model_id not in BATTERY_MODELS:
            raise ValueError(f"model_id {model_id} is unknown; known: {', '.join(sorted(BATTERY_MODELS))}")
        return model_id

    @field_validator("installed_on")
    @classmethod
    def _is_after_commissioning(cls, installed_on: date, info: ValidationInfo) -> date:
        commissioned_on = info.data.get("commissioned_on")
        if commissioned_on is not None and installed_on < commissioned_on:
            raise ValueError(f"installed_on {installed_on} is before the location's commissioned_on {commissioned_on}")
        return installed_on

    @field_validator("retired_on")
    @classmethod
    def _is_after_installation(cls, retired_on: date | None, info: ValidationInfo) -> date | None:
        installed_on = info.data.get("installed_on")
        if retired_on is not None and installed_on is not None and retired_on < installed_on:
            raise ValueError(f"retired_on {retired_on} is before installed_on {installed_on}")
        return retired_on


OPTIONAL_FLEET_COLUMNS: Final = ("retired_on",)
"""Columns that a fleet catalogue file may leave out."""
FLEET_COLUMNS: Final = tuple(name for name in FleetRow.model_fields if name not in OPTIONAL_FLEET_COLUMNS)
"""Columns that every fleet catalogue file has, in their order."""
