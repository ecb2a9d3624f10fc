"""Reads and writes of users, sessions and keys."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, delete, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.accounts.errors import UnknownLocation
from battery_api.db.tables.access import ApiKey, LoginAttempt, RefreshToken, User, UserLocation
from battery_api.db.tables.fleet import Location

_users = User.__table__
_LOCATION_CODES = (
    select(func.array_agg(Location.code))
    .select_from(UserLocation)
    .join(Location, Location.id == UserLocation.location_id)
    .where(UserLocation.user_id == User.id)
    .scalar_subquery()
)
_USER = select(_users, _LOCATION_CODES.label("location_codes")).where(User.deleted_at.is_(None))


async def find_user(connection: AsyncConnection, user_id: int) -> RowMapping | None:
    """Return a user by key."""
    return (await connection.execute(_USER.where(User.id == user_id))).mappings().one_or_none()


async def find_user_of_session(
    connection: AsyncConnection, user_id: int, family_id: UUID, now: datetime
) -> RowMapping | None:
    """Return a user while this session of his is open: neither ended nor left unused until it expired."""
    is_open = (
        select(RefreshToken.id)
        .where(
            RefreshToken.family_id == family_id,
            RefreshToken.user_id == user_id,
            RefreshToken.used_at.is_(None),
            RefreshToken.revoked_at.is_(None),
            RefreshToken.expires_at > now,
        )
        .exists()
    )
    return (await connection.execute(_USER.where(User.id == user_id, is_open))).mappings().one_or_none()


async def find_user_by_name(connection: AsyncConnection, username: str) -> RowMapping | None:
    """Return a user by name, upper and lower case alike."""
    statement = _USER.where(func.lower(User.username) == func.lower(username))
    return (await connection.execute(statement)).mappings().one_or_none()


async def list_users(connection: AsyncConnection, *, skip: int, limit: int) -> tuple[Sequence[RowMapping], int]:
    """Return a stretch of the users, by name."""
    rows = await connection.execute(_USER.order_by(func.lower(User.username)).offset(skip).limit(limit))
    total = await connection.scalar(select(func.count()).select_from(User).where(User.deleted_at.is_(None)))
    return rows.mappings().all(), total or 0


async def add_user(connection: AsyncConnection, values: Mapping[str, Any]) -> int:
    """Insert a user and return its key."""
    return (await connection.execute(insert(User).values(**values).returning(User.id))).scalar_one()


async def change_user(
    connection: AsyncConnection, user_id: int, values: Mapping[str, Any], *, raise_epoch: bool
) -> None:
    """Change a user; with ``raise_epoch`` every access token issued before dies."""
    changed: dict[str, Any] = dict(values)
    if raise_epoch:
        changed["session_epoch"] = User.session_epoch + 1
    if changed:
        await connection.execute(update(User).where(User.id == user_id).values(**changed))


async def lock_user(connection: AsyncConnection, user_id: int) -> RowMapping | None:
    """Return a user, locked: what opens, renews and ends sessions of one user takes turns on this row."""
    statement = _USER.where(User.id == user_id).with_for_update(key_share=True, of=_users)
    return (await connection.execute(statement)).mappings().one_or_none()


async def lock_admins(connection: AsyncConnection) -> frozenset[int]:
    """Return who can administer, locked in key order so that two who demote each other take turns."""
    statement = (
        select(User.id)
        .where(User.role == "admin", User.is_active, User.deleted_at.is_(None))
        .order_by(User.id)
        .with_for_update(key_share=True)
    )
    return frozenset((await connection.execute(statement)).scalars().all())


async def set_locations(connection: AsyncConnection, user_id: int, codes: Sequence[str] | None) -> None:
    """Restrict a user to locations, or to none in particular."""
    await connection.execute(delete(UserLocation).where(UserLocation.user_id == user_id))
    await connection.execute(update(User).where(User.id == user_id).values(all_locations=codes is None))
    if codes:
        keys = await _location_keys(connection, codes)
        await connection.execute(insert(UserLocation), [{"user_id": user_id, "location_id": key} for key in keys])


async def require_locations(connection: AsyncConnection, codes: Sequence[str] | None) -> None:
    """Raise `UnknownLocation` unless every code exists."""
    if codes:
        await _location_keys(connection, codes)


async def _location_keys(connection: AsyncConnection, codes: Sequence[str]) -> list[int]:
    rows = await connection.execute(select(Location.code, Location.id).where(Location.code.in_(codes)))
    found = {row.code: row.id for row in rows}
    missing = sorted(set(codes) - set(found))
    if missing:
        raise UnknownLocation(f"location_ids: no location {', '.join(missing)}.")
    return [found[code] for code in dict.fromkeys(codes)]


async def add_refresh_token(connection: AsyncConnection, values: Mapping[str, Any]) -> None:
    """Store a refresh token's hash."""
    await connection.execute(insert(RefreshToken).values(**values))


async def find_refresh_token(connection: AsyncConnection, token_hash: str) -> RowMapping | None:
    """Return a refresh token by the hash of its secret."""
    statement = select(RefreshToken.__table__).where(RefreshToken.token_hash == token_hash)
    return (await connection.execute(statement)).mappings().one_or_none()


