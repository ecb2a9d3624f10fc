"""Endpoints of silences and of the tags of strings."""

from typing import Annotated, Protocol

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from battery_api.accounts.deps import require_audited, require_scope
from battery_api.accounts.principal import Principal, Scope
from battery_api.alerts.errors import ScopeNotFound
from battery_api.context import ContextDep, parts_of
from battery_api.fleet.errors import StringNotFound
from battery_api.fleet.path_ids import StringPath
from battery_api.incidents.errors import KeyReused
from battery_api.incidents.idempotency import once
from battery_api.incidents.routes import RequestKey
from battery_api.silences.errors import (
    NothingToApprove,
    SelfApproval,
    SilenceEnded,
    SilenceInvalid,
    SilenceNotFound,
    SilenceTooWide,
)
from battery_api.silences.schemas import (
    HiddenAlertPage,
    SilenceIn,
    SilenceOut,
    SilencePage,
    SilenceState,
    TagsIn,
    TagsOut,
)
from battery_api.silences.service import SilenceService
from battery_api.silences.tags import TagService
from battery_api.telemetry.ports import Publisher
from battery_contracts.enums import Role
from battery_servicekit.pagination import PageQuery
from battery_servicekit.problems import problems
from battery_servicekit.responses import JsonResponse
from battery_servicekit.strict_query import StrictRoute

router = APIRouter(tags=["silences"], route_class=StrictRoute)
Reader = Annotated[Principal, Depends(require_scope(Scope.ALERTS_READ, role=Role.VIEWER))]
Worker = Annotated[Principal, Depends(require_audited(Scope.ALERTS_WRITE, role=Role.ENGINEER))]
Approver = Annotated[Principal, Depends(require_audited(None, role=Role.ENGINEER))]
Tagger = Annotated[Principal, Depends(require_audited(None, role=Role.ENGINEER))]
SilenceNumber = Annotated[int, Path(ge=1, le=2**31 - 1, description="Number of the silence.", examples=[12])]


class SilenceParts(Protocol):
    """What these endpoints need of the running gateway."""

    @property
    def publisher(self) -> Publisher:
        """Publishes changes of incidents."""
        ...


def _silence_parts(request: Request) -> SilenceParts:
    parts: SilenceParts = parts_of(request)
    return parts


PartsDep = Annotated[SilenceParts, Depends(_silence_parts)]


@router.get("/silences", response_model=SilencePage)
async def list_silences(
    context: ContextDep,
    principal: Reader,
    page: PageQuery,
    location_id: Annotated[str | None, Query(description="Only those about something in this location.")] = None,
    state: Annotated[list[SilenceState], Query(description="Repeat for several.")] = [],  # noqa: B006  # FastAPI copies it
) -> Response:
    """List silences: those in force first, then those to come, then the newest of the others."""
    async with context.database.begin() as connection:
        service = SilenceService(connection, principal, context.clock.now())
        return JsonResponse(await service.list_silences(location_id, state, page))


@router.post(
    "/silences",
    response_model=SilenceOut,
    status_code=201,
    responses=problems(ScopeNotFound, SilenceInvalid, SilenceTooWide, KeyReused),
)
async def create_silence(  # noqa: PLR0917  # each is a dependency
    body: SilenceIn,
    request: Request,
    context: ContextDep,
    parts: PartsDep,
    principal: Worker,
    key: RequestKey = None,
) -> Response:
    """Set a silence: what it covers is raised and kept as ever, and stays out of the inbox.

    Life-safety alerts are covered only from when a second person approves it.
    """
    now = context.clock.now()
    async with context.database.begin() as connection:
        service = SilenceService(connection, principal, now)
        answer = await once(
            connection,
            principal,
            key,
            (request.url.path, body),
            now=now,
            carry_out=lambda: service.create(body),
        )
    await parts.publisher.publish_alerts(service.events)
    return JsonResponse(answer, status=201)


@router.get("/silences/{silence_id}", response_model=SilenceOut, responses=problems(SilenceNotFound))
async def get_silence(silence_id: SilenceNumber, context: ContextDep, principal: Reader) -> Response:
    """Return one silence."""
    async with context.database.begin() as connection:
        return JsonResponse(await SilenceService(connection, principal, context.clock.now()).get_silence(silence_id))


@router.get("/silences/{silence_id}/hidden", response_model=HiddenAlertPage, responses=problems(SilenceNotFound))
async def list_silenced_alerts(
    silence_id: SilenceNumber, context: ContextDep, principal: Reader, page: PageQuery
) -> Response:
    """List the alerts that a silence covers or has covered, also after its end, the newest first."""
    async with context.database.begin() as connection:
        service = SilenceService(connection, principal, context.clock.now())
        return JsonResponse(await service.list_hidden(silence_id, page))


@router.post(
    "/silences/{silence_id}/approve",
    response_model=SilenceOut,
    responses=problems(SilenceNotFound, ScopeNotFound, SilenceEnded, NothingToApprove, SelfApproval),
)
async def approve_silence(
    silence_id: SilenceNumber, context: ContextDep, parts: PartsDep, principal: Approver
) -> Response:
    """Approve that a silence of somebody else covers life-safety alerts too."""
    async with context.database.begin() as connection:
        service = SilenceService(connection, principal, context.clock.now())
        answer = await service.approve(silence_id)
    await parts.publisher.publish_alerts(service.events)
    return JsonResponse(answer)


@router.post("/silences/{silence_id}/end", response_model=SilenceOut, responses=problems(SilenceNotFound, SilenceEnded))
async def end_silence(silence_id: SilenceNumber, context: ContextDep, parts: PartsDep, principal: Worker) -> Response:
    """End a silence now, or cancel one that is to come; what lasts comes back at once."""
    async with context.database.begin() as connection:
        service = SilenceService(connection, principal, context.clock.now())
        answer = await service.end(silence_id)
    await parts.publisher.publish_alerts(service.events)
    return JsonResponse(answer)


@router.get("/strings/{string_id}/tags", response_model=TagsOut, responses=problems(StringNotFound))
async def get_string_tags(string_id: StringPath, context: ContextDep, principal: Reader) -> Response:
    """Return the tags of a string."""
    async with context.database.begin() as connection:
        return JsonResponse(await TagService(connection, principal, context.clock.now()).get_tags(string_id))


@router.put("/strings/{string_id}/tags", response_model=TagsOut, responses=problems(StringNotFound))
async def put_string_tags(
    string_id: StringPath, body: TagsIn, context: ContextDep, parts: PartsDep, principal: Tagger
) -> Response:
    """Replace the tags of a string; silences of a tag cover it, or no longer do, from now on."""
    async with context.database.begin() as connection:
        service = TagService(connection, principal, context.clock.now())
        answer = await service.put_tags(string_id, body.tags)
    await parts.publisher.publish_alerts(service.events)
    return JsonResponse(answer)
