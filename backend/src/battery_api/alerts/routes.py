"""Endpoints of alerts and their rules."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import AwareDatetime

from battery_api.accounts.deps import require_scope
from battery_api.accounts.principal import Principal, Scope
from battery_api.alerts.errors import (
    AlertAlreadyAcknowledged,
    AlertAlreadyResolved,
    AlertNotFound,
    OverrideInvalid,
    OverrideNotFound,
    RuleNotFound,
    ScopeNotFound,
)
from battery_api.alerts.overrides import RuleService
from battery_api.alerts.recorder import AlertRecorder
from battery_api.alerts.repository import AlertFilter
from battery_api.alerts.schemas import (
    AcknowledgeIn,
    AlertDetail,
    AlertPage,
    AlertStats,
    EffectiveRuleOut,
    OverrideIn,
    OverrideOut,
    ResolveIn,
    RuleOut,
)
from battery_api.alerts.service import AlertService
from battery_api.context import ContextDep
from battery_api.fleet.catalogue import CatalogueCache
from battery_api.fleet.errors import BatteryNotFound
from battery_api.telemetry.ports import Publisher
from battery_contracts.alerts import AlertOut
from battery_contracts.enums import AlertType, Role, Severity
from battery_contracts.events import AlertEvent
from battery_servicekit.pagination import Page, PageQuery
from battery_servicekit.problems import problems
from battery_servicekit.responses import JsonResponse

router = APIRouter(tags=["alerts"])
Reader = Annotated[Principal, Depends(require_scope(Scope.ALERTS_READ, role=Role.VIEWER))]
Worker = Annotated[Principal, Depends(require_scope(Scope.ALERTS_WRITE, role=Role.ENGINEER))]


def _publisher(request: Request) -> Publisher:
    publisher: Publisher = request.app.state.publisher
    return publisher


def _catalogue(request: Request) -> CatalogueCache:
    catalogue: CatalogueCache = request.app.state.catalogue
    return catalogue


PublisherDep = Annotated[Publisher, Depends(_publisher)]
CatalogueDep = Annotated[CatalogueCache, Depends(_catalogue)]


@router.get("/alerts", response_model=AlertPage)
async def list_alerts(  # noqa: PLR0917  # each is a query parameter
    context: ContextDep,
    principal: Reader,
    page: PageQuery,
    location_id: str | None = None,
    string_id: str | None = None,
    battery_id: str | None = None,
    severity: Annotated[list[Severity], Query(description="Repeat for several.")] = [],  # noqa: B006  # FastAPI copies it
    type: Annotated[list[AlertType], Query(description="Repeat for several.")] = [],  # noqa: A002, B006
    active: Annotated[bool | None, Query(description="The condition stands now.")] = None,
    acknowledged: bool | None = None,
    resolved: bool | None = None,
    start: Annotated[AwareDatetime | None, Query(description="Still standing at or after this instant.")] = None,
    end: Annotated[AwareDatetime | None, Query(description="Raised before this instant.")] = None,
) -> Response:
    """List alerts by filter, newest first; `total` is the real total."""
    wanted = AlertFilter(
        visible=principal.location_codes,
        location_id=location_id,
        string_id=string_id,
        battery_id=battery_id,
        severities=[item.value for item in severity],
        types=[item.value for item in type],
        active=active,
        acknowledged=acknowledged,
        resolved=resolved,
        start=start,
        end=end,
    )
    async with context.database.begin() as connection:
        return JsonResponse(await AlertService(connection, principal, context.clock.now()).list_alerts(wanted, page))


@router.get("/alerts/stats", response_model=AlertStats)
async def get_alert_stats(context: ContextDep, principal: Reader) -> Response:
    """Count alerts by state, severity, type, location and day."""
    async with context.database.begin() as connection:
        return JsonResponse(await AlertService(connection, principal, context.clock.now()).stats())


@router.get("/alerts/{alert_id}", response_model=AlertDetail, responses=problems(AlertNotFound))
async def get_alert(alert_id: int, context: ContextDep, principal: Reader) -> Response:
    """Return one alert with its timeline."""
    async with context.database.begin() as connection:
        return JsonResponse(await AlertService(connection, principal, context.clock.now()).get_alert(alert_id))


@router.post(
    "/alerts/{alert_id}/acknowledge",
    response_model=AlertDetail,
    responses=problems(AlertNotFound, AlertAlreadyAcknowledged, AlertAlreadyResolved),
)
async def acknowledge_alert(
    alert_id: int, body: AcknowledgeIn, context: ContextDep, principal: Worker, publisher: PublisherDep
) -> Response:
    """Take an alert on; it stays active until its condition is over."""
    async with context.database.begin() as connection:
        detail = await AlertService(connection, principal, context.clock.now()).acknowledge(alert_id, body.note)
    await publisher.publish_alerts([AlertEvent(event="acknowledged", alert=_without_timeline(detail))])
    return JsonResponse(detail)


@router.post(
    "/alerts/{alert_id}/resolve",
    response_model=AlertDetail,
    responses=problems(AlertNotFound, AlertAlreadyResolved),
)
async def resolve_alert(
    alert_id: int,
    context: ContextDep,
    principal: Worker,
    publisher: PublisherDep,
    body: ResolveIn | None = None,
) -> Response:
    """Close an alert; if its condition lasts, a new one is raised after the rule's full hold time."""
    async with context.database.begin() as connection:
        service = AlertService(connection, principal, context.clock.now())
        detail, status = await service.resolve(alert_id, body.note if body else None)
    await publisher.publish_alerts([AlertEvent(event="resolved", alert=_without_timeline(detail))])
    if status is not None:
        await publisher.publish_statuses([status])
    return JsonResponse(detail)


