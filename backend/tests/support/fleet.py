"""A small fleet: two locations with one UPS each, two strings per UPS."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from battery_api.db import migrate
from battery_api.db.session import Database, create_database_engine
from battery_api.db.timescale import create_partitions
from battery_servicekit.testing.postgres import database_name, new_database

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LOCATIONS = ("DC-BKK-01", "DC-CNX-01")
STRINGS = tuple(f"{location}-UPS-01-STR-{number:02d}" for location in LOCATIONS for number in (1, 2))
RATED_AH = 120.0


def battery_codes(per_string: int) -> tuple[str, ...]:
    return tuple(f"BAT-{string}-{position:03d}" for string in STRINGS for position in range(1, per_string + 1))


def fleet_statements(per_string: int, locations: Sequence[str] = LOCATIONS) -> tuple[str, ...]:
    """Return the SQL that creates the fleet with so many batteries per string, and its state rows."""
    return (
        (
            "insert into battery_model (code, manufacturer, name, chemistry, nominal_voltage_v, cell_count, "
            "rated_capacity_ah, float_voltage_low_v, float_voltage_high_v, float_compensation_v_per_c, "
            "nominal_resistance_mohm, max_charge_current_a, mass_kg, design_life_years) "
            f"values ('CSB-HX12-120', 'm', 'n', 'VRLA', 12, 6, {RATED_AH}, 13.5, 13.8, -0.02, 3.4, 30, 40, 10)"
        ),
        *(
            "insert into location (code, name, region, latitude, longitude, altitude_m, commissioned_on, utility, "
            f"climate_zone) values ('{code}', '{code}', 'N', 18, 98, 300, '2015-01-01', 'PEA', 'N')"
            for code in locations
        ),
        (
            "insert into battery_system (code, location_id, kind, rated_power_kva) "
            "select code || '-UPS-01', id, 'UPS', 100 from location order by id"
        ),
        (
            "insert into string (code, system_id, location_id) select s.code || '-STR-0' || n, s.id, s.location_id "
            "from battery_system s, generate_series(1, 2) n order by s.id, n"
        ),
        (
            "insert into battery (code, string_id, location_id, model_id, position, serial_number, installed_at, "
            "baseline_resistance_mohm, baseline_temperature_c) "
            "select 'BAT-' || s.code || '-' || lpad(p::text, 3, '0'), s.id, s.location_id, 1, p, s.code || p, "
            "'2020-01-01', 3.4, 25 "
            f"from string s, generate_series(1, {per_string}) p order by s.id, p"
        ),
        *(f"insert into {kind}_state ({kind}_id) select id from {kind}" for kind in ("location", "string", "battery")),
    )


async def create_fleet(database: Database, per_string: int, locations: Sequence[str] = LOCATIONS) -> None:
    async with database.begin() as connection:
        for statement in fleet_statements(per_string, locations):
            await connection.exec_driver_sql(statement)


@asynccontextmanager
async def fleet_template(
    postgres_url: str, per_string: int, *further: str, locations: Sequence[str] = LOCATIONS
) -> AsyncIterator[str]:
    """Yield the name of a migrated database with the fleet, without connections, to copy for each test."""
    async with new_database(postgres_url) as url:
        database = Database(create_database_engine(url, pooling=False))
        await migrate.upgrade(database.engine)
        await create_fleet(database, per_string, locations)
        async with database.begin() as connection:
            for statement in further:
                await connection.exec_driver_sql(statement)
            await create_partitions(connection, start=NOW, end=NOW)
        await database.close()
        yield database_name(url)
