"""What the two services say of the batteries of a location, or why they say nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from battery_contracts.clients.errors import InvalidServiceResponse, ServiceError, ServiceRefused
from battery_contracts.clients.ml import MlClient
from battery_contracts.clients.twin_analysis import TwinAnalysisClient
from battery_contracts.ml import NO_CHAMPION, FeatureDrift, RulBatchRequest, RulPrediction
from battery_contracts.twin_analysis import PhysicsForecast, PhysicsRulRequest


class AnswerState(StrEnum):
    """Whether a service answered."""

    ANSWERED = "answered"
    UNAVAILABLE = "unavailable"
    NO_CHAMPION = "no_champion"
    REFUSED = "refused"
    INVALID_RESPONSE = "invalid_response"

    def joined(self, other: "AnswerState") -> "AnswerState":
        """Return the state of both calls together: that of a failure, if there is one."""
        return self if other is AnswerState.ANSWERED else other


@dataclass(frozen=True, slots=True)
class MlAnswer:
    """Predictions by battery id, and the drift of the batteries; the version is None where nothing was answered."""

    state: AnswerState
    predictions: Mapping[str, RulPrediction] = field(default_factory=dict)
    model_version: str | None = None
    drift: Sequence[FeatureDrift] = ()


@dataclass(frozen=True, slots=True)
class TwinAnswer:
    """Forecasts by battery id."""

    state: AnswerState
    forecasts: Mapping[str, PhysicsForecast] = field(default_factory=dict)


async def ask_ml(client: MlClient | None, request: RulBatchRequest | None) -> MlAnswer:
    """Ask the prediction service; None as the request asks nothing."""
    if client is None:
        return MlAnswer(AnswerState.UNAVAILABLE)
    if request is None:
        return MlAnswer(AnswerState.ANSWERED)
    try:
        response = await client.predict_rul_batch(request)
    except ServiceError as error:
        return MlAnswer(_state_of(error))
    predictions = {one.battery_id: one for one in response.predictions}
    return MlAnswer(AnswerState.ANSWERED, predictions, response.model_version, response.drift)


async def ask_twin(client: TwinAnalysisClient | None, request: PhysicsRulRequest | None) -> TwinAnswer:
    """Ask the digital twin; None as the request asks nothing."""
    if client is None:
        return TwinAnswer(AnswerState.UNAVAILABLE)
    if request is None:
        return TwinAnswer(AnswerState.ANSWERED)
    try:
        response = await client.predict_rul(request)
    except ServiceError as error:
        return TwinAnswer(_state_of(error))
    return TwinAnswer(AnswerState.ANSWERED, {one.battery_id: one for one in response.forecasts})


def _state_of(error: ServiceError) -> AnswerState:
    if error.code == NO_CHAMPION:
        return AnswerState.NO_CHAMPION
    if isinstance(error, ServiceRefused):
        return AnswerState.REFUSED
    return AnswerState.INVALID_RESPONSE if isinstance(error, InvalidServiceResponse) else AnswerState.UNAVAILABLE
