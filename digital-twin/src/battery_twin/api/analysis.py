"""Simulation, calibration and validation over HTTP."""

from fastapi import APIRouter, Request

from battery_contracts.twin_analysis import (
    CalibrateRequest,
    CalibrateResponse,
    RunColumns,
    SimulateRequest,
    SimulateResponse,
    ValidateRequest,
    ValidateResponse,
)
from battery_servicekit.problems import FieldError, Invalid, problems
from battery_servicekit.strict_query import StrictRoute
from battery_twin.api.computing import Busy, Computing, TooCostly
from battery_twin.circuit.data_sheet import data_sheet_parameters
from battery_twin.circuit.parameter_set import ParameterSet, ParametersInvalid
from battery_twin.consistency import validate
from battery_twin.deadline import Deadline
from battery_twin.identification.findings import fit_error, identified_parameters, notes
from battery_twin.identification.fit import identify
from battery_twin.identification.fitted_set import fitted_parameters
from battery_twin.runs import RecordedRun, RunInvalid
from battery_twin.runtime.string import simulate

router = APIRouter(route_class=StrictRoute)


class RunRefused(Invalid):
    """A run has an unusable value, or is too short for what was requested."""

    code = "run_invalid"


class ParametersRefused(Invalid):
    """A parameter set cannot be used."""

    code = "parameters_invalid"


@router.post("/simulate", responses=problems(ParametersRefused, TooCostly, Busy))
async def simulate_string(http: Request, request: SimulateRequest) -> SimulateResponse:
    """Simulate how long a string lasts under a load, with an 80 % interval and the battery that limits it."""
    parameters = _parameters(request.parameters, request.rated_ah)
    return await _computing(http).run(http, lambda deadline: simulate(request, parameters, deadline))


@router.post("/calibrate", responses=problems(RunRefused, TooCostly, Busy))
async def calibrate(http: Request, request: CalibrateRequest) -> CalibrateResponse:
    """Identify a parameter set from recorded runs of one battery."""
    return await _computing(http).run(http, lambda deadline: _calibrated(request, deadline))


def _calibrated(request: CalibrateRequest, deadline: Deadline) -> CalibrateResponse:
    runs = tuple(_run(columns, f"runs.{number}") for number, columns in enumerate(request.runs))
    try:
        fit = identify(runs, request.rated_ah, tuple(request.initial_soc) if request.initial_soc else None, deadline)
        parameters = fitted_parameters(fit, request.rated_ah)
    except RunInvalid as refused:
        raise _refused(refused, "runs") from refused
    return CalibrateResponse(
        parameters=parameters.to_mapping(),
        fit=fit_error(fit),
        identified=identified_parameters(fit),
        notes=notes(fit),
    )


@router.post("/validate", responses=problems(RunRefused, ParametersRefused, Busy))
async def validate_parameters(http: Request, request: ValidateRequest) -> ValidateResponse:
    """Compare the predictions of a parameter set, and their stated uncertainty, with a recorded run."""
    # One pass over at most half a million rows; it needs no deadline of its own.
    return await _computing(http).run(http, lambda _: _validated(request))


def _validated(request: ValidateRequest) -> ValidateResponse:
    parameters = _parameters(request.parameters, request.rated_ah)
    initial_soc = 0.9 if request.initial_soc is None else request.initial_soc
    try:
        return validate(_run(request.run, "run"), parameters, initial_soc)
    except RunInvalid as refused:
        raise _refused(refused, "run") from refused


def _computing(request: Request) -> Computing:
    computing: Computing = request.app.state.computing
    return computing


def _run(columns: RunColumns, field: str) -> RecordedRun:
    try:
        return RecordedRun.of(columns.model_dump())
    except RunInvalid as refused:
        raise _refused(refused, field) from refused


def _refused(refused: RunInvalid, field: str) -> RunRefused:
    path = ".".join([field, *([refused.column] if refused.column else [])])
    return RunRefused(str(refused), errors=[FieldError(field=path, code="invalid", detail=str(refused))])


def _parameters(content: dict[str, object] | None, rated_ah: float | None) -> ParameterSet:
    if content is None:
        assert rated_ah is not None, "the contract requires one of the two"
        return data_sheet_parameters(rated_ah)
    try:
        return ParameterSet.from_mapping(content)
    except ParametersInvalid as refused:
        detail = str(refused)
        field = f"parameters.{detail.partition(':')[0]}"
        raise ParametersRefused(detail, errors=[FieldError(field=field, code="invalid", detail=detail)]) from refused
