"""Import of the catalogue: all or nothing, repeatable, and every error names the line, the field and the remedy."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text

from battery_api.db.session import Database, create_database_engine
from battery_api.fleet.errors import ImportRefused
from battery_api.fleet.importer import import_catalogue
from battery_api.fleet.schemas import ImportReport
from battery_contracts.fleet import FLEET_COLUMNS
from battery_contracts.ids import battery_id_at

STRING = "DC-KKN-01-UPS-01-STR-01"


def line(position: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "location_id": "DC-KKN-01",
        "location_name": "Khon Kaen",
        "region": "northeastern",
        "latitude": 16.43,
        "longitude": 102.82,
        "altitude_m": 165,
        "commissioned_on": date(2019, 7, 1),
        "utility": "PEA",
        "climate_zone": "NE",
        "system_id": "DC-KKN-01-UPS-01",
        "system_kind": "UPS",
        "rated_power_kva": 200,
        "string_id": STRING,
        "battery_id": battery_id_at(STRING, position),
        "position": position,
        "model_id": "CSB-HX12-120",
        "serial_number": f"SN-{position:04d}",
        "installed_on": date(2022, 5, 1),
        "baseline_resistance_mohm": 3.51,
        "baseline_temperature_c": 25.0,
    } | changes


def catalogue(*lines: dict[str, Any]) -> bytes:
    rows = [",".join(FLEET_COLUMNS), *(",".join(str(row[name]) for name in FLEET_COLUMNS) for row in lines)]
    return ("\n".join(rows) + "\n").encode()


@pytest_asyncio.fixture(loop_scope="session")
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(create_database_engine(database_url))
    yield database
    await database.close()


async def load(database: Database, content: bytes, *, dry_run: bool = False) -> ImportReport:
    async with database.begin() as connection:
        return await import_catalogue(connection, content, dry_run=dry_run)


async def count(database: Database, table: str) -> int:
    async with database.begin() as connection:
        return int(await connection.scalar(text(f"select count(*) from {table}")) or 0)


async def test_first_import_creates_and_repeating_it_changes_nothing(database: Database) -> None:
    content = catalogue(*(line(position) for position in range(1, 25)))

    first = await load(database, content)
    assert (first.created, first.error_count) == (24, 0)
    assert await count(database, "battery_state") == 24
    assert await count(database, "string_state") == await count(database, "location_state") == 1

    again = await load(database, content)
    assert (again.created, again.updated, again.replaced, again.unchanged) == (0, 0, 0, 24)
    assert await count(database, "battery") == 24


async def test_a_dry_run_counts_and_writes_nothing(database: Database) -> None:
    report = await load(database, catalogue(line(1), line(2)), dry_run=True)
    assert (report.dry_run, report.created) == (True, 2)
    assert await count(database, "battery") == 0
    assert await count(database, "location") == 0


async def test_a_new_serial_is_a_swap_and_the_old_battery_keeps_its_row(database: Database) -> None:
    await load(database, catalogue(line(1)))
    swapped = line(1, serial_number="SN-NEW", installed_on=date(2025, 3, 1), baseline_resistance_mohm=3.4)

    report = await load(database, catalogue(swapped))

    assert (report.replaced, report.created) == (1, 0)
    async with database.begin() as connection:
        rows = await connection.execute(
            text("select serial_number, removed_at::date, installed_at::date from battery order by installed_at")
        )
        assert [tuple(row) for row in rows] == [
            ("SN-0001", date(2025, 3, 1), date(2022, 5, 1)),
            ("SN-NEW", None, date(2025, 3, 1)),
        ]


async def test_a_changed_fact_updates_the_battery(database: Database) -> None:
    await load(database, catalogue(line(1), line(2)))
    report = await load(database, catalogue(line(1), line(2, baseline_resistance_mohm=3.6)))
    assert (report.updated, report.unchanged) == (1, 1)


@pytest.mark.parametrize(
    ("lines", "line_number", "field", "code"),
    [
        ([line(1), line(2, serial_number="SN-0001")], 3, "serial_number", "repeated"),
        ([line(1), line(1, serial_number="SN-0002")], 3, "battery_id", "repeated"),
        ([line(1), line(2, location_name="Khonkaen")], 3, "location_name", "contradiction"),
        ([line(1), line(2, rated_power_kva=100)], 3, "rated_power_kva", "contradiction"),
        ([line(1, installed_on="soon")], 2, "installed_on", "date_from_datetime_parsing"),
        ([line(1, latitude=95)], 2, "latitude", "less_than_equal"),
        ([line(1, battery_id=battery_id_at(STRING, 2))], 2, None, "value_error"),
        ([line(1, model_id="unknown")], 2, None, "value_error"),
    ],
)
async def test_a_bad_line_is_named_and_nothing_is_written(
    database: Database, lines: list[dict[str, Any]], line_number: int, field: str | None, code: str
) -> None:
    report = await load(database, catalogue(*lines, line(9)))

    assert report.error_count == 1
    error = report.errors[0]
    assert (error.line, error.field, error.code) == (line_number, field, code)
    assert error.detail
    assert await count(database, "battery") == 0


async def test_a_serial_of_another_position_and_a_swap_before_the_installation_are_refused(database: Database) -> None:
    await load(database, catalogue(line(1), line(2)))

    taken = await load(database, catalogue(line(1), line(2, serial_number="SN-0001")))
    assert taken.error_count == 1
    early = await load(database, catalogue(line(1, serial_number="SN-X", installed_on=date(2022, 5, 1)), line(2)))
    assert [(error.field, error.code) for error in early.errors] == [("installed_on", "too_early")]
    assert await count(database, "battery") == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"", "Missing:"),
        (b"battery_id,colour\nx,red\n", "Unknown: colour"),
        (catalogue(), "no lines"),
    ],
)
async def test_a_file_that_is_not_a_catalogue_is_refused(database: Database, content: bytes, message: str) -> None:
    with pytest.raises(ImportRefused, match=message):
        await load(database, content)
