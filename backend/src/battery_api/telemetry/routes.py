"""Endpoints of telemetry: send readings; read newest values, history, exports and completeness."""

from dataclasses import dataclass
from datetime import datetime
from time import perf_counter
from typing import Annotated, Protocol

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.background import BackgroundTask
from starlette.responses import StreamingResponse

from battery_api.accounts.deps import require_scope
from battery_api.accounts.principal import Principal, Scope
from battery_api.context import ContextDep, NeedsRoom, parts_of
from battery_api.db.errors import DatabaseUnavailable, DiskFull
from battery_api.fleet.errors import BatteryNotFound, LocationNotFound, StringNotFound
from battery_api.fleet.path_ids import BatteryPath, LocationPath, StringPath
from battery_api.telemetry.errors import (
    BatchTooLarge,
    InvalidSelection,
    InvalidSpan,
    MalformedBatch,
    ResolutionTooFine,
    TooManyReadings,
    UnsupportedEncoding,
)
from battery_api.telemetry.ingest.body import read_body
from battery_api.telemetry.ingest.parsing import parse_batch
from battery_api.telemetry.ingest.pipeline import IngestPipeline
from battery_api.telemetry.metrics import STAGE_SECONDS
from battery_api.telemetry.queries import raw_series, series
from battery_api.telemetry.queries.completeness import MAX_COMPLETENESS_SPAN, read_completeness
from battery_api.telemetry.queries.export import MEDIA_TYPES, ExportFormat, export
from battery_api.telemetry.queries.latest import read_latest
from battery_api.telemetry.queries.resolution import MAX_POINTS, Resolution
from battery_api.telemetry.queries.selection import SelectionDep, Series, find_batteries, find_subjects
from battery_api.telemetry.schemas import (
    DayCompleteness,
    EnvironmentSeries,
    StringSeries,
    TelemetryLatest,
    TelemetrySeries,
)
from battery_contracts.enums import Role
from battery_contracts.instants import Instant
from battery_contracts.telemetry import IngestResult, TelemetryBatch
from battery_servicekit.openapi.bodies import body_of
from battery_servicekit.pagination import Page, PageQuery
from battery_servicekit.problems import problems
from battery_servicekit.responses import JsonResponse
from battery_servicekit.strict_query import StrictRoute
from battery_servicekit.turns import IN_TURN

router = APIRouter(tags=["telemetry"], route_class=StrictRoute)

WriterDep = Annotated[Principal, Depends(require_scope(Scope.TELEMETRY_WRITE, role=Role.ENGINEER))]
ReaderDep = Annotated[Principal, Depends(require_scope(Scope.TELEMETRY_READ, role=Role.VIEWER))]


class TelemetryParts(Protocol):
    """What these endpoints need of the running gateway."""

    @property
    def ingest(self) -> IngestPipeline:
        """The pipeline that stores batches."""
        ...


def _ingest(request: Request) -> IngestPipeline:
    parts: TelemetryParts = parts_of(request)
    return parts.ingest


IngestDep = Annotated[IngestPipeline, Depends(_ingest)]


@router.post(
    "/telemetry",
    response_model=IngestResult,
    openapi_extra=body_of(TelemetryBatch),
    responses=problems(
        BatchTooLarge, TooManyReadings, UnsupportedEncoding, MalformedBatch, DatabaseUnavailable, DiskFull
    ),
    dependencies=[NeedsRoom],
)
async def post_telemetry(request: Request, principal: WriterDep, ingest: IngestDep) -> Response:
    """Store a batch of readings: one transaction, idempotent, acknowledged after its commit, each bad row named."""
    began = perf_counter()
    body = await read_body(request)
    with STAGE_SECONDS.labels("parse").time():
        batch = parse_batch(body)
    outcome = await ingest.ingest(batch, principal)
    STAGE_SECONDS.labels("whole").observe(perf_counter() - began)
    response = JsonResponse(outcome.result)
    response.background = BackgroundTask(ingest.publish, outcome)
    return response


@router.get(
    "/telemetry/latest",
    response_model=TelemetryLatest,
    responses={304: {"description": "Nothing changed since the answer with this ETag."}, **problems(LocationNotFound)},
    dependencies=[IN_TURN],
)
async def get_latest(
    request: Request,
    principal: ReaderDep,
    context: ContextDep,
    location_id: Annotated[str | None, Query(description="Only the batteries of this location.")] = None,
) -> Response:
    """Return the newest values of the fleet in one response; 304 with If-None-Match while nothing changed."""
    async with context.database.begin() as connection:
        latest = await read_latest(connection, principal, context.clock.now(), location_id=location_id)
    headers = {"ETag": latest.etag, "Cache-Control": "private, no-cache"}
    if latest.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(latest.body, media_type="application/json", headers=headers)


