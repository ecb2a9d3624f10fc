"""The exported catalogue: imported again it changes nothing, whatever has happened to the fleet."""

import io
from datetime import UTC, datetime

import pytest
from python_calamine import CalamineWorkbook

from battery_api.db.session import Database
from battery_api.fleet.catalogue_file.formulas import marked, unmarked
from battery_api.fleet.export import CatalogueFormat, catalogue_file, read_catalogue_lines
from battery_contracts.fleet import FLEET_COLUMNS

from .test_importer import catalogue, count, database, line, load

__all__ = ["database"]
FORMATS = list(CatalogueFormat)


async def exported(database: Database, file_format: CatalogueFormat, visible: list[str] | None = None) -> bytes:
    async with database.begin() as connection:
        return catalogue_file(await read_catalogue_lines(connection, visible), file_format)


@pytest.mark.parametrize("file_format", FORMATS)
async def test_an_export_imports_again_without_change(database: Database, file_format: CatalogueFormat) -> None:
    await load(
        database,
        catalogue(
            line(1, serial_number="000457812", baseline_resistance_mohm=3.51, altitude_m=165.3),
            line(2, serial_number="=HYPERLINK(0)", altitude_m=165.3, baseline_resistance_mohm=""),
            line(3, serial_number="-12-A", altitude_m=165.3, baseline_temperature_c=""),
            line(4, serial_number="'@home", altitude_m=165.3, installed_on="2024-03-01T01:30+07:00"),
        ),
    )
    for _ in range(2):
        content = await exported(database, file_format)
        report = await load(database, content)
        assert (report.error_count, report.unchanged, report.updated, report.replaced) == (0, 4, 0, 0), report.errors
        assert (report.created, report.retired, report.reinstated) == (0, 0, 0)

    await load(database, catalogue(line(1, serial_number="SN-NEW", altitude_m=165.3, installed_on="2025-03-01")))
    retired = catalogue(line(3, serial_number="-12-A", altitude_m=165.3)).decode().splitlines()
    await load(database, f"{retired[0]},retired_on\n{retired[1]},2026-02-01\n".encode())

    content = await exported(database, file_format)
    report = await load(database, content)
    assert (report.error_count, report.unchanged, report.updated, report.replaced) == (0, 4, 0, 0), report.errors
    assert (report.created, report.retired, report.reinstated) == (0, 0, 0)
    assert await count(database, "battery") == 5


@pytest.mark.parametrize("file_format", FORMATS)
async def test_an_export_into_an_empty_database_is_the_same_fleet(
    database: Database, file_format: CatalogueFormat
) -> None:
    await load(database, catalogue(line(1, serial_number="=1+1", installed_on="2024-03-01T01:30+07:00"), line(2)))
    content = await exported(database, file_format)
    async with database.begin() as connection:
        before = await read_catalogue_lines(connection, None)
        await connection.exec_driver_sql("truncate location, battery_model cascade")
    assert (await load(database, content)).created == 2
    async with database.begin() as connection:
        assert await read_catalogue_lines(connection, None) == before


async def test_a_workbook_shows_texts_and_holds_dates_and_numbers(database: Database) -> None:
    await load(database, catalogue(line(1, serial_number="000457812"), line(2, serial_number="=1+1")))
    content = await exported(database, CatalogueFormat.XLSX)
    header, first, second = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_name("Fleet").to_python()
    cells = dict(zip(header, first, strict=True))
    assert (*header,) == (*FLEET_COLUMNS, "retired_on")
    assert (cells["serial_number"], cells["altitude_m"], cells["baseline_resistance_mohm"]) == ("000457812", 165, 3.51)
    assert cells["installed_on"] == datetime(2022, 5, 1, tzinfo=UTC).date()
    assert second[header.index("serial_number")] == "=1+1"


async def test_only_the_locations_that_may_be_seen_are_exported(database: Database) -> None:
    await load(database, catalogue(line(1)))
    assert (await exported(database, CatalogueFormat.CSV, ["DC-BKK-01"])).count(b"\n") == 1
    assert (await exported(database, CatalogueFormat.CSV, ["DC-KKN-01"])).count(b"\n") == 2


@pytest.mark.parametrize("text", ["=1+1", "'=1", "''@x", "+66", "-", "@", "plain", "'quoted'", "", "\uff1d1"])
def test_a_mark_is_taken_off_again(text: str) -> None:
    assert unmarked(marked(text)) == text
    assert not marked(text).startswith(("=", "+", "-", "@", "\uff1d"))
