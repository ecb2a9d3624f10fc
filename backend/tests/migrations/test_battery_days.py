"""An existing database gets the days of all its readings: the migration marks them for the job."""

from datetime import date, timedelta

from battery_api.db import migrate
from battery_api.db.fetching import fetch_all
from battery_api.db.session import Database, create_database_engine
from battery_api.telemetry.days.job import rebuild_marked
from battery_api.telemetry.store.rollups import roll_up
from tests.support.fleet import NOW, fleet_statements

BEFORE = "0022_string_runtime"
FILL = (
    "insert into telemetry (battery_id, time, temperature_c) "
    "select 1, $1::timestamptz + h * interval '1 hour', 20 + h / 24 from generate_series(0, 47) h"
)


async def test_days_before_the_migration_are_computed_after_it(fresh_database: str) -> None:
    database = Database(create_database_engine(fresh_database, pooling=False))
    await migrate.upgrade(database.engine, BEFORE)
    midnight = NOW.replace(hour=17) - timedelta(days=4)
    async with database.begin() as connection:
        for statement in fleet_statements(1):
            await connection.exec_driver_sql(statement)
        await connection.exec_driver_sql(FILL, (midnight,))
        hours = [midnight + timedelta(hours=hour) for hour in range(48)]
        await roll_up(connection, [1] * len(hours), hours)
    await migrate.upgrade(database.engine)
    async with database.begin() as connection:
        assert await rebuild_marked(connection, now=NOW, telemetry_retention_days=730) == 2
        rows = await fetch_all(connection, "select battery_id, day, temperature_mean_c from battery_day order by day")
    await database.close()
    assert [tuple(row) for row in rows] == [(1, date(2026, 11, 17), 20.0), (1, date(2026, 11, 18), 21.0)]
