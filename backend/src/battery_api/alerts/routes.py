"""Endpoints of alerts and their rules."""

from typing import Annotated, Protocol

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from battery_api.accounts.deps import require_audited, require_scope
from battery_api.accounts.principal import Principal, Scope
from battery_api.alerts.errors import (
    AlertAlreadyAcknowledged,
    AlertAlreadyResolved,
    AlertNotFound,
    BelowFloor,
    OverrideInvalid,
    OverrideNotFound,
    RuleNotFound,
    ScopeNotFound,
)
from battery_api.alerts.overrides import RuleService
from battery_api.alerts.repository import AlertFilter
from battery_api.alerts.schemas import (
    AcknowledgeIn,
    AlertDetail,
    AlertPage,
    AlertStats,
    CommentIn,
    EffectiveRuleOut,
    OverrideIn,
    OverrideOut,
    ResolveIn,
    RuleOut,
)
from battery_api.alerts.service import AlertService
from battery_api.context import ContextDep, parts_of
from battery_api.fleet.catalogue import CatalogueCache
from battery_api.fleet.errors import BatteryNotFound
from battery_api.fleet.path_ids import BatteryPath
from battery_api.telemetry.ports import Judge, Publisher
from battery_contracts.alerts import AlertOut
from battery_contracts.enums import AlertType, Role, Severity
from battery_contracts.events import AlertEvent
from battery_contracts.instants import Instant
from battery_servicekit.pagination import Page, PageQuery
from battery_servicekit.problems import problems
from battery_servicekit.responses import JsonResponse
from battery_servicekit.strict_query import StrictRoute

router = APIRouter(tags=["alerts"], route_class=StrictRoute)
Reader = Annotated[Principal, Depends(require_scope(Scope.ALERTS_READ, role=Role.VIEWER))]
RuleWriter = Annotated[Principal, Depends(require_audited(Scope.RULES_WRITE, role=Role.ENGINEER))]
Worker = Annotated[Principal, Depends(require_scope(Scope.ALERTS_WRITE, role=Role.ENGINEER))]
_LARGEST_NUMBER = 2**63 - 1
AlertKey = Annotated[int, Path(ge=1, le=_LARGEST_NUMBER, description="Number of the alert.", examples=[4711])]
RulePath = Annotated[str, Path(description="Id of the rule.", examples=["voltage_low.float"])]
OverrideKey = Annotated[int, Path(ge=1, le=2**31 - 1, description="Number of the override.", examples=[12])]


class AlertParts(Protocol):
    """What these endpoints need of the running gateway."""

    @property
    def catalogue(self) -> CatalogueCache:
        """The fleet in memory."""
        ...

    @property
    def judge(self) -> Judge:
        """The judge, which caches the overrides."""
        ...

    @property
    def publisher(self) -> Publisher:
        """Publishes changes of alerts."""
        ...


def _alert_parts(request: Request) -> AlertParts:
    parts: AlertParts = parts_of(request)
    return parts


PartsDep = Annotated[AlertParts, Depends(_alert_parts)]


