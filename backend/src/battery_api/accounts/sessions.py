"""From credentials to a principal, with a short-lived cache that keeps authentication cheap."""

import contextlib
import os
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.accounts import key_repository, repository
from battery_api.accounts.errors import NotAuthenticated, TokenExpired
from battery_api.accounts.key_repository import StoredKey
from battery_api.accounts.principal import Principal, Scope
from battery_api.accounts.repository import StoredUser
from battery_api.accounts.tokens import AccessClaims, SessionTokens, new_secret, secret_hash
from battery_api.context import ProcessContext
from battery_api.settings import GatewaySettings
from battery_contracts.enums import Role

CACHE_S: Final = 2.0
"""How long an authentication is cached; a deactivated user or an ended session is noticed within this time."""
MAX_CACHED: Final = 10_000
_MIN_SECRET_LENGTH: Final = 32


@dataclass(frozen=True, slots=True)
class _Authentication:
    principal: Principal
    expires_at: datetime | None
    checked_at: datetime


class Authenticator:
    """Verifies access tokens and API keys against the accounts."""

    def __init__(self, context: ProcessContext) -> None:
        self._context = context
        self.tokens = SessionTokens(
            jwt_secret(context.settings), timedelta(minutes=context.settings.access_token_minutes)
        )
        self._cache: dict[str, _Authentication] = {}

    async def authenticate_token(self, token: str, *, ignore_expiry: bool = False) -> Principal:
        """Return the user of an access token.

        Parameters
        ----------
        ignore_expiry
            An open live connection outlives its access token as long as the session itself is valid.

        Raises
        ------
        NotAuthenticated
            The token is not valid, its session has ended, or the user is inactive.
        """
        now = self._context.clock.now()
        authentication = self._recall(token, now)
        if authentication is None:
            claims = self.tokens.verify_access(token)
            async with self._context.database.begin() as connection:
                principal = await _principal_of(connection, claims, now)
            authentication = self._remember(token, _Authentication(principal, claims.expires_at, now))
        if authentication.expires_at is not None and now >= authentication.expires_at and not ignore_expiry:
            raise TokenExpired("The access token has expired; refresh it.")
        return authentication.principal

    async def authenticate_key(self, key: str) -> Principal:
        """Return the machine of an API key."""
        now = self._context.clock.now()
        authentication = self._recall(key, now)
        if authentication is None:
            async with self._context.database.begin() as connection:
                stored = await key_repository.find_key(connection, secret_hash(key))
                if stored is None or stored.revoked_at is not None:
                    raise NotAuthenticated("The API key is unknown or revoked.")
                if not stored.owner_is_active:
                    raise NotAuthenticated("The owner of this API key has left; an administrator can take it over.")
                if stored.last_used_at is None or now - stored.last_used_at > timedelta(minutes=1):
                    await key_repository.touch_key(connection, stored.id, now)
            authentication = self._remember(key, _Authentication(_machine(stored), stored.expires_at, now))
        if authentication.expires_at is not None and now >= authentication.expires_at:
            raise NotAuthenticated("The API key has expired.")
        return authentication.principal

    def forget(self) -> None:
        """Empty the cache; called after this process has changed accounts."""
        self._cache.clear()

    def _recall(self, credential: str, now: datetime) -> _Authentication | None:
        authentication = self._cache.get(credential)
        if authentication is None or not 0 <= (now - authentication.checked_at).total_seconds() < CACHE_S:
            return None
        return authentication

    def _remember(self, credential: str, authentication: _Authentication) -> _Authentication:
        if len(self._cache) >= MAX_CACHED:
            self._cache.clear()
        self._cache[credential] = authentication
        return authentication


async def _principal_of(connection: AsyncConnection, claims: AccessClaims, now: datetime) -> Principal:
    user = await repository.find_user_of_session(connection, claims.user_id, UUID(claims.session_id), now)
    if user is None or not user.is_active or user.session_epoch != claims.epoch:
        raise NotAuthenticated("This session has ended; log in again.")
    return user_principal(user, session_id=claims.session_id)


def user_principal(user: StoredUser, *, session_id: str | None) -> Principal:
    """Return the principal of a user."""
    return Principal(
        name=user.username,
        user_id=user.id,
        role=Role(user.role),
        scopes=frozenset(),
        location_codes=None if user.visible_codes is None else frozenset(user.visible_codes),
        session_id=session_id,
    )


def _machine(key: StoredKey) -> Principal:
    return Principal(
        name=f"key:{key.name}",
        user_id=None,
        role=None,
        scopes=frozenset(Scope(scope) for scope in key.scopes),
        location_codes=None if key.location_ids is None else frozenset(key.location_ids),
    )


def jwt_secret(settings: GatewaySettings) -> str:
    """Return the signing secret; in development, if none is set, create it once and keep it in DATA_DIR (mode 600)."""
    configured = settings.jwt_secret_key.get_secret_value()
    return configured or _stored_secret(settings.data_dir / "jwt-secret")


def _stored_secret(path: Path) -> str:
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, draft = tempfile.mkstemp(prefix=".jwt-secret-", dir=path.parent)  # mode 600 from the start
        with os.fdopen(descriptor, "w") as file:
            file.write(new_secret())
        # Linked when complete: nobody reads half a secret, and if two processes start at the same time, one wins.
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        Path(draft).unlink()
    secret = path.read_text().strip()
    if len(secret) < _MIN_SECRET_LENGTH:
        raise ValueError(f"{path} does not hold a secret of at least {_MIN_SECRET_LENGTH} characters; delete the file")
    return secret
