"""Wire models of the digital twin: columnar estimates for a whole batch in one call."""

from typing import Annotated, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from battery_contracts.enums import Provenance, StringMode

MAX_BATTERIES = 20_000
NOTHING_ESTIMATED = "nothing_estimated"
"""Problem code of a call in which every reading was rejected."""


class EstimateRequest(BaseModel):
    """New readings of ``n`` batteries, one entry per reading, with the estimator state of each battery.

    ``dt_s`` is the time since the reading that ``state`` belongs to, None for the first reading. ``float_current_ma``
    and ``mode`` are the string's where known. Instants are not sent: the twin has no clock. The last three columns are
    nameplate and record: age since installation, rated capacity (10 h, 25 degC) for a model that the twin does not
    know, and the battery's own ohmic baseline at 25 degC; without them the estimates are wider, and their provenance
    says so.
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
    age_days: list[float | None] | None = None
    rated_ah: list[float | None] | None = None
    baseline_resistance_mohm: list[float | None] | None = None

    @model_validator(mode="after")
    def _same_length(self) -> "EstimateRequest":
        lengths = {name: len(values) for name, values in self if values is not None}
        expected = lengths["battery_id"]
        wrong = {name: length for name, length in lengths.items() if length != expected}
        if wrong:
            raise ValueError(f"columns differ in length from battery_id, which has {expected}: {wrong}")
        if expected > MAX_BATTERIES:
            raise ValueError(f"battery_id: {expected} readings, at most {MAX_BATTERIES} per call")
        return self


CONTRADICTS_CIRCUIT: Final = "contradicts the circuit"
"""Part of the ``error`` of a reading that cannot come from a battery as the circuit describes it."""


class EstimateResponse(BaseModel):
    """Estimates in the order of the request; None where the twin withholds one, with the reason in ``error``.

    ``state`` is the new state to keep. A rejected reading has none and the old state remains valid, unless the state
    itself is unusable: then it is empty, and the battery starts from its prior with the next reading.
    """

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
