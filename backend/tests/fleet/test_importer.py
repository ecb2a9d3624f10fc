"""Import of the catalogue: all or nothing, repeatable, and every error names the line, the field and the remedy."""

import io
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
import pytest_asyncio
import xlsxwriter
from sqlalchemy import text

from battery_api.db.session import Database, create_database_engine
from battery_api.fleet.errors import ImportRefused
from battery_api.fleet.import_schemas import ImportReport
from battery_api.fleet.importer import import_catalogue
from battery_api.fleet.ports import FleetChange, NoEndings
from battery_contracts.fleet import FLEET_COLUMNS
from battery_contracts.ids import battery_id_at

STRING = "DC-KKN-01-UPS-01-STR-01"
NOW = datetime(2026, 11, 29, 19, tzinfo=UTC)
"""Two in the night of 30 November in Bangkok."""


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


def workbook(*lines: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"default_date_format": "dd/mm/yyyy"}) as book:
        sheet = book.add_worksheet("Fleet")
        sheet.write_row(0, 0, FLEET_COLUMNS)
        for number, row in enumerate(lines, 1):
            sheet.write_row(number, 0, [row[name] for name in FLEET_COLUMNS])
    return buffer.getvalue()


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
        return await import_catalogue(
            connection, content, dry_run=dry_run, change=FleetChange("import", NOW, NoEndings())
        )


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

    rehearsal = await load(database, catalogue(swapped), dry_run=True)
    report = await load(database, catalogue(swapped))

    assert (report.replaced, report.created) == (1, 0)
    assert rehearsal.replacements == report.replacements
    assert [entry.model_dump() for entry in report.replacements] == [
        {
            "line": 2,
            "battery_id": battery_id_at(STRING, 1),
            "old_serial_number": "SN-0001",
            "new_serial_number": "SN-NEW",
            "installed_at": datetime(2025, 2, 28, 17, tzinfo=UTC),
        }
    ]
    async with database.begin() as connection:
        rows = await connection.execute(
            text("select serial_number, installed_at, removed_at from battery order by installed_at")
        )
        assert [tuple(row) for row in rows] == [
            ("SN-0001", datetime(2022, 4, 30, 17, tzinfo=UTC), datetime(2025, 2, 28, 17, tzinfo=UTC)),
            ("SN-NEW", datetime(2025, 2, 28, 17, tzinfo=UTC), None),
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
        ([line(1, installed_on="soon")], 2, "installed_on", "not_a_date"),
        ([line(1, latitude=95)], 2, "latitude", "less_than_equal"),
        ([line(1, battery_id=battery_id_at(STRING, 2))], 2, "position", "value_error"),
        ([line(1, model_id="unknown")], 2, "model_id", "value_error"),
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
        (b"", "The file is empty"),
        (b"\n\n", "The file is empty"),
        (b"battery_id,colour\nx,red\n", "Unknown: colour"),
        (catalogue(), "no lines"),
    ],
)
async def test_a_file_that_is_not_a_catalogue_is_refused(database: Database, content: bytes, message: str) -> None:
    with pytest.raises(ImportRefused, match=message):
        await load(database, content)


async def installed(database: Database) -> list[tuple[str, datetime, datetime | None]]:
    async with database.begin() as connection:
        rows = await connection.execute(
            text("select serial_number, installed_at, removed_at from battery order by installed_at, serial_number")
        )
        return [tuple(row) for row in rows]


async def test_errors_of_every_kind_are_reported_together_in_the_order_of_the_lines(database: Database) -> None:
    await load(database, catalogue(line(1), line(2)))
    content = catalogue(
        line(1, serial_number="SN-0002"),
        line(2, serial_number="SN-0022", latitude="16,43", installed_on="2565-05-01", rated_power_kva=-5),
        line(3, model_id="unknown", serial_number=""),
        line(4, battery_id=battery_id_at(STRING, 1)),
    )

    report = await load(database, content.replace(b"16,43", b'"16,43"'))

    assert [(error.line, error.field, error.code) for error in report.errors] == [
        (2, "serial_number", "taken"),
        (3, "latitude", "decimal_comma"),
        (3, "installed_on", "buddhist_era"),
        (3, "rated_power_kva", "greater_than"),
        (4, "model_id", "value_error"),
        (4, "serial_number", "missing"),
        (5, "position", "value_error"),
        (5, "battery_id", "repeated"),
    ]
    assert report.error_count == 8


