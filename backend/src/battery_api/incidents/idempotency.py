"""Requests with an ``Idempotency-Key`` are carried out once: a repetition gets the first answer again."""

import hashlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.accounts.principal import Principal
from battery_api.context import ProcessContext
from battery_api.db.fetching import fetch_all
from battery_api.incidents.errors import KeyReused

KEPT_FOR: Final = timedelta(hours=24)
"""How long a request may be repeated."""
_TAKE: Final = """
    insert into idempotency_key (principal, key, request, created_at) values ($1, $2, $3, $4)
    on conflict do nothing returning key
"""
_FIND: Final = "select request, response from idempotency_key where principal = $1 and key = $2"
_KEEP: Final = "update idempotency_key set response = $3::jsonb where principal = $1 and key = $2"


async def once(
    connection: AsyncConnection,
    principal: Principal,
    key: str | None,
    request: tuple[str, BaseModel],
    *,
    now: datetime,
    carry_out: Callable[[], Awaitable[BaseModel]],
) -> BaseModel | dict[str, Any]:
    """Carry out a request, or return the answer of the same request that was carried out before.

    Key and answer are written in the transaction of the request: two at once wait for each other, and a request that
    fails leaves no key behind.

    Parameters
    ----------
    request
        Its address and its body.

    Raises
    ------
    KeyReused
        The key was used for another request.
    """
    if key is None:
        return await carry_out()
    path, body = request
    digest = hashlib.sha256(f"{path}\n{body.model_dump_json()}".encode()).hexdigest()
    if await fetch_all(connection, _TAKE, (principal.name, key, digest, now)):
        answer = await carry_out()
        await connection.exec_driver_sql(_KEEP, (principal.name, key, answer.model_dump_json()))
        return answer
    ((stored, response),) = await fetch_all(connection, _FIND, (principal.name, key))
    if stored != digest:
        raise KeyReused("Idempotency-Key: it was used for another request; send a new key.")
    before: dict[str, Any] = orjson.loads(response) if isinstance(response, str) else response
    return before


async def prune_once(context: ProcessContext) -> None:
    """Delete keys that nobody may repeat any more."""
    async with context.database.begin() as connection:
        await connection.exec_driver_sql(
            "delete from idempotency_key where created_at < $1", (context.clock.now() - KEPT_FOR,)
        )
