"""The fleet catalogue: nameplates of battery models and the flat row that describes one installed battery."""

from datetime import date
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from battery_contracts.enums import SystemKind
from battery_contracts.ids import (
    BatteryId,
    LocationId,
    StringId,
    SystemId,
    location_of,
    position_of,
    string_of,
    system_of,
)


class BatteryModel(BaseModel):
    """Nameplate of a battery model; every figure is per 12 V block at 25 °C unless its name says otherwise."""

    model_config = ConfigDict(frozen=True)

    model_id: str
    manufacturer: str
    name: str
    chemistry: Literal["VRLA-AGM"] = "VRLA-AGM"
    nominal_voltage_v: float
    cell_count: int
    rated_capacity_ah: float
    float_voltage_low_v: float
    float_voltage_high_v: float
    float_compensation_v_per_c: float
    nominal_resistance_mohm: float
    max_charge_current_a: float
    mass_kg: float
    design_life_years: float


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


class FleetRow(BaseModel):
    """One installed battery with everything above it, as one row of the fleet catalogue (CSV)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

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

    @model_validator(mode="after")
    def _ids_agree(self) -> "FleetRow":
        if string_of(self.battery_id) != self.string_id:
            raise ValueError(f"battery_id {self.battery_id} is not part of string_id {self.string_id}")
        if system_of(self.string_id) != self.system_id:
            raise ValueError(f"string_id {self.string_id} is not part of system_id {self.system_id}")
        if location_of(self.string_id) != self.location_id:
            raise ValueError(f"system_id {self.system_id} is not part of location_id {self.location_id}")
        if position_of(self.battery_id) != self.position:
            raise ValueError(f"position {self.position} differs from the one in battery_id {self.battery_id}")
        if self.model_id not in BATTERY_MODELS:
            raise ValueError(f"model_id {self.model_id} is unknown; known: {', '.join(sorted(BATTERY_MODELS))}")
        if self.installed_on < self.commissioned_on:
            raise ValueError(
                f"installed_on {self.installed_on} is before the location's commissioned_on {self.commissioned_on}"
            )
        return self


FLEET_COLUMNS: Final = tuple(FleetRow.model_fields)
"""Column order of the fleet catalogue file."""
