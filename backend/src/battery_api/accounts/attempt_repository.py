"""Login attempts: rows of what succeeded, failed or was refused, by name, address and device."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, delete, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from battery_api.db.tables.access import LoginAttempt

_LOCKS = text(
    "select pg_advisory_xact_lock(hashtextextended(:address, 7)), pg_advisory_xact_lock(hashtextextended(:name, 8))"
)


class Attempt(NamedTuple):
    """One attempt to prove the password of a name; the device is a hash."""

    at: datetime
    address: str
    name: str
    device: str | None


class OwnAttempts(NamedTuple):
    """What a source did on a name since an instant.

    ``first_refused_at`` is when it first asked and had to wait, if it has not been admitted.
    """

    failures: int
    last_tried_at: datetime | None
    first_refused_at: datetime | None


async def lock_attempts(connection: AsyncConnection, attempt: Attempt) -> None:
    """Let attempts from one address or on one name take turns, so that a burst cannot slip past in parallel."""
    await connection.execute(_LOCKS, {"address": attempt.address, "name": attempt.name})


async def is_known_device(connection: AsyncConnection, attempt: Attempt, since: datetime) -> bool:
    """Return whether this name has logged in with this device."""
    return await _has_logged_in(connection, attempt, LoginAttempt.device == attempt.device, since)


async def is_known_address(connection: AsyncConnection, attempt: Attempt, since: datetime) -> bool:
    """Return whether this name has logged in from this address."""
    return await _has_logged_in(connection, attempt, LoginAttempt.address == attempt.address, since)


async def has_logged_in_anyone(connection: AsyncConnection, device: str, since: datetime) -> bool:
    """Return whether any name has logged in with a device."""
    statement = select(LoginAttempt.id).where(
        LoginAttempt.device == device, LoginAttempt.at > since, LoginAttempt.succeeded
    )
    return (await connection.execute(statement.limit(1))).first() is not None


async def of_device(connection: AsyncConnection, attempt: Attempt, since: datetime) -> OwnAttempts:
    """Return what this device did on this name."""
    return await _own(connection, attempt, LoginAttempt.device == attempt.device, since)


async def of_address(connection: AsyncConnection, attempt: Attempt, since: datetime) -> OwnAttempts:
    """Return what this address did on this name."""
    return await _own(connection, attempt, LoginAttempt.address == attempt.address, since)


async def strangers_on_name(
    connection: AsyncConnection, attempt: Attempt, since: datetime, known_since: datetime
) -> int:
    """Return the number of failures on a name from addresses that it has not logged in from."""
    login = aliased(LoginAttempt)
    known = select(login.address).where(login.username == attempt.name, login.succeeded, login.at > known_since)
    statement = (
        select(func.count())
        .select_from(LoginAttempt)
        .where(*_failed_since(since), LoginAttempt.username == attempt.name, LoginAttempt.address.not_in(known))
    )
    return await connection.scalar(statement) or 0


async def failures_from(connection: AsyncConnection, attempt: Attempt, since: datetime) -> int:
    """Return the number of failures from an address, on any name."""
    statement = select(func.count()).select_from(LoginAttempt)
    return await connection.scalar(statement.where(*_failed_since(since), LoginAttempt.address == attempt.address)) or 0


async def add_attempt(connection: AsyncConnection, attempt: Attempt) -> int:
    """Record an attempt as failed and return its key."""
    return await _add(connection, attempt, refused=False)


async def add_refused(connection: AsyncConnection, attempt: Attempt) -> None:
    """Record that a source must wait, and since when."""
    await _add(connection, attempt, refused=True)


async def mark_succeeded(connection: AsyncConnection, attempt_id: int, device: str | None = None) -> None:
    """Turn an attempt that was recorded as failed beforehand into a success, of the device that it makes known."""
    values = {"succeeded": True} if device is None else {"succeeded": True, "device": device}
    await connection.execute(update(LoginAttempt).where(LoginAttempt.id == attempt_id).values(**values))


async def prune(connection: AsyncConnection, *, failures_before: datetime, successes_before: datetime) -> None:
    """Delete attempts that no rule needs any more."""
    attempts = delete(LoginAttempt)
    await connection.execute(attempts.where(LoginAttempt.at < failures_before, ~LoginAttempt.succeeded))
    await connection.execute(attempts.where(LoginAttempt.at < successes_before))


async def _has_logged_in(
    connection: AsyncConnection, attempt: Attempt, condition: ColumnElement[bool], since: datetime
) -> bool:
    statement = select(LoginAttempt.id).where(
        condition, LoginAttempt.username == attempt.name, LoginAttempt.at > since, LoginAttempt.succeeded
    )
    return (await connection.execute(statement.limit(1))).first() is not None


async def _own(
    connection: AsyncConnection, attempt: Attempt, condition: ColumnElement[bool], since: datetime
) -> OwnAttempts:
    failed = ~LoginAttempt.succeeded & ~LoginAttempt.refused
    statement = select(
        func.count().filter(failed),
        func.max(LoginAttempt.at).filter(failed),
        func.min(LoginAttempt.at).filter(LoginAttempt.refused),
    ).where(condition, LoginAttempt.username == attempt.name, LoginAttempt.at > since)
    return OwnAttempts(*(await connection.execute(statement)).one())


async def _add(connection: AsyncConnection, attempt: Attempt, *, refused: bool) -> int:
    statement = insert(LoginAttempt).values(
        at=attempt.at,
        address=attempt.address,
        username=attempt.name,
        device=attempt.device,
        succeeded=False,
        refused=refused,
    )
    return (await connection.execute(statement.returning(LoginAttempt.id))).scalar_one()


def _failed_since(since: datetime) -> tuple[ColumnElement[bool], ...]:
    return LoginAttempt.at > since, ~LoginAttempt.succeeded, ~LoginAttempt.refused
