"""Answer 503, not 500, while the database is unavailable: the sender then knows that a retry helps."""

import asyncpg
import structlog
from fastapi import FastAPI, Request
from fastapi.responses import Response
from sqlalchemy.exc import SQLAlchemyError

from battery_api.context import ContextParts, parts_of
from battery_api.db.errors import DatabaseUnavailable, DiskFull
from battery_api.db.failures import is_disk_full, is_serialization_failure, is_unavailable, sqlstate
from battery_servicekit.problems import domain_problem

_log = structlog.get_logger(__name__)


def install_unavailable_handler(app: FastAPI) -> None:
    """Answer transient database errors with `DatabaseUnavailable` or `DiskFull`, wherever a request meets them."""
    # Errors of asyncpg and of the system come unwrapped while a connection is being opened, and wrapped afterwards.
    for kind in (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        app.add_exception_handler(kind, _on_failure)


async def _on_failure(request: Request, error: Exception) -> Response:
    if not (is_unavailable(error) or is_serialization_failure(error)):
        raise error
    _log.warning("database unavailable", path=request.url.path, error=type(error).__name__, sqlstate=sqlstate(error))
    parts: ContextParts = parts_of(request)
    # A server without room for its log is away altogether: the disk is what the caller has to know.
    is_full = is_disk_full(error) or parts.context.disk.is_full
    return domain_problem(request, DiskFull() if is_full else DatabaseUnavailable())
