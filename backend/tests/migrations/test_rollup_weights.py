"""Roll-ups of samples become roll-ups weighted by time, whose buckets are right before they are rebuilt."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.db import migrate
from battery_api.db.fetching import fetch_all
from battery_api.db.session import Database, create_database_engine
from battery_api.db.timescale import Engine, aggregate_list, bucket_expression, detect_engine
from battery_api.telemetry.queries.buckets import BUCKETS_OF_DAYS, BUCKETS_OF_HOURS
from battery_api.telemetry.store.rollups import roll_up_marked
from tests.support.fleet import NOW, fleet_statements

BEFORE = "0007_twin_record"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MIDNIGHT = NOW.replace(hour=17, minute=0) - timedelta(days=2)
# Half an hour of discharge at 2 s in the first hour, then float at 60 s.
FILL = (
    "insert into telemetry (battery_id, time, voltage_v) "
    "select 1, $1::timestamptz + s * interval '1 second', 12 from generate_series(0, 1798, 2) s union all "
    "select 1, $1::timestamptz + s * interval '1 second', 13 from generate_series(1800, 86340, 60) s"
)


async def store_before(database: Database, *, with_deleted_rows: bool) -> None:
    await migrate.upgrade(database.engine, BEFORE)
    async with database.begin() as connection:
        for statement in fleet_statements(1):
            await connection.exec_driver_sql(statement)
        await connection.exec_driver_sql(FILL, (MIDNIGHT,))
        if with_deleted_rows:
            # As the job kept them, for two days; then the first day's rows are deleted.
            await connection.exec_driver_sql(FILL, (MIDNIGHT - DAY,))
            for name, width in (("telemetry_hourly", HOUR), ("telemetry_daily", DAY)):
                await connection.exec_driver_sql(
                    f"insert into {name} select battery_id, {bucket_expression(width, timescale=False)}, "
                    f"{aggregate_list(timescale=False)} from telemetry group by 1, 2"
                )
            await connection.exec_driver_sql("delete from telemetry where time < $1", (MIDNIGHT,))
    await migrate.upgrade(database.engine)


async def means(connection: AsyncConnection, statement: str, width: timedelta, start: Any = MIDNIGHT) -> list[float]:
    rows = await fetch_all(connection, statement, (1, start, MIDNIGHT + DAY, width))
    return [row[4] for row in rows]


async def assert_weighted(database: Database) -> None:
    async with database.begin() as connection:
        hours = await means(connection, BUCKETS_OF_HOURS, HOUR)
        days = await means(connection, BUCKETS_OF_DAYS, DAY)
    assert hours == pytest.approx([12.5, *[13.0] * 23])
    assert days == pytest.approx([13 - 1 / 48])


async def rebuild(database: Database) -> int:
    hours = 0
    while True:
        async with database.begin() as connection:
            run = await roll_up_marked(connection)
        hours += run.hours
        if not run.hours:
            return hours


async def unweighted(database: Database, relation: str) -> int:
    async with database.begin() as connection:
        found = await connection.exec_driver_sql(f"select count(*) from {relation} where voltage_v_held_s is null")
        return int(found.scalar_one())


async def walk(url: str, engine: Engine, *, pooling: bool) -> None:
    database = Database(create_database_engine(url, pooling=pooling, statement_timeout_s=60))
    try:
        await store_before(database, with_deleted_rows=engine is Engine.PLAIN)
        async with database.begin() as connection:
            assert await detect_engine(connection) is engine
        await assert_weighted(database)
        assert await rebuild(database) == 25
        await assert_weighted(database)
        if engine is Engine.PLAIN:
            await assert_old_buckets_stay(database)
        await migrate.downgrade(database.engine, BEFORE)
        async with database.begin() as connection:
            found = await connection.exec_driver_sql("select sum(voltage_v_count) from telemetry_daily")
            assert found.scalar_one() >= 900 + 1410
    finally:
        await database.close()


async def assert_old_buckets_stay(database: Database) -> None:
    """Without rows there is nothing to weigh: the mean of the samples is kept."""
    assert await unweighted(database, "telemetry_hourly") == 24
    async with database.begin() as connection:
        hours = await means(connection, BUCKETS_OF_HOURS, HOUR, MIDNIGHT - DAY)
        days = await means(connection, BUCKETS_OF_DAYS, DAY, MIDNIGHT - DAY)
    assert hours[0] == pytest.approx((900 * 12 + 30 * 13) / 930)
    assert days == pytest.approx([(900 * 12 + 1410 * 13) / 2310, 13 - 1 / 48])


async def test_on_plain_postgresql(fresh_database: str) -> None:
    await walk(fresh_database, Engine.PLAIN, pooling=True)


async def test_on_timescale(timescale_url: str) -> None:
    await walk(timescale_url, Engine.TIMESCALE, pooling=False)


async def test_timescale_keeps_roll_ups_as_hypertables(timescale_url: str) -> None:
    database = Database(create_database_engine(timescale_url, pooling=False, statement_timeout_s=60))
    try:
        await migrate.upgrade(database.engine)
        async with database.begin() as connection:
            jobs = await connection.exec_driver_sql(
                "select hypertable_name from timescaledb_information.jobs where proc_name = 'policy_retention'"
            )
            kept = set(jobs.scalars())
            views = await connection.exec_driver_sql(
                "select view_name from timescaledb_information.continuous_aggregates"
            )
            assert list(views.scalars()) == []
    finally:
        await database.close()
    assert {"telemetry_hourly", "telemetry_daily"} <= kept