@router.get(
    "/telemetry/export",
    response_class=StreamingResponse,
    responses={
        200: {"content": {"text/csv": {}, "application/vnd.apache.parquet": {}}, "description": "The file."},
        **problems(BatteryNotFound, StringNotFound, LocationNotFound, InvalidSelection, InvalidSpan),
    },
)
async def export_telemetry(  # parameters of the query
    principal: ReaderDep,
    context: ContextDep,
    selection: SelectionDep,
    *,
    start: Annotated[Instant | None, Query(description="From this instant.")] = None,
    end: Annotated[Instant | None, Query(description="To before this instant.")] = None,
    of: Annotated[
        Series, Query(alias="series", description="Readings of batteries, of strings, or of rooms.")
    ] = Series.BATTERY,
    file_format: Annotated[ExportFormat, Query(alias="format", description="File format.")] = ExportFormat.CSV,
) -> StreamingResponse:
    """Stream every stored reading of a battery, a string or a location.

    `series=string` gives the readings of strings as a whole, `series=environment` those of a location's room.
    """
    since, until = series.span_of(start, end, context.clock.now())
    async with context.database.begin() as connection:
        subjects = await find_subjects(connection, selection, principal, of)
    kind = "telemetry" if of is Series.BATTERY else of.value
    name = f"{kind}_{selection.name}_{since:%Y%m%dT%H%M%SZ}.{file_format.value}"
    return StreamingResponse(
        export(context.database, of, subjects, since, until, file_format=file_format),
        media_type=MEDIA_TYPES[file_format],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@router.get(
    "/telemetry/completeness",
    response_model=Page[DayCompleteness],
    responses=problems(BatteryNotFound, LocationNotFound, InvalidSelection, InvalidSpan),
    dependencies=[IN_TURN],
)
async def get_completeness(
    principal: ReaderDep,
    context: ContextDep,
    selection: SelectionDep,
    page: PageQuery,
    *,
    start: Annotated[Instant | None, Query(description="First day by any of its instants.")] = None,
    end: Annotated[Instant | None, Query(description="To before this instant.")] = None,
) -> Response:
    """List what each battery sent on each day (Asia/Bangkok), by outcome; the counts balance."""
    now = context.clock.now()
    since, until = series.span_of(start, end, now)
    if until - since > MAX_COMPLETENESS_SPAN:
        raise InvalidSpan(f"The span may be at most {MAX_COMPLETENESS_SPAN.days} days.")
    async with context.database.begin() as connection:
        batteries = await find_batteries(connection, selection, principal)
        listing = await read_completeness(connection, batteries, since, until, now=now, page=page)
    return JsonResponse(listing)


@dataclass(frozen=True, slots=True)
class SeriesQuery:
    """The part of a history that a caller asks for."""

    start: datetime
    end: datetime
    resolution: Resolution
    max_points: int

    def of(self, subject_id: str) -> series.SeriesRequest:
        """Return the request for one battery, string or location."""
        return series.SeriesRequest(subject_id, self.start, self.end, self.resolution, self.max_points)


def _series_query(
    context: ContextDep,
    *,
    start: Annotated[Instant | None, Query(description="From this instant; 24 h before the end if left out.")] = None,
    end: Annotated[Instant | None, Query(description="To before this instant; now if left out.")] = None,
    resolution: Annotated[Resolution, Query(description="Width of a point; auto fits max_points.")] = Resolution.AUTO,
    max_points: Annotated[int, Query(ge=1, le=MAX_POINTS, description="Most points to return.")] = 500,
) -> SeriesQuery:
    since, until = series.span_of(start, end, context.clock.now())
    return SeriesQuery(since, until, resolution, max_points)


SeriesQueryDep = Annotated[SeriesQuery, Depends(_series_query)]


@router.get(
    "/batteries/{battery_id}/telemetry",
    response_model=TelemetrySeries,
    responses=problems(BatteryNotFound, InvalidSpan, ResolutionTooFine),
    dependencies=[IN_TURN],
)
async def get_series(
    battery_id: BatteryPath, principal: ReaderDep, context: ContextDep, query: SeriesQueryDep
) -> Response:
    """Return a battery's history: min, max, time-weighted mean and last of each bucket, so that spikes stay visible."""
    raw_from = series.raw_available_from(context.clock.now(), context.settings.telemetry_retention_days)
    async with context.database.begin() as connection:
        key = await series.find_battery(connection, battery_id, principal)
        body = await series.read_series(connection, key, query.of(battery_id), raw_available_from=raw_from)
    return Response(body, media_type="application/json")


@router.get(
    "/strings/{string_id}/telemetry",
    response_model=StringSeries,
    responses=problems(StringNotFound, InvalidSpan, ResolutionTooFine),
    dependencies=[IN_TURN],
)
async def get_string_series(
    string_id: StringPath, principal: ReaderDep, context: ContextDep, query: SeriesQueryDep
) -> Response:
    """Return what was measured of a string as a whole: voltage, current, float current, ripple and mode.

    A span is at most 92 days, since each reading of it is read.
    """
    async with context.database.begin() as connection:
        string = await raw_series.find_string(connection, string_id, principal)
        body = await raw_series.read_raw_series(connection, string, query.of(string_id))
    return Response(body, media_type="application/json")


@router.get(
    "/locations/{location_id}/environment",
    response_model=EnvironmentSeries,
    responses=problems(LocationNotFound, InvalidSpan, ResolutionTooFine),
    dependencies=[IN_TURN],
)
async def get_environment(
    location_id: LocationPath, principal: ReaderDep, context: ContextDep, query: SeriesQueryDep
) -> Response:
    """Return what was measured of a location's battery room: temperature, humidity, air conditioning and mains.

    A span is at most 92 days, since each reading of it is read.
    """
    async with context.database.begin() as connection:
        room = await raw_series.find_room(connection, location_id, principal)
        body = await raw_series.read_raw_series(connection, room, query.of(location_id))
    return Response(body, media_type="application/json")
