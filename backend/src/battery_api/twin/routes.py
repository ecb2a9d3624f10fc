"""Endpoints of the digital twin's record and of its simulations."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from battery_api.accounts.deps import require_scope
from battery_api.accounts.principal import Principal, Scope
from battery_api.context import ContextDep
from battery_api.fleet.errors import BatteryNotFound, StringNotFound, SystemNotFound
from battery_api.fleet.path_ids import BatteryPath, StringPath, SystemPath
from battery_api.twin import runtime
from battery_api.twin.errors import (
    LoadInvalid,
    RuntimeUnknown,
    SimulationRefused,
    TwinUnavailable,
)
from battery_api.twin.questions import QUESTIONS, QuestionRunning
from battery_api.twin.schemas import BatteryDischarge, RuntimeOut, StringDischarge, SystemRuntimeOut, TwinRecord
from battery_api.twin.service import TwinRecordService
from battery_api.twin.system_runtime import prepare_system
from battery_contracts.enums import Role
from battery_contracts.twin_analysis import SimulateRequest, SimulateResponse
from battery_servicekit.asker import while_connected
from battery_servicekit.pagination import Page, PageQuery
from battery_servicekit.problems import problems
from battery_servicekit.responses import JsonResponse
from battery_servicekit.strict_query import StrictRoute

router = APIRouter(tags=["twin"], route_class=StrictRoute)
FleetReader = Annotated[Principal, Depends(require_scope(Scope.FLEET_READ, role=Role.VIEWER))]


@router.get("/batteries/{battery_id}/twin", response_model=TwinRecord, responses=problems(BatteryNotFound))
async def get_battery_twin(
    battery_id: BatteryPath,
    context: ContextDep,
    principal: FleetReader,
    history_days: Annotated[int, Query(ge=1, le=730, description="Days of history, including today.")] = 90,
) -> Response:
    """Return the digital twin's estimates of a battery, the evidence with its age, and the history by day."""
    async with context.database.begin() as connection:
        service = TwinRecordService(connection, principal, context.clock.now())
        return JsonResponse(await service.get_record(battery_id, history_days=history_days))


@router.get(
    "/batteries/{battery_id}/discharges", response_model=Page[BatteryDischarge], responses=problems(BatteryNotFound)
)
async def list_battery_discharges(
    battery_id: BatteryPath, context: ContextDep, principal: FleetReader, page: PageQuery
) -> Response:
    """List a battery's discharges, newest first, with the state of health that each showed."""
    async with context.database.begin() as connection:
        service = TwinRecordService(connection, principal, context.clock.now())
        return JsonResponse(await service.list_battery_discharges(battery_id, page))


@router.get("/strings/{string_id}/discharges", response_model=Page[StringDischarge], responses=problems(StringNotFound))
async def list_string_discharges(
    string_id: StringPath, context: ContextDep, principal: FleetReader, page: PageQuery
) -> Response:
    """List a string's discharges with their batteries, newest first."""
    async with context.database.begin() as connection:
        service = TwinRecordService(connection, principal, context.clock.now())
        return JsonResponse(await service.list_string_discharges(string_id, page))


@router.get(
    "/strings/{string_id}/runtime",
    response_model=RuntimeOut,
    responses=problems(StringNotFound, LoadInvalid, RuntimeUnknown, SimulationRefused, TwinUnavailable),
)
async def get_string_runtime(
    request: Request,
    string_id: StringPath,
    context: ContextDep,
    principal: FleetReader,
    *,
    power_w: Annotated[float | None, Query(gt=0, le=4_000_000, description="Power drawn from the string.")] = None,
    current_a: Annotated[float | None, Query(ge=-3000, le=3000, description="Current; negative discharges.")] = None,
) -> Response:
    """Return the runtime of a string under a load (default: the present one, else the last), and what limits it."""
    now = context.clock.now()
    async with context.database.begin() as connection:
        query = await runtime.prepare(connection, principal, now, string_id, power_w=power_w, current_a=current_a)
    # The connection is returned by now: the twin may take seconds.
    simulation = await while_connected(request, runtime.simulate(context.twin_analysis, query.request()))
    return JsonResponse(query.result(simulation, now))


@router.get(
    "/systems/{system_id}/runtime",
    response_model=SystemRuntimeOut,
    responses=problems(SystemNotFound, LoadInvalid, TwinUnavailable),
)
async def get_system_runtime(
    request: Request,
    system_id: SystemPath,
    context: ContextDep,
    principal: FleetReader,
    *,
    power_w: Annotated[float | None, Query(gt=0, le=4_000_000, description="Power drawn from the system.")] = None,
    current_a: Annotated[
        float | None, Query(ge=-3000, le=3000, description="Current of the whole system; negative discharges.")
    ] = None,
) -> Response:
    """Return the runtime of a battery system: until its first string reaches the cut-off at its share of the load.

    The strings share the load by their present currents while they discharge, else by rated capacity.
    """
    now = context.clock.now()
    async with context.database.begin() as connection:
        query = await prepare_system(connection, principal, now, system_id, power_w=power_w, current_a=current_a)
    return JsonResponse(await while_connected(request, query.runtime(context.twin_analysis, now)))


@router.post(
    "/twin/simulate",
    response_model=SimulateResponse,
    responses=problems(SimulationRefused, TwinUnavailable, QuestionRunning),
)
async def simulate_string(
    http: Request, request: SimulateRequest, context: ContextDep, principal: FleetReader
) -> Response:
    """Simulate a string of blocks that the request describes under a load profile."""
    with QUESTIONS.asked_by(principal):
        return JsonResponse(await while_connected(http, runtime.simulate(context.twin_analysis, request)))
