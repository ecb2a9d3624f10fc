"""What the staleness watch reads."""

from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_BATTERIES: Final = text(
    """
    select b.id, b.code, b.string_id, g.code, g.system_id, b.location_id, l.code,
           coalesce(s.arrived_at, s.received_at, s.time), s.reporting_interval_s
    from battery b
    join battery_state s on s.battery_id = b.id
    join string g on g.id = b.string_id
    join location l on l.id = b.location_id
    where b.removed_at is null and b.retired_at is null and coalesce(s.arrived_at, s.time) is not null
    order by b.id
    """
)
_OPEN: Final = text(
    """
    select a.id, a.subject, a.location_id, a.system_id, a.string_id, a.battery_id, a.resolved_at
    from alert a where a.type = 'data_stale' and a.cleared_at is null
    """
)
_RESOLVED: Final = text(
    """
    select a.location_id, a.string_id, a.battery_id, max(a.resolved_at)
    from alert a where a.type = 'data_stale' and a.resolved_at > :since group by 1, 2, 3
    """
)


class MonitoredBattery(NamedTuple):
    """A battery that has reported at least once, with the keys and codes above it."""

    battery: int
    battery_code: str
    string: int
    string_code: str
    system: int
    location: int
    location_code: str
    newest_arrival_at: datetime
    """When something last came of it, whatever time it is dated with: a sender with a wrong clock is not silent."""
    reporting_interval_s: float | None


class OpenStaleAlert(NamedTuple):
    """An open stale alert and the keys of its subject."""

    alert_id: int
    subject_code: str
    location: int
    system: int | None
    string: int | None
    battery: int | None
    resolved_at: datetime | None


class ResolvedStaleAlert(NamedTuple):
    """When somebody last resolved a stale alert of a subject."""

    location: int
    string: int | None
    battery: int | None
    resolved_at: datetime


async def list_batteries(connection: AsyncConnection) -> list[MonitoredBattery]:
    """Return every battery in service that has reported, by key."""
    return [MonitoredBattery(*row) for row in await connection.execute(_BATTERIES)]


async def list_open(connection: AsyncConnection) -> list[OpenStaleAlert]:
    """Return the open stale alerts."""
    return [OpenStaleAlert(*row) for row in await connection.execute(_OPEN)]


async def list_resolved(connection: AsyncConnection, since: datetime) -> list[ResolvedStaleAlert]:
    """Return, per subject, the newest resolution of a stale alert after an instant."""
    return [ResolvedStaleAlert(*row) for row in await connection.execute(_RESOLVED, {"since": since})]
