"""The connection pool and its transactions."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import NullPool
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from battery_api.settings import GatewaySettings

EXAMPLE_URL = "postgresql://USER:PASSWORD@HOST:5432/DATABASE"


class Database:
    """One pool of connections; `begin` opens a transaction on one of them.

    SQLAlchemy Core on connections, not ORM sessions: statements return plain rows, nothing is loaded lazily, and the
    hot path reaches the driver directly.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine

    @classmethod
    def from_settings(cls, settings: GatewaySettings) -> "Database":
        """Build the pool from the settings."""
        if settings.database_url is None:
            raise ValueError(f"DATABASE_URL is not set: {EXAMPLE_URL}; `make up` starts an embedded server and sets it")
        return cls(
            create_database_engine(
                settings.database_url.get_secret_value(),
                pool_size=settings.database_pool_size,
                statement_timeout_s=settings.database_statement_timeout_s,
                pooling=settings.database_pooling,
            )
        )

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction; it commits at the end of the block and rolls back on an exception."""
        async with self.engine.begin() as connection:
            yield connection

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


def create_database_engine(
    url: str, *, pool_size: int = 10, statement_timeout_s: float = 30.0, pooling: bool = True
) -> AsyncEngine:
    """Build an asyncpg engine from any PostgreSQL URL.

    Parameters
    ----------
    statement_timeout_s
        Limit of each statement on the server; a stuck query must not hold a connection forever.
    pooling
        If False, each transaction opens a connection of its own.
    """
    server_settings = {
        "application_name": "battery-api",
        "statement_timeout": str(int(statement_timeout_s * 1000)),
        "idle_in_transaction_session_timeout": "60000",
        # Plans compiled at run time cost more than they save on statements of a few milliseconds.
        "jit": "off",
        "timezone": "UTC",
    }
    parsed = asyncpg_url(url)
    connect_args: dict[str, object] = {"server_settings": server_settings, "timeout": 10}
    if not pooling:
        return create_async_engine(
            parsed, poolclass=NullPool, connect_args={**connect_args, "ssl": False}, hide_parameters=True
        )
    return create_async_engine(
        parsed,
        connect_args=connect_args,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=10,
        pool_pre_ping=True,
        pool_recycle=1800,
        # Errors go to logs, and parameters hold what people typed.
        hide_parameters=True,
    )


def asyncpg_url(url: str) -> URL:
    """Return a PostgreSQL URL with the asyncpg driver, whichever driver or scheme it names.

    ``sslmode``, as libpq and hosting companies write it, becomes the driver's ``ssl``.

    Raises
    ------
    ValueError
        It is no URL of a PostgreSQL; the message does not hold it.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ValueError(f"DATABASE_URL is no URL; it looks like {EXAMPLE_URL}") from None
    if parsed.get_backend_name() not in {"postgresql", "postgres"}:
        raise ValueError(f"DATABASE_URL must be a PostgreSQL URL, not {parsed.get_backend_name()}: {EXAMPLE_URL}")
    query = dict(parsed.query)
    if "sslmode" in query:
        query["ssl"] = query.pop("sslmode")
    # The driver negotiates it by itself.
    query.pop("channel_binding", None)
    return parsed.set(drivername="postgresql+asyncpg", query=query)
