"""Wire models of readings: what a sender posts and what the gateway answers."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, ConfigDict, Field, model_validator

from battery_contracts.described import Described
from battery_contracts.enums import HvacState, RejectCode, StringMode
from battery_contracts.ids import BatteryId, LocationId, StringId

MAX_BATCH_ROWS = 20_000
"""Readings of all kinds that one batch may carry."""
MAX_BATCH_BYTES = 16 * 1024 * 1024
"""Size of one batch after inflating."""


class _Wire(Described):
    model_config = ConfigDict(frozen=True, extra="forbid")


class BatteryReading(_Wire):
    """Values of one battery at one instant; a missing current is the string's."""

    battery_id: BatteryId
    """Id of the battery, as `BAT-DC-CNX-01-UPS-01-STR-01-001`."""
    time: AwareDatetime
    """When the values were measured, with its offset from UTC."""
    voltage_v: float | None = None
    """Voltage in volts, measured at the terminals; null where it was not measured."""
    current_a: float | None = None
    """Current in amperes, positive while charging; null takes the current of the string."""
    temperature_c: float | None = None
    """Temperature of the case in degrees Celsius; null where it was not measured."""
    internal_resistance_mohm: float | None = None
    """Ohmic resistance in milliohms; null where it was not measured."""


class BatteryColumns(_Wire):
    """The same readings, column by column: every list has one entry per reading."""

    battery_id: list[BatteryId]
    """Ids of the batteries, as `BAT-DC-CNX-01-UPS-01-STR-01-001`."""
    time: list[AwareDatetime]
    """When the values were measured, with their offsets from UTC."""
    voltage_v: list[float | None] | None = None
    """Voltages in volts, measured at the terminals; null for a column without any."""
    current_a: list[float | None] | None = None
    """Currents in amperes, positive while charging; null for a column without any."""
    temperature_c: list[float | None] | None = None
    """Temperatures of the cases in degrees Celsius; null for a column without any."""
    internal_resistance_mohm: list[float | None] | None = None
    """Ohmic resistances in milliohms; null for a column without any."""

    @model_validator(mode="after")
    def _same_length(self) -> "BatteryColumns":
        lengths = {name: len(values) for name, values in self if values is not None}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"columns differ in length: {lengths}")
        return self


class StringReading(_Wire):
    """Values of one string at one instant; ``mode`` is derived from the current when absent."""

    string_id: StringId
    """Id of the string, as `DC-CNX-01-UPS-01-STR-01`."""
    time: AwareDatetime
    """When the values were measured, with its offset from UTC."""
    voltage_v: float | None = None
    """Voltage of the whole string in volts; null where it was not measured."""
    current_a: float | None = None
    """Current in amperes, positive while charging; null where it was not measured."""
    float_current_ma: float | None = None
    """Float current in milliamperes; null where it was not measured."""
    ripple_voltage_v: float | None = None
    """Ripple of the voltage in volts; null where it was not measured."""
    ripple_current_a: float | None = None
    """Ripple of the current in amperes; null where it was not measured."""
    mode: StringMode | None = None
    """What the string does; null lets the gateway derive it from the current."""


class LocationReading(_Wire):
    """Environment of one location at one instant; ``mains`` is true while the grid feeds the location."""

    location_id: LocationId
    """Id of the location, as `DC-CNX-01`."""
    time: AwareDatetime
    """When the values were measured, with its offset from UTC."""
    ambient_c: float | None = None
    """Temperature of the battery room in degrees Celsius; null where it was not measured."""
    humidity_pct: float | None = None
    """Relative humidity of the battery room in percent; null where it was not measured."""
    hvac: HvacState | None = None
    """State of the air conditioning; null where it is not reported."""
    mains: bool | None = None
    """True while the grid feeds the location; null where that is not reported."""


class TelemetryBatch(_Wire):
    """One batch of readings: one transaction, acknowledged after its commit."""

    readings: list[BatteryReading] | None = None
    """Readings of batteries, one by one; null where they are sent as columns or not at all."""
    columns: BatteryColumns | None = None
    """Readings of batteries, column by column, which is cheaper to parse; null for none."""
    string_readings: list[StringReading] | None = None
    """Readings of strings; null for none."""
    site_readings: list[LocationReading] | None = None
    """Readings of locations; null for none."""


class Rejection(_Wire):
    """Why one reading of a batch was rejected; the others were accepted."""

    list: Literal["readings", "columns", "string_readings", "site_readings"]
    """The list of the batch that the reading is in."""
    index: int
    """Position of the reading in its list, 0 for the first."""
    code: RejectCode
    """Stable code of the reason."""
    detail: str
    """The reason and its remedy, for people."""


class LeftOutValue(_Wire):
    """One value that was left out of an accepted reading, and why; the others of the reading were stored."""

    list: Literal["readings", "columns", "string_readings", "site_readings"]
    """The list of the batch that the reading is in."""
    index: int
    """Position of the reading in its list, 0 for the first."""
    field: str
    """The field whose value was left out."""
    code: RejectCode
    """Stable code of the reason."""
    detail: str
    """The reason and its remedy, for people."""


class IngestResult(_Wire):
    """Outcome of a batch, with readings of all kinds counted together.

    ``accepted`` counts rows stored now (late ones included), ``late`` those of them that were older than the newest
    stored reading. A reading of an instant that is stored already is one of ``merged`` (it completes the stored row
    with other channels), ``corrected`` (it changes a value; the overwritten one is kept) or ``duplicates`` (it says the
    same). The counts balance: accepted + merged + corrected + duplicates + rejected_count = readings sent.
    """

    accepted: Annotated[int, Field(ge=0)]
    """Readings that were stored as new ones, late ones included."""
    merged: Annotated[int, Field(ge=0)] = 0
    """Readings that added channels to a stored one."""
    corrected: Annotated[int, Field(ge=0)] = 0
    """Readings that changed a value of a stored one."""
    duplicates: Annotated[int, Field(ge=0)]
    """Readings that said the same as a stored one."""
    late: Annotated[int, Field(ge=0)]
    """Those of `accepted` that were older than the newest stored reading."""
    rejected_count: Annotated[int, Field(ge=0)]
    """Readings that were not stored."""
    rejected: list[Rejection] = Field(default_factory=list)
    """The first 1,000 rejections; ``rejected_count`` is the full number."""
    left_out_count: Annotated[int, Field(ge=0)] = 0
    """Values that were left out of accepted or duplicate readings."""
    left_out: list[LeftOutValue] = Field(default_factory=list)
    """The first 1,000 values left out; ``left_out_count`` is the full number."""
