"""Wire models of remaining-useful-life prediction, of the model registry and of training jobs."""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from battery_contracts.twin import Quantiles

MAX_RUL_BATTERIES = 5_000
MAX_RUL_DAYS = 1_100
NO_CHAMPION = "no_champion"
"""Problem code and readiness reason of a service without a model in use."""
BATCH_TOO_LARGE = "batch_too_large"
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


class Reason(BaseModel):
    """One contribution to a prediction in a sentence, with the measured value and the fleet norm."""

    model_config = ConfigDict(frozen=True)

    feature: str
    effect_days: float
    value: float | None
    fleet_norm: float | None
    sentence: str


class RulPrediction(BaseModel):
    """Days until 80 % of rated capacity for one battery; ``rul_days`` is None when the prediction is withheld.

    ``widened_because`` gives the reasons for an interval wider than the model's own.
    """

    model_config = ConfigDict(frozen=True)

    battery_id: str
    rul_days: Quantiles | None
    withheld_reason: str | None
    confidence: Annotated[float, Field(ge=0, le=1)] | None
    reasons: list[Reason]
    model_version: str
    predicted_at: AwareDatetime
    widened_because: list[str] = []


class RulRequest(BaseModel):
    """Daily history of one battery as lists, oldest first; the last day is the last whole day before ``as_of``.

    ``baseline_resistance_mohm`` is this battery's own when new, at 25 °C.
    """

    model_config = ConfigDict(frozen=True)

    battery_id: str
    string_id: str
    as_of: AwareDatetime
    age_days: float | None
    rated_ah: float | None
    design_life_years: float | None
    baseline_resistance_mohm: float | None = None
    daily: dict[str, list[float | None]]

    @model_validator(mode="after")
    def _same_length(self) -> "RulRequest":
        lengths = {name: len(values) for name, values in self.daily.items()}
        if len(set(lengths.values())) != 1:
            raise ValueError(f"daily: the columns must have equal lengths; received {lengths}")
        days = next(iter(lengths.values()))
        if not 1 <= days <= MAX_RUL_DAYS:
            raise ValueError(f"daily: {days} days, a request holds 1 to {MAX_RUL_DAYS}")
        return self


class RulBatchRequest(BaseModel):
    """Daily histories of many batteries as rectangles: a year of 1,944 batteries is 2.8 MB per column.

    Each entry of ``daily`` is little-endian float32, battery by battery, ``days`` values each, oldest first, NaN
    where there is no reading; base64 in JSON. The last day is the last whole day before ``as_of``.
    ``baseline_resistance_mohm`` is that of each battery when new, at 25 °C.
    """

    model_config = ConfigDict(frozen=True, ser_json_bytes="base64", val_json_bytes="base64")

    as_of: AwareDatetime
    battery_id: list[str]
    string_id: list[str]
    age_days: list[float | None]
    rated_ah: list[float | None]
    design_life_years: list[float | None]
    baseline_resistance_mohm: list[float | None] | None = None
    days: Annotated[int, Field(ge=1, le=MAX_RUL_DAYS)]
    daily: dict[str, bytes]

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


class RulBatchResponse(BaseModel):
    """Predictions in the order of the request, all by one model."""

    model_config = ConfigDict(frozen=True)

    model_version: str
    predictions: list[RulPrediction]


class ModelSummary(BaseModel):
    """A version in the registry; ``fault`` says why it is unusable."""

    model_config = ConfigDict(frozen=True)

    version: str
    aliases: list[str]
    created_at: AwareDatetime | None
    metrics: dict[str, float]
    fault: str | None = None


class ModelList(BaseModel):
    """All versions, newest first."""

    model_config = ConfigDict(frozen=True)

    models: list[ModelSummary]


class FeatureNorm(BaseModel):
    """Distribution of one feature in the training fleet.

    ``known`` is the share of batteries for which the feature was known. ``deciles`` are the nine values that divide the
    known ones into tenths, for the population stability index; empty for versions trained without them.
    """

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    name: str
    median: float
    p5: float
    p95: float
    known: Annotated[float, Field(ge=0, le=1)] = 1.0
    deciles: list[float] = []


class ModelDetail(ModelSummary):
    """Details of one version."""

    features: list[FeatureNorm]
    data_sha256: str
    split: str
    seed: int
    library_versions: dict[str, str]
    files: dict[str, str]


class TrainRequest(BaseModel):
    """What to train on; without a dataset the service generates one."""

    model_config = ConfigDict(frozen=True)

    dataset: str | None = None
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 1


class TrainState(StrEnum):
    """State of a training job."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class TrainJob(BaseModel):
    """A training job; the version that it produces stays a candidate until it is promoted."""

    model_config = ConfigDict(frozen=True)

    job_id: str
    state: TrainState
    progress: Annotated[float, Field(ge=0, le=1)]
    step: str
    started_at: AwareDatetime
    finished_at: AwareDatetime | None = None
    version: str | None = None
    error: str | None = None
