"""The fleet's estimates over HTTP."""

from typing import cast

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from battery_contracts.twin import NOTHING_ESTIMATED, EstimateRequest, EstimateResponse
from battery_servicekit.openapi import body_of
from battery_servicekit.problems import FieldError, Invalid, problems
from battery_twin.fleet.estimator import Estimator

router = APIRouter()


class NothingEstimated(Invalid):
    """Every reading of the call was refused."""

    code = NOTHING_ESTIMATED


@router.post(
    "/estimate",
    response_model=EstimateResponse,
    responses=problems(NothingEstimated),
    openapi_extra=body_of(EstimateRequest),
)
async def estimate(request: Request) -> Response:
    """Estimate SOC, SOH and resistance of each reading from it and the state that the one before left.

    A reading that cannot be used is answered with its fault in ``error`` and spoils no other. When all are refused the
    answer is 422 with the first faults.
    """
    # Read as bytes: Pydantic parses it once, and states are base64 only in JSON.
    body = await request.body()
    estimator = cast("Estimator", request.app.state.estimator)
    return Response(await run_in_threadpool(_answer, estimator, body), media_type="application/json")


def _answer(estimator: Estimator, body: bytes) -> bytes:
    try:
        asked = EstimateRequest.model_validate_json(body)
    except ValidationError as invalid:
        errors = [{**error, "loc": ("body", *error["loc"])} for error in invalid.errors(include_url=False)]
        raise RequestValidationError(errors) from invalid
    answered = estimator.estimate(asked)
    refused = [
        (place, error)
        for place, (error, state) in enumerate(zip(answered.error, answered.state, strict=True))
        if error is not None and not state
    ]
    if refused and len(refused) == len(answered.error):
        raise NothingEstimated(
            f"None of the {len(refused)} readings can be used. {asked.battery_id[refused[0][0]]}: {refused[0][1]}.",
            errors=[
                FieldError(field=f"{error.partition(':')[0]}.{place}", code="invalid", detail=error)
                for place, error in refused[:100]
            ],
        )
    return answered.model_dump_json().encode()
