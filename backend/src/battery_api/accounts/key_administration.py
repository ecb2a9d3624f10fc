"""API keys: every key expires, and ends with its owner unless somebody takes it over."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.accounts import key_repository, repository
from battery_api.accounts.audit import record_audit
from battery_api.accounts.errors import (
    ApiKeyNotFound,
    ExpiryInThePast,
    ExpiryTooLate,
    KeyNameTaken,
    OwnerUnsuitable,
)
from battery_api.accounts.key_repository import StoredKey
from battery_api.accounts.principal import Principal, Scope, require_reach
from battery_api.accounts.schemas import ApiKeyCreate, ApiKeyCreated, ApiKeyOut
from battery_api.accounts.sessions import Authenticator
from battery_api.accounts.tokens import new_api_key, secret_hash
from battery_api.context import ProcessContext
from battery_contracts.enums import Role
from battery_servicekit.pagination import Page, PageRequest


class KeyAdministration:
    """What an administrator does with API keys; one who is restricted to locations reaches keys of none but these."""

    def __init__(self, context: ProcessContext, authenticator: Authenticator, actor: Principal, address: str) -> None:
        self._context = context
        self._authenticator = authenticator
        self._actor = actor
        self._address = address

    async def list_keys(self, page: PageRequest) -> Page[ApiKeyOut]:
        """List the keys within reach, revoked ones as well."""
        async with self._context.database.begin() as connection:
            keys, total = await key_repository.list_keys(
                connection, within=self._actor.location_codes, skip=page.skip, limit=page.limit
            )
        return Page(items=[_key_out(key) for key in keys], total=total, skip=page.skip, limit=page.limit)

    async def create_key(self, request: ApiKeyCreate) -> ApiKeyCreated:
        """Create an API key; its secret is shown only here."""
        require_reach(self._actor, request.location_ids)
        now = self._context.clock.now()
        expires_at = self._expiry(request.expires_at, now)
        prefix, secret = new_api_key()
        values = {
            "name": request.name,
            "prefix": prefix,
            "key_hash": secret_hash(secret),
            "scopes": [scope.value for scope in dict.fromkeys(request.scopes)],
            "location_ids": None if request.location_ids is None else sorted(set(request.location_ids)),
            "expires_at": expires_at,
            "created_by": self._actor.user_id,
            "created_at": now,
        }
        async with self._context.database.begin() as connection:
            await repository.require_locations(connection, request.location_ids)
            try:
                key = await key_repository.add_key(connection, values)
            except IntegrityError as error:
                raise KeyNameTaken(f"name: {request.name} is taken; a revoked key keeps its name.") from error
            recorded = request.model_dump(mode="json") | {"expires_at": expires_at.isoformat()}
            await self._record(connection, "api_key.create", request.name, recorded)
        return ApiKeyCreated(**_key_out(key).model_dump(), key=secret)

    async def revoke_key(self, key_id: int) -> None:
        """Revoke an API key."""
        async with self._context.database.begin() as connection:
            key = await self._lock_key(connection, key_id)
            await key_repository.revoke_key(connection, key_id, self._context.clock.now())
            await self._record(connection, "api_key.revoke", key.name)
        self._authenticator.forget()

    async def hand_over_key(self, key_id: int, owner_id: int | None) -> ApiKeyOut:
        """Give a key to another administrator, by default to the caller; a key that ended with its owner works again.

        Raises
        ------
        OwnerUnsuitable
            The new owner is no active administrator of the key's locations.
        """
        assert self._actor.user_id is not None
        async with self._context.database.begin() as connection:
            key = await self._lock_key(connection, key_id)
            owner = await repository.lock_user(connection, owner_id or self._actor.user_id)
            if owner is None or not owner.is_active or owner.role != Role.ADMIN.value:
                raise OwnerUnsuitable("user_id: must be an active administrator.")
            codes = owner.visible_codes
            if codes is not None and (key.location_ids is None or not set(key.location_ids) <= set(codes)):
                raise OwnerUnsuitable(f"user_id: {owner.username} does not see every location of the key.")
            await key_repository.hand_over_key(connection, key_id, owner.id)
            await self._record(connection, "api_key.hand_over", key.name, {"from": key.owner, "to": owner.username})
            handed = await self._lock_key(connection, key_id)
        self._authenticator.forget()
        return _key_out(handed)

    def _expiry(self, wanted: datetime | None, now: datetime) -> datetime:
        settings = self._context.settings
        if wanted is None:
            return now + timedelta(days=settings.api_key_default_days)
        if wanted <= now:
            raise ExpiryInThePast("expires_at: must be in the future.")
        if wanted - now > timedelta(days=settings.api_key_max_days):
            raise ExpiryTooLate(f"expires_at: must be within {settings.api_key_max_days} days (API_KEY_MAX_DAYS).")
        return wanted

    async def _lock_key(self, connection: AsyncConnection, key_id: int) -> StoredKey:
        key = await key_repository.lock_key(connection, key_id)
        if key is None or not self._actor.reaches(key.location_ids):
            raise ApiKeyNotFound(f"No API key {key_id} within your locations.")
        return key

    async def _record(
        self, connection: AsyncConnection, action: str, target: str, data: Mapping[str, Any] | None = None
    ) -> None:
        await record_audit(
            connection, actor=self._actor, action=action, target=target, data=data, address=self._address
        )


def _key_out(key: StoredKey) -> ApiKeyOut:
    return ApiKeyOut(
        key_id=key.id,
        name=key.name,
        prefix=key.prefix,
        scopes=[Scope(scope) for scope in key.scopes],
        location_ids=key.location_ids,
        created_at=key.created_at,
        expires_at=key.expires_at,
        revoked_at=key.revoked_at,
        last_used_at=key.last_used_at,
        owner=key.owner,
        owner_is_active=key.owner_is_active,
    )
