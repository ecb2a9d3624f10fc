"""Reads and writes of API keys."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Select, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.db.tables.access import ApiKey, User


class StoredKey(NamedTuple):
    """An API key without its hash. The owner is who made it or took it over; None for the installation's own key."""

    id: int
    name: str
    prefix: str
    scopes: list[str]
    location_ids: list[str] | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    owner_id: int | None
    owner: str | None
    owner_is_active: bool


_COLUMNS: Final[list[Any]] = [
    ApiKey.id,
    ApiKey.name,
    ApiKey.prefix,
    ApiKey.scopes,
    ApiKey.location_ids,
    ApiKey.created_at,
    ApiKey.expires_at,
    ApiKey.revoked_at,
    ApiKey.last_used_at,
    ApiKey.created_by,
    User.username,
    ApiKey.created_by.is_(None) | (User.is_active & User.deleted_at.is_(None)),
]
_KEY: Final = select(*_COLUMNS).select_from(ApiKey).outerjoin(User, User.id == ApiKey.created_by)


async def find_key(connection: AsyncConnection, key_hash: str) -> StoredKey | None:
    """Return an API key by the hash of its secret."""
    return await _key_of(connection, _KEY.where(ApiKey.key_hash == key_hash))


async def lock_key(connection: AsyncConnection, key_id: int) -> StoredKey | None:
    """Return an API key and lock its row, so that changes of it take turns."""
    return await _key_of(connection, _KEY.where(ApiKey.id == key_id).with_for_update(of=ApiKey.__table__))


async def find_key_hash(connection: AsyncConnection, name: str) -> str | None:
    """Return the hash of the key with a name."""
    return await connection.scalar(select(ApiKey.key_hash).where(ApiKey.name == name))


async def list_keys(
    connection: AsyncConnection, *, within: Collection[str] | None, skip: int, limit: int
) -> tuple[list[StoredKey], int]:
    """Return a page of the API keys in order of their names, and the number of all.

    Parameters
    ----------
    within
        Only keys for none but these locations; None for every key.
    """
    conditions: list[ColumnElement[bool]] = []
    if within is not None:
        conditions = [ApiKey.location_ids.is_not(None), ApiKey.location_ids.contained_by(list(within))]
    rows = await connection.execute(_KEY.where(*conditions).order_by(ApiKey.name).offset(skip).limit(limit))
    total = await connection.scalar(select(func.count()).select_from(ApiKey).where(*conditions))
    return [StoredKey(*row) for row in rows], total or 0


async def add_key(connection: AsyncConnection, values: Mapping[str, Any]) -> StoredKey:
    """Insert a key and return its row."""
    key_id = (await connection.execute(insert(ApiKey).values(**values).returning(ApiKey.id))).scalar_one()
    return StoredKey(*(await connection.execute(_KEY.where(ApiKey.id == key_id))).one())


async def change_key(connection: AsyncConnection, name: str, values: Mapping[str, Any]) -> None:
    """Change the key with a name."""
    await connection.execute(update(ApiKey).where(ApiKey.name == name).values(**values))


async def hand_over_key(connection: AsyncConnection, key_id: int, owner_id: int) -> None:
    """Give a key another owner."""
    await connection.execute(update(ApiKey).where(ApiKey.id == key_id).values(created_by=owner_id))


async def revoke_key(connection: AsyncConnection, key_id: int, at: datetime) -> None:
    """Revoke a key; one that is revoked already keeps its instant."""
    revoked = update(ApiKey).where(ApiKey.id == key_id).values(revoked_at=func.coalesce(ApiKey.revoked_at, at))
    await connection.execute(revoked)


async def touch_key(connection: AsyncConnection, key_id: int, at: datetime) -> None:
    """Record when a key was used."""
    await connection.execute(update(ApiKey).where(ApiKey.id == key_id).values(last_used_at=at))


async def _key_of(connection: AsyncConnection, statement: Select[Any]) -> StoredKey | None:
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else StoredKey(*row)
