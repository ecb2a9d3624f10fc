"""Rows of a statement in the driver's own parameter style, which accepts whole arrays."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection


async def fetch_all(connection: AsyncConnection, statement: str, parameters: tuple[Any, ...] = ()) -> Sequence[Any]:
    """Return every row of a statement; parameters are ``$1``, ``$2`` and so on."""
    return (await connection.exec_driver_sql(statement, parameters)).all()