async def mark_used(connection: AsyncConnection, key: int, at: datetime) -> None:
    """Note that a refresh token was used."""
    await connection.execute(update(RefreshToken).where(RefreshToken.id == key).values(used_at=at))


async def end_session(connection: AsyncConnection, family_id: UUID, at: datetime) -> bool:
    """End one session; the user's row is locked by the caller. False if it had ended before."""
    statement = update(RefreshToken).where(RefreshToken.family_id == family_id, RefreshToken.revoked_at.is_(None))
    return bool((await connection.execute(statement.values(revoked_at=at))).rowcount)


async def end_sessions(connection: AsyncConnection, user_id: int, at: datetime, *, keep: UUID | None = None) -> None:
    """End every session of a user, all but ``keep``; the user's row is locked by the caller."""
    statement = update(RefreshToken).where(RefreshToken.user_id == user_id, RefreshToken.revoked_at.is_(None))
    if keep is not None:
        statement = statement.where(RefreshToken.family_id != keep)
    await connection.execute(statement.values(revoked_at=at))


async def add_attempt(connection: AsyncConnection, *, at: datetime, address: str, name: str) -> int:
    """Note a login attempt as failed and return its key."""
    statement = insert(LoginAttempt).values(at=at, address=address, username=name, succeeded=False)
    return (await connection.execute(statement.returning(LoginAttempt.id))).scalar_one()


async def mark_succeeded(connection: AsyncConnection, attempt: int) -> None:
    """Turn an attempt that was noted as failed beforehand into a success."""
    await connection.execute(update(LoginAttempt).where(LoginAttempt.id == attempt).values(succeeded=True))


async def failures_from(connection: AsyncConnection, address: str, since: datetime) -> Sequence[datetime]:
    """Return the instants of failed attempts from an address, oldest first."""
    return await _failures(connection, LoginAttempt.address == address, since)


async def failures_on(connection: AsyncConnection, name: str, since: datetime) -> Sequence[datetime]:
    """Return the instants of failed attempts on a name, from anywhere, oldest first."""
    return await _failures(connection, LoginAttempt.username == name, since)


async def has_logged_in_from(connection: AsyncConnection, address: str, name: str, since: datetime) -> bool:
    """Say whether this name logged in from this address lately."""
    statement = select(LoginAttempt.id).where(
        LoginAttempt.address == address,
        LoginAttempt.at > since,
        LoginAttempt.username == name,
        LoginAttempt.succeeded,
    )
    return (await connection.execute(statement.limit(1))).first() is not None


async def _failures(connection: AsyncConnection, which: ColumnElement[bool], since: datetime) -> Sequence[datetime]:
    statement = select(LoginAttempt.at).where(which, LoginAttempt.at > since, ~LoginAttempt.succeeded)
    return (await connection.execute(statement.order_by(LoginAttempt.at))).scalars().all()


async def prune(
    connection: AsyncConnection, *, failures_before: datetime, successes_before: datetime, tokens_before: datetime
) -> None:
    """Drop login attempts and expired refresh tokens that no rule looks at any more."""
    attempts = delete(LoginAttempt)
    await connection.execute(attempts.where(LoginAttempt.at < failures_before, ~LoginAttempt.succeeded))
    await connection.execute(attempts.where(LoginAttempt.at < successes_before))
    await connection.execute(delete(RefreshToken).where(RefreshToken.expires_at < tokens_before))


async def find_key(connection: AsyncConnection, key_hash: str) -> RowMapping | None:
    """Return an API key by the hash of its secret."""
    statement = select(ApiKey.__table__).where(ApiKey.key_hash == key_hash)
    return (await connection.execute(statement)).mappings().one_or_none()


async def list_keys(connection: AsyncConnection, *, skip: int, limit: int) -> tuple[Sequence[RowMapping], int]:
    """Return a stretch of the API keys, by name."""
    rows = await connection.execute(select(ApiKey.__table__).order_by(ApiKey.name).offset(skip).limit(limit))
    return rows.mappings().all(), await connection.scalar(select(func.count()).select_from(ApiKey)) or 0


async def add_key(connection: AsyncConnection, values: Mapping[str, Any]) -> RowMapping:
    """Insert a key and return its row."""
    statement = insert(ApiKey).values(**values).returning(*ApiKey.__table__.columns)
    return (await connection.execute(statement)).mappings().one()


async def revoke_key(connection: AsyncConnection, key_id: int, at: datetime) -> RowMapping | None:
    """Revoke a key; None if there is no such key."""
    statement = (
        update(ApiKey)
        .where(ApiKey.id == key_id)
        .values(revoked_at=func.coalesce(ApiKey.revoked_at, at))
        .returning(*ApiKey.__table__.columns)
    )
    return (await connection.execute(statement)).mappings().one_or_none()


async def touch_key(connection: AsyncConnection, key_id: int, at: datetime) -> None:
    """Note a key's use."""
    await connection.execute(update(ApiKey).where(ApiKey.id == key_id).values(last_used_at=at))


async def lock_logins(connection: AsyncConnection, address: str) -> None:
    """Let the logins of one address take turns, so that a burst cannot pass the throttle side by side."""
    await connection.execute(text("select pg_advisory_xact_lock(hashtextextended(:address, 7))"), {"address": address})
