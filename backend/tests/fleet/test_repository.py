"""Reads of the fleet."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from battery_api.db.session import Database, create_database_engine
from battery_api.fleet.importer import import_catalogue
from battery_api.fleet.repository import BatteryFilter, list_batteries, list_locations, list_strings

from .test_importer import STRING, catalogue, line

NOW = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)


@pytest_asyncio.fixture(loop_scope="session")
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(create_database_engine(database_url))
    async with database.begin() as connection:
        await import_catalogue(connection, catalogue(line(1), line(2), line(3)), dry_run=False)
    yield database
    await database.close()


@pytest.mark.parametrize(("skip", "positions"), [(0, [3, 2]), (2, [1]), (3, []), (30, [])])
async def test_every_page_has_the_total(database: Database, skip: int, positions: list[int]) -> None:
    async with database.begin() as connection:
        rows, total = await list_batteries(connection, BatteryFilter(), now=NOW, sort="-battery_id", skip=skip, limit=2)
    assert ([row.position for row in rows], total) == (positions, 3)


async def test_columns_arrive_in_their_fields(database: Database) -> None:
    async with database.begin() as connection:
        (battery,), _ = await list_batteries(
            connection, BatteryFilter(text="SN-0002"), now=NOW, sort="battery_id", skip=0, limit=9
        )
        (location,) = await list_locations(connection, visible=None)
        (string,) = await list_strings(connection, string_code=STRING)
    assert (battery.serial_number, battery.location_name, battery.string_code) == ("SN-0002", "Khon Kaen", STRING)
    assert (battery.model_code, battery.status, battery.open_types) == ("CSB-HX12-120", "no_data", None)
    assert (location.name, location.climate_zone, location.battery_count) == ("Khon Kaen", "NE", 3)
    assert (string.system_kind, string.rated_power_kva, string.time) == ("UPS", 200, None)
    assert (len(string.battery_codes), string.retired_battery_codes) == (3, [])
