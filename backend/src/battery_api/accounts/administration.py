"""User administration: every change writes an audit entry in its own transaction."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.accounts import repository
from battery_api.accounts.audit import record_audit
from battery_api.accounts.errors import (
    LastAdmin,
    NotOnYourself,
    UsernameTaken,
    UserNotFound,
)
from battery_api.accounts.passwords import check_strength, hash_password
from battery_api.accounts.principal import Principal, require_reach
from battery_api.accounts.repository import StoredUser
from battery_api.accounts.schemas import UserCreate, UserOut, UserUpdate
from battery_api.accounts.service import user_out
from battery_api.accounts.sessions import Authenticator
from battery_api.context import ProcessContext
from battery_servicekit.pagination import Page, PageRequest

_RIGHTS: Final = frozenset({"role", "is_active", "location_ids", "password"})
_ENDS_SESSIONS: Final = frozenset({"is_active", "password"})


class Administration:
    """What an administrator does with users; one who is restricted to locations reaches users of none but these."""

    def __init__(self, context: ProcessContext, authenticator: Authenticator, actor: Principal, address: str) -> None:
        self._context = context
        self._authenticator = authenticator
        self._actor = actor
        self._address = address

    async def list_users(self, page: PageRequest) -> Page[UserOut]:
        """List the users within reach."""
        async with self._context.database.begin() as connection:
            users, total = await repository.list_users(
                connection, within=self._actor.location_codes, skip=page.skip, limit=page.limit
            )
        return Page(items=[user_out(user) for user in users], total=total, skip=page.skip, limit=page.limit)

    async def get_user(self, user_id: int) -> UserOut:
        """Return a user within reach."""
        async with self._context.database.begin() as connection:
            return user_out(await self._require_user(connection, user_id))

    async def create_user(self, request: UserCreate) -> UserOut:
        """Create a user."""
        require_reach(self._actor, request.location_ids)
        await check_strength(request.password, username=request.username, display_name=request.display_name)
        values = {
            "username": request.username,
            "display_name": request.display_name,
            "role": request.role.value,
            "password_hash": await hash_password(request.password),
            "created_at": self._context.clock.now(),
        }
        async with self._context.database.begin() as connection:
            try:
                user_id = await repository.add_user(connection, values)
            except IntegrityError as error:
                raise UsernameTaken(f"username: {request.username} is taken.") from error
            await repository.set_locations(connection, user_id, request.location_ids)
            recorded = request.model_dump(mode="json", exclude={"password"})
            await self._record(connection, "user.create", request.username, recorded)
            return user_out(await _require_user(connection, user_id))

    async def update_user(self, user_id: int, request: UserUpdate) -> UserOut:
        """Change a user.

        A change of rights invalidates their access tokens, and the next refresh brings the new rights; a new password
        or deactivation ends their sessions.
        """
        hashed = None
        if request.password is not None:
            async with self._context.database.begin() as connection:
                user = await self._require_user(connection, user_id)
            await check_strength(request.password, username=user.username, display_name=user.display_name)
            hashed = await hash_password(request.password)
        async with self._context.database.begin() as connection:
            admins = await repository.lock_admins(connection)
            user = await self._lock_user(connection, user_id)
            changes = _differences(user, request)
            self._guard(user, changes, admins)
            if "location_ids" in changes:
                require_reach(self._actor, changes["location_ids"])
            if changes:
                await self._apply(connection, user, changes, hashed)
            updated = await _require_user(connection, user_id)
        self._authenticator.forget()
        return user_out(updated)

    async def delete_user(self, user_id: int) -> None:
        """Delete a user; the row is kept for the history, and the name becomes free."""
        now = self._context.clock.now()
        async with self._context.database.begin() as connection:
            admins = await repository.lock_admins(connection)
            user = await self._lock_user(connection, user_id)
            self._guard(user, {"is_active": False}, admins)
            # No new user can take this name: a user name cannot contain brackets.
            retired_name = f"{user.username} (deleted {user_id})"
            values = {"deleted_at": now, "is_active": False, "username": retired_name}
            await repository.change_user(connection, user_id, values, raise_epoch=True)
            await repository.end_sessions(connection, user_id, now)
            await self._record(connection, "user.delete", user.username)
        self._authenticator.forget()

    async def _require_user(self, connection: AsyncConnection, user_id: int) -> StoredUser:
        return _reached(self._actor, user_id, await repository.find_user(connection, user_id))

    async def _lock_user(self, connection: AsyncConnection, user_id: int) -> StoredUser:
        return _reached(self._actor, user_id, await repository.lock_user(connection, user_id))

    async def _apply(
        self, connection: AsyncConnection, user: StoredUser, changes: Mapping[str, Any], hashed: str | None
    ) -> None:
        values = {name: changes[name] for name in ("display_name", "is_active", "role") if name in changes}
        if hashed is not None:
            values["password_hash"] = hashed
        await repository.change_user(connection, user.id, values, raise_epoch=bool(_RIGHTS & set(changes)))
        if "location_ids" in changes:
            await repository.set_locations(connection, user.id, changes["location_ids"])
        if _ENDS_SESSIONS & set(changes):
            await repository.end_sessions(connection, user.id, self._context.clock.now())
        await self._record(connection, "user.update", user.username, changes)

    def _guard(self, user: StoredUser, changes: Mapping[str, Any], admins: frozenset[int]) -> None:
        """Refuse a change that would lock out the caller or leave no administrator."""
        weakened = "role" in changes or changes.get("is_active") is False
        restricted = changes.get("location_ids") is not None
        if user.id == self._actor.user_id:
            if weakened or "location_ids" in changes:
                raise NotOnYourself(
                    "You cannot delete, demote or deactivate yourself, nor change your own locations; ask another "
                    "administrator."
                )
            if "password" in changes:
                raise NotOnYourself(
                    "Change your own password with auth/change-password, which asks for the current one."
                )
        if (weakened or restricted) and admins == {user.id}:
            raise LastAdmin("This is the last administrator; create another one first.")

    async def _record(
        self, connection: AsyncConnection, action: str, target: str, data: Mapping[str, Any] | None = None
    ) -> None:
        await record_audit(
            connection, actor=self._actor, action=action, target=target, data=data, address=self._address
        )


def _differences(user: StoredUser, request: UserUpdate) -> dict[str, Any]:
    """Return the fields whose values differ, ready for the audit log; fields sent with their present value do not."""
    current = user_out(user).model_dump(mode="json")
    sent = request.model_dump(mode="json", exclude_unset=True)
    if sent.get("location_ids") is not None:
        sent["location_ids"] = sorted(set(sent["location_ids"]))
    changes = {name: value for name, value in sent.items() if name != "password" and value != current[name]}
    if "password" in sent:
        changes["password"] = "changed"  # noqa: S105  # the word, not a password
    return changes


async def _require_user(connection: AsyncConnection, user_id: int) -> StoredUser:
    user = await repository.find_user(connection, user_id)
    assert user is not None  # it was written in this transaction
    return user


def _reached(actor: Principal, user_id: int, user: StoredUser | None) -> StoredUser:
    if user is None or not actor.reaches(user.visible_codes):
        raise UserNotFound(f"No user {user_id} within your locations.")
    return user
