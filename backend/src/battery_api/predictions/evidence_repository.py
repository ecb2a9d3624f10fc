"""Reads of what the ageing law needs of the batteries of a location, and of how fresh their evidence is."""

from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.fleet.withheld import QUALITY_SQL

_LOCATIONS: Final = text(
    """
    select l.id, l.code, count(*) from location l join battery b on b.location_id = l.id
    where b.removed_at is null and b.retired_at is null group by l.id order by l.id
    """
)
_BATTERIES: Final = text(
    f"""
    select b.id, b.code, b.installed_at, m.design_life_years, s.resistance_at, {QUALITY_SQL}
    from battery b join battery_state s on s.battery_id = b.id join battery_model m on m.id = b.model_id
    where b.location_id = :location and b.removed_at is null and b.retired_at is null
    order by b.id
    """
)
_DISCHARGES: Final = text(
    """
    select b.id, e.ended_at, e.depth_pct, d.soh_pct, d.soh_sd_pct, d.soh_provenance
    from battery b
    join discharge_event e on e.string_id = b.string_id and e.started_at >= b.installed_at
    left join discharge_battery d on d.event_id = e.id and d.battery_id = b.id
    where b.location_id = :location and b.removed_at is null and b.retired_at is null
      and not e.is_open and e.ended_at <= :as_of
    order by b.id, e.ended_at
    """
)


class LocationRow(NamedTuple):
    """A location with the number of its batteries in service."""

    key: int
    code: str
    battery_count: int


class DischargeRow(NamedTuple):
    """A discharge of a battery, with the capacity that it showed; None where it showed none."""

    ended_at: datetime
    depth_pct: float
    soh_pct: float | None
    soh_sd_pct: float | None
    soh_provenance: str | None


class InServiceRow(NamedTuple):
    """A battery in service."""

    key: int
    code: str
    installed_at: datetime
    design_life_years: float
    resistance_at: datetime | None
    quality: int


class BatteryEvidence(NamedTuple):
    """A battery with its discharges, oldest first."""

    battery: InServiceRow
    discharges: list[DischargeRow]

    @property
    def capacity_at(self) -> datetime | None:
        """When a discharge last showed its capacity; None if none did."""
        return max((one.ended_at for one in self.discharges if one.soh_pct is not None), default=None)


async def list_locations(connection: AsyncConnection) -> list[LocationRow]:
    """Return the locations with batteries in service."""
    return [LocationRow(*row) for row in await connection.execute(_LOCATIONS)]


async def list_evidence(connection: AsyncConnection, location: int, as_of: datetime) -> list[BatteryEvidence]:
    """Return the batteries in service of a location with their discharges until ``as_of``."""
    rows = [InServiceRow(*row) for row in await connection.execute(_BATTERIES, {"location": location})]
    found = {row.key: BatteryEvidence(row, []) for row in rows}
    for key, *columns in await connection.execute(_DISCHARGES, {"location": location, "as_of": as_of}):
        if key in found:
            found[key].discharges.append(DischargeRow(*columns))
    return list(found.values())
