"""The gateway on one migrated template, copied for each test, and on TimescaleDB."""

from collections.abc import AsyncIterator

import pytest_asyncio

from battery_api.app.main import create_app
from battery_api.db import migrate
from battery_api.db.session import Database, create_database_engine
from battery_api.settings import GatewaySettings
from battery_contracts.clients.twin import Estimator
from battery_servicekit.clock import FixedClock
from battery_servicekit.testing.asgi import asgi_client
from battery_servicekit.testing.postgres import new_database
from tests.support.fleet import NOW, create_fleet, fleet_template

from .world import PER_STRING, ScriptedTwin, Simulator, World, overrides


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def twin_template(postgres_url: str) -> AsyncIterator[str]:
    """Name of a migrated database with the small fleet."""
    async with fleet_template(postgres_url, PER_STRING) as name:
        yield name


async def opened(url: str, *, pooling: bool, twin: Estimator | None = None) -> AsyncIterator[World]:
    """Open the whole gateway; only the clock, the callers and the twin are given."""
    clock, scripted, simulator = FixedClock(NOW), ScriptedTwin(), Simulator()
    settings = GatewaySettings(
        _env_file=None,
        database_url=url,
        jwt_secret_key="x" * 40,
        run_jobs=False,
        database_pooling=pooling,
        database_statement_timeout_s=60,
        # Estimates that come late on a busy machine are still estimates; outages of the twin are scripted.
        twin_timeout_s=30,
    )
    app = create_app(settings, overrides(clock, twin or scripted, simulator))
    async with asgi_client(app) as client:
        client.base_url = client.base_url.join("/api/v1/")
        yield World(app, client, clock, scripted, simulator)


@pytest_asyncio.fixture(loop_scope="session")
async def world(postgres_url: str, twin_template: str) -> AsyncIterator[World]:
    """The gateway on plain PostgreSQL, on a database of its own."""
    async with new_database(postgres_url, template=twin_template) as url:
        async for made in opened(url, pooling=True):
            yield made


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def timescale_world(timescale_module_url: str) -> AsyncIterator[World]:
    """The gateway on TimescaleDB, shared by a module's tests."""
    database = Database(create_database_engine(timescale_module_url, pooling=False, statement_timeout_s=60))
    await migrate.upgrade(database.engine)
    await create_fleet(database, PER_STRING)
    await database.close()
    async for made in opened(timescale_module_url, pooling=False):
        yield made
