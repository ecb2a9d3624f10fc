from battery_api.db import migrate
from battery_api.db.session import create_database_engine
from battery_api.db.timescale import Engine, detect_engine


async def walk(url: str, expected: Engine, *, pooling: bool) -> None:
    """Upgrade, compare with the mapped tables, go all the way back and up again."""
    engine = create_database_engine(url, pooling=pooling, statement_timeout_s=60)
    try:
        await migrate.upgrade(engine)
        await migrate.check(engine)
        async with engine.connect() as connection:
            assert await detect_engine(connection) is expected
        await migrate.downgrade(engine, "base")
        assert await migrate.current_revision(engine) is None
        await migrate.upgrade(engine)
        await migrate.check(engine)
        assert await migrate.current_revision(engine) == migrate.head_revision()
    finally:
        await engine.dispose()


async def test_migrations_on_plain_postgresql(fresh_database: str) -> None:
    await walk(fresh_database, Engine.PLAIN, pooling=True)


async def test_migrations_on_timescale(timescale_url: str) -> None:
    await walk(timescale_url, Engine.TIMESCALE, pooling=False)


async def test_timescale_keeps_its_policies(timescale_url: str) -> None:
    engine = create_database_engine(timescale_url, pooling=False, statement_timeout_s=60)
    try:
        await migrate.upgrade(engine)
        async with engine.connect() as connection:
            jobs = await connection.exec_driver_sql(
                "select proc_name, hypertable_name from timescaledb_information.jobs where hypertable_name is not null"
            )
            policies = {(row.proc_name, row.hypertable_name) for row in jobs}
            tables = await connection.exec_driver_sql("select hypertable_name from timescaledb_information.hypertables")
            hypertables = set(tables.scalars())
    finally:
        await engine.dispose()
    for table in ("telemetry", "string_telemetry", "site_environment"):
        assert table in hypertables
        assert ("policy_compression", table) in policies
        assert ("policy_retention", table) in policies
