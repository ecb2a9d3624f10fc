"""Endpoints of the fleet: overview, locations, batteries and catalogue import."""

import asyncio
from typing import Annotated, Final, Protocol

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.accounts.audit import record_audit
from battery_api.accounts.deps import AdminDep, require_scope
from battery_api.accounts.principal import Forbidden, Principal, Scope
from battery_api.context import ContextDep, NeedsRoom, ProcessContext, parts_of
from battery_api.db.bangkok import ZONE
from battery_api.db.errors import DiskFull
from battery_api.fleet.battery_filter import SORTS, BatteryFilter
from battery_api.fleet.catalogue import CatalogueCache
from battery_api.fleet.errors import BatteryNotFound, ImportRefused, LocationNotFound
from battery_api.fleet.export import MEDIA_TYPES, CatalogueFormat, catalogue_file, read_catalogue_lines
from battery_api.fleet.import_schemas import ImportReport
from battery_api.fleet.importer import import_catalogue
from battery_api.fleet.not_judged import FindNotJudged
from battery_api.fleet.ohmic_findings import OhmicFindings, findings_of
from battery_api.fleet.overview_schemas import FleetOverview, Services
from battery_api.fleet.path_ids import BatteryPath, LocationPath
from battery_api.fleet.ports import Endings, FleetChange, FleetPublisher
from battery_api.fleet.schemas import (
    BatteryDetail,
    BatteryPage,
    LocationDetail,
    LocationOut,
)
from battery_api.fleet.service import FleetService
from battery_contracts.enums import HealthStatus, Role
from battery_servicekit.openapi.examples import JSON
from battery_servicekit.pagination import Page, PageQuery
from battery_servicekit.problems import DomainError, problems
from battery_servicekit.responses import JsonResponse
from battery_servicekit.strict_query import StrictRoute
from battery_servicekit.turns import IN_TURN

router = APIRouter(tags=["fleet"], route_class=StrictRoute)
FleetReader = Annotated[Principal, Depends(require_scope(Scope.FLEET_READ, role=Role.VIEWER))]
IncludeRetired = Annotated[bool, Query(description="Add what is retired.")]
XLSX: Final = MEDIA_TYPES[CatalogueFormat.XLSX]
_IMPORT_CONTENT: Final = {
    "text/csv": {"schema": {"type": "string"}},
    XLSX: {"schema": {"type": "string", "format": "binary"}},
}
MAX_IMPORT_BYTES = 32 * 1024 * 1024


_REPORT_REFERENCE = {"$ref": "#/components/schemas/ImportReport"}


class ServiceStates(Protocol):
    """Knows the states of the services that the gateway depends on."""

    async def states(self) -> Services:
        """Return the state of each service."""
        ...


class FleetParts(Protocol):
    """What these endpoints need of the running gateway."""

    @property
    def catalogue(self) -> CatalogueCache:
        """The fleet in memory."""
        ...

    @property
    def dependencies(self) -> ServiceStates:
        """The services that the gateway depends on."""
        ...

    @property
    def endings(self) -> Endings:
        """Ends what hangs on a battery."""
        ...

    @property
    def publisher(self) -> FleetPublisher:
        """Publishes what ended."""
        ...

    @property
    def find_not_judged(self) -> FindNotJudged:
        """Says what the rules cannot judge."""
        ...


def _service(
    request: Request, connection: AsyncConnection, principal: Principal, context: ProcessContext
) -> FleetService:
    parts: FleetParts = parts_of(request)
    return FleetService(connection, principal, context.clock.now(), find_not_judged=parts.find_not_judged)


class InvalidSort(DomainError):
    """The list cannot be sorted by this field."""

    code, status = "invalid_sort", 422


class ImportTooLarge(DomainError):
    """The catalogue file is larger than one import allows."""

    code, status = "import_too_large", 413


_IMPORT_ERRORS = problems(ImportRefused, ImportTooLarge, DiskFull)
# A file with faulty lines is refused with the report that names them.
_IMPORT_ERRORS[422]["content"][JSON] = {"schema": _REPORT_REFERENCE}


