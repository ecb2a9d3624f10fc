"""The gateway on one migrated template, copied for each test."""

from collections.abc import AsyncIterator

import pytest_asyncio

from battery_api.app.main import create_app
from battery_api.settings import GatewaySettings
from battery_servicekit.clock import FixedClock
from battery_servicekit.testing.asgi import asgi_client
from battery_servicekit.testing.postgres import new_database
from tests.support.fleet import NOW, fleet_template

from .world import PER_STRING, Histories, Ml, PublishedPredictions, Twin, World, overrides


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def prediction_template(postgres_url: str) -> AsyncIterator[str]:
    """Name of a migrated database with the small fleet."""
    async with fleet_template(postgres_url, PER_STRING) as name:
        yield name


@pytest_asyncio.fixture(loop_scope="session")
async def world(postgres_url: str, prediction_template: str) -> AsyncIterator[World]:
    """The gateway on a database of its own, with scripted services."""
    clock, twin, ml, histories = FixedClock(NOW), Twin(), Ml(), Histories()
    async with new_database(postgres_url, template=prediction_template) as url:
        settings = GatewaySettings(
            _env_file=None, database_url=url, jwt_secret_key="x" * 40, run_jobs=False, database_statement_timeout_s=60
        )
        app = create_app(settings, overrides(clock, twin, ml, histories))
        async with asgi_client(app) as client:
            client.base_url = client.base_url.join("/api/v1/")
            yield World(app, client, clock, twin, ml, histories, PublishedPredictions())
