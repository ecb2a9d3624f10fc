"""Wire models of the digital twin: columnar estimates for a whole batch in one call."""

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from battery_contracts.enums import Provenance, StringMode


class EstimateRequest(BaseModel):
    """New readings of ``n`` batteries, one entry a reading, with the state that each battery's last estimate left.

    ``dt_s`` is the time since the reading that ``state`` belongs to, None at first contact. ``float_current_ma`` and
    ``mode`` are the string's where known. Times are not sent: the twin has no clock of its own.
    """

    model_config = ConfigDict(frozen=True, ser_json_bytes="base64", val_json_bytes="base64")

    battery_id: list[str]
    model_id: list[str]
    dt_s: list[float | None]
    voltage_v: list[float]
    current_a: list[float | None]
    temperature_c: list[float | None]
    internal_resistance_mohm: list[float | None]
    float_current_ma: list[float | None]
    mode: list[StringMode | None]
    state: list[bytes | None]

    @model_validator(mode="after")
    def _same_length(self) -> "EstimateRequest":
        lengths = {name: len(values) for name, values in self}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"columns differ in length: {lengths}")
        return self


class EstimateResponse(BaseModel):
    """Estimates in the order of the request; None where the twin withholds one, with the reason in ``error``."""

    model_config = ConfigDict(frozen=True, ser_json_bytes="base64", val_json_bytes="base64")

    soc_pct: list[float | None]
    soc_sd_pct: list[float | None]
    soh_pct: list[float | None]
    soh_sd_pct: list[float | None]
    soc_provenance: list[Provenance | None]
    soh_provenance: list[Provenance | None]
    resistance_mohm: list[float | None]
    resistance_sd_mohm: list[float | None]
    normalised_innovation_squared: list[float | None]
    state: list[bytes | None]
    error: list[str | None]


class Quantiles(BaseModel):
    """A forecast as an 80 % interval with its median."""

    model_config = ConfigDict(frozen=True)

    p10: Annotated[float, Field(ge=0)]
    p50: Annotated[float, Field(ge=0)]
    p90: Annotated[float, Field(ge=0)]


class PhysicsRul(BaseModel):
    """Days until 80 % of rated capacity by the ageing law, with the evidence behind it."""

    model_config = ConfigDict(frozen=True)

    battery_id: str
    rul_days: Quantiles
    provenance: Provenance
    as_of: AwareDatetime
