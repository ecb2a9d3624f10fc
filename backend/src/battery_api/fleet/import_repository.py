"""Reads and writes of the catalogue import."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.db.tables.fleet import Battery, BatteryModelRow, BatterySystem, Location, String
from battery_api.db.tables.live import BatteryState
from battery_contracts.fleet import BATTERY_MODELS, FleetRow

LOCATION_FIELDS: Final = (
    "location_name",
    "region",
    "latitude",
    "longitude",
    "altitude_m",
    "commissioned_on",
    "utility",
    "climate_zone",
)
"""Fields of a catalogue line that describe its location."""
SYSTEM_FIELDS: Final = ("system_kind", "rated_power_kva")
"""Fields of a catalogue line that describe its battery system."""
_LOCK: Final = 7_204_861_954
_STATE_TABLES: Final = ("location", "string", "battery")


class BatteryValues(NamedTuple):
    """Columns of a battery that the catalogue sets."""

    code: str
    string_id: int
    location_id: int
    model_id: int
    position: int
    serial_number: str
    installed_at: datetime
    baseline_resistance_mohm: float | None
    baseline_temperature_c: float | None


class InstalledBattery(NamedTuple):
    """A battery that occupies its position now."""

    key: int
    newest_reading_at: datetime | None
    values: BatteryValues


class RemovedBattery(NamedTuple):
    """A battery that has left its position."""

    serial_number: str
    installed_at: datetime
    removed_at: datetime


@dataclass(frozen=True, slots=True)
class CatalogueKeys:
    """Keys by code."""

    models: Mapping[str, int]
    locations: Mapping[str, int]
    strings: Mapping[str, int]


async def lock_import(connection: AsyncConnection) -> None:
    """Let concurrent imports take turns; readers and ingest do not wait."""
    await connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})


async def installed_batteries(connection: AsyncConnection) -> dict[str, InstalledBattery]:
    """Return the batteries that are installed now, by code."""
    columns = Battery.__table__.columns
    statement = select(Battery.id, BatteryState.time, *(columns[name] for name in BatteryValues._fields))
    statement = statement.outerjoin(BatteryState, BatteryState.battery_id == Battery.id)
    rows = await connection.execute(statement.where(Battery.removed_at.is_(None)))
    installed = [InstalledBattery(key, newest, BatteryValues(*columns)) for key, newest, *columns in rows]
    return {battery.values.code: battery for battery in installed}


async def last_removed_batteries(connection: AsyncConnection) -> dict[str, RemovedBattery]:
    """Return the battery that left each position last, by code."""
    statement = select(Battery.code, Battery.serial_number, Battery.installed_at, Battery.removed_at)
    rows = await connection.execute(statement.where(Battery.removed_at.is_not(None)).order_by(Battery.removed_at))
    return {row.code: RemovedBattery(row.serial_number, row.installed_at, row.removed_at) for row in rows}


async def serial_number_holders(connection: AsyncConnection) -> dict[str, str]:
    """Return the code of the battery that has or had each serial number."""
    rows = await connection.execute(select(Battery.serial_number, Battery.code))
    return {row.serial_number: row.code for row in rows}


async def put_catalogue(connection: AsyncConnection, rows: Sequence[FleetRow]) -> CatalogueKeys:
    """Insert or update the models, locations, systems and strings of catalogue lines."""
    models = await _put_models(connection)
    locations = await _put_locations(connection, rows)
    systems = await _put_systems(connection, rows, locations)
    strings = await _put_strings(connection, rows, systems, locations)
    return CatalogueKeys(models, locations, strings)


async def add_batteries(connection: AsyncConnection, batteries: Sequence[BatteryValues]) -> None:
    """Insert batteries."""
    if batteries:
        await connection.execute(insert(Battery), [values._asdict() for values in batteries])


async def change_battery(connection: AsyncConnection, key: int, changes: Mapping[str, Any]) -> None:
    """Change columns of a battery."""
    await connection.execute(update(Battery).where(Battery.id == key).values(**changes))


async def remove_battery(connection: AsyncConnection, key: int, removed_at: datetime) -> None:
    """End a battery's time in its position; its row is kept for the history."""
    await change_battery(connection, key, {"removed_at": removed_at, "removed_reason": "replaced by import"})


