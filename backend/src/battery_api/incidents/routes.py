"""Endpoints of incidents."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Protocol

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from pydantic import BaseModel

from battery_api.accounts.deps import require_scope
from battery_api.accounts.principal import Principal, Scope
from battery_api.context import ContextDep, parts_of
from battery_api.incidents.errors import (
    AlreadyAcknowledged,
    AssigneeUnknown,
    IncidentChanged,
    IncidentEnded,
    IncidentNotFound,
    KeyReused,
    SnoozeInvalid,
    SpanInvalid,
)
from battery_api.incidents.figures import DEFAULT_SPAN, LONGEST_SPAN, PERIOD, FigureSpan, figures_of
from battery_api.incidents.figures_out import IncidentFigures
from battery_api.incidents.idempotency import once
from battery_api.incidents.notes import TEMPLATES
from battery_api.incidents.repository import IncidentFilter, IncidentSort
from battery_api.incidents.schemas import (
    AcknowledgeIncidentIn,
    AssignIn,
    BulkAcknowledged,
    BulkAcknowledgeIn,
    EndSnoozeIn,
    IncidentCommentIn,
    IncidentDetail,
    IncidentPage,
    NoteTemplates,
    Resolved,
    ResolveIncidentIn,
    SnoozeIn,
)
from battery_api.incidents.service import IncidentService
from battery_api.telemetry.ports import Publisher
from battery_contracts.alerts import AlertOut
from battery_contracts.enums import AlertType, Role, Severity
from battery_contracts.incidents import IncidentFamily, IncidentStatus
from battery_contracts.instants import Instant
from battery_servicekit.pagination import Page, PageQuery
from battery_servicekit.problems import problems
from battery_servicekit.responses import JsonResponse
from battery_servicekit.strict_query import StrictRoute

router = APIRouter(tags=["incidents"], route_class=StrictRoute)
Reader = Annotated[Principal, Depends(require_scope(Scope.ALERTS_READ, role=Role.VIEWER))]
Worker = Annotated[Principal, Depends(require_scope(Scope.ALERTS_WRITE, role=Role.ENGINEER))]
IncidentNumber = Annotated[int, Path(ge=1, le=2**63 - 1, description="Number of the incident.", examples=[318])]
RequestKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=8,
        max_length=100,
        pattern=r"^[A-Za-z0-9._:-]+$",
        description="Chosen by the sender for one command: a repetition within 24 hours gets the first answer again.",
    ),
]
_COMMANDS = (IncidentNotFound, IncidentChanged, IncidentEnded, KeyReused)


class IncidentParts(Protocol):
    """What these endpoints need of the running gateway."""

    @property
    def publisher(self) -> Publisher:
        """Publishes changes of incidents."""
        ...


def _incident_parts(request: Request) -> IncidentParts:
    parts: IncidentParts = parts_of(request)
    return parts


class Commands:
    """Carries out commands on incidents: each in one transaction, once, published after its commit."""

    def __init__(self, request: Request, context: ContextDep, principal: Worker, key: RequestKey = None) -> None:
        self._context = context
        self._principal = principal
        self._key = key
        self._path = request.url.path
        self._publisher = _incident_parts(request).publisher

    async def run(self, body: BaseModel, command: "Command") -> Response:
        """Carry out a command, and answer with what it returns."""
        now = self._context.clock.now()
        async with self._context.database.begin() as connection:
            service = IncidentService(connection, self._principal, now)
            answer = await once(
                connection,
                self._principal,
                self._key,
                (self._path, body),
                now=now,
                carry_out=lambda: command(service),
            )
        await self._publisher.publish_alerts(service.events)
        if service.statuses:
            await self._publisher.publish_statuses(service.statuses)
        return JsonResponse(answer)


Command = Callable[[IncidentService], Awaitable[BaseModel]]
CommandsDep = Annotated[Commands, Depends()]


@router.get("/incidents", response_model=IncidentPage)
async def list_incidents(  # noqa: PLR0917  # each is a query parameter
    context: ContextDep,
    principal: Reader,
    page: PageQuery,
    location_id: Annotated[str | None, Query(description="Only those in this location.")] = None,
    string_id: Annotated[str | None, Query(description="Only those of this string.")] = None,
    battery_id: Annotated[str | None, Query(description="Only those with an alert of this battery.")] = None,
    severity: Annotated[list[Severity], Query(description="Repeat for several.")] = [],  # noqa: B006  # FastAPI copies it
    type: Annotated[list[AlertType], Query(description="With an alert of this type; repeat for several.")] = [],  # noqa: A002, B006  # the name of the query parameter; FastAPI copies it
    family: Annotated[list[IncidentFamily], Query(description="Repeat for several.")] = [],  # noqa: B006  # FastAPI copies it
    status: Annotated[list[IncidentStatus], Query(description="Repeat for several.")] = [],  # noqa: B006  # FastAPI copies it
    assignee: Annotated[str | None, Query(max_length=80, description="Only those of this user.")] = None,
    unassigned: Annotated[bool, Query(description="Only those that nobody takes care of.")] = False,
    search: Annotated[
        str | None,
        Query(
            min_length=1, max_length=80, description="Part of the id of a location, string or battery, or of a name."
        ),
    ] = None,
    start: Annotated[Instant | None, Query(description="Still active at or after this instant.")] = None,
    end: Annotated[Instant | None, Query(description="Opened before this instant.")] = None,
    include_hidden: Annotated[bool, Query(description="Also those that silences and windows hide.")] = False,
    sort: Annotated[IncidentSort, Query(description="`urgency`: what waits first, then the worst.")] = "urgency",
) -> Response:
    """List incidents by filter, what waits for somebody first; `total` is the real total."""
    wanted = IncidentFilter(
        visible=principal.location_codes,
        location_id=location_id,
        string_id=string_id,
        battery_id=battery_id,
        severities=[item.value for item in severity],
        types=[item.value for item in type],
        families=[item.value for item in family],
        statuses=[item.value for item in status],
        assignee=assignee,
        unassigned=unassigned,
        search=search,
        start=start,
        end=end,
        include_hidden=include_hidden,
    )
    async with context.database.begin() as connection:
        service = IncidentService(connection, principal, context.clock.now())
        return JsonResponse(await service.list_incidents(wanted, page, sort))


@router.get("/incidents/note-templates", response_model=NoteTemplates)
async def list_note_templates(principal: Reader) -> Response:  # noqa: ARG001  # whoever may read incidents
    """List templates of notes, in English and Thai."""
    return JsonResponse(NoteTemplates(items=list(TEMPLATES)))


@router.get("/incidents/figures", response_model=IncidentFigures, responses=problems(SpanInvalid))
async def get_incident_figures(
    context: ContextDep,
    principal: Reader,
    start: Annotated[Instant | None, Query(description="Begin of the span; 7 days before its end by default.")] = None,
    end: Annotated[Instant | None, Query(description="End of the span; now by default.")] = None,
    operators: Annotated[int, Query(ge=1, le=1000, description="People who share what is shown.")] = 1,
) -> Response:
    """Return how much the alerts ask of the people who watch them, by EEMUA 191 and ISA-18.2."""
    last = end or context.clock.now()
    first = start or last - DEFAULT_SPAN
    if not PERIOD <= last - first <= LONGEST_SPAN:
        raise SpanInvalid(f"start: choose an instant from 10 minutes to {LONGEST_SPAN.days} days before the end.")
    async with context.database.begin() as connection:
        return JsonResponse(await figures_of(connection, principal, FigureSpan(first, last, operators)))


@router.post("/incident-acknowledgements", response_model=BulkAcknowledged, responses=problems(KeyReused))
async def acknowledge_incidents(body: BulkAcknowledgeIn, commands: CommandsDep) -> Response:
    """Acknowledge several incidents with one note; one that has changed meanwhile is left as it is, with the reason."""
    return await commands.run(body, lambda service: service.acknowledge_many(body))


@router.get("/incidents/{incident_id}", response_model=IncidentDetail, responses=problems(IncidentNotFound))
async def get_incident(incident_id: IncidentNumber, context: ContextDep, principal: Reader) -> Response:
    """Return one incident with its timeline."""
    async with context.database.begin() as connection:
        service = IncidentService(connection, principal, context.clock.now())
        return JsonResponse(await service.get_incident(incident_id))


@router.get("/incidents/{incident_id}/alerts", response_model=Page[AlertOut], responses=problems(IncidentNotFound))
async def list_incident_alerts(
    incident_id: IncidentNumber, context: ContextDep, principal: Reader, page: PageQuery
) -> Response:
    """List the alerts of an incident: active ones first, then the worst, then the newest."""
    async with context.database.begin() as connection:
        service = IncidentService(connection, principal, context.clock.now())
        return JsonResponse(await service.list_alerts(incident_id, page))


@router.post(
    "/incidents/{incident_id}/acknowledge",
    response_model=IncidentDetail,
    responses=problems(*_COMMANDS, AlreadyAcknowledged),
)
async def acknowledge_incident(
    incident_id: IncidentNumber, body: AcknowledgeIncidentIn, commands: CommandsDep
) -> Response:
    """Acknowledge an incident and its active alerts; it stays active until their conditions end."""
    return await commands.run(body, lambda service: service.acknowledge(incident_id, body.revision, body.note))


@router.post(
    "/incidents/{incident_id}/assign", response_model=IncidentDetail, responses=problems(*_COMMANDS, AssigneeUnknown)
)
async def assign_incident(incident_id: IncidentNumber, body: AssignIn, commands: CommandsDep) -> Response:
    """Give an incident to a person, or to nobody."""
    return await commands.run(body, lambda service: service.assign(incident_id, body.revision, body.assignee))


@router.post("/incidents/{incident_id}/comments", response_model=IncidentDetail, responses=problems(*_COMMANDS))
async def comment_on_incident(incident_id: IncidentNumber, body: IncidentCommentIn, commands: CommandsDep) -> Response:
    """Add a comment to an incident's timeline; no comment can be changed."""
    return await commands.run(body, lambda service: service.comment(incident_id, body.note, body.revision))


