"""Reads and writes of users, sessions and the audit log."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.accounts.errors import UnknownLocation
from battery_api.db.base import Base
from battery_api.db.tables.access import AuditLog, RefreshToken, User, UserLocation
from battery_api.db.tables.fleet import Location

REFUSED: Final = "access.refused"
"""Action of the audit entries about refused administrative calls."""


class StoredUser(NamedTuple):
    """A user with the codes of their locations, which are None if there is no row in ``user_location``."""

    id: int
    username: str
    display_name: str | None
    password_hash: str
    role: str
    is_active: bool
    created_at: datetime
    last_login_at: datetime | None
    session_epoch: int
    all_locations: bool
    location_codes: list[str] | None

    @property
    def visible_codes(self) -> list[str] | None:
        """Codes of the locations that the user may see, None for all."""
        return None if self.all_locations else self.location_codes or []


class StoredRefreshToken(NamedTuple):
    """A refresh token without its hash."""

    id: int
    family_id: UUID
    user_id: int
    opened_at: datetime
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


class StoredAuditEntry(NamedTuple):
    """One entry of the audit log."""

    id: int
    at: datetime
    actor: str
    action: str
    target: str | None
    address: str | None
    request_id: str | None
    data: dict[str, Any]


def _columns(table: type[Base], row: type[NamedTuple]) -> list[ColumnElement[Any]]:
    columns = table.__table__.columns
    return [columns[name] for name in row._fields if name in columns]


_LOCATION_CODES: Final = (
    select(func.array_agg(Location.code))
    .select_from(UserLocation)
    .join(Location, Location.id == UserLocation.location_id)
    .where(UserLocation.user_id == User.id)
    .scalar_subquery()
)
_USER: Final = select(*_columns(User, StoredUser), _LOCATION_CODES.label("location_codes")).where(
    User.deleted_at.is_(None)
)
_REFRESH_TOKEN: Final = select(*_columns(RefreshToken, StoredRefreshToken))
_END_OLDEST: Final = text(
    """
    update refresh_token set revoked_at = :at
    where user_id = :user and revoked_at is null and family_id in (
        select family_id from refresh_token where user_id = :user and revoked_at is null and expires_at > :at
        group by family_id order by max(issued_at) desc, max(id) desc offset :keep)
    """
)
_AUDIT_ENTRY: Final = select(*_columns(AuditLog, StoredAuditEntry))


async def find_user(connection: AsyncConnection, user_id: int) -> StoredUser | None:
    """Return a user by key."""
    return await _user_of(connection, _USER.where(User.id == user_id))


async def find_user_of_session(
    connection: AsyncConnection, user_id: int, family_id: UUID, now: datetime
) -> StoredUser | None:
    """Return a user while their session is open: neither ended nor left unused until it expired."""
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
    return await _user_of(connection, _USER.where(User.id == user_id, is_open))


async def find_user_by_name(connection: AsyncConnection, username: str) -> StoredUser | None:
    """Return a user by name, ignoring case."""
    return await _user_of(connection, _USER.where(func.lower(User.username) == func.lower(username)))


async def list_users(
    connection: AsyncConnection, *, within: Collection[str] | None, skip: int, limit: int
) -> tuple[list[StoredUser], int]:
    """Return a page of the users in order of their names, and the number of all.

    Parameters
    ----------
    within
        Only users who see none but these locations; None for every user.
    """
    conditions: list[ColumnElement[bool]] = [User.deleted_at.is_(None)]
    if within is not None:
        beyond = (
            select(UserLocation.user_id)
            .join(Location, Location.id == UserLocation.location_id)
            .where(UserLocation.user_id == User.id, Location.code.not_in(within))
        )
        conditions += [~User.all_locations, ~beyond.exists()]
    rows = await connection.execute(
        _USER.where(*conditions).order_by(func.lower(User.username)).offset(skip).limit(limit)
    )
    total = await connection.scalar(select(func.count()).select_from(User).where(*conditions))
    return [StoredUser(*row) for row in rows], total or 0


async def has_users(connection: AsyncConnection) -> bool:
    """Return whether there is any user, deleted ones included."""
    return bool(await connection.scalar(select(func.count()).select_from(User)))


async def add_user(connection: AsyncConnection, values: Mapping[str, Any]) -> int:
    """Insert a user and return their key."""
    return (await connection.execute(insert(User).values(**values).returning(User.id))).scalar_one()


async def change_user(
    connection: AsyncConnection, user_id: int, values: Mapping[str, Any], *, raise_epoch: bool
) -> None:
    """Change a user; with ``raise_epoch`` every access token issued before becomes invalid."""
    changed: dict[str, Any] = dict(values)
    if raise_epoch:
        changed["session_epoch"] = User.session_epoch + 1
    if changed:
        await connection.execute(update(User).where(User.id == user_id).values(**changed))


async def lock_user(connection: AsyncConnection, user_id: int) -> StoredUser | None:
    """Return a user and lock their row: whatever opens, renews or ends a session of one user takes turns on it."""
    statement = _USER.where(User.id == user_id).with_for_update(key_share=True, of=User.__table__)
    return await _user_of(connection, statement)


async def lock_admins(connection: AsyncConnection) -> frozenset[int]:
    """Return the keys of the administrators of every location, locked in key order.

    Two who demote each other take turns.
    """
    statement = (
        select(User.id)
        .where(User.role == "admin", User.is_active, User.all_locations, User.deleted_at.is_(None))
        .order_by(User.id)
        .with_for_update(key_share=True)
    )
    return frozenset((await connection.execute(statement)).scalars().all())


async def set_locations(connection: AsyncConnection, user_id: int, codes: Sequence[str] | None) -> None:
    """Restrict a user to locations; None lifts the restriction."""
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
    key_of = {row.code: row.id for row in rows}
    missing = sorted(set(codes) - set(key_of))
    if missing:
        raise UnknownLocation(f"location_ids: no location {', '.join(missing)}.")
    return [key_of[code] for code in dict.fromkeys(codes)]


async def _user_of(connection: AsyncConnection, statement: Select[Any]) -> StoredUser | None:
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else StoredUser(*row)


async def add_refresh_token(connection: AsyncConnection, values: Mapping[str, Any]) -> None:
    """Store a refresh token's hash."""
    await connection.execute(insert(RefreshToken).values(**values))


