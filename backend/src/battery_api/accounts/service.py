"""Logins, sessions and password changes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.accounts import repository
from battery_api.accounts.audit import record_audit
from battery_api.accounts.errors import BadCredentials, RefreshRefused
from battery_api.accounts.passwords import check_strength, hash_password, verify_password
from battery_api.accounts.principal import Principal
from battery_api.accounts.schemas import SessionOut, UserOut
from battery_api.accounts.sessions import Authenticator
from battery_api.accounts.throttle import admit_login
from battery_api.accounts.tokens import new_secret, secret_hash
from battery_api.context import ProcessContext

REUSE_GRACE = timedelta(seconds=10)
"""Two tabs may present the same refresh token at once. Within this time the later one is refused but the session lives
on; after it, the use of a used token means that somebody copied it, and the whole session ends."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Where a request comes from."""

    address: str
    user_agent: str | None


class SessionService:
    """Opens, renews and ends sessions; every change is one transaction."""

    def __init__(self, context: ProcessContext, authenticator: Authenticator) -> None:
        self._context = context
        self._authenticator = authenticator

    async def login(self, username: str, password: str, caller: Caller) -> SessionOut:
        """Open a session or raise `BadCredentials` without saying which half was wrong."""
        now = self._context.clock.now()
        async with self._context.database.begin() as connection:
            await admit_login(connection, self._context.settings, address=caller.address, username=username, now=now)
            user = await repository.find_user_by_name(connection, username)
            # Counted as failed first: a crash or a disconnect in between must not make tries free.
            await repository.record_attempt(
                connection, at=now, address=caller.address, username=username, succeeded=False
            )
        # Hashing takes long by design, so no connection and no lock is held meanwhile.
        correct = await verify_password(password, user["password_hash"] if user else None)
        if user is None or not correct or not user["is_active"]:
            async with self._context.database.begin() as connection:
                await record_audit(
                    connection, actor="anonymous", action="auth.login_failed", target=username, address=caller.address
                )
            raise BadCredentials("User name or password is wrong.")
        async with self._context.database.begin() as connection:
            await repository.forgive_attempt(connection, at=now, address=caller.address, username=username)
            await repository.change_user(connection, user["id"], {"last_login_at": now}, end_sessions=False)
            await record_audit(connection, actor=user["username"], action="auth.login", address=caller.address)
            return await self._open(connection, user, family_id=uuid4(), caller=caller, now=now)

    async def refresh(self, token: str | None, caller: Caller) -> SessionOut:
        """Exchange a refresh token for a new pair; the old one is used up."""
        if not token:
            raise RefreshRefused("No refresh token was sent.")
        now = self._context.clock.now()
        async with self._context.database.begin() as connection:
            row = await repository.lock_refresh_token(connection, secret_hash(token))
            if row is None or row["revoked_at"] is not None or row["expires_at"] <= now:
                raise RefreshRefused("This session has ended; log in again.")
            if row["used_at"] is None:
                user = await repository.find_user(connection, row["user_id"])
                if user is None or not user["is_active"]:
                    raise RefreshRefused("This session has ended; log in again.")
                await repository.mark_used(connection, row["id"], now)
                return await self._open(connection, user, family_id=row["family_id"], caller=caller, now=now)
            if now - row["used_at"] <= REUSE_GRACE:
                raise RefreshRefused("This refresh token was used a moment ago; use the new one.")
            await repository.revoke_family(connection, row["family_id"], now)
            await record_audit(
                connection,
                actor="system",
                action="auth.refresh_reuse",
                target=str(row["user_id"]),
                address=caller.address,
            )
        self._authenticator.forget()
        raise RefreshRefused("This refresh token was used before; the session has been ended. Log in again.")

    async def logout(self, principal: Principal) -> None:
        """End the caller's session on the server."""
        if principal.session_id is None:
            return
        async with self._context.database.begin() as connection:
            await repository.revoke_family(connection, UUID(principal.session_id), self._context.clock.now())
            await record_audit(connection, actor=principal, action="auth.logout")
        self._authenticator.forget()

    async def logout_by_refresh_token(self, token: str) -> None:
        """End the session of a refresh token, for a browser whose access token has expired."""
        async with self._context.database.begin() as connection:
            row = await repository.lock_refresh_token(connection, secret_hash(token))
            if row is not None:
                await repository.revoke_family(connection, row["family_id"], self._context.clock.now())
        self._authenticator.forget()

    async def change_password(self, principal: Principal, current: str, new: str) -> None:
        """Change the caller's password and end all his sessions."""
        assert principal.user_id is not None
        async with self._context.database.begin() as connection:
            user = await repository.find_user(connection, principal.user_id)
        if user is None or not await verify_password(current, user["password_hash"]):
            raise BadCredentials("The current password is wrong.")
        check_strength(new, username=user["username"])
        hashed = await hash_password(new)
        async with self._context.database.begin() as connection:
            await repository.change_user(connection, user["id"], {"password_hash": hashed}, end_sessions=True)
            await repository.revoke_all(connection, user["id"], self._context.clock.now())
            await record_audit(connection, actor=principal, action="auth.password_changed")
        self._authenticator.forget()

    async def _open(
        self, connection: AsyncConnection, user: RowMapping, *, family_id: UUID, caller: Caller, now: datetime
    ) -> SessionOut:
        settings = self._context.settings
        refresh = new_secret()
        await repository.add_refresh_token(
            connection,
            {
                "family_id": family_id,
                "user_id": user["id"],
                "token_hash": secret_hash(refresh),
                "issued_at": now,
                "expires_at": now + timedelta(days=settings.refresh_token_days),
                "user_agent": (caller.user_agent or "")[:200] or None,
            },
        )
        access = self._authenticator.tokens.issue(
            user_id=user["id"], session_id=str(family_id), epoch=user["session_epoch"], now=now
        )
        return SessionOut(
            access_token=access,
            expires_in=settings.access_token_minutes * 60,
            refresh_token=refresh,
            user=user_out(user),
        )


def user_out(user: RowMapping) -> UserOut:
    """Return what is shown of a user row."""
    return UserOut(
        user_id=user["id"],
        username=user["username"],
        display_name=user["display_name"],
        role=user["role"],
        is_active=user["is_active"],
        location_ids=None if user["all_locations"] else sorted(user["location_codes"] or ()),
        created_at=user["created_at"],
        last_login_at=user["last_login_at"],
    )
