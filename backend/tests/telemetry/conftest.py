"""Databases for the tests of telemetry: one migrated template, copied for each test."""

from collections.abc import AsyncIterator

import pytest_asyncio

from battery_api.db import migrate
from battery_api.db.session import Database, create_database_engine
from battery_servicekit.testing.postgres import new_database
from tests.support.fleet import create_fleet, fleet_template

from .world import PER_STRING, Gateway, gateway_on


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def telemetry_template(postgres_url: str) -> AsyncIterator[str]:
    """Name of a migrated database with the small fleet."""
    async with fleet_template(postgres_url, PER_STRING) as name:
        yield name


@pytest_asyncio.fixture(loop_scope="session")
async def database(postgres_url: str, telemetry_template: str) -> AsyncIterator[Database]:
    """A database of plain PostgreSQL with the small fleet, for one test."""
    async with new_database(postgres_url, template=telemetry_template) as url:
        opened = Database(create_database_engine(url))
        yield opened
        await opened.close()


@pytest_asyncio.fixture(loop_scope="session")
async def gateway(database: Database) -> Gateway:
    """Ingest on plain PostgreSQL."""
    return await gateway_on(database)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def timescale_gateway(timescale_module_url: str) -> AsyncIterator[Gateway]:
    """Ingest on TimescaleDB with the small fleet."""
    opened = Database(create_database_engine(timescale_module_url, pooling=False, statement_timeout_s=60))
    await migrate.upgrade(opened.engine)
    await create_fleet(opened, PER_STRING)
    yield await gateway_on(opened, database_pooling=False)
    await opened.close()