@router.get("/fleet/overview", response_model=FleetOverview, dependencies=[IN_TURN])
async def get_fleet_overview(context: ContextDep, principal: FleetReader, request: Request) -> Response:
    """Return a summary of the fleet."""
    parts: FleetParts = parts_of(request)
    services = await parts.dependencies.states()
    async with context.database.begin() as connection:
        overview = await _service(request, connection, principal, context).overview(services, context.disk.report())
    return JsonResponse(overview)


@router.get("/locations", response_model=Page[LocationOut], dependencies=[IN_TURN])
async def list_locations(  # noqa: PLR0917  # each is a parameter of the request
    request: Request,
    context: ContextDep,
    principal: FleetReader,
    page: PageQuery,
    include_stats: Annotated[bool, Query(description="Add counts, environment and the worst battery.")] = False,
    include_retired: IncludeRetired = False,
) -> Response:
    """List the locations you may see."""
    async with context.database.begin() as connection:
        service = _service(request, connection, principal, context)
        locations = await service.list_locations(page, include_stats=include_stats, include_retired=include_retired)
    return JsonResponse(locations)


@router.get("/locations/{location_id}", response_model=LocationDetail, responses=problems(LocationNotFound))
async def get_location(
    request: Request,
    location_id: LocationPath,
    context: ContextDep,
    principal: FleetReader,
    include_retired: IncludeRetired = False,
) -> Response:
    """Return one location with its systems, strings and their newest values."""
    async with context.database.begin() as connection:
        service = _service(request, connection, principal, context)
        return JsonResponse(await service.get_location(location_id, include_retired=include_retired))


BatterySort = Annotated[
    str, Query(description="One of " + ", ".join(SORTS) + "; a leading - reverses the order.", max_length=40)
]


@router.get(
    "/locations/{location_id}/batteries",
    response_model=BatteryPage,
    responses=problems(LocationNotFound, InvalidSort),
    dependencies=[IN_TURN],
)
async def list_location_batteries(  # noqa: PLR0917  # each is a parameter of the request
    request: Request,
    location_id: LocationPath,
    context: ContextDep,
    principal: FleetReader,
    page: PageQuery,
    sort: BatterySort = "battery_id",
    include_retired: IncludeRetired = False,
) -> Response:
    """List the batteries of one location."""
    async with context.database.begin() as connection:
        service = _service(request, connection, principal, context)
        battery_filter = BatteryFilter(
            visible=principal.location_codes, location_id=location_id, include_retired=include_retired
        )
        listing = await service.list_batteries(battery_filter, page, sort=_checked_sort(sort))
        if not listing.total:
            # An empty page for an unknown location would look like a location without batteries.
            await service.get_location(location_id)
    return JsonResponse(listing)


@router.get("/batteries", response_model=BatteryPage, responses=problems(InvalidSort), dependencies=[IN_TURN])
async def list_batteries(  # noqa: PLR0917  # each is a query parameter
    request: Request,
    context: ContextDep,
    principal: FleetReader,
    page: PageQuery,
    location_id: Annotated[str | None, Query(description="Only those of this location.")] = None,
    system_id: Annotated[str | None, Query(description="Only those of this battery system.")] = None,
    string_id: Annotated[str | None, Query(description="Only those of this string.")] = None,
    status: Annotated[HealthStatus | None, Query(description="Only those with this status.")] = None,
    has_alerts: Annotated[bool | None, Query(description="Only those with open alerts; false: the others.")] = None,
    not_judged: Annotated[
        bool | None, Query(description="Only those of which the rules cannot judge something; false: the others.")
    ] = None,
    rul_below_days: Annotated[
        float | None, Query(ge=0, description="Remaining life; `unknown_count` counts those without a prediction.")
    ] = None,
    q: Annotated[str | None, Query(description="Part of an id or of a serial number.", max_length=80)] = None,
    sort: BatterySort = "battery_id",
    include_retired: IncludeRetired = False,
) -> Response:
    """List batteries by filter; `total` counts all matches, `unknown_count` those that could not be compared."""
    battery_filter = BatteryFilter(
        include_retired=include_retired,
        visible=principal.location_codes,
        location_id=location_id,
        system_id=system_id,
        string_id=string_id,
        status=status.value if status else None,
        has_alerts=has_alerts,
        not_judged=not_judged,
        rul_below_days=rul_below_days,
        text=q,
    )
    async with context.database.begin() as connection:
        service = _service(request, connection, principal, context)
        return JsonResponse(await service.list_batteries(battery_filter, page, sort=_checked_sort(sort)))


