"""User and key administration: every change leaves an audit row in its own transaction."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.accounts import repository
from battery_api.accounts.audit import record_audit
from battery_api.accounts.errors import ApiKeyNotFound, KeyNameTaken, NotOnYourself, UsernameTaken, UserNotFound
from battery_api.accounts.passwords import check_strength, hash_password
from battery_api.accounts.principal import Principal
from battery_api.accounts.schemas import ApiKeyCreate, ApiKeyCreated, ApiKeyOut, UserCreate, UserOut, UserUpdate
from battery_api.accounts.service import user_out
from battery_api.accounts.sessions import KEY_PREFIX, Authenticator
from battery_api.accounts.tokens import new_secret, secret_hash
from battery_api.context import ProcessContext
from battery_contracts.enums import Role


class Administration:
    """What an administrator does with users and keys."""

    def __init__(self, context: ProcessContext, authenticator: Authenticator, actor: Principal) -> None:
        self._context = context
        self._authenticator = authenticator
        self._actor = actor

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
            await record_audit(connection, actor=self._actor, action="user.create", target=wanted.username, data=shown)
            return user_out(await _require_user(connection, user_id))

    async def update_user(self, user_id: int, wanted: UserUpdate) -> UserOut:
        """Change a user; whoever loses or gains rights has to log in again."""
        given = wanted.model_dump(exclude_unset=True)
        async with self._context.database.begin() as connection:
            user = await _require_user(connection, user_id)
        hashed = None
        if wanted.password is not None:
            check_strength(wanted.password, username=user["username"])
            hashed = await hash_password(wanted.password)
        async with self._context.database.begin() as connection:
            await self._guard_admins(connection, user, given)
            values: dict[str, Any] = {name: given[name] for name in ("display_name", "is_active") if name in given}
            if wanted.role is not None:
                values["role"] = wanted.role.value
            if hashed is not None:
                values["password_hash"] = hashed
            ends = bool({"role", "is_active", "password", "location_ids"} & set(given))
            await repository.change_user(connection, user_id, values, end_sessions=ends)
            if "location_ids" in given:
                await repository.set_locations(connection, user_id, wanted.location_ids)
            shown = wanted.model_dump(mode="json", exclude_unset=True, exclude={"password"})
            if hashed is not None:
                shown["password"] = "changed"  # noqa: S105  # the word, not a password
            await record_audit(connection, actor=self._actor, action="user.update", target=user["username"], data=shown)
            changed = await _require_user(connection, user_id)
        self._authenticator.forget()
        return user_out(changed)

    async def delete_user(self, user_id: int) -> None:
        """Delete a user; the row stays for the history, the name becomes free."""
        now = self._context.clock.now()
        async with self._context.database.begin() as connection:
            user = await _require_user(connection, user_id)
            await self._guard_admins(connection, user, {"is_active": False})
            freed = f"{user['username']} (deleted {user_id})"
            values = {"deleted_at": now, "is_active": False, "username": freed}
            await repository.change_user(connection, user_id, values, end_sessions=True)
            await repository.revoke_all(connection, user_id, now)
            await record_audit(connection, actor=self._actor, action="user.delete", target=user["username"])
        self._authenticator.forget()

    async def create_key(self, wanted: ApiKeyCreate) -> ApiKeyCreated:
        """Create an API key; its secret is shown this once."""
        secret = KEY_PREFIX + new_secret()
        async with self._context.database.begin() as connection:
            await repository.require_locations(connection, wanted.location_ids)
            values = key_values(wanted.name, secret, [scope.value for scope in wanted.scopes])
            values |= {
                "location_ids": wanted.location_ids,
                "expires_at": wanted.expires_at,
                "created_by": self._actor.user_id,
                "created_at": self._context.clock.now(),
            }
            try:
                row = await repository.add_key(connection, values)
            except IntegrityError as error:
                raise KeyNameTaken(f"name: a key named {wanted.name} exists.") from error
            shown = wanted.model_dump(mode="json")
            await record_audit(connection, actor=self._actor, action="api_key.create", target=wanted.name, data=shown)
        return ApiKeyCreated(**key_out(row).model_dump(), key=secret)

    async def revoke_key(self, key_id: int) -> None:
        """Revoke an API key."""
        async with self._context.database.begin() as connection:
            row = await repository.revoke_key(connection, key_id, self._context.clock.now())
            if row is None:
                raise ApiKeyNotFound(f"No API key {key_id}.")
            await record_audit(connection, actor=self._actor, action="api_key.revoke", target=row["name"])
        self._authenticator.forget()

    async def _guard_admins(self, connection: AsyncConnection, user: RowMapping, given: Mapping[str, Any]) -> None:
        role = given.get("role")
        demoted = role is not None and role != user["role"] and user["role"] == Role.ADMIN
        switched_off = given.get("is_active") is False
        narrowed = given.get("location_ids") is not None
        if user["id"] == self._actor.user_id and (demoted or switched_off or narrowed):
            raise NotOnYourself("You cannot delete, demote, restrict or switch off yourself; ask another admin.")
        last = demoted or switched_off
        if last and user["role"] == Role.ADMIN and not await repository.count_other_admins(connection, user["id"]):
            raise NotOnYourself("This is the last administrator; make another one first.")


async def _require_user(connection: AsyncConnection, user_id: int) -> RowMapping:
    user = await repository.find_user(connection, user_id)
    if user is None:
        raise UserNotFound(f"No user {user_id}.")
    return user


def key_values(name: str, secret: str, scopes: list[str]) -> dict[str, Any]:
    """Return the stored form of a key; the prefix tells people which key it is without giving it away."""
    return {"name": name, "prefix": secret[:8], "key_hash": secret_hash(secret), "scopes": scopes}


def key_out(row: RowMapping) -> ApiKeyOut:
    """Return what is shown of a key row."""
    names = set(ApiKeyOut.model_fields) - {"key_id"}
    return ApiKeyOut(key_id=row["id"], **{name: row[name] for name in names})
