"""What the gateway's suites stand on: real servers, one migrated template, a database of its own for each test."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from battery_api.db import migrate
from battery_api.db.session import Database, create_database_engine
from battery_servicekit.middleware import RequestContextMiddleware
from battery_servicekit.testing.postgres import database_name, fresh_database, new_database, postgres_url
from battery_servicekit.testing.timescale import timescale_module_url, timescale_url

from .support.declared import undeclared

# Imported here and nowhere below: a second import in a folder's conftest would start a second server.
__all__ = ["fresh_database", "postgres_url", "timescale_module_url", "timescale_url"]


@pytest.fixture(autouse=True)
def every_status_is_declared(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail a test in which the gateway gives an answer that its OpenAPI description does not declare."""
    record = RequestContextMiddleware._record
    found: list[str] = []

    def compare(scope: Any, status: int, seconds: float) -> None:
        record(scope, status, seconds)
        if (answer := undeclared(scope, status)) is not None:
            found.append(answer)

    monkeypatch.setattr(RequestContextMiddleware, "_record", staticmethod(compare))
    yield
    assert found == []


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def migrated_template(postgres_url: str) -> AsyncIterator[str]:
    """Name of a migrated and otherwise empty database, to which nobody is connected."""
    async with new_database(postgres_url) as url:
        database = Database(create_database_engine(url, pooling=False))
        await migrate.upgrade(database.engine)
        await database.close()
        yield database_name(url)


@pytest_asyncio.fixture(loop_scope="session")
async def database_url(postgres_url: str, migrated_template: str) -> AsyncIterator[str]:
    """URL of a migrated and otherwise empty database that only this test uses."""
    async with new_database(postgres_url, template=migrated_template) as url:
        yield url
