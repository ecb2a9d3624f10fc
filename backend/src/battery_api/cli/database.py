"""Commands on a database: what is missing for them is said in one line, and nobody waits for ever."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from rich.console import Console

from battery_api.app.main import SchemaOutOfDate, require_current_schema
from battery_api.db.session import EXAMPLE_URL, Database
from battery_api.db.waiting import DatabaseUnusable, wait_for_database
from battery_api.settings import GatewaySettings, MaintenanceSettings
from battery_servicekit.startup import load_settings, refuse_start

Result = TypeVar("Result")


def run_with_database(
    action: Callable[[Database, GatewaySettings], Awaitable[Result]],
    *,
    as_owner: bool = False,
    needs_schema: bool = True,
) -> Result:
    """Read the settings, wait for the database and return what a command makes of it, as its owner if ``as_owner``.

    Whatever is missing ends the process with a line that names it; so does a schema of another version, unless the
    command is what brings it up to date.
    """
    settings = load_settings(MaintenanceSettings)
    chosen = settings.as_owner() if as_owner else settings

    async def run() -> Result:
        await _wait_for_database(chosen, _variable_of(settings, as_owner=as_owner))
        database = Database.from_settings(chosen)
        try:
            if needs_schema:
                await _require_schema(database)
            return await action(database, settings)
        finally:
            await database.close()

    return asyncio.run(run())


def require_database(settings: GatewaySettings) -> None:
    """End the process, in one line, unless the database is there and at the schema of this version."""
    asyncio.run(_require_database(settings))


async def _require_database(settings: GatewaySettings) -> None:
    await _wait_for_database(settings, "DATABASE_URL")
    database = Database.from_settings(settings)
    try:
        await _require_schema(database)
    finally:
        await database.close()


async def _require_schema(database: Database) -> None:
    # Alembic would log two lines of its own before what has to be said.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        await require_current_schema(database)
    except SchemaOutOfDate as error:
        refuse_start(str(error))


async def _wait_for_database(settings: GatewaySettings, variable: str) -> None:
    if settings.database_url is None:
        refuse_start(f"{variable} is not set: {EXAMPLE_URL}. `make up` starts an embedded server and sets it.")
    url = settings.database_url.get_secret_value()
    try:
        await wait_for_database(url, variable=variable, within_s=settings.database_wait_s, report=_report)
    except (DatabaseUnusable, ValueError) as error:
        refuse_start(str(error))


def _variable_of(settings: GatewaySettings, *, as_owner: bool) -> str:
    return "DATABASE_OWNER_URL" if as_owner and settings.database_owner_url is not None else "DATABASE_URL"


def _report(line: str) -> None:
    Console(stderr=True).print(line, markup=False, soft_wrap=True)