@router.post(
    "/incidents/{incident_id}/snooze", response_model=IncidentDetail, responses=problems(*_COMMANDS, SnoozeInvalid)
)
async def snooze_incident(incident_id: IncidentNumber, body: SnoozeIn, commands: CommandsDep) -> Response:
    """Take an incident out of the inbox for at most 7 days; it comes back earlier if it gets worse."""
    return await commands.run(body, lambda service: service.snooze(incident_id, body.revision, body.until, body.note))


@router.post("/incidents/{incident_id}/end-snooze", response_model=IncidentDetail, responses=problems(*_COMMANDS))
async def end_snooze(incident_id: IncidentNumber, body: EndSnoozeIn, commands: CommandsDep) -> Response:
    """Bring a snoozed incident back to the inbox."""
    return await commands.run(body, lambda service: service.end_snooze(incident_id, body.revision))


@router.post("/incidents/{incident_id}/resolve", response_model=Resolved, responses=problems(*_COMMANDS))
async def resolve_incident(incident_id: IncidentNumber, body: ResolveIncidentIn, commands: CommandsDep) -> Response:
    """Resolve an incident and its alerts; the answer says how many of their conditions last all the same.

    If one of them fills the hold time of its rule once more, or gets worse, the incident comes back.
    """
    return await commands.run(body, lambda service: service.resolve(incident_id, body.revision, body.note))
