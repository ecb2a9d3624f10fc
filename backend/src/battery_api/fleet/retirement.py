"""Retirement: take a battery, or every battery of a string or location, out of service, and back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.accounts.audit import record_audit
from battery_api.accounts.principal import Principal
from battery_api.db.bangkok import midnight_of, operating_day
from battery_api.fleet import import_repository
from battery_api.fleet import retirement_repository as repository
from battery_api.fleet.errors import BatteryNotFound, LocationNotFound, RetirementInvalid, StringNotFound
from battery_api.fleet.import_retirement import retirement
from battery_api.fleet.ports import FleetChange
from battery_api.fleet.retirement_repository import PresentBattery, Subject, SubjectKind
from battery_api.fleet.retirement_schemas import RetireIn, RetirementOut
from battery_servicekit.problems import FieldError, NotFound

_log = structlog.get_logger(__name__)
_NOT_FOUND: Final[dict[SubjectKind, type[NotFound]]] = {
    "battery": BatteryNotFound,
    "string": StringNotFound,
    "location": LocationNotFound,
}


async def retire(
    connection: AsyncConnection,
    principal: Principal,
    change: FleetChange,
    subject: Subject,
    request: RetireIn,
) -> RetirementOut:
    """Retire the batteries of a subject that are still in service, and end what hangs on them.

    Raises
    ------
    BatteryNotFound, StringNotFound, LocationNotFound
        The caller may not see the subject, or it does not exist.
    RetirementInvalid
        The time is in the future or before an installation, or there is no battery.
    """
    batteries = await _batteries(connection, principal, subject)
    in_service = [battery for battery in batteries if battery.retired_at is None]
    if in_service:
        at = _instant(request, change.now)
        _require_installed(in_service, at, "retired_on" if request.retired_on else "retired_at")
        for battery in in_service:
            by = change.actor_name
            await repository.retire_battery(connection, battery.key, at=at, by=by, reason=request.reason)
        await change.end([retirement(battery, at, request.reason) for battery in in_service], connection)
        data = {"reason": request.reason, "retired_at": at.isoformat(), "battery_count": len(in_service)}
        await record_audit(connection, actor=principal, action=f"{subject.kind}.retire", target=subject.code, data=data)
        _log.info(
            "retired", kind=subject.kind, subject=subject.code, by=change.actor_name, battery_count=len(in_service)
        )
    return await _outcome(connection, subject)


async def unretire(connection: AsyncConnection, principal: Principal, subject: Subject, reason: str) -> RetirementOut:
    """Bring the batteries of a subject back into service; their history goes on.

    Raises
    ------
    BatteryNotFound, StringNotFound, LocationNotFound
        The caller may not see the subject, or it does not exist.
    RetirementInvalid
        There is no battery.
    """
    batteries = await _batteries(connection, principal, subject)
    retired = [battery.key for battery in batteries if battery.retired_at is not None]
    if retired:
        await repository.reinstate_batteries(connection, retired)
        data = {"reason": reason, "battery_count": len(retired)}
        await record_audit(
            connection, actor=principal, action=f"{subject.kind}.unretire", target=subject.code, data=data
        )
        _log.info(
            "in service again", kind=subject.kind, subject=subject.code, by=principal.name, battery_count=len(retired)
        )
    return await _outcome(connection, subject)


async def _batteries(connection: AsyncConnection, principal: Principal, subject: Subject) -> list[PresentBattery]:
    location = await repository.find_location(connection, subject)
    if location is None or not principal.may_see(location):
        raise _NOT_FOUND[subject.kind](f"No {subject.kind} {subject.code} that you may see.")
    # An import changes the same rows: the two take turns.
    await import_repository.lock_import(connection)
    batteries = await repository.list_present(connection, subject.kind, [subject.code])
    if not batteries:
        raise RetirementInvalid(f"{subject.code} has no batteries; there is nothing to take out of service.")
    return batteries


async def _outcome(connection: AsyncConnection, subject: Subject) -> RetirementOut:
    batteries = await repository.list_present(connection, subject.kind, [subject.code])
    retired = [(battery.retired_at, battery) for battery in batteries if battery.retired_at is not None]
    if len(retired) < len(batteries):
        return RetirementOut(
            kind=subject.kind,
            id=subject.code,
            battery_count=len(batteries),
            retired_at=None,
            retired_by=None,
            retired_reason=None,
        )
    at, last = max(retired, key=lambda pair: pair[0])
    return RetirementOut(
        kind=subject.kind,
        id=subject.code,
        battery_count=len(batteries),
        retired_at=at,
        retired_by=last.retired_by,
        retired_reason=last.retired_reason,
    )


def _instant(request: RetireIn, now: datetime) -> datetime:
    if request.retired_on is not None:
        today = operating_day(now)
        if request.retired_on > today:
            raise _invalid("retired_on", f"{request.retired_on} is after today ({today}); retire it on that day.")
        # A day of Bangkok begins before the same day of UTC: today's retirement must not lie ahead.
        return min(midnight_of(request.retired_on), now)
    if request.retired_at is None:
        return now
    if request.retired_at > now:
        raise _invalid("retired_at", f"{request.retired_at.isoformat()} is in the future; retire it then.")
    return request.retired_at


def _require_installed(batteries: Sequence[PresentBattery], at: datetime, field: str) -> None:
    last = max(batteries, key=lambda battery: battery.installed_at)
    if at < last.installed_at:
        installed = f"{last.code} was installed at {last.installed_at:%Y-%m-%d %H:%M} UTC"
        raise _invalid(field, f"{installed}; use a later time.")


def _invalid(field: str, detail: str) -> RetirementInvalid:
    return RetirementInvalid(detail, errors=[FieldError(field=field, code="retirement_invalid", detail=detail)])
