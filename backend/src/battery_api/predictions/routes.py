"""Endpoints of predictions and of their runs."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import Response

from battery_api.accounts.deps import require_scope
from battery_api.accounts.principal import Principal, Scope
from battery_api.context import ContextDep, NeedsRoom
from battery_api.fleet.errors import BatteryNotFound
from battery_api.fleet.path_ids import BatteryPath
from battery_api.predictions.errors import RunNotFound, RunRunning
from battery_api.predictions.fusion import RulSource
from battery_api.predictions.read_repository import PredictionFilter
from battery_api.predictions.run_schemas import RunIn, RunOut
from battery_api.predictions.schemas import BatteryRul, PredictionItem, PredictionSummary
from battery_api.predictions.service import PredictionService
from battery_api.predictions.summary import summarize
from battery_contracts.enums import Role
from battery_servicekit.pagination import Page, PageQuery
from battery_servicekit.problems import problems
from battery_servicekit.responses import JsonResponse
from battery_servicekit.strict_query import StrictRoute

router = APIRouter(tags=["predictions"], route_class=StrictRoute)
FleetReader = Annotated[Principal, Depends(require_scope(Scope.FLEET_READ, role=Role.VIEWER))]
Engineer = Annotated[Principal, Depends(require_scope(None, role=Role.ENGINEER))]
RunPath = Annotated[int, Path(ge=1, le=2**63 - 1, description="Id of the run.", examples=[17])]
PredictionSort = Literal["p10_days", "p50_days", "battery_id", "predicted_at"]


@router.get("/batteries/{battery_id}/rul", response_model=BatteryRul, responses=problems(BatteryNotFound))
async def get_battery_rul(
    battery_id: BatteryPath, context: ContextDep, principal: FleetReader, page: PageQuery
) -> Response:
    """Return the predictions of a battery's remaining life, newest first, with what each source says."""
    async with context.database.begin() as connection:
        service = PredictionService(connection, principal, context.clock.now())
        return JsonResponse(await service.get_battery(battery_id, page))


@router.get("/predictions", response_model=Page[PredictionItem])
async def list_predictions(  # noqa: PLR0917  # each is a query parameter
    context: ContextDep,
    principal: FleetReader,
    page: PageQuery,
    location_id: Annotated[str | None, Query(description="Only those of this location.")] = None,
    string_id: Annotated[str | None, Query(description="Only those of this string.")] = None,
    source: Annotated[RulSource | None, Query(description="Only those with this source.")] = None,
    is_conflict: Annotated[bool | None, Query(description="Only those with a conflict; false: the others.")] = None,
    due_within_days: Annotated[
        float | None, Query(ge=0, description="Only those whose P10, counted from now on, is at most so many days.")
    ] = None,
    sort: Annotated[PredictionSort, Query(description="Sort key; those without the value come last.")] = "p10_days",
    order: Annotated[Literal["asc", "desc"], Query(description="Direction of the sort.")] = "asc",
) -> Response:
    """List the newest prediction of each battery in service, also of those without one."""
    wanted = PredictionFilter(
        visible=principal.location_codes,
        location_id=location_id,
        string_id=string_id,
        source=None if source is None else source.value,
        is_conflict=is_conflict,
        due_within_days=due_within_days,
    )
    async with context.database.begin() as connection:
        service = PredictionService(connection, principal, context.clock.now())
        return JsonResponse(await service.list_newest(wanted, page, sort=sort, order=order))


@router.get("/predictions/summary", response_model=PredictionSummary)
async def get_summary(context: ContextDep, principal: FleetReader) -> Response:
    """Return how many batteries end when, in all and by location, and whether the predictions are complete."""
    async with context.database.begin() as connection:
        return JsonResponse(await summarize(connection, principal, context.clock.now()))


@router.post(
    "/predictions/run",
    status_code=202,
    response_model=RunOut,
    responses=problems(RunRunning),
    dependencies=[NeedsRoom],
)
async def start_run(body: RunIn, context: ContextDep, principal: Engineer) -> Response:
    """Start a run over the fleet; a repeated request with the same key names the same run."""
    async with context.database.begin() as connection:
        service = PredictionService(connection, principal, context.clock.now())
        return JsonResponse(await service.start_run(body.request_key), status=202)


@router.get("/predictions/runs/{run_id}", response_model=RunOut, responses=problems(RunNotFound))
async def get_run(run_id: RunPath, context: ContextDep, principal: FleetReader) -> Response:
    """Return the progress of a run."""
    async with context.database.begin() as connection:
        return JsonResponse(await PredictionService(connection, principal, context.clock.now()).get_run(run_id))
