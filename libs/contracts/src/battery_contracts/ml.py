"""Wire models of remaining-useful-life prediction."""

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from battery_contracts.twin import Quantiles


class Reason(BaseModel):
    """One contribution to a prediction in plain words, with the measured value and the fleet's norm."""

    model_config = ConfigDict(frozen=True)

    feature: str
    effect_days: float
    value: float | None
    fleet_norm: float | None
    sentence: str


class RulPrediction(BaseModel):
    """Days until 80 % of rated capacity for one battery; ``rul_days`` is None when the answer is withheld."""

    model_config = ConfigDict(frozen=True)

    battery_id: str
    rul_days: Quantiles | None
    withheld_reason: str | None
    confidence: Annotated[float, Field(ge=0, le=1)] | None
    reasons: list[Reason]
    model_version: str
    predicted_at: AwareDatetime