async def move_removal(connection: AsyncConnection, code: str, removed_at: datetime, to: datetime) -> None:
    """Move the end of the battery that its successor replaced at ``removed_at``, if there is one."""
    statement = update(Battery).where(Battery.code == code, Battery.removed_at == removed_at)
    await connection.execute(statement.values(removed_at=to))


async def add_state_rows(connection: AsyncConnection) -> None:
    """Create the state rows that are missing."""
    for table in _STATE_TABLES:
        await connection.execute(
            text(f"insert into {table}_state ({table}_id) select id from {table} on conflict do nothing")  # noqa: S608  # names of the code
        )


async def continue_rooms(connection: AsyncConnection, removed: Sequence[int]) -> None:
    """Let the live room of each position go on counting, so that a client sees the update after a swap as the next."""
    await connection.execute(
        text(
            "update battery_state s set seq = o.seq + 1 from battery_state o join battery b on b.id = o.battery_id "
            "join battery n on n.code = b.code and n.removed_at is null "
            "where o.battery_id = any(:removed) and s.battery_id = n.id"
        ),
        {"removed": list(removed)},
    )


def battery_values(row: FleetRow, installed_at: datetime, keys: CatalogueKeys) -> BatteryValues:
    """Return the columns of a battery from its catalogue line and the instant of its installation."""
    return BatteryValues(
        code=row.battery_id,
        string_id=keys.strings[row.string_id],
        location_id=keys.locations[row.location_id],
        model_id=keys.models[row.model_id],
        position=row.position,
        serial_number=row.serial_number,
        installed_at=installed_at,
        baseline_resistance_mohm=_as_real(row.baseline_resistance_mohm),
        baseline_temperature_c=_as_real(row.baseline_temperature_c),
    )


async def _put_models(connection: AsyncConnection) -> dict[str, int]:
    names = [column.name for column in BatteryModelRow.__table__.columns if column.name not in {"id", "code"}]
    values = [
        {"code": model.model_id, **{name: getattr(model, name) for name in names}} for model in BATTERY_MODELS.values()
    ]
    return await _upsert(connection, BatteryModelRow, values, names)


async def _put_locations(connection: AsyncConnection, rows: Sequence[FleetRow]) -> dict[str, int]:
    column_of = {field: field.removeprefix("location_") for field in LOCATION_FIELDS}
    values = {
        row.location_id: {
            "code": row.location_id,
            **{column: getattr(row, field) for field, column in column_of.items()},
        }
        for row in rows
    }
    return await _upsert(connection, Location, list(values.values()), list(column_of.values()))


async def _put_systems(
    connection: AsyncConnection, rows: Sequence[FleetRow], locations: Mapping[str, int]
) -> dict[str, int]:
    values = {
        row.system_id: {
            "code": row.system_id,
            "location_id": locations[row.location_id],
            "kind": row.system_kind.value,
            "rated_power_kva": row.rated_power_kva,
        }
        for row in rows
    }
    return await _upsert(connection, BatterySystem, list(values.values()), ["kind", "rated_power_kva"])


async def _put_strings(
    connection: AsyncConnection, rows: Sequence[FleetRow], systems: Mapping[str, int], locations: Mapping[str, int]
) -> dict[str, int]:
    values = {
        row.string_id: {
            "code": row.string_id,
            "system_id": systems[row.system_id],
            "location_id": locations[row.location_id],
        }
        for row in rows
    }
    return await _upsert(connection, String, list(values.values()), ["system_id"])


async def _upsert(
    connection: AsyncConnection, table: Any, values: list[dict[str, Any]], updated: Sequence[str]
) -> dict[str, int]:
    statement = upsert(table).values(values)
    changes = {name: statement.excluded[name] for name in updated}
    await connection.execute(statement.on_conflict_do_update(index_elements=["code"], set_=changes))
    rows = await connection.execute(select(table.code, table.id))
    return {row.code: row.id for row in rows}


def _as_real(value: float | None) -> float | None:
    # The column is single precision: compare with what it will hold, or the second import would look like a change.
    return None if value is None else struct.unpack("f", struct.pack("f", value))[0]
