"""User and key administration: every change leaves an audit row in its own transaction."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import RowMapping
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.accounts import repository
from battery_api.accounts.audit import record_audit
from battery_api.accounts.errors import (
    ApiKeyNotFound,
    ExpiryInThePast,
    KeyNameTaken,
    LastAdmin,
    NotOnYourself,
    UsernameTaken,
    UserNotFound,
)
from battery_api.accounts.passwords import check_strength, hash_password
from battery_api.accounts.principal import Principal
from battery_api.accounts.schemas import ApiKeyCreate, ApiKeyCreated, ApiKeyOut, UserCreate, UserOut, UserUpdate
from battery_api.accounts.service import user_out
from battery_api.accounts.sessions import Authenticator
from battery_api.accounts.tokens import new_api_key, secret_hash
from battery_api.context import ProcessContext

_RIGHTS: Final = frozenset({"role", "is_active", "location_ids", "password"})
_ENDS_SESSIONS: Final = frozenset({"is_active", "password"})


class Administration:
    """What an administrator does with users and keys."""

    def __init__(self, context: ProcessContext, authenticator: Authenticator, actor: Principal, address: str) -> None:
        self._context = context
        self._authenticator = authenticator
        self._actor = actor
        self._address = address

    async def create_user(self, wanted: UserCreate) -> UserOut:
        """Create a user."""
        check_strength(wanted.password, username=wanted.username)
        values = {
            "username": wanted.username,
            "display_name": wanted.display_name,
            "role": wanted.role.value,
            "password_hash": await hash_password(wanted.password),
            "created_at": self._context.clock.now(),
        }
        async with self._context.database.begin() as connection:
            try:
                user_id = await repository.add_user(connection, values)
            except IntegrityError as error:
                raise UsernameTaken(f"username: {wanted.username} is taken.") from error
            await repository.set_locations(connection, user_id, wanted.location_ids)
            shown = wanted.model_dump(mode="json", exclude={"password"})
            await self._record(connection, "user.create", wanted.username, shown)
            return user_out(await _require_user(connection, user_id))

    async def update_user(self, user_id: int, wanted: UserUpdate) -> UserOut:
        """Change a user.

        A change of rights kills his access tokens, and the next refresh brings the new rights; a new password and
        switching off end his sessions.
        """
        hashed = None
        if wanted.password is not None:
            async with self._context.database.begin() as connection:
                user = await _require_user(connection, user_id)
            check_strength(wanted.password, username=user["username"])
            hashed = await hash_password(wanted.password)
        async with self._context.database.begin() as connection:
            admins = await repository.lock_admins(connection)
            user = await _lock_user(connection, user_id)
            changes = _differences(user, wanted)
            self._guard(user, changes, admins)
            if changes:
                await self._apply(connection, user, changes, hashed)
            changed = await _require_user(connection, user_id)
        self._authenticator.forget()
        return user_out(changed)

    async def delete_user(self, user_id: int) -> None:
        """Delete a user; the row stays for the history, the name becomes free."""
        now = self._context.clock.now()
        async with self._context.database.begin() as connection:
            admins = await repository.lock_admins(connection)
            user = await _lock_user(connection, user_id)
            self._guard(user, {"is_active": False}, admins)
            # No new user can take this name: a user name holds no brackets.
            freed = f"{user['username']} (deleted {user_id})"
            values = {"deleted_at": now, "is_active": False, "username": freed}
            await repository.change_user(connection, user_id, values, raise_epoch=True)
            await repository.end_sessions(connection, user_id, now)
            await self._record(connection, "user.delete", user["username"])
        self._authenticator.forget()

    async def create_key(self, wanted: ApiKeyCreate) -> ApiKeyCreated:
        """Create an API key; its secret is shown this once."""
        now = self._context.clock.now()
        if wanted.expires_at is not None and wanted.expires_at <= now:
            raise ExpiryInThePast("expires_at: lies in the past.")
        prefix, key = new_api_key()
        values = {
            "name": wanted.name,
            "prefix": prefix,
            "key_hash": secret_hash(key),
            "scopes": [scope.value for scope in dict.fromkeys(wanted.scopes)],
            "location_ids": None if wanted.location_ids is None else sorted(set(wanted.location_ids)),
            "expires_at": wanted.expires_at,
            "created_by": self._actor.user_id,
            "created_at": now,
        }
        async with self._context.database.begin() as connection:
            await repository.require_locations(connection, wanted.location_ids)
            try:
                row = await repository.add_key(connection, values)
            except IntegrityError as error:
                raise KeyNameTaken(f"name: {wanted.name} is taken; a revoked key keeps its name.") from error
            await self._record(connection, "api_key.create", wanted.name, wanted.model_dump(mode="json"))
        return ApiKeyCreated(**key_out(row).model_dump(), key=key)

    async def revoke_key(self, key_id: int) -> None:
        """Revoke an API key."""
        async with self._context.database.begin() as connection:
            row = await repository.revoke_key(connection, key_id, self._context.clock.now())
            if row is None:
                raise ApiKeyNotFound(f"No API key {key_id}.")
            await self._record(connection, "api_key.revoke", row["name"])
        self._authenticator.forget()

    async def _apply(
        self, connection: AsyncConnection, user: RowMapping, changes: Mapping[str, Any], hashed: str | None
    ) -> None:
        values = {name: changes[name] for name in ("display_name", "is_active", "role") if name in changes}
        if hashed is not None:
            values["password_hash"] = hashed
        await repository.change_user(connection, user["id"], values, raise_epoch=bool(_RIGHTS & set(changes)))
        if "location_ids" in changes:
            await repository.set_locations(connection, user["id"], changes["location_ids"])
        if _ENDS_SESSIONS & set(changes):
            await repository.end_sessions(connection, user["id"], self._context.clock.now())
        await self._record(connection, "user.update", user["username"], changes)

    def _guard(self, user: RowMapping, changes: Mapping[str, Any], admins: frozenset[int]) -> None:
        """Refuse what would leave an administrator, or everybody, locked out."""
        weakened = "role" in changes or changes.get("is_active") is False
        restricted = changes.get("location_ids") is not None
        if user["id"] == self._actor.user_id:
            if weakened or restricted:
                raise NotOnYourself("You cannot delete, demote, restrict or switch off yourself; ask another admin.")
            if "password" in changes:
                raise NotOnYourself("Change your own password with auth/change-password, which asks for the old one.")
        if (weakened or restricted) and admins == {user["id"]}:
            raise LastAdmin("This is the last administrator; make another one first.")

    async def _record(
        self, connection: AsyncConnection, action: str, target: str, data: Mapping[str, Any] | None = None
    ) -> None:
        await record_audit(
            connection, actor=self._actor, action=action, target=target, data=data, address=self._address
        )


def _differences(user: RowMapping, wanted: UserUpdate) -> dict[str, Any]:
    """Return what really changes, fit for the audit log; a form that sends every field changes nothing by it."""
    present = user_out(user).model_dump(mode="json")
    given = wanted.model_dump(mode="json", exclude_unset=True)
    if given.get("location_ids") is not None:
        given["location_ids"] = sorted(set(given["location_ids"]))
    changes = {name: value for name, value in given.items() if name != "password" and value != present[name]}
    if "password" in given:
        changes["password"] = "changed"  # noqa: S105  # the word, not a password
    return changes


async def _require_user(connection: AsyncConnection, user_id: int) -> RowMapping:
    user = await repository.find_user(connection, user_id)
    if user is None:
        raise UserNotFound(f"No user {user_id}.")
    return user


async def _lock_user(connection: AsyncConnection, user_id: int) -> RowMapping:
    user = await repository.lock_user(connection, user_id)
    if user is None:
        raise UserNotFound(f"No user {user_id}.")
    return user


def key_out(row: RowMapping) -> ApiKeyOut:
    """Return what is shown of a key row."""
    names = set(ApiKeyOut.model_fields) - {"key_id"}
    return ApiKeyOut(key_id=row["id"], **{name: row[name] for name in names})
