"""Wire models of readings: what a sender posts and what the gateway answers."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from battery_contracts.enums import HvacState, RejectCode, StringMode
from battery_contracts.ids import BatteryId, LocationId, StringId

MAX_BATCH_ROWS = 20_000
"""Readings of all kinds that one batch may carry."""
MAX_BATCH_BYTES = 16 * 1024 * 1024
"""Size of one batch after inflating."""


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class BatteryReading(_Wire):
    """Values of one battery at one instant; a missing current is the string's."""

    battery_id: BatteryId
    time: AwareDatetime
    voltage_v: float | None = None
    current_a: float | None = None
    temperature_c: float | None = None
    internal_resistance_mohm: float | None = None


class BatteryColumns(_Wire):
    """The same readings, column by column: every list has one entry per reading."""

    battery_id: list[BatteryId]
    time: list[AwareDatetime]
    voltage_v: list[float | None] | None = None
    current_a: list[float | None] | None = None
    temperature_c: list[float | None] | None = None
    internal_resistance_mohm: list[float | None] | None = None

    @model_validator(mode="after")
    def _same_length(self) -> "BatteryColumns":
        lengths = {name: len(values) for name, values in self if values is not None}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"columns differ in length: {lengths}")
        return self


class StringReading(_Wire):
    """Values of one string at one instant; ``mode`` is derived from the current when absent."""

    string_id: StringId
    time: AwareDatetime
    voltage_v: float | None = None
    current_a: float | None = None
    float_current_ma: float | None = None
    ripple_voltage_v: float | None = None
    ripple_current_a: float | None = None
    mode: StringMode | None = None


class LocationReading(_Wire):
    """Environment of one location at one instant; ``mains`` is true while the grid feeds the location."""

    location_id: LocationId
    time: AwareDatetime
    ambient_c: float | None = None
    humidity_pct: float | None = None
    hvac: HvacState | None = None
    mains: bool | None = None


class TelemetryBatch(_Wire):
    """One batch of readings: one transaction, acknowledged after its commit."""

    readings: list[BatteryReading] | None = None
    columns: BatteryColumns | None = None
    string_readings: list[StringReading] = Field(default_factory=list)
    site_readings: list[LocationReading] = Field(default_factory=list)


class Rejection(_Wire):
    """Why one reading of a batch was rejected; the others were accepted."""

    list: Literal["readings", "columns", "string_readings", "site_readings"]
    index: int
    code: RejectCode
    detail: str


class LeftOutValue(_Wire):
    """One value that was left out of an accepted reading, and why; the others of the reading were stored."""

    list: Literal["readings", "columns", "string_readings", "site_readings"]
    index: int
    field: str
    code: RejectCode
    detail: str


class IngestResult(_Wire):
    """Outcome of a batch, with readings of all kinds counted together.

    ``accepted`` counts rows stored now (late ones included), ``late`` those of them that were older than the newest
    stored reading. A reading of an instant that is stored already is one of ``merged`` (it completes the stored row
    with other channels), ``corrected`` (it changes a value; the overwritten one is kept) or ``duplicates`` (it says the
    same). The counts balance: accepted + merged + corrected + duplicates + rejected_count = readings sent.
    """

    accepted: Annotated[int, Field(ge=0)]
    merged: Annotated[int, Field(ge=0)] = 0
    corrected: Annotated[int, Field(ge=0)] = 0
    duplicates: Annotated[int, Field(ge=0)]
    late: Annotated[int, Field(ge=0)]
    rejected_count: Annotated[int, Field(ge=0)]
    rejected: list[Rejection] = Field(default_factory=list)
    """The first 1,000 rejections; ``rejected_count`` is the full number."""
    left_out_count: Annotated[int, Field(ge=0)] = 0
    """Values that were left out of accepted or duplicate readings."""
    left_out: list[LeftOutValue] = Field(default_factory=list)
    """The first 1,000 values left out; ``left_out_count`` is the full number."""
