"""Read of the fleet as lines of its catalogue."""

from collections.abc import Collection
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.db.tables.fleet import Battery, BatteryModelRow, BatterySystem, Location, String


class CatalogueRow(NamedTuple):
    """One battery in its position with everything above it, as it is stored."""

    location_id: str
    location_name: str
    region: str
    latitude: float
    longitude: float
    altitude_m: float
    commissioned_on: date
    utility: str
    climate_zone: str
    system_id: str
    system_kind: str
    rated_power_kva: float
    string_id: str
    battery_id: str
    position: int
    model_id: str
    serial_number: str
    installed_at: datetime
    baseline_resistance_mohm: float | None
    baseline_temperature_c: float | None
    retired_at: datetime | None


async def catalogue_rows(connection: AsyncConnection, visible: Collection[str] | None) -> list[CatalogueRow]:
    """Return the batteries that occupy a position, retired ones included, by location, string and position.

    ``visible`` are the codes of the locations that may be seen, None for all.
    """
    statement = (
        select(
            Location.code,
            Location.name,
            Location.region,
            Location.latitude,
            Location.longitude,
            Location.altitude_m,
            Location.commissioned_on,
            Location.utility,
            Location.climate_zone,
            BatterySystem.code,
            BatterySystem.kind,
            BatterySystem.rated_power_kva,
            String.code,
            Battery.code,
            Battery.position,
            BatteryModelRow.code,
            Battery.serial_number,
            Battery.installed_at,
            Battery.baseline_resistance_mohm,
            Battery.baseline_temperature_c,
            Battery.retired_at,
        )
        .join(String, String.id == Battery.string_id)
        .join(BatterySystem, BatterySystem.id == String.system_id)
        .join(Location, Location.id == BatterySystem.location_id)
        .join(BatteryModelRow, BatteryModelRow.id == Battery.model_id)
        .where(Battery.removed_at.is_(None))
        .order_by(Location.code, BatterySystem.code, String.code, Battery.position)
    )
    if visible is not None:
        statement = statement.where(Location.code.in_(visible))
    return [CatalogueRow._make(row) for row in await connection.execute(statement)]