@router.get("/alerts", response_model=AlertPage)
async def list_alerts(  # noqa: PLR0917  # each is a query parameter
    context: ContextDep,
    principal: Reader,
    page: PageQuery,
    location_id: Annotated[str | None, Query(description="Only those in this location.")] = None,
    string_id: Annotated[str | None, Query(description="Only those of this string and its batteries.")] = None,
    battery_id: Annotated[str | None, Query(description="Only those of this battery.")] = None,
    severity: Annotated[list[Severity], Query(description="Repeat for several.")] = [],  # noqa: B006  # FastAPI copies it
    type: Annotated[list[AlertType], Query(description="Repeat for several.")] = [],  # noqa: A002, B006  # the name of the query parameter; FastAPI copies it
    active: Annotated[
        bool | None, Query(description="The condition lasts, whether or not somebody has resolved the alert.")
    ] = None,
    acknowledged: Annotated[bool | None, Query(description="Somebody has acknowledged it.")] = None,
    resolved: Annotated[bool | None, Query(description="A person has closed it.")] = None,
    start: Annotated[Instant | None, Query(description="Still active at or after this instant.")] = None,
    end: Annotated[Instant | None, Query(description="Raised before this instant.")] = None,
) -> Response:
    """List alerts by filter, newest first; `total` is the real total."""
    alert_filter = AlertFilter(
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
        return JsonResponse(
            await AlertService(connection, principal, context.clock.now()).list_alerts(alert_filter, page)
        )


@router.get("/alerts/stats", response_model=AlertStats)
async def get_alert_stats(context: ContextDep, principal: Reader) -> Response:
    """Count alerts by state, severity, type, location and day."""
    async with context.database.begin() as connection:
        return JsonResponse(await AlertService(connection, principal, context.clock.now()).stats())


@router.get("/alerts/{alert_id}", response_model=AlertDetail, responses=problems(AlertNotFound))
async def get_alert(alert_id: AlertKey, context: ContextDep, principal: Reader) -> Response:
    """Return one alert with its timeline."""
    async with context.database.begin() as connection:
        return JsonResponse(await AlertService(connection, principal, context.clock.now()).get_alert(alert_id))


@router.post(
    "/alerts/{alert_id}/acknowledge",
    response_model=AlertDetail,
    responses=problems(AlertNotFound, AlertAlreadyAcknowledged, AlertAlreadyResolved),
)
async def acknowledge_alert(
    alert_id: AlertKey, body: AcknowledgeIn, context: ContextDep, principal: Worker, parts: PartsDep
) -> Response:
    """Acknowledge an alert; it stays active until its condition ends."""
    async with context.database.begin() as connection:
        acted = await AlertService(connection, principal, context.clock.now()).acknowledge(alert_id, body.note)
    event = AlertEvent(event="acknowledged", alert=_without_timeline(acted.detail))
    await parts.publisher.publish_alerts([event, *acted.incidents])
    return JsonResponse(acted.detail)


@router.post(
    "/alerts/{alert_id}/comments", response_model=AlertDetail, status_code=201, responses=problems(AlertNotFound)
)
async def comment_on_alert(alert_id: AlertKey, body: CommentIn, context: ContextDep, principal: Worker) -> Response:
    """Add a comment to an alert's timeline, at any time, also after it was resolved; no comment can be changed."""
    async with context.database.begin() as connection:
        detail = await AlertService(connection, principal, context.clock.now()).comment(alert_id, body.note)
    return JsonResponse(detail, status=201)


@router.post(
    "/alerts/{alert_id}/resolve",
    response_model=AlertDetail,
    responses=problems(AlertNotFound, AlertAlreadyResolved),
)
async def resolve_alert(
    alert_id: AlertKey,
    context: ContextDep,
    principal: Worker,
    parts: PartsDep,
    body: ResolveIn | None = None,
) -> Response:
    """Resolve an alert; it stays active for as long as its condition lasts.

    If that gets worse, or fills the hold time of its rule once more, the resolution is undone, and the alert needs a
    new acknowledgement.
    """
    async with context.database.begin() as connection:
        service = AlertService(connection, principal, context.clock.now())
        acted = await service.resolve(alert_id, body.note if body else None)
    event = AlertEvent(event="resolved", alert=_without_timeline(acted.detail))
    await parts.publisher.publish_alerts([event, *acted.incidents])
    if acted.status is not None:
        await parts.publisher.publish_statuses([acted.status])
    return JsonResponse(acted.detail)


@router.get("/alert-rules", response_model=Page[RuleOut])
async def list_alert_rules(context: ContextDep, principal: Reader, page: PageQuery, parts: PartsDep) -> Response:
    """List the rules with their defaults, sources and overrides."""
    now = context.clock.now()
    async with context.database.begin() as connection:
        service = RuleService(connection, principal, await parts.catalogue.get(connection, now), now)
        return JsonResponse(await service.list_rules(page))


@router.put(
    "/alert-rules/{rule_id}/overrides",
    response_model=OverrideOut,
    responses=problems(RuleNotFound, ScopeNotFound, OverrideInvalid, BelowFloor),
)
async def put_alert_rule_override(  # dependencies, not positions
    rule_id: RulePath, body: OverrideIn, context: ContextDep, principal: RuleWriter, parts: PartsDep
) -> Response:
    """Set a rule's values for a model, location, string or battery; the nearest scope wins.

    A life-safety rule has a `floor`: beyond it only an administrator may go, with `reason` and `expires_at`.
    """
    now = context.clock.now()
    async with context.database.begin() as connection:
        service = RuleService(connection, principal, await parts.catalogue.get(connection, now), now)
        override = await service.put_override(rule_id, body)
    parts.judge.forget_overrides()
    return JsonResponse(override)


@router.delete(
    "/alert-rules/{rule_id}/overrides/{override_id}",
    status_code=204,
    responses=problems(RuleNotFound, OverrideNotFound),
)
async def delete_alert_rule_override(  # dependencies, not positions
    rule_id: RulePath, override_id: OverrideKey, context: ContextDep, principal: RuleWriter, parts: PartsDep
) -> Response:
    """Remove an override; the wider scope applies again."""
    now = context.clock.now()
    async with context.database.begin() as connection:
        service = RuleService(connection, principal, await parts.catalogue.get(connection, now), now)
        await service.delete_override(rule_id, override_id)
    parts.judge.forget_overrides()
    return Response(status_code=204)


@router.get(
    "/batteries/{battery_id}/alert-rules",
    response_model=Page[EffectiveRuleOut],
    responses=problems(BatteryNotFound),
)
async def list_battery_alert_rules(
    battery_id: BatteryPath, context: ContextDep, principal: Reader, page: PageQuery, parts: PartsDep
) -> Response:
    """List the rules as they apply to one battery, with the scope that each value comes from."""
    now = context.clock.now()
    async with context.database.begin() as connection:
        service = RuleService(connection, principal, await parts.catalogue.get(connection, now), now)
        return JsonResponse(await service.list_effective(battery_id, page))


def _without_timeline(detail: AlertDetail) -> AlertOut:
    return AlertOut(**detail.model_dump(exclude={"timeline"}))