async def test_only_the_first_errors_are_shown_and_all_are_counted(database: Database) -> None:
    report = await load(database, catalogue(*(line(position, altitude_m="high") for position in range(1, 251))))
    assert (report.error_count, len(report.errors), report.errors[-1].line) == (250, 200, 201)


async def test_lines_count_as_those_of_the_file_after_blank_lines_and_quoted_line_breaks(database: Database) -> None:
    await load(database, catalogue(line(1), line(2)))
    header, first, second = catalogue(line(3, utility="PEA"), line(4, serial_number="SN-0001")).decode().splitlines()
    quoted = first.replace(",Khon Kaen,", ',"Khon\nKaen",')

    report = await load(database, f"\n{header}\n\n{quoted}\n,,,,\n{second}".encode())

    assert [(error.line, error.field, error.code) for error in report.errors] == [
        (4, "location_name", "control_character"),
        (7, "serial_number", "taken"),
    ]


async def test_a_day_of_installation_begins_at_midnight_in_bangkok(database: Database) -> None:
    report = await load(database, catalogue(line(1, installed_on="2026-11-30")))
    assert (report.created, report.errors) == (1, [])
    assert await installed(database) == [("SN-0001", datetime(2026, 11, 29, 17, tzinfo=UTC), None)]


async def test_a_swap_in_a_maintenance_window_takes_a_time_of_day(database: Database) -> None:
    await load(database, catalogue(line(1)))
    at_night = line(1, serial_number="SN-NEW", installed_on="2026-11-30T01:30+07:00")
    await load(database, catalogue(at_night))

    swap_at = datetime(2026, 11, 29, 18, 30, tzinfo=UTC)
    both = [("SN-0001", datetime(2022, 4, 30, 17, tzinfo=UTC), swap_at), ("SN-NEW", swap_at, None)]
    assert await installed(database) == both
    again = await load(database, catalogue(at_night | {"installed_on": "2026-11-30"}))
    assert (again.unchanged, again.updated) == (1, 0), "the day agrees with the time of day"
    assert await installed(database) == both


async def test_a_corrected_day_of_a_swap_moves_the_end_of_the_old_battery(database: Database) -> None:
    await load(database, catalogue(line(1)))
    await load(database, catalogue(line(1, serial_number="SN-NEW", installed_on="2025-03-01")))

    report = await load(database, catalogue(line(1, serial_number="SN-NEW", installed_on="2025-02-20")))
    assert (report.updated, report.error_count) == (1, 0)
    moved_to = datetime(2025, 2, 19, 17, tzinfo=UTC)
    assert [row[1:] for row in await installed(database)] == [
        (datetime(2022, 4, 30, 17, tzinfo=UTC), moved_to),
        (moved_to, None),
    ]
    early = await load(database, catalogue(line(1, serial_number="SN-NEW", installed_on="2022-05-01")))
    assert [(error.line, error.field, error.code) for error in early.errors] == [(2, "installed_on", "too_early")]


async def test_a_day_that_would_overlap_an_earlier_battery_is_refused(database: Database) -> None:
    await load(database, catalogue(line(1)))
    await load(database, catalogue(line(1, serial_number="SN-B", installed_on="2024-01-01")))
    await load(database, catalogue(line(1, serial_number="SN-C", installed_on="2025-01-01")))
    early = await load(database, catalogue(line(1, serial_number="SN-C", installed_on="2023-12-31")))
    assert [error.code for error in early.errors] == ["too_early"]
    assert "SN-B was in this position before, installed on 2024-01-01" in early.errors[0].detail


