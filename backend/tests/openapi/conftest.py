"""The two worlds of the tests of rights, and the gateway as its description has it."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from battery_servicekit.logging import configure_logging
from tests.accounts.world import World
from tests.support.fleet import fleet_template

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


@pytest.fixture(scope="session", autouse=True)
def logs_without_variables() -> None:
    """Log as a gateway does: the traceback of a test's own logger shows every variable, which takes minutes to set."""
    configure_logging("gateway", level="WARNING")
