"""Wire models of remaining-useful-life prediction, of the model registry and of training jobs."""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import AwareDatetime, ConfigDict, Field, model_validator

from battery_contracts.described import Described
from battery_contracts.twin import Quantiles

MAX_RUL_BATTERIES = 5_000
MAX_RUL_DAYS = 1_100
NO_CHAMPION = "no_champion"
"""Problem code and readiness reason of a service without a model in use."""
BATCH_TOO_LARGE = "batch_too_large"
MIN_DRIFT_BATTERIES: Final = 50
"""Fewer show a drift of 0.2 by chance (EJ)."""
DRIFT_NOTABLE: Final = 0.1
"""Population stability index from which inputs have moved somewhat: Siddiqi, *Credit Risk Scorecards* (2006)."""
DRIFT_LARGE: Final = 0.25
"""Index from which they have moved so far that the model is to be trained again; the same source."""
DAILY_COLUMNS: Final = (
    "voltage_mean_v",
    "voltage_deviation_v",
    "string_spread_v",
    "temperature_mean_c",
    "temperature_min_c",
    "temperature_max_c",
    "hours_above_30c",
    "hours_above_35c",
    "temperature_rise_k",
    "resistance_25c_mohm",
    "float_current_ma",
    "discharge_count",
    "discharge_s",
    "discharge_ah",
    "discharge_min_v",
)
"""Columns that a daily history may have.

Voltages, the deviation from the string mean and the string spread (standard deviation over its batteries) are taken at
float only; ``temperature_rise_k`` is above room temperature; resistance is the day's last measurement, referred to 25
°C. The float current and the discharges are the string's; ``discharge_min_v`` is the battery's lowest voltage in them.
"""
_FLOAT32_BYTES = 4


class Reason(Described):
    """One contribution to a prediction in a sentence, with the measured value and the fleet norm."""

    model_config = ConfigDict(frozen=True)

    feature: str
    """Name of the feature."""
    effect_days: float
    """Days by which it lengthens the prediction; negative shortens it."""
    value: float | None
    """Measured value, in the unit that the name of the feature ends with; null where unknown."""
    fleet_norm: float | None
    """Median of the training fleet, in the same unit; null where unknown."""
    sentence: str
    """The reason in English."""


class RulPrediction(Described):
    """Days until 80 % of rated capacity for one battery; ``rul_days`` is None when the prediction is withheld.

    ``widened_because`` gives the reasons for an interval wider than the model's own.
    """

    model_config = ConfigDict(frozen=True)

    battery_id: str
    """Id of the battery."""
    rul_days: Quantiles | None
    """Days until the state of health falls to 80 %; null where withheld, which is no long life."""
    withheld_reason: str | None
    """Why there is no prediction; null where there is one."""
    confidence: Annotated[float, Field(ge=0, le=1)] | None
    """How narrow the interval is against its middle, from 0 to 1; no probability, and null where withheld."""
    follow_up_days: float | None = None
    """Days ahead that lives were followed in training; a value that reaches it means longer. Null where withheld."""
    peer_deviation: float | None = None
    """Largest deviation from the batteries of its string in robust standard deviations; null where it has no peers."""
    peer_deviation_of: str | None = None
    """Quantity that deviates most: `float_voltage`, `resistance` or `voltage_under_load`; null where there is none."""
    reasons: list[Reason]
    """What moves the prediction most, strongest first."""
    model_version: str
    """Version of the model that predicted."""
    predicted_at: AwareDatetime
    """Instant from which the days count."""
    widened_because: list[str] = Field(default=[])
    """Why the interval is wider than the model's own; empty if it is not."""


class RulRequest(Described):
    """Daily history of one battery as lists, oldest first; the last day is the last whole day before ``as_of``.

    ``baseline_resistance_mohm`` is this battery's own when new, at 25 °C.
    """

    model_config = ConfigDict(frozen=True)

    battery_id: str
    """Id of the battery, which the answer repeats."""
    string_id: str
    """Id of its string."""
    as_of: AwareDatetime
    """Instant from which the days count."""
    age_days: float | None
    """Days since installation; null where unknown."""
    rated_ah: float | None
    """Rated capacity in ampere-hours; null where unknown."""
    design_life_years: float | None
    """Life in years on float that the data sheet states; null where unknown."""
    baseline_resistance_mohm: float | None = None
    """Resistance when new in milliohms, at 25 °C; null where unknown."""
    daily: dict[str, list[float | None]]
    """Daily figures by name of the column, oldest first; null for a day without readings."""

    @model_validator(mode="after")
    def _same_length(self) -> "RulRequest":
        lengths = {name: len(values) for name, values in self.daily.items()}
        if len(set(lengths.values())) != 1:
            raise ValueError(f"daily: the columns must have equal lengths; received {lengths}")
        days = next(iter(lengths.values()))
        if not 1 <= days <= MAX_RUL_DAYS:
            raise ValueError(f"daily: {days} days, a request holds 1 to {MAX_RUL_DAYS}")
        return self


