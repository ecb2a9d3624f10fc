"""Tell the failures of a database apart: which may be tried again at once, and which mean that it is away."""

from typing import Final

import asyncpg
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout

_CLASH: Final = frozenset({"40001", "40P01"})  # serialization failure, deadlock
_AWAY_CLASSES: Final = ("08", "53", "57")  # connection, out of resources, told to stop
_NO_PARTITION: Final = "no partition of relation"


def sqlstate(error: BaseException) -> str | None:
    """Return the server's five-character code of an error, None when the server did not speak."""
    origin = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(origin, "sqlstate", None) or getattr(origin, "pgcode", None)
    return code if isinstance(code, str) else None


def is_clash(error: BaseException) -> bool:
    """Say whether a transaction lost against another and may be begun anew."""
    return sqlstate(error) in _CLASH


def lacks_partition(error: BaseException) -> bool:
    """Say whether a row fell into a month that has no partition yet."""
    return isinstance(error, DBAPIError) and sqlstate(error) == "23514" and _NO_PARTITION in str(error.orig)


def is_away(error: BaseException) -> bool:
    """Say whether the database cannot be reached, is starting or stopping, is full, or answers too slowly."""
    if isinstance(error, PoolTimeout | InterfaceError | asyncpg.InterfaceError | OSError):
        return True
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    return (sqlstate(error) or "").startswith(_AWAY_CLASSES)
