"""The gateway on one migrated template, copied for each test."""

from collections.abc import AsyncIterator

import pytest_asyncio

from battery_api.app.main import create_app
from battery_api.app.parts import PartOverrides
from battery_api.settings import GatewaySettings
from battery_servicekit.clock import FixedClock
from battery_servicekit.testing.asgi import asgi_client
from battery_servicekit.testing.postgres import new_database
from tests.support.callers import Callers
from tests.support.fleet import NOW, fleet_template

from .world import PER_STRING, USERS_SQL, PublishedEvents, World, principals


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def alert_template(postgres_url: str) -> AsyncIterator[str]:
    """Name of a migrated database with the small fleet and its users."""
    async with fleet_template(postgres_url, PER_STRING, USERS_SQL) as name:
        yield name


@pytest_asyncio.fixture(loop_scope="session")
async def world(postgres_url: str, alert_template: str) -> AsyncIterator[World]:
    """The whole gateway on a database of its own; only the clock and the callers are given."""
    async with new_database(postgres_url, template=alert_template) as url:
        clock, published, callers = FixedClock(NOW), PublishedEvents(), Callers({})
        app = create_app(
            GatewaySettings(_env_file=None, database_url=url, jwt_secret_key="x" * 40, run_jobs=False),
            PartOverrides(clock=clock, publisher=published, authenticator=callers),
        )
        async with asgi_client(app) as client:
            client.base_url = client.base_url.join("/api/v1/")
            opened = World(app, client, clock, published)
            users = await opened.rows('select username, id from "user"')
            callers.known.update(principals({row["username"]: row["id"] for row in users}))
            yield opened
