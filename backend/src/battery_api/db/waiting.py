"""Wait for a database that is not there yet, and say in one line what is wrong with one that will not do."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

import asyncpg
from sqlalchemy.engine import URL

from battery_api.db.session import asyncpg_url

_PAUSE_S: Final = 1.0
_REPORT_EVERY_S: Final = 10.0
_CONNECT_TIMEOUT_S: Final = 5.0
_WAITABLE: Final = (OSError, TimeoutError, asyncpg.CannotConnectNowError, asyncpg.TooManyConnectionsError)


class DatabaseUnusable(RuntimeError):
    """There is no database to work with; the message says why and what to do, without the password."""


async def wait_for_database(url: str, *, variable: str, within_s: float, report: Callable[[str], None]) -> None:
    """Return once the database accepts a connection.

    What passes by itself (not started yet, not resolvable yet, too many connections) is waited for, with a line through
    ``report`` at once and every 10 s; what does not (wrong password, no such database) fails at once.

    Raises
    ------
    DatabaseUnusable
        After ``within_s`` seconds, or when waiting cannot help.
    """
    address = asyncpg_url(url)
    began = time.monotonic()
    reported_at = -_REPORT_EVERY_S
    while True:
        try:
            await _connect(address)
        except _WAITABLE as error:
            waited_s = time.monotonic() - began
            if waited_s >= within_s:
                raise DatabaseUnusable(
                    f"{variable}: no database answers at {_host_and_port(address)} after {within_s:.0f} s "
                    f"({_reason(error)}). Start it, or correct the address."
                ) from error
            if waited_s - reported_at >= _REPORT_EVERY_S:
                reported_at = waited_s
                report(f"Waiting for the database at {_host_and_port(address)} ({_reason(error)}).")
            await asyncio.sleep(_PAUSE_S)
        except asyncpg.InvalidCatalogNameError as error:
            raise DatabaseUnusable(
                f"{variable}: the server at {_host_and_port(address)} has no database {address.database}. "
                f"Create it (createdb {address.database}), or correct the name."
            ) from error
        except (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError) as error:
            raise DatabaseUnusable(
                f"{variable}: the server at {_host_and_port(address)} refuses the user {address.username} "
                "or its password."
            ) from error
        else:
            return


async def _connect(address: URL) -> None:
    query = {"sslmode" if name == "ssl" else name: value for name, value in address.query.items()}
    dsn = address.set(drivername="postgresql", query=query).render_as_string(hide_password=False)
    connection = await asyncpg.connect(dsn, timeout=_CONNECT_TIMEOUT_S)
    await connection.close()


def _host_and_port(address: URL) -> str:
    """Return host and port for people; the folder of a Unix socket stands in the query."""
    folder = address.query.get("host")
    host = address.host or (folder if isinstance(folder, str) else "localhost")
    return host if host.startswith("/") else f"{host}:{address.port or 5432}"


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no answer"
    if isinstance(error, asyncpg.PostgresError):
        return str(error).splitlines()[0]
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