@pytest.mark.parametrize(
    ("known", "written"),
    [
        ("000457812", "457812"),
        ("457812", "000457812"),
        ("HX-12a", "hx-12A"),
        ("A 12 34", "A1234"),
        ("12345", "12345.0"),
    ],
)
async def test_a_serial_number_that_a_spreadsheet_changed_is_no_swap(
    database: Database, known: str, written: str
) -> None:
    await load(database, catalogue(line(1, serial_number=known)))
    swapped = line(1, serial_number=written, installed_on="2026-01-01")
    for dry_run in (True, False):
        report = await load(database, catalogue(swapped), dry_run=dry_run)
        assert (report.replaced, report.replacements) == (0, [])
        assert [(error.line, error.field, error.code) for error in report.errors] == [(2, "serial_number", "altered")]
        assert f"write {known}" in report.errors[0].detail
    elsewhere = await load(database, catalogue(line(1, serial_number=known), line(2, serial_number=written)))
    assert [(error.line, error.code) for error in elsewhere.errors] == [(3, "taken")]


async def test_a_removed_battery_is_recognised_without_its_leading_zeros(database: Database) -> None:
    await load(database, catalogue(line(1, serial_number="000457812")))
    await load(database, catalogue(line(1, serial_number="SN-NEW", installed_on="2025-01-01")))
    report = await load(database, catalogue(line(1, serial_number="457812", installed_on="2026-01-01")))
    assert [error.code for error in report.errors] == ["removed"]


async def test_readings_of_the_new_battery_that_the_old_one_has_are_pointed_out(database: Database) -> None:
    await load(database, catalogue(line(1)))
    async with database.begin() as connection:
        await connection.execute(text("update battery_state set time = '2026-11-29T18:00Z'"))

    report = await load(database, catalogue(line(1, serial_number="SN-NEW", installed_on="2026-11-30")), dry_run=True)

    assert report.replaced == 1
    assert [(warning.line, warning.field, warning.code) for warning in report.warnings] == [
        (2, "installed_on", "readings_after_removal")
    ]
    assert "2026-11-30 01:00 (Asia/Bangkok)" in report.warnings[0].detail
    later = line(1, serial_number="SN-NEW", installed_on="2026-11-30T01:30+07:00")
    assert (await load(database, catalogue(later))).warnings == []


async def test_what_is_possible_but_doubtful_is_imported_with_a_warning(database: Database) -> None:
    abroad = line(1, latitude=48.2, longitude=16.4, baseline_temperature_c="")
    report = await load(database, catalogue(abroad, line(2, latitude=48.2, longitude=16.4)))
    assert (report.created, report.error_count, report.warning_count) == (2, 0, 3)
    assert [(warning.line, warning.field, warning.code) for warning in report.warnings] == [
        (2, "baseline_temperature_c", "baseline_unused"),
        (2, "latitude", "outside_thailand"),
        (2, "longitude", "outside_thailand"),
    ]


async def test_a_workbook_with_dates_and_numbers_is_the_same_catalogue(database: Database) -> None:
    await load(database, catalogue(line(1), line(2)))
    report = await load(database, workbook(line(1), line(2)))
    assert (report.unchanged, report.errors, report.warnings) == (2, [], [])


async def test_errors_of_a_workbook_name_the_cell(database: Database) -> None:
    await load(database, catalogue(line(1, serial_number="000457812")))
    report = await load(
        database,
        workbook(
            line(1, serial_number=457812),
            line(2, installed_on=date(2030, 1, 1), altitude_m="high"),
            line(3, serial_number=date(2024, 1, 2)),
        ),
        dry_run=True,
    )
    assert [(error.line, error.field, error.code) for error in report.errors] == [
        (2, "serial_number", "altered"),
        (3, "altitude_m", "not_a_number"),
        (3, "installed_on", "future"),
        (4, "serial_number", "date_cell"),
    ]
    assert [error.detail.partition(":")[0] for error in report.errors] == ["Cell Q2", "Cell F3", "Cell R3", "Cell Q4"]
    assert [(warning.line, warning.code) for warning in report.warnings] == [(2, "number_cell")]
