"""The gateway on one migrated template, copied for each test."""

from collections.abc import AsyncIterator

import pytest_asyncio

from battery_api.db import migrate
from battery_api.db.session import Database, create_database_engine
from battery_api.db.timescale import make_partitions
from battery_api.main import Parts, create_app
from battery_api.settings import GatewaySettings
from battery_servicekit.clock import FixedClock
from battery_servicekit.testing.asgi import asgi_client
from battery_servicekit.testing.postgres import database_name, new_database

from .world import FLEET_SQL, NOW, Heard, World, callers


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def alert_template(postgres_url: str) -> AsyncIterator[str]:
    """Name of a migrated database with the small fleet, to which nobody is connected."""
    async with new_database(postgres_url) as url:
        database = Database(create_database_engine(url, pooling=False))
        await migrate.upgrade(database.engine)
        async with database.begin() as connection:
            for statement in FLEET_SQL:
                await connection.exec_driver_sql(statement)
            await make_partitions(connection, start=NOW, end=NOW)
        await database.close()
        yield database_name(url)


@pytest_asyncio.fixture(loop_scope="session")
async def world(postgres_url: str, alert_template: str) -> AsyncIterator[World]:
    """The whole gateway on a database of its own; only the clock and the callers are given."""
    async with new_database(postgres_url, template=alert_template) as url:
        clock = FixedClock(NOW)
        app = create_app(
            GatewaySettings(_env_file=None, database_url=url, jwt_secret_key="x" * 40, run_jobs=False),
            Parts(clock=clock),
        )
        async with asgi_client(app) as client:
            client.base_url = client.base_url.join("/api/v1/")
            heard = Heard()
            app.state.publisher = heard
            opened = World(app, client, clock, heard)
            users = await opened.rows('select username, id from "user"')
            app.state.authenticator = callers({row["username"]: row["id"] for row in users})
            yield opened