async def find_refresh_token(connection: AsyncConnection, token_hash: str) -> StoredRefreshToken | None:
    """Return a refresh token by the hash of its secret."""
    statement = _REFRESH_TOKEN.where(RefreshToken.token_hash == token_hash)
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else StoredRefreshToken(*row)


async def mark_used(connection: AsyncConnection, token_id: int, at: datetime) -> None:
    """Record that a refresh token was used."""
    await connection.execute(update(RefreshToken).where(RefreshToken.id == token_id).values(used_at=at))


async def end_session(connection: AsyncConnection, family_id: UUID, at: datetime) -> bool:
    """End one session; the caller holds the lock on the user's row. False if the session had ended before."""
    statement = update(RefreshToken).where(RefreshToken.family_id == family_id, RefreshToken.revoked_at.is_(None))
    return bool((await connection.execute(statement.values(revoked_at=at))).rowcount)


async def end_sessions(connection: AsyncConnection, user_id: int, at: datetime, *, keep: UUID | None = None) -> None:
    """End every session of a user except ``keep``; the caller holds the lock on the user's row."""
    statement = update(RefreshToken).where(RefreshToken.user_id == user_id, RefreshToken.revoked_at.is_(None))
    if keep is not None:
        statement = statement.where(RefreshToken.family_id != keep)
    await connection.execute(statement.values(revoked_at=at))


async def end_oldest_sessions(connection: AsyncConnection, user_id: int, at: datetime, *, keep: int) -> None:
    """End the sessions of a user that were used longest ago, except ``keep``; the caller holds the user's lock."""
    await connection.execute(_END_OLDEST, {"user": user_id, "at": at, "keep": keep})


async def prune_tokens(connection: AsyncConnection, expired_before: datetime) -> None:
    """Delete refresh tokens that expired before an instant."""
    await connection.execute(delete(RefreshToken).where(RefreshToken.expires_at < expired_before))


async def lock_bootstrap(connection: AsyncConnection, lock: int) -> None:
    """Let replicas that bootstrap at the same time take turns."""
    await connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": lock})


async def add_audit_entry(connection: AsyncConnection, values: Mapping[str, Any]) -> None:
    """Append one entry to the audit log."""
    await connection.execute(insert(AuditLog).values(**values))


async def was_refused_lately(connection: AsyncConnection, *, actor: str, target: str, address: str) -> bool:
    """Return whether the log has the same refusal within the last minute."""
    statement = select(AuditLog.id).where(
        AuditLog.at > func.now() - text("interval '1 minute'"),
        AuditLog.action == REFUSED,
        AuditLog.actor == actor,
        AuditLog.target == target,
        AuditLog.address == address,
    )
    return (await connection.execute(statement.limit(1))).first() is not None


async def list_audit_entries(
    connection: AsyncConnection, *, skip: int, limit: int
) -> tuple[list[StoredAuditEntry], int]:
    """Return a page of the audit log, newest first, and the number of all entries."""
    rows = await connection.execute(_AUDIT_ENTRY.order_by(AuditLog.id.desc()).offset(skip).limit(limit))
    total = await connection.scalar(select(func.count()).select_from(AuditLog))
    return [StoredAuditEntry(*row) for row in rows], total or 0
