"""Readiness of the gateway: the database and its schema are required, the other services are not."""

from collections.abc import Awaitable, Callable, Sequence

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from battery_api.app.parts import GatewayParts
from battery_api.db import migrate
from battery_api.db.session import Database
from battery_contracts.enums import ServiceState
from battery_servicekit.health import Check, CheckState, Finding


def gateway_checks(parts: Callable[[], GatewayParts]) -> Sequence[Check]:
    """Return the readiness checks of the gateway that ``parts`` will return once it runs."""

    async def disk() -> Finding:
        return await parts().context.disk.check().probe()

    def database() -> Database:
        return parts().context.database

    return (
        Check("database", lambda: _database(database()), required=True),
        Check("schema", lambda: _schema(database()), required=True),
        Check("disk", disk, required=False),
        *(Check(name, _dependency(parts, name), required=False) for name in ("twin", "ml", "simulator")),
    )


async def _database(database: Database) -> Finding:
    try:
        async with database.engine.connect() as connection:
            await connection.execute(text("select 1"))
    except (SQLAlchemyError, OSError, TimeoutError):
        return Finding(CheckState.DOWN, "database_unreachable")
    return Finding(CheckState.UP)


async def _schema(database: Database) -> Finding:
    try:
        revision = await migrate.current_revision(database.engine)
    except (SQLAlchemyError, OSError, TimeoutError):
        return Finding(CheckState.DOWN, "database_unreachable")
    if revision != migrate.head_revision():
        return Finding(CheckState.DOWN, "migrations_pending")
    return Finding(CheckState.UP)


def _dependency(parts: Callable[[], GatewayParts], name: str) -> Callable[[], Awaitable[Finding]]:
    async def probe() -> Finding:
        states = await parts().dependencies.states()
        if getattr(states, name) is ServiceState.UP:
            return Finding(CheckState.UP)
        return Finding(CheckState.DOWN, "not_ready")

    return probe
