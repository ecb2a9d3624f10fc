"""Endpoints of maintenance windows."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from battery_api.alerts.errors import ScopeNotFound
from battery_api.context import ContextDep
from battery_api.incidents.errors import KeyReused
from battery_api.incidents.idempotency import once
from battery_api.incidents.routes import RequestKey
from battery_api.silences.errors import SilenceInvalid, WindowEnded, WindowNotFound
from battery_api.silences.routes import PartsDep, Reader, Worker
from battery_api.silences.schemas import HiddenAlertPage, SilenceState
from battery_api.silences.window_schemas import WindowDetail, WindowIn, WindowPage
from battery_api.silences.window_service import WindowService
from battery_servicekit.pagination import PageQuery
from battery_servicekit.problems import problems
from battery_servicekit.responses import JsonResponse
from battery_servicekit.strict_query import StrictRoute

router = APIRouter(tags=["maintenance"], route_class=StrictRoute)
WindowNumber = Annotated[int, Path(ge=1, le=2**31 - 1, description="Number of the window.", examples=[13])]


@router.get("/maintenance-windows", response_model=WindowPage)
async def list_windows(  # each is a query parameter
    context: ContextDep,
    principal: Reader,
    page: PageQuery,
    location_id: Annotated[str | None, Query(description="Only those about something in this location.")] = None,
    state: Annotated[list[SilenceState], Query(description="Repeat for several.")] = [],  # noqa: B006  # FastAPI copies it
) -> Response:
    """List maintenance windows: open ones first, then those to come, then the newest of the others."""
    async with context.database.begin() as connection:
        service = WindowService(connection, principal, context.clock.now())
        return JsonResponse(await service.list_windows(location_id, state, page))


@router.post(
    "/maintenance-windows",
    response_model=WindowDetail,
    status_code=201,
    responses=problems(ScopeNotFound, SilenceInvalid, KeyReused),
)
async def create_window(  # noqa: PLR0917  # each is a dependency
    body: WindowIn,
    request: Request,
    context: ContextDep,
    parts: PartsDep,
    principal: Worker,
    key: RequestKey = None,
) -> Response:
    """Plan a maintenance window: what is expected of it is raised and kept as ever, and stays out of the inbox.

    No window hides life-safety alerts.
    """
    now = context.clock.now()
    async with context.database.begin() as connection:
        service = WindowService(connection, principal, now)
        answer = await once(
            connection, principal, key, (request.url.path, body), now=now, carry_out=lambda: service.create(body)
        )
    await parts.publisher.publish_alerts(service.events)
    return JsonResponse(answer, status=201)


@router.get("/maintenance-windows/{window_id}", response_model=WindowDetail, responses=problems(WindowNotFound))
async def get_window(window_id: WindowNumber, context: ContextDep, principal: Reader) -> Response:
    """Return one maintenance window with the discharges of its strings."""
    async with context.database.begin() as connection:
        return JsonResponse(await WindowService(connection, principal, context.clock.now()).get_window(window_id))


@router.get(
    "/maintenance-windows/{window_id}/hidden", response_model=HiddenAlertPage, responses=problems(WindowNotFound)
)
async def list_alerts_of_window(
    window_id: WindowNumber, context: ContextDep, principal: Reader, page: PageQuery
) -> Response:
    """List the alerts that a maintenance window covers or has covered, also after its end, the newest first."""
    async with context.database.begin() as connection:
        service = WindowService(connection, principal, context.clock.now())
        return JsonResponse(await service.list_hidden(window_id, page))


@router.post(
    "/maintenance-windows/{window_id}/end",
    response_model=WindowDetail,
    responses=problems(WindowNotFound, WindowEnded),
)
async def end_window(window_id: WindowNumber, context: ContextDep, parts: PartsDep, principal: Worker) -> Response:
    """End a maintenance window now, or cancel one that is to come; what lasts comes back at once."""
    async with context.database.begin() as connection:
        service = WindowService(connection, principal, context.clock.now())
        answer = await service.end(window_id)
    await parts.publisher.publish_alerts(service.events)
    return JsonResponse(answer)