@router.get("/alert-rules", response_model=Page[RuleOut])
async def list_alert_rules(
    context: ContextDep, principal: Reader, page: PageQuery, catalogue: CatalogueDep
) -> Response:
    """List the rules with their defaults, sources and overrides."""
    now = context.clock.now()
    async with context.database.begin() as connection:
        service = RuleService(connection, principal, await catalogue.get(connection, now), now)
        return JsonResponse(await service.list_rules(page))


@router.put(
    "/alert-rules/{rule_id}/overrides",
    response_model=OverrideOut,
    responses=problems(RuleNotFound, ScopeNotFound, OverrideInvalid),
)
async def put_alert_rule_override(  # noqa: PLR0917  # dependencies, not positions
    rule_id: str, body: OverrideIn, context: ContextDep, principal: Worker, catalogue: CatalogueDep, request: Request
) -> Response:
    """Set a rule's values for a model, location, string or battery; the nearest scope wins."""
    now = context.clock.now()
    async with context.database.begin() as connection:
        service = RuleService(connection, principal, await catalogue.get(connection, now), now)
        override = await service.put_override(rule_id, body)
    _forget_overrides(request)
    return JsonResponse(override)


@router.delete(
    "/alert-rules/{rule_id}/overrides/{override_id}",
    status_code=204,
    responses=problems(RuleNotFound, OverrideNotFound),
)
async def delete_alert_rule_override(  # noqa: PLR0917  # dependencies, not positions
    rule_id: str, override_id: int, context: ContextDep, principal: Worker, catalogue: CatalogueDep, request: Request
) -> Response:
    """Remove an override; the wider scope holds again."""
    now = context.clock.now()
    async with context.database.begin() as connection:
        service = RuleService(connection, principal, await catalogue.get(connection, now), now)
        await service.delete_override(rule_id, override_id)
    _forget_overrides(request)
    return Response(status_code=204)


@router.get(
    "/batteries/{battery_id}/alert-rules",
    response_model=Page[EffectiveRuleOut],
    responses=problems(BatteryNotFound),
)
async def list_battery_alert_rules(
    battery_id: str, context: ContextDep, principal: Reader, page: PageQuery, catalogue: CatalogueDep
) -> Response:
    """List the rules as they hold for one battery, and where each value comes from."""
    now = context.clock.now()
    async with context.database.begin() as connection:
        service = RuleService(connection, principal, await catalogue.get(connection, now), now)
        return JsonResponse(await service.list_effective(battery_id, page))


def _forget_overrides(request: Request) -> None:
    judge = request.app.state.judge
    if isinstance(judge, AlertRecorder):
        judge.forget_overrides()


def _without_timeline(detail: AlertDetail) -> AlertOut:
    return AlertOut(**detail.model_dump(exclude={"timeline"}))
