"""From credentials to a principal, with a short-lived cache, so that authentication costs hardly anything."""

import contextlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.accounts import repository
from battery_api.accounts.errors import NotAuthenticated, TokenExpired
from battery_api.accounts.principal import Principal, Scope
from battery_api.accounts.tokens import AccessClaims, SessionTokens, new_secret, secret_hash
from battery_api.context import ProcessContext
from battery_api.settings import GatewaySettings
from battery_contracts.enums import Role

REMEMBER_S: Final = 2.0
"""How long a verdict is cached; a disabled user or an ended session is noticed after at most this."""
MAX_REMEMBERED: Final = 10_000
_MIN_SECRET_LENGTH: Final = 32


@dataclass(frozen=True, slots=True)
class _Verdict:
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
        self._remembered: dict[str, _Verdict] = {}

    async def authenticate_token(self, token: str, *, ignore_expiry: bool = False) -> Principal:
        """Return the user of an access token.

        Parameters
        ----------
        ignore_expiry
            An open live connection outlives its access token as long as the session itself is valid.

        Raises
        ------
        NotAuthenticated
            The token is not valid, its session has ended, or the user is switched off.
        """
        now = self._context.clock.now()
        known = self._recall(token, now)
        if known is None:
            claims = self.tokens.verify_access(token)
            async with self._context.database.begin() as connection:
                principal = await _principal_of(connection, claims, now)
            known = self._remember(token, _Verdict(principal, claims.expires_at, now))
        if known.expires_at is not None and now >= known.expires_at and not ignore_expiry:
            raise TokenExpired("The access token has expired; refresh it.")
        return known.principal

    async def authenticate_key(self, key: str) -> Principal:
        """Return the machine of an API key."""
        now = self._context.clock.now()
        known = self._recall(key, now)
        if known is None:
            async with self._context.database.begin() as connection:
                row = await repository.find_key(connection, secret_hash(key))
                if row is None or row["revoked_at"] is not None:
                    raise NotAuthenticated("The API key is unknown or revoked.")
                if row["last_used_at"] is None or now - row["last_used_at"] > timedelta(minutes=1):
                    await repository.touch_key(connection, row["id"], now)
            known = self._remember(key, _Verdict(_machine(row), row["expires_at"], now))
        if known.expires_at is not None and now >= known.expires_at:
            raise NotAuthenticated("The API key has expired.")
        return known.principal

    def forget(self) -> None:
        """Drop the cache, after this process changed the accounts."""
        self._remembered.clear()

    def _recall(self, credential: str, now: datetime) -> _Verdict | None:
        verdict = self._remembered.get(credential)
        if verdict is None or not 0 <= (now - verdict.checked_at).total_seconds() < REMEMBER_S:
            return None
        return verdict

    def _remember(self, credential: str, verdict: _Verdict) -> _Verdict:
        if len(self._remembered) >= MAX_REMEMBERED:
            self._remembered.clear()
        self._remembered[credential] = verdict
        return verdict


async def _principal_of(connection: AsyncConnection, claims: AccessClaims, now: datetime) -> Principal:
    user = await repository.find_user_of_session(connection, claims.user_id, UUID(claims.session_id), now)
    if user is None or not user["is_active"] or user["session_epoch"] != claims.epoch:
        raise NotAuthenticated("This session has ended; log in again.")
    return user_principal(user, session_id=claims.session_id)


def user_principal(user: Mapping[Any, Any], *, session_id: str | None) -> Principal:
    """Return the principal of a user row."""
    return Principal(
        name=user["username"],
        user_id=user["id"],
        role=Role(user["role"]),
        scopes=frozenset(),
        location_codes=None if user["all_locations"] else frozenset(user["location_codes"] or ()),
        session_id=session_id,
    )


def _machine(row: Mapping[Any, Any]) -> Principal:
    return Principal(
        name=f"key:{row['name']}",
        user_id=None,
        role=None,
        scopes=frozenset(Scope(scope) for scope in row["scopes"]),
        location_codes=None if row["location_ids"] is None else frozenset(row["location_ids"]),
    )


def jwt_secret(settings: GatewaySettings) -> str:
    """Return the signing secret; in development without one, create it once and keep it in DATA_DIR (mode 600)."""
    given = settings.jwt_secret_key.get_secret_value()
    return given or _kept_secret(settings.data_dir / "jwt-secret")


def _kept_secret(path: Path) -> str:
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, draft = tempfile.mkstemp(prefix=".jwt-secret-", dir=path.parent)  # mode 600 from the start
        with os.fdopen(descriptor, "w") as file:
            file.write(new_secret())
        # Linked when complete: nobody reads half a secret, and of two processes that start at once one wins.
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        Path(draft).unlink()
    secret = path.read_text().strip()
    if len(secret) < _MIN_SECRET_LENGTH:
        raise ValueError(f"{path} holds no secret of at least {_MIN_SECRET_LENGTH} characters; delete the file")
    return secret
