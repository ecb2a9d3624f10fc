"""The gateway with users, on a separate database per test."""

from collections.abc import AsyncIterator

import pytest_asyncio

from battery_servicekit.testing.postgres import database_name, new_database

from .world import World, opened_world, plant


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def accounts_template(postgres_url: str, migrated_template: str) -> AsyncIterator[str]:
    """Name of a migrated database with users, to which nobody is connected."""
    async with new_database(postgres_url, template=migrated_template) as url:
        await plant(url)
        yield database_name(url)


@pytest_asyncio.fixture(loop_scope="session")
async def accounts_url(postgres_url: str, accounts_template: str) -> AsyncIterator[str]:
    """URL of a database with users that only this test uses."""
    async with new_database(postgres_url, template=accounts_template) as url:
        yield url


@pytest_asyncio.fixture(loop_scope="session")
async def world(accounts_url: str) -> AsyncIterator[World]:
    """The whole gateway with users; only its clock is replaced."""
    async with opened_world(accounts_url) as opened:
        yield opened
