"""Classify database errors: which can be retried at once, and which mean that the database is unavailable."""

from typing import Final

import asyncpg
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout

_SERIALIZATION_FAILURES: Final = frozenset({"40001", "40P01"})  # serialization failure, deadlock
_UNAVAILABLE_CLASSES: Final = ("08", "53", "57")  # connection, insufficient resources, shutting down
_NO_PARTITION: Final = "no partition of relation"


def sqlstate(error: BaseException) -> str | None:
    """Return the server's five-character code of an error, None if the error does not come from the server."""
    origin = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(origin, "sqlstate", None) or getattr(origin, "pgcode", None)
    return code if isinstance(code, str) else None


def is_serialization_failure(error: BaseException) -> bool:
    """Return whether a transaction failed because of a concurrent one (serialization failure, deadlock); retry it."""
    return sqlstate(error) in _SERIALIZATION_FAILURES


def is_partition_missing(error: BaseException) -> bool:
    """Return whether a row belongs to a month that has no partition yet."""
    return isinstance(error, DBAPIError) and sqlstate(error) == "23514" and _NO_PARTITION in str(error.orig)


def is_disk_full(error: BaseException) -> bool:
    """Return whether the server has no room for what a statement writes."""
    return sqlstate(error) == "53100"


def is_unavailable(error: BaseException) -> bool:
    """Return whether the database is unreachable, starting, stopping, full, or too slow to answer."""
    if isinstance(error, PoolTimeout | InterfaceError | asyncpg.InterfaceError | OSError):
        return True
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    return (sqlstate(error) or "").startswith(_UNAVAILABLE_CLASSES)
