"""The two worlds of the tests of rights, and the gateway as its description has it."""

import os
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
import structlog

from battery_servicekit.clock import SystemClock
from battery_servicekit.testing.process import running_service
from tests.accounts.world import SECRET, World
from tests.support.fleet import fleet_template

from .target import Target
from .worlds import FOREIGN, OWN, PER_STRING, Callers, populated


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def rights_template(postgres_url: str) -> AsyncIterator[str]:
    """Name of a migrated database with two locations."""
    async with fleet_template(postgres_url, PER_STRING, locations=(OWN, FOREIGN)) as name:
        yield name


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def alone(postgres_url: str, rights_template: str) -> AsyncIterator[tuple[World, Callers]]:
    """A world with one location."""
    async with populated(postgres_url, rights_template, foreign=False) as world:
        yield world


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shared(postgres_url: str, rights_template: str) -> AsyncIterator[tuple[World, Callers]]:
    """A world with two locations."""
    async with populated(postgres_url, rights_template, foreign=True) as world:
        yield world


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def beside(postgres_url: str, rights_template: str) -> AsyncIterator[tuple[World, Callers]]:
    """The world of ``alone``, beside a location that its callers may not see."""
    async with populated(postgres_url, rights_template, foreign=True) as world:
        yield world


@pytest.fixture(scope="module", autouse=True)
def logs_without_variables() -> Iterator[None]:
    """Log a failure without its variables, as a gateway does: to set hostile ones in a traceback takes minutes."""
    before = structlog.get_config()
    structlog.configure(
        processors=[structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]
    )
    yield
    structlog.configure(**before)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def target(
    postgres_url: str, rights_template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Target]:
    """A gateway of its own process, on a copy of the world with two locations."""
    folder = tmp_path_factory.mktemp("schemathesis")
    async with populated(postgres_url, rights_template, foreign=True, clock=SystemClock()) as (world, callers):
        url = str(world.database.engine.url.render_as_string(hide_password=False))
        environment = {
            "DATABASE_URL": url,
            "JWT_SECRET_KEY": SECRET,
            "DATA_DIR": str(folder),
            "RUN_JOBS": "false",
            "REQUESTS_PER_MINUTE_OF_USER": "1000000",
            "REQUESTS_PER_MINUTE_OF_KEY": "1000000",
            "REQUESTS_PER_MINUTE_OF_ADDRESS": "1000000",
            "LOGIN_ATTEMPTS_PER_MINUTE": "1000000",
            "PATH": os.environ["PATH"],
        }
        with running_service(
            [str(Path(sys.executable).with_name("battery-api")), "serve"], environment, log=folder / "gateway.log"
        ) as gateway:
            gateway.wait_until_alive()
            yield Target(gateway, {**callers.everywhere, "own location": callers.own["admin"], "nobody": {}})
