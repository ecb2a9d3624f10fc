"""Estimates of the fleet over HTTP."""

from typing import cast

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from battery_contracts.twin import NOTHING_ESTIMATED, EstimateRequest, EstimateResponse
from battery_servicekit.openapi.bodies import body_of
from battery_servicekit.problems import FieldError, Invalid, ValidationFailed, problems
from battery_servicekit.strict_query import StrictRoute
from battery_twin.fleet.estimator import FleetEstimator

router = APIRouter(route_class=StrictRoute)
MAX_REPORTED = 100


class NothingEstimated(Invalid):
    """All readings of the call were rejected."""

    code = NOTHING_ESTIMATED


@router.post(
    "/estimate",
    response_model=EstimateResponse,
    responses=problems(NothingEstimated, ValidationFailed),
    openapi_extra=body_of(EstimateRequest),
)
async def estimate(request: Request) -> Response:
    """Estimate SOC, SOH and resistance of batteries from one reading each and the state of the previous one.

    A reading that cannot be used has its fault in ``error`` and does not affect the others. When all are rejected, the
    response is 422 with the first faults.
    """
    # Read as bytes, so that Pydantic parses the JSON once and decodes the states from base64.
    body = await request.body()
    estimator = cast("FleetEstimator", request.app.state.estimator)
    return Response(await run_in_threadpool(_respond, estimator, body), media_type="application/json")


def _respond(estimator: FleetEstimator, body: bytes) -> bytes:
    try:
        estimate_request = EstimateRequest.model_validate_json(body)
    except ValidationError as invalid:
        errors = [{**error, "loc": ("body", *error["loc"])} for error in invalid.errors(include_url=False)]
        raise RequestValidationError(errors) from invalid
    response = estimator.estimate(estimate_request)
    rejected = [
        (slot, error)
        for slot, (error, state) in enumerate(zip(response.error, response.state, strict=True))
        if error is not None and not state
    ]
    if rejected and len(rejected) == len(response.error):
        first_slot, first_error = rejected[0]
        raise NothingEstimated(
            f"None of the {len(rejected)} readings can be used."
            f" {estimate_request.battery_id[first_slot]}: {first_error}.",
            errors=[
                FieldError(field=f"{error.partition(':')[0]}.{slot}", code="invalid", detail=error)
                for slot, error in rejected[:MAX_REPORTED]
            ],
        )
    return response.model_dump_json().encode()
