import asyncpg

from battery_servicekit.testing.postgres import (
    DURABLE_SETTINGS,
    asyncpg_url,
    database_name,
    embedded_server,
    new_database,
    with_database,
)


def _plain(url: str) -> str:
    return url.replace("postgresql+asyncpg:", "postgresql:")


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _value(url: str, query: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_a_fresh_database_is_empty_and_names_its_driver(fresh_database: str) -> None:
    assert fresh_database.startswith("postgresql+asyncpg://")
    assert await _value(_plain(fresh_database), "select count(*) from pg_tables where schemaname = 'public'") == 0


async def test_a_copy_has_its_templates_rows_and_leaves_it_alone(postgres_url: str) -> None:
    async with new_database(postgres_url) as original:
        await _execute(original, "create table mark as select 1 as number")
        async with new_database(postgres_url, template=database_name(original)) as copy:
            assert await _value(copy, "select number from mark") == 1
            await _execute(copy, "update mark set number = 2")
            assert await _value(original, "select number from mark") == 1
        exists = f"select 1 from pg_database where datname = '{database_name(copy)}'"
        assert await _value(postgres_url, exists) is None


async def test_a_durable_server_keeps_its_commits_when_killed() -> None:
    with embedded_server(DURABLE_SETTINGS) as server:
        await _execute(server.url, "create table mark as select 7 as number")
        server.kill()
        server.start()
        assert await _value(server.url, "select number from mark") == 7


async def test_timescale_takes_connections_one_after_another(timescale_url: str) -> None:
    await _execute(timescale_url + "?sslmode=disable", "create extension if not exists timescaledb")
    query = "select extversion from pg_extension where extname = 'timescaledb'"
    assert str(await _value(timescale_url + "?sslmode=disable", query)).startswith("2.")


def test_urls_keep_their_query() -> None:
    url = "postgresql://someone@/first?host=/tmp/here"
    assert with_database(url, "second") == "postgresql://someone@/second?host=/tmp/here"
    assert database_name(url) == "first"
    assert asyncpg_url(url) == "postgresql+asyncpg://someone@/first?host=/tmp/here"
