"""What the gateway stands on: the database and its schema are required, the neighbours are not."""

from collections.abc import Awaitable, Callable, Sequence

from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from battery_api.context import ProcessContext
from battery_api.db import migrate
from battery_contracts.enums import ServiceState
from battery_servicekit.health import Check, CheckState, Finding


def gateway_checks(app: Callable[[], FastAPI]) -> Sequence[Check]:
    """Return the readiness checks of the gateway whose state ``app`` will hold."""

    def context() -> ProcessContext:
        found: ProcessContext = app().state.context
        return found

    return (
        Check("database", lambda: _database(context()), required=True),
        Check("schema", lambda: _schema(context()), required=True),
        *(Check(name, _neighbour(app, name), required=False) for name in ("twin", "ml", "simulator")),
    )


async def _database(context: ProcessContext) -> Finding:
    try:
        async with context.database.engine.connect() as connection:
            await connection.execute(text("select 1"))
    except (SQLAlchemyError, OSError, TimeoutError):
        return Finding(CheckState.DOWN, "database_unreachable")
    return Finding(CheckState.UP)


async def _schema(context: ProcessContext) -> Finding:
    try:
        revision = await migrate.current_revision(context.database.engine)
    except (SQLAlchemyError, OSError, TimeoutError):
        return Finding(CheckState.DOWN, "database_unreachable")
    if revision != migrate.head_revision():
        return Finding(CheckState.DOWN, "migrations_pending")
    return Finding(CheckState.UP)


def _neighbour(app: Callable[[], FastAPI], name: str) -> Callable[[], Awaitable[Finding]]:
    async def probe() -> Finding:
        states = await app().state.neighbours.states()
        if getattr(states, name) is ServiceState.UP:
            return Finding(CheckState.UP)
        return Finding(CheckState.DOWN, "not_ready")

    return probe
