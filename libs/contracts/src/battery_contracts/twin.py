"""Wire models of the digital twin: columnar estimates for a whole batch in one call."""

from typing import Annotated, Final

from pydantic import AwareDatetime, ConfigDict, Field, model_validator

from battery_contracts.described import Described
from battery_contracts.enums import Provenance, StringMode

MAX_BATTERIES = 20_000
NOTHING_ESTIMATED = "nothing_estimated"
"""Problem code of a call in which every reading was rejected."""


class EstimateRequest(Described):
    """New readings of batteries, one entry per reading (n), with the estimator state of each battery.

    A battery may have several readings in one call, in order of time: the first of them carries the state, the later
    ones carry none and continue from the reading before, which their ``dt_s`` counts from. The answer is that of as
    many calls with one reading each. ``dt_s`` of the first is the time since the reading that ``state`` belongs to,
    None where there was none. ``float_current_ma``
    and ``mode`` are the string's where known. Instants are not sent: the twin has no clock. The last three columns are
    nameplate and record: age since installation, rated capacity (10 h, 25 degC) for a model that the twin does not
    know, and the battery's own ohmic baseline at 25 degC; without them the estimates are wider, and their provenance
    says so.
    """

    model_config = ConfigDict(frozen=True, ser_json_bytes="base64", val_json_bytes="base64")

    battery_id: list[str]
    """Ids of the batteries, one entry per reading."""
    model_id: list[str]
    """Id of each battery's model."""
    dt_s: list[float | None]
    """Seconds since the battery's previous reading; null for its first reading."""
    voltage_v: list[float]
    """Voltages in volts, measured at the terminals."""
    current_a: list[float | None]
    """Currents in amperes, positive while charging; null where unknown."""
    temperature_c: list[float | None]
    """Temperatures of the cases in degrees Celsius; null where unknown."""
    internal_resistance_mohm: list[float | None]
    """Ohmic resistances in milliohms; null where not measured with this reading."""
    float_current_ma: list[float | None]
    """Float current of each battery's string in milliamperes; null where unknown."""
    mode: list[StringMode | None]
    """What each battery's string does; null where unknown."""
    state: list[bytes | None]
    """The estimator's state of each battery from the answer before, in base64; null to start from the prior.

    Later readings of the same battery in this call have null as well, and continue."""
    age_days: list[float | None] | None = None
    """Days since installation; null where unknown."""
    rated_ah: list[float | None] | None = None
    """Rated capacities in ampere-hours, for models that the twin does not know; null where unknown."""
    baseline_resistance_mohm: list[float | None] | None = None
    """Resistances when new in milliohms, at 25 °C; null where unknown."""

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


class EstimateResponse(Described):
    """Estimates in the order of the request; None where the twin withholds one, with the reason in ``error``.

    ``state`` is the new state to keep; of several readings of a battery, the last usable one has it. A rejected reading
    has none and the old state remains valid, unless the state itself is unusable: then it is empty, and the battery
    starts from its prior with the next reading.
    """

    model_config = ConfigDict(frozen=True, ser_json_bytes="base64", val_json_bytes="base64")

    soc_pct: list[float | None]
    """States of charge in percent; null where withheld."""
    soc_sd_pct: list[float | None]
    """Standard deviations of the states of charge in percentage points; null where withheld."""
    soh_pct: list[float | None]
    """States of health in percent of the rated capacity; null where withheld."""
    soh_sd_pct: list[float | None]
    """Standard deviations of the states of health in percentage points; null where withheld."""
    soc_provenance: list[Provenance | None]
    """Kind of evidence behind each state of charge; null where withheld."""
    soh_provenance: list[Provenance | None]
    """Kind of evidence behind each state of health; null where withheld."""
    resistance_mohm: list[float | None]
    """Estimated resistances in milliohms; null where withheld."""
    resistance_sd_mohm: list[float | None]
    """Standard deviations of the resistances in milliohms; null where withheld."""
    normalised_innovation_squared: list[float | None]
    """How far each voltage was from its prediction; about 1 if the filter is right, null without one."""
    state: list[bytes | None]
    """New state of each battery in base64, to send with its next reading; null keeps the old one."""
    error: list[str | None]
    """Why a reading was rejected or an estimate withheld; null where neither happened."""


class Quantiles(Described):
    """A forecast as an 80 % interval with its median."""

    model_config = ConfigDict(frozen=True)

    p10: Annotated[float, Field(ge=0)]
    """Value that is undercut with a probability of 10 %."""
    p50: Annotated[float, Field(ge=0)]
    """Median."""
    p90: Annotated[float, Field(ge=0)]
    """Value that is exceeded with a probability of 10 %."""


class PhysicsRul(Described):
    """Days until 80 % of rated capacity by the ageing law, with the evidence behind it."""

    model_config = ConfigDict(frozen=True)

    battery_id: str
    """Id of the battery."""
    rul_days: Quantiles
    """Days until the state of health falls to 80 %."""
    provenance: Provenance
    """Kind of evidence behind the forecast."""
    as_of: AwareDatetime
    """Instant from which the days count."""
