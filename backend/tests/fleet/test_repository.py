"""Reads of the fleet."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from sqlalchemy import text

from battery_api.db.session import Database, create_database_engine
from battery_api.fleet.battery_filter import BatteryFilter
from battery_api.fleet.importer import import_catalogue
from battery_api.fleet.repository import list_batteries, list_locations, list_strings

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
        rows, total, _ = await list_batteries(
            connection, BatteryFilter(), now=NOW, sort="-battery_id", skip=skip, limit=2
        )
    assert ([row.position for row in rows], total) == (positions, 3)


async def test_columns_arrive_in_their_fields(database: Database) -> None:
    async with database.begin() as connection:
        (battery,), *_ = await list_batteries(
            connection, BatteryFilter(text="SN-0002"), now=NOW, sort="battery_id", skip=0, limit=9
        )
        (location,) = await list_locations(connection, visible=None)
        (string,) = await list_strings(connection, string_code=STRING)
    assert (battery.serial_number, battery.location_name, battery.string_code) == ("SN-0002", "Khon Kaen", STRING)
    assert (battery.model_code, battery.status, battery.open_types) == ("CSB-HX12-120", "no_data", None)
    assert (location.name, location.climate_zone, location.battery_count) == ("Khon Kaen", "NE", 3)
    assert (string.system_kind, string.rated_power_kva, string.time) == ("UPS", 200, None)
    assert (len(string.battery_codes), string.retired_battery_codes) == (3, [])


@pytest.mark.parametrize(
    ("battery_filter", "sort", "total", "unknown_count"),
    [
        (BatteryFilter(), "battery_id", 3, 0),
        (BatteryFilter(), "-status", 3, 0),
        (BatteryFilter(), "voltage_v", 3, 2),
        (BatteryFilter(), "-temperature_c", 3, 3),
        (BatteryFilter(), "internal_resistance_mohm", 3, 3),
        (BatteryFilter(), "resistance_drift_pct", 3, 3),
        (BatteryFilter(), "soc_pct", 3, 3),
        (BatteryFilter(), "-soh_pct", 3, 3),
        (BatteryFilter(), "rul_days", 3, 3),
        (BatteryFilter(), "-age_years", 3, 0),
        (BatteryFilter(), "time", 3, 2),
        (BatteryFilter(text="SN-0001"), "voltage_v", 1, 0),
        (BatteryFilter(rul_below_days=90), "battery_id", 0, 3),
        (BatteryFilter(rul_below_days=90, text="SN-0002"), "voltage_v", 0, 1),
        (BatteryFilter(rul_below_days=90, location_id="DC-XXX-01"), "battery_id", 0, 0),
    ],
)
async def test_what_has_no_value_to_compare_or_to_sort_by_is_counted(
    database: Database, battery_filter: BatteryFilter, sort: str, total: int, unknown_count: int
) -> None:
    async with database.begin() as connection:
        await connection.execute(
            text(
                "update battery_state set voltage_v = 13.6, time = :now "
                "where battery_id = (select id from battery where serial_number = 'SN-0001')"
            ),
            {"now": NOW},
        )
        found = await list_batteries(connection, battery_filter, now=NOW, sort=sort, skip=0, limit=9)
    assert (len(found.batteries), found.total, found.unknown_count) == (total, total, unknown_count)
    if total == 3 and unknown_count == 2:
        assert found.batteries[0].serial_number == "SN-0001"


async def test_estimates_sort_as_they_are_shown(database: Database) -> None:
    """The second battery has the lowest number, but no evidence for it, so that the list shows none."""
    rows = [
        ("SN-0001", 80.0, 3.0, "discharge_inferred"),
        ("SN-0002", 50.0, None, None),
        ("SN-0003", 70.0, 3.0, "prior_only"),
    ]
    async with database.begin() as connection:
        for serial_number, value, spread, provenance in rows:
            await connection.exec_driver_sql(
                "update battery_state set time = $1, soh_pct = $2, soh_sd_pct = $3, soh_provenance = $4 "
                "where battery_id = (select id from battery where serial_number = $5)",
                (NOW, value, spread, provenance, serial_number),
            )
        found = [
            await list_batteries(connection, BatteryFilter(), now=NOW, sort=sort, skip=0, limit=9)
            for sort in ("soh_pct", "-soh_pct")
        ]
    rising, falling = ([row.serial_number for row in listing.batteries] for listing in found)
    assert rising == ["SN-0003", "SN-0001", "SN-0002"]
    assert falling == ["SN-0001", "SN-0003", "SN-0002"]
    assert [listing.unknown_count for listing in found] == [1, 1]


@pytest.mark.parametrize(
    ("readings", "in_order", "deviations"),
    [
        pytest.param(
            [(13.6, 0), (12.9, 2), (13.62, 1)],
            ["SN-0002", "SN-0003", "SN-0001"],
            [-0.7, 0.02, 0.0],
            id="the farthest from the median comes first, on whichever side",
        ),
        pytest.param([(13.6, 0), (12.9, 20), (13.62, 1)], None, None, id="an old reading is of another sweep"),
        pytest.param([(13.6, 0), (12.9, 0), (None, 0)], None, None, id="of two nobody can tell"),
    ],
)
async def test_the_deviation_from_the_string_orders_by_its_size(
    database: Database,
    readings: list[tuple[float | None, int]],
    in_order: list[str] | None,
    deviations: list[float] | None,
) -> None:
    async with database.begin() as connection:
        await connection.exec_driver_sql("update battery set string_id = (select min(id) from string)")
        for number, (voltage, minutes_ago) in enumerate(readings, start=1):
            await connection.exec_driver_sql(
                "update battery_state set time = $1, voltage_v = $2 "
                "where battery_id = (select id from battery where serial_number = $3)",
                (NOW - timedelta(minutes=minutes_ago), voltage, f"SN-{number:04d}"),
            )
        found = await list_batteries(connection, BatteryFilter(), now=NOW, sort="-voltage_deviation_v", skip=0, limit=9)
    if in_order is None or deviations is None:
        assert found.unknown_count == 3
        return
    assert [row.serial_number for row in found.batteries] == in_order
    assert [row.voltage_deviation_v for row in found.batteries] == pytest.approx(deviations, abs=1e-5)


async def test_the_oldest_comes_last_by_age_and_first_in_reverse(database: Database) -> None:
    async with database.begin() as connection:
        await connection.exec_driver_sql(
            "update battery set installed_at = $1 where serial_number = 'SN-0002'", (datetime(2010, 1, 1, tzinfo=UTC),)
        )
        rising, falling = [
            await list_batteries(connection, BatteryFilter(), now=NOW, sort=sort, skip=0, limit=9)
            for sort in ("age_years", "-age_years")
        ]
    assert (rising.batteries[-1].serial_number, falling.batteries[0].serial_number) == ("SN-0002", "SN-0002")
