"""Remaining life over HTTP."""

from typing import Annotated, cast

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from battery_contracts.ml import (
    BATCH_TOO_LARGE,
    MAX_RUL_BATTERIES,
    NO_CHAMPION,
    RulBatchRequest,
    RulBatchResponse,
    RulPrediction,
    RulRequest,
)
from battery_ml.features.history import DailyHistory
from battery_ml.registry.champion import Champion
from battery_ml.serving.predictor import Predictor
from battery_ml.serving.requests import history_of_batch, history_of_one
from battery_servicekit.openapi.bodies import body_of
from battery_servicekit.problems import DomainError, FieldError, Invalid, Unavailable, ValidationFailed, problems
from battery_servicekit.strict_query import StrictRoute

router = APIRouter(route_class=StrictRoute)


class NoChampion(Unavailable):
    """No model is in service, so nothing is predicted."""

    code = NO_CHAMPION


class RulBatchTooLarge(DomainError):
    """The batch holds more batteries than one call may."""

    code, status = BATCH_TOO_LARGE, 413


class DaysRefused(Invalid):
    """A daily column is unknown, or is truth that no monitor measures."""

    code = "daily_columns_refused"


def get_champion(request: Request) -> Champion[Predictor]:
    """Return the champion in memory."""
    return cast("Champion[Predictor]", request.app.state.champion)


ChampionDep = Annotated[Champion[Predictor], Depends(get_champion)]


@router.post("/predict/rul", responses=problems(NoChampion, DaysRefused))
def predict_rul(request: RulRequest, champion: ChampionDep) -> RulPrediction:
    """Predict the days to 80 % of rated capacity of one battery, with reasons."""
    predictor = _predictor_of(champion)
    try:
        history = history_of_one(request)
    except ValueError as refused:
        raise _refused(refused) from refused
    return predictor.predict(history)[0]


@router.post(
    "/predict/rul/batch",
    response_model=RulBatchResponse,
    responses=problems(NoChampion, RulBatchTooLarge, DaysRefused, ValidationFailed),
    openapi_extra=body_of(RulBatchRequest),
)
async def predict_rul_batch(request: Request, champion: ChampionDep) -> Response:
    """Predict many batteries with reasons, all by one model.

    Sparse, old or unfamiliar readings of one battery widen or withhold its own prediction and affect no other.
    """
    # Read as bytes: Pydantic parses it once, off the event loop, and the columns are base64 only in JSON.
    body = await request.body()
    return Response(await run_in_threadpool(_predict_body, champion, body), media_type="application/json")


def _predict_body(champion: Champion[Predictor], body: bytes) -> bytes:
    predictor = _predictor_of(champion)
    try:
        request = RulBatchRequest.model_validate_json(body)
    except ValidationError as invalid:
        errors = [{**error, "loc": ("body", *error["loc"])} for error in invalid.errors(include_url=False)]
        raise RequestValidationError(errors) from invalid
    count = len(request.battery_id)
    if count > MAX_RUL_BATTERIES:
        raise RulBatchTooLarge(
            f"{count} batteries were sent, the limit per call is {MAX_RUL_BATTERIES}; send several calls."
        )
    try:
        history: DailyHistory = history_of_batch(request)
    except ValueError as refused:
        raise _refused(refused) from refused
    response = predictor.respond(history)
    return response.model_dump_json().encode()


def _predictor_of(champion: Champion[Predictor]) -> Predictor:
    predictor = champion.current()
    if predictor is None:
        raise NoChampion(f"Nothing is predicted: {champion.fault or 'no model is in service'}.")
    return predictor


def _refused(refused: ValueError) -> DaysRefused:
    return DaysRefused(str(refused), errors=[FieldError(field="daily", code="refused", detail=str(refused))])
