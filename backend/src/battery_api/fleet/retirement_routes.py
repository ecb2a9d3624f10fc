"""Endpoints that take batteries, strings and locations out of service, and back."""

from fastapi import APIRouter, Request, Response

from battery_api.accounts.deps import AdminDep
from battery_api.accounts.principal import Principal
from battery_api.context import ContextDep, ProcessContext, parts_of
from battery_api.fleet import retirement
from battery_api.fleet.errors import BatteryNotFound, LocationNotFound, RetirementInvalid, StringNotFound
from battery_api.fleet.path_ids import BatteryPath, LocationPath, StringPath
from battery_api.fleet.ports import FleetChange
from battery_api.fleet.retirement_repository import Subject
from battery_api.fleet.retirement_schemas import RetireIn, RetirementOut, UnretireIn
from battery_api.fleet.routes import FleetParts
from battery_servicekit.problems import problems
from battery_servicekit.responses import JsonResponse
from battery_servicekit.strict_query import StrictRoute

router = APIRouter(tags=["fleet"], route_class=StrictRoute)


@router.post(
    "/batteries/{battery_id}/retire",
    response_model=RetirementOut,
    responses=problems(BatteryNotFound, RetirementInvalid),
)
async def retire_battery(
    battery_id: BatteryPath, body: RetireIn, context: ContextDep, principal: AdminDep, request: Request
) -> Response:
    """Take a battery out of service: its alerts end, nothing watches or counts it, its history stays readable."""
    return await _retire(request, context, principal, Subject("battery", battery_id), body)


@router.post(
    "/strings/{string_id}/retire", response_model=RetirementOut, responses=problems(StringNotFound, RetirementInvalid)
)
async def retire_string(
    string_id: StringPath, body: RetireIn, context: ContextDep, principal: AdminDep, request: Request
) -> Response:
    """Take every battery of a string out of service, and the string with them."""
    return await _retire(request, context, principal, Subject("string", string_id), body)


@router.post(
    "/locations/{location_id}/retire",
    response_model=RetirementOut,
    responses=problems(LocationNotFound, RetirementInvalid),
)
async def retire_location(
    location_id: LocationPath, body: RetireIn, context: ContextDep, principal: AdminDep, request: Request
) -> Response:
    """Take every battery of a location out of service, and the location with them."""
    return await _retire(request, context, principal, Subject("location", location_id), body)


@router.post(
    "/batteries/{battery_id}/unretire",
    response_model=RetirementOut,
    responses=problems(BatteryNotFound, RetirementInvalid),
)
async def unretire_battery(
    battery_id: BatteryPath, body: UnretireIn, context: ContextDep, principal: AdminDep, request: Request
) -> Response:
    """Bring a battery back into service; its history goes on."""
    return await _unretire(request, context, principal, Subject("battery", battery_id), body)


@router.post(
    "/strings/{string_id}/unretire", response_model=RetirementOut, responses=problems(StringNotFound, RetirementInvalid)
)
async def unretire_string(
    string_id: StringPath, body: UnretireIn, context: ContextDep, principal: AdminDep, request: Request
) -> Response:
    """Bring every battery of a string back into service."""
    return await _unretire(request, context, principal, Subject("string", string_id), body)


@router.post(
    "/locations/{location_id}/unretire",
    response_model=RetirementOut,
    responses=problems(LocationNotFound, RetirementInvalid),
)
async def unretire_location(
    location_id: LocationPath, body: UnretireIn, context: ContextDep, principal: AdminDep, request: Request
) -> Response:
    """Bring every battery of a location back into service."""
    return await _unretire(request, context, principal, Subject("location", location_id), body)


async def _retire(
    request: Request, context: ProcessContext, principal: Principal, subject: Subject, body: RetireIn
) -> Response:
    parts: FleetParts = parts_of(request)
    change = FleetChange(principal, context.clock.now(), parts.endings)
    async with context.database.begin() as connection:
        outcome = await retirement.retire(connection, principal, change, subject, body)
    parts.catalogue.forget()
    await change.publish(parts.publisher)
    return JsonResponse(outcome)


async def _unretire(
    request: Request, context: ProcessContext, principal: Principal, subject: Subject, body: UnretireIn
) -> Response:
    parts: FleetParts = parts_of(request)
    async with context.database.begin() as connection:
        outcome = await retirement.unretire(connection, principal, subject, body.reason)
    parts.catalogue.forget()
    return JsonResponse(outcome)
