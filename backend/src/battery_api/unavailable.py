"""Say 503, not 500, when the database is away: a sender then knows that trying again will help."""

from typing import Final

import asyncpg
import structlog
from fastapi import FastAPI, Request
from fastapi.responses import Response
from sqlalchemy.exc import SQLAlchemyError

from battery_api.db.failures import is_away, is_clash, sqlstate
from battery_servicekit.problems import Unavailable, problem_response

_log = structlog.get_logger(__name__)
RETRY_AFTER_S: Final = 2
_CODE: Final = "database_unavailable"


def install_unavailable_handler(app: FastAPI) -> None:
    """Answer failures of the database that pass by themselves with 503, wherever a request met them."""
    # asyncpg's errors and the system's come as they are while a connection is being made, and wrapped afterwards.
    for kind in (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        app.add_exception_handler(kind, _on_failure)


async def _on_failure(request: Request, error: Exception) -> Response:
    if not (is_away(error) or is_clash(error)):
        raise error
    _log.warning("unavailable", path=request.url.path, error=type(error).__name__, sqlstate=sqlstate(error))
    return problem_response(
        request,
        status=Unavailable.status,
        code=_CODE,
        detail=f"The database does not answer; try again in {RETRY_AFTER_S} s.",
        headers={"Retry-After": str(RETRY_AFTER_S)},
    )
