"""Reads and writes of users, sessions and keys."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, delete, func, insert, select, text, update
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
    connection: AsyncConnection, user_id: int, values: Mapping[str, Any], *, end_sessions: bool
) -> None:
    """Change a user; with ``end_sessions`` every token issued before dies."""
    changed: dict[str, Any] = dict(values)
    if end_sessions:
        changed["session_epoch"] = User.session_epoch + 1
    if changed:
        await connection.execute(update(User).where(User.id == user_id).values(**changed))


async def count_other_admins(connection: AsyncConnection, user_id: int) -> int:
    """Return how many other administrators can log in, locking them so that two demotions cannot cross."""
    found = await connection.execute(
        select(User.id)
        .where(User.role == "admin", User.is_active, User.deleted_at.is_(None), User.id != user_id)
        .with_for_update()
    )
    return len(found.all())


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
    found = dict(
        (await connection.execute(select(Location.code, Location.id).where(Location.code.in_(codes)))).tuples().all()
    )
    missing = sorted(set(codes) - set(found))
    if missing:
        raise UnknownLocation(f"location_ids: no location {', '.join(missing)}.")
    return [found[code] for code in dict.fromkeys(codes)]


async def add_refresh_token(connection: AsyncConnection, values: Mapping[str, Any]) -> None:
    """Store a refresh token's hash."""
    await connection.execute(insert(RefreshToken).values(**values))


async def lock_refresh_token(connection: AsyncConnection, token_hash: str) -> RowMapping | None:
    """Return a refresh token, locked so that of two that use it at once one sees the other's use."""
    statement = select(RefreshToken.__table__).where(RefreshToken.token_hash == token_hash).with_for_update()
    return (await connection.execute(statement)).mappings().one_or_none()


async def mark_used(connection: AsyncConnection, key: int, at: datetime) -> None:
    """Note that a refresh token was used."""
    await connection.execute(update(RefreshToken).where(RefreshToken.id == key).values(used_at=at))


async def revoke_family(connection: AsyncConnection, family_id: UUID, at: datetime) -> None:
    """End one session."""
    statement = update(RefreshToken).where(RefreshToken.family_id == family_id, RefreshToken.revoked_at.is_(None))
    await connection.execute(statement.values(revoked_at=at))


async def revoke_all(connection: AsyncConnection, user_id: int, at: datetime) -> None:
    """End every session of a user."""
    statement = update(RefreshToken).where(RefreshToken.user_id == user_id, RefreshToken.revoked_at.is_(None))
    await connection.execute(statement.values(revoked_at=at))


async def family_is_revoked(connection: AsyncConnection, family_id: UUID) -> bool:
    """Say whether a session was ended."""
    statement = select(RefreshToken.id).where(RefreshToken.family_id == family_id, RefreshToken.revoked_at.is_not(None))
    return (await connection.execute(statement.limit(1))).first() is not None


async def record_attempt(
    connection: AsyncConnection, *, at: datetime, address: str, username: str, succeeded: bool
) -> None:
    """Note a login attempt."""
    await connection.execute(
        insert(LoginAttempt).values(at=at, address=address, username=username[:64], succeeded=succeeded)
    )


async def forgive_attempt(connection: AsyncConnection, *, at: datetime, address: str, username: str) -> None:
    """Turn the attempt that was noted beforehand into a success."""
    await connection.execute(
        update(LoginAttempt)
        .where(LoginAttempt.at == at, LoginAttempt.address == address, LoginAttempt.username == username[:64])
        .values(succeeded=True)
    )


async def failed_attempts(
    connection: AsyncConnection, *, address: str, username: str, since: datetime
) -> tuple[list[datetime], list[datetime]]:
    """Return the instants of failed attempts from an address and on a name (from anywhere), oldest first."""
    statement = (
        select(LoginAttempt.at, LoginAttempt.address == address, func.lower(LoginAttempt.username) == username.lower())
        .where(LoginAttempt.at > since, ~LoginAttempt.succeeded)
        .order_by(LoginAttempt.at)
    )
    rows = (await connection.execute(statement)).tuples().all()
    return [at for at, same_address, _ in rows if same_address], [at for at, _, same_name in rows if same_name]


async def prune(connection: AsyncConnection, *, before: datetime) -> None:
    """Drop login attempts and dead refresh tokens that no rule looks at any more."""
    await connection.execute(delete(LoginAttempt).where(LoginAttempt.at < before))
    await connection.execute(delete(RefreshToken).where(RefreshToken.expires_at < before))


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
