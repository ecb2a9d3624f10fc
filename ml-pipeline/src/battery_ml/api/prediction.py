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
from battery_servicekit.openapi import body_of
from battery_servicekit.problems import DomainError, FieldError, Invalid, Unavailable, problems

router = APIRouter()


class NoChampion(Unavailable):
    """No model is in use, so nothing is predicted."""

    code = NO_CHAMPION


class BatchTooLarge(DomainError):
    """More batteries than one call takes."""

    code, status = BATCH_TOO_LARGE, 413


class DaysRefused(Invalid):
    """A daily column is unknown, or is truth that no monitor knows."""

    code = "daily_columns_refused"


def get_champion(request: Request) -> Champion[Predictor]:
    """Return the follower of the champion."""
    return cast("Champion[Predictor]", request.app.state.champion)


ChampionDep = Annotated[Champion[Predictor], Depends(get_champion)]


@router.post("/predict/rul", responses=problems(NoChampion, DaysRefused))
def predict_rul(request: RulRequest, champion: ChampionDep) -> RulPrediction:
    """Predict one battery's days to 80 % of rated capacity, with reasons."""
    predictor = _in_use(champion)
    try:
        history = history_of_one(request)
    except ValueError as refused:
        raise _refused(refused) from refused
    return predictor.predict(history)[0]


@router.post(
    "/predict/rul/batch",
    response_model=RulBatchResponse,
    responses=problems(NoChampion, BatchTooLarge, DaysRefused),
    openapi_extra=body_of(RulBatchRequest),
)
async def predict_rul_batch(request: Request, champion: ChampionDep) -> Response:
    """Predict many batteries with reasons, all by one model.

    Thin, old or unfamiliar days of one battery widen or withhold its answer and touch no other's.
    """
    # Read as bytes: Pydantic parses it once, off the event loop, and days are base64 only in JSON.
    body = await request.body()
    return Response(await run_in_threadpool(_answer, champion, body), media_type="application/json")


def _answer(champion: Champion[Predictor], body: bytes) -> bytes:
    predictor = _in_use(champion)
    try:
        asked = RulBatchRequest.model_validate_json(body)
    except ValidationError as invalid:
        errors = [{**error, "loc": ("body", *error["loc"])} for error in invalid.errors(include_url=False)]
        raise RequestValidationError(errors) from invalid
    count = len(asked.battery_id)
    if count > MAX_RUL_BATTERIES:
        raise BatchTooLarge(f"{count} batteries were sent, at most {MAX_RUL_BATTERIES} fit one call; send several.")
    try:
        history: DailyHistory = history_of_batch(asked)
    except ValueError as refused:
        raise _refused(refused) from refused
    answer = RulBatchResponse(model_version=predictor.version, predictions=predictor.predict(history))
    return answer.model_dump_json().encode()


def _in_use(champion: Champion[Predictor]) -> Predictor:
    predictor = champion.current()
    if predictor is None:
        raise NoChampion(f"Nothing is predicted: {champion.fault or 'no model is in use'}.")
    return predictor


def _refused(refused: ValueError) -> DaysRefused:
    return DaysRefused(str(refused), errors=[FieldError(field="daily", code="refused", detail=str(refused))])