@router.get("/batteries/{battery_id}", response_model=BatteryDetail, responses=problems(BatteryNotFound))
async def get_battery(
    request: Request, battery_id: BatteryPath, context: ContextDep, principal: FleetReader
) -> Response:
    """Return one battery: nameplate, newest values, status and its reasons."""
    async with context.database.begin() as connection:
        return JsonResponse(await _service(request, connection, principal, context).get_battery(battery_id))


@router.get("/batteries/{battery_id}/ohmic-findings", response_model=OhmicFindings, responses=problems(BatteryNotFound))
async def get_ohmic_findings(battery_id: BatteryPath, context: ContextDep, principal: FleetReader) -> Response:
    """Return what each ohmic policy makes of the battery's newest resistance; several may be exceeded at once."""
    async with context.database.begin() as connection:
        return JsonResponse(await findings_of(connection, principal, battery_id))


@router.post(
    "/fleet/import",
    response_model=ImportReport,
    responses=_IMPORT_ERRORS,
    dependencies=[NeedsRoom],
    openapi_extra={"requestBody": {"required": True, "content": _IMPORT_CONTENT}},
)
async def import_fleet(
    request: Request,
    context: ContextDep,
    principal: AdminDep,
    dry_run: Annotated[bool, Query(description="Check everything and change nothing.")] = False,
    sheet: Annotated[
        str | None, Query(description="Sheet of a workbook; needed where several hold data.", max_length=80)
    ] = None,
) -> Response:
    """Import the fleet catalogue (CSV or XLSX, one line per battery); if any line has an error, nothing is imported."""
    if principal.location_codes is not None:
        raise Forbidden("The catalogue covers every location, and your account is restricted to some.")
    content = await _bounded_body(request)
    parts: FleetParts = parts_of(request)
    change = FleetChange(principal, context.clock.now(), parts.endings)
    async with context.database.begin() as connection:
        report = await import_catalogue(connection, content, dry_run=dry_run, change=change, sheet=sheet)
        if not dry_run and not report.error_count:
            counts = report.model_dump(include={"created", "updated", "replaced", "unchanged", "retired", "reinstated"})
            await record_audit(connection, actor=principal, action="fleet.import", target="fleet", data=counts)
    parts.catalogue.forget()
    if not dry_run:
        await change.publish(parts.publisher)
    return JsonResponse(report, status=422 if report.error_count and not dry_run else 200)


@router.get(
    "/fleet/export",
    response_class=Response,
    responses={
        200: {
            "content": {"text/csv": {}, XLSX: {"schema": {"type": "string", "format": "binary"}}},
            "description": "The file.",
        }
    },
    dependencies=[IN_TURN],
)
async def export_fleet(
    context: ContextDep,
    principal: FleetReader,
    file_format: Annotated[CatalogueFormat, Query(alias="format", description="File format.")] = CatalogueFormat.CSV,
) -> Response:
    """Export the fleet catalogue of the locations you may see; importing the file again changes nothing."""
    async with context.database.begin() as connection:
        lines = await read_catalogue_lines(connection, principal.location_codes)
    # A workbook of a large fleet takes seconds, in which others are served.
    content = await asyncio.to_thread(catalogue_file, lines, file_format)
    name = f"fleet_{context.clock.now().astimezone(ZONE):%Y%m%d}.{file_format.value}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return Response(content, media_type=MEDIA_TYPES[file_format], headers=headers)


async def _bounded_body(request: Request) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_IMPORT_BYTES:
            raise ImportTooLarge(f"The file is larger than {MAX_IMPORT_BYTES // 2**20} MiB; split it.")
        chunks.append(chunk)
    return b"".join(chunks)


def _checked_sort(sort: str) -> str:
    if sort.removeprefix("-") not in SORTS:
        raise InvalidSort(
            f"sort={sort} is unknown; use one of {', '.join(SORTS)}, with a leading - for the reverse order."
        )
    return sort