class RulBatchRequest(Described):
    """Daily histories of many batteries as rectangles: a year of 1,944 batteries is 2.8 MB per column.

    Each entry of ``daily`` is little-endian float32, battery by battery, ``days`` values each, oldest first, NaN
    where there is no reading; base64 in JSON. The last day is the last whole day before ``as_of``.
    ``baseline_resistance_mohm`` is that of each battery when new, at 25 °C.
    """

    model_config = ConfigDict(frozen=True, ser_json_bytes="base64", val_json_bytes="base64")

    as_of: AwareDatetime
    """Instant from which the days count."""
    battery_id: list[str]
    """Ids of the batteries, each once."""
    string_id: list[str]
    """Id of each battery's string."""
    age_days: list[float | None]
    """Days since installation; null where unknown."""
    rated_ah: list[float | None]
    """Rated capacities in ampere-hours; null where unknown."""
    design_life_years: list[float | None]
    """Lives in years on float that the data sheets state; null where unknown."""
    baseline_resistance_mohm: list[float | None] | None = None
    """Resistances when new in milliohms, at 25 °C; null where unknown."""
    days: Annotated[int, Field(ge=1, le=MAX_RUL_DAYS)]
    """Days of history of each battery."""
    daily: dict[str, bytes]
    """Daily figures by name of the column, as base64 of little-endian float32."""

    @model_validator(mode="after")
    def _same_length(self) -> "RulBatchRequest":
        count = len(self.battery_id)
        columns = ("string_id", "age_days", "rated_ah", "design_life_years", "baseline_resistance_mohm")
        lengths = {name: len(getattr(self, name)) for name in columns if getattr(self, name) is not None}
        wrong = {name: length for name, length in lengths.items() if length != count}
        if wrong:
            raise ValueError(f"columns differ in length from battery_id, which has {count}: {wrong}")
        if len(set(self.battery_id)) != count:
            raise ValueError("battery_id: a battery appears twice")
        expected = count * self.days * _FLOAT32_BYTES
        wrong = {name: len(packed) for name, packed in self.daily.items() if len(packed) != expected}
        if wrong:
            raise ValueError(f"daily: {count} x {self.days} float32 values are {expected} bytes; received {wrong}")
        return self


class FeatureDrift(Described):
    """How far a feature of a batch is distributed otherwise than in the training fleet."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    feature: str
    """Name of the feature."""
    psi: Annotated[float, Field(ge=0)] | None
    """Population stability index: notable from 0.1, large from 0.25; null if known of fewer than 50 batteries."""
    share_known: Annotated[float, Field(ge=0, le=1)]
    """Share from 0 to 1 of the batteries of which it is known."""
    counts: list[Annotated[float, Field(ge=0)]] = Field(default=[])
    """Batteries in each tenth of the training fleet, which add up over batches; empty where that is not known."""


class RulBatchResponse(Described):
    """Predictions in the order of the request, all by one model."""

    model_config = ConfigDict(frozen=True)

    model_version: str
    """Version of the model that predicted."""
    predictions: list[RulPrediction]
    """One prediction per battery."""
    drift: list[FeatureDrift] = Field(default=[])
    """Drift of each input of the model; empty for fewer than 50 batteries, of which it would be chance."""


class ModelSummary(Described):
    """A version in the registry; ``fault`` says why it is unusable."""

    model_config = ConfigDict(frozen=True)

    version: str
    """Version of the model."""
    aliases: list[str]
    """Names that point to the version, as `champion` for the one in service."""
    created_at: AwareDatetime | None
    """When it was trained; null where its manifest cannot be read."""
    metrics: dict[str, float]
    """Figures of its evaluation by name."""
    fault: str | None = None
    """Why it cannot be used; null where it can."""


class ModelList(Described):
    """All versions, newest first."""

    model_config = ConfigDict(frozen=True)

    models: list[ModelSummary]
    """The versions, newest first."""


class FeatureNorm(Described):
    """Distribution of one feature in the training fleet.

    ``known`` is the share of batteries for which the feature was known. ``deciles`` are the nine values that divide the
    known ones into tenths, for the population stability index; empty for versions trained without them.
    """

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    name: str
    """Name of the feature, which ends with its unit."""
    median: float
    """Median in the training fleet."""
    p5: float
    """Value below which 5 % of the training fleet lie."""
    p95: float
    """Value above which 5 % of the training fleet lie."""
    known: Annotated[float, Field(ge=0, le=1)] = 1.0
    """Share from 0 to 1 of the batteries for which it was known."""
    deciles: list[float] = Field(default=[])
    """The nine values that divide the known ones into tenths; empty for older versions."""


class ModelDetail(ModelSummary):
    """Details of one version."""

    features: list[FeatureNorm]
    """Inputs of the model, with their distributions in training."""
    data_sha256: str
    """SHA-256 of the training data."""
    split: str
    """How the batteries were divided into training, validation, calibration and test."""
    seed: int
    """Seed of the training."""
    library_versions: dict[str, str]
    """Versions of the libraries that trained it, by name."""
    files: dict[str, str]
    """SHA-256 of each of its files, by name."""


class TrainRequest(Described):
    """What to train on."""

    model_config = ConfigDict(frozen=True)

    dataset: Annotated[str, Field(min_length=1, max_length=1000, examples=["/app/data/lives"])] | None = None
    """Folder on the service's disk that `battery-synth training` has written; null: lives are made and then deleted."""
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 1
    """Seed of the lives that are made, of the split and of the training."""


class TrainState(StrEnum):
    """State of a training job."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class TrainJob(Described):
    """A training job; the version that it produces stays a candidate until it is promoted."""

    model_config = ConfigDict(frozen=True)

    job_id: str
    """Id of the job, for asking after it."""
    state: TrainState
    """State of the job."""
    progress: Annotated[float, Field(ge=0, le=1)]
    """Share from 0 to 1 that is done."""
    step: str
    """What it does now."""
    started_at: AwareDatetime
    """When it was started."""
    finished_at: AwareDatetime | None = None
    """When it ended; null while it runs."""
    version: str | None = None
    """Version that it produced; null until it has succeeded."""
    error: str | None = None
    """Why it failed; null unless it has."""
