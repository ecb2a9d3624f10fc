"""Logins, sessions and password changes."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.accounts import repository
from battery_api.accounts.attempt_repository import has_logged_in_anyone, mark_succeeded
from battery_api.accounts.audit import record_audit
from battery_api.accounts.errors import BadCredentials, RefreshRefused, TooManyAttempts, WeakPassword
from battery_api.accounts.passwords import check_strength, hash_password, verify_password
from battery_api.accounts.principal import Principal
from battery_api.accounts.repository import StoredRefreshToken, StoredUser
from battery_api.accounts.schemas import SessionOut, UserOut
from battery_api.accounts.sessions import Authenticator, user_principal
from battery_api.accounts.throttle import FAMILIAR_FOR, Admitted, AttemptOrigin, admit_attempt
from battery_api.accounts.tokens import new_secret, secret_hash
from battery_api.context import ProcessContext
from battery_contracts.enums import Role

REPEAT_GRACE = timedelta(seconds=10)
"""How long a used refresh token may be presented again.

Two tabs may refresh at the same time, and a response may be lost. Within this time, and while its successor is unused,
the same successor is returned again; there is still only one valid token, so a thief gains nothing that the next
rotation does not expose. After this time a used token means that somebody copied it, and the whole session ends.
"""


@dataclass(frozen=True, slots=True)
class Caller:
    """Where a request comes from."""

    address: str
    user_agent: str | None
    device: str | None = None
    """The device cookie."""


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A session, and the device cookie by which the throttle knows its owner again."""

    session: SessionOut
    device: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Opening:
    """Which session a refresh token continues, and when that began."""

    family_id: UUID
    opened_at: datetime


class SessionService:
    """Opens, renews and ends sessions; every change is one transaction."""

    def __init__(self, context: ProcessContext, authenticator: Authenticator) -> None:
        self._context = context
        self._authenticator = authenticator

    async def login(self, username: str, password: str, caller: Caller) -> OpenedSession:
        """Open a session or raise `BadCredentials` without saying which half was wrong."""
        now = self._context.clock.now()
        origin = AttemptOrigin(caller.address, caller.device)
        admitted, candidate = await self._admit(origin, username, now)
        # Hashing is slow by design, so no connection and no lock is held meanwhile.
        correct = await verify_password(
            password, candidate.password_hash if candidate else None, at_once=admitted.known
        )
        async with self._context.database.begin() as connection:
            # Read again under the lock: the account may have changed while the password was verified.
            user = await repository.lock_user(connection, candidate.id) if candidate and correct else None
            if user and user.is_active and candidate and user.password_hash == candidate.password_hash:
                device = await self._device(connection, origin, now)
                await mark_succeeded(connection, admitted.attempt_id, secret_hash(device))
                await repository.change_user(connection, user.id, {"last_login_at": now}, raise_epoch=False)
                family_id = uuid4()
                actor = user_principal(user, session_id=str(family_id))
                opening = _Opening(family_id, opened_at=now)
                session = await self._open(connection, user, opening, refresh=new_secret(), caller=caller, now=now)
                await repository.end_oldest_sessions(
                    connection, user.id, now, keep=self._context.settings.sessions_per_user
                )
                await record_audit(connection, actor=actor, action="auth.login", address=caller.address)
                return OpenedSession(session, device)
            await record_audit(
                connection, actor="anonymous", action="auth.login_failed", target=username, address=caller.address
            )
        raise BadCredentials("The user name or the password is wrong.")

    async def refresh(self, token: str | None, caller: Caller) -> SessionOut:
        """Exchange a refresh token for a new pair; the old one is used up."""
        if not token:
            raise RefreshRefused("Send a refresh token in the body or in the cookie.")
        now = self._context.clock.now()
        async with self._context.database.begin() as connection:
            stored, user = await self._lock_session(connection, token)
            if stored is None or user is None or not user.is_active:
                raise RefreshRefused("This session has ended; log in again.")
            longest = timedelta(days=self._context.settings.session_max_days)
            if stored.revoked_at is not None or stored.expires_at <= now or now - stored.opened_at >= longest:
                raise RefreshRefused("This session has ended; log in again.")
            successor = self._authenticator.tokens.successor_of(token)
            if stored.used_at is None:
                await repository.mark_used(connection, stored.id, now)
                opening = _Opening(stored.family_id, stored.opened_at)
                return await self._open(connection, user, opening, refresh=successor, caller=caller, now=now)
            if now - stored.used_at <= REPEAT_GRACE:
                next_token = await repository.find_refresh_token(connection, secret_hash(successor))
                if next_token is None or next_token.used_at is not None:
                    raise RefreshRefused("This refresh token has been used; use the one that replaced it.")
                return self._session(user, family_id=stored.family_id, refresh=successor, now=now)
            await repository.end_session(connection, stored.family_id, now)
            await record_audit(
                connection,
                actor="system",
                action="auth.refresh_reuse",
                target=user.username,
                data={"session_id": str(stored.family_id)},
                address=caller.address,
            )
        self._authenticator.forget()
        raise RefreshRefused("This refresh token has been used before, so the session has been ended; log in again.")

    async def logout(self, principal: Principal, caller: Caller) -> None:
        """End the caller's session on the server."""
        if principal.user_id is None or principal.session_id is None:
            return
        async with self._context.database.begin() as connection:
            await repository.lock_user(connection, principal.user_id)
            await self._end_session(connection, UUID(principal.session_id), principal, caller)
        self._authenticator.forget()

    async def logout_by_refresh_token(self, token: str, caller: Caller) -> None:
        """End the session of a refresh token, for a browser whose access token has expired."""
        async with self._context.database.begin() as connection:
            stored, user = await self._lock_session(connection, token)
            if stored is not None and user is not None:
                actor = user_principal(user, session_id=str(stored.family_id))
                await self._end_session(connection, stored.family_id, actor, caller)
        self._authenticator.forget()

    async def change_password(self, principal: Principal, current: str, new: str, caller: Caller) -> None:
        """Change the caller's password and end all their other sessions.

        A stolen access token must not become a way to guess the password, so attempts count like logins.
        """
        assert principal.user_id is not None
        assert principal.session_id is not None
        now = self._context.clock.now()
        origin = AttemptOrigin(caller.address, f"session:{principal.session_id}")
        admitted, user = await self._admit(origin, principal.name, now, in_session=True)
        if user is None or not await verify_password(current, user.password_hash, at_once=True):
            raise BadCredentials("The current password is wrong.")
        async with self._context.database.begin() as connection:
            await mark_succeeded(connection, admitted.attempt_id)
        if new == current:
            # Whoever changes a password that somebody may know must not believe that it is changed.
            raise WeakPassword("The new password is the present one; choose another.")
        await check_strength(new, username=user.username, display_name=user.display_name)
        hashed = await hash_password(new)
        async with self._context.database.begin() as connection:
            await repository.lock_user(connection, user.id)
            await repository.change_user(connection, user.id, {"password_hash": hashed}, raise_epoch=False)
            await repository.end_sessions(connection, user.id, now, keep=UUID(principal.session_id))
            await record_audit(connection, actor=principal, action="auth.password_changed", address=caller.address)
        self._authenticator.forget()

    async def _admit(
        self, origin: AttemptOrigin, username: str, now: datetime, *, in_session: bool = False
    ) -> tuple[Admitted, StoredUser | None]:
        async with self._context.database.begin() as connection:
            verdict = await admit_attempt(
                connection, self._context.settings, origin=origin, username=username, now=now, in_session=in_session
            )
            user = await repository.find_user_by_name(connection, username)
        if isinstance(verdict, TooManyAttempts):
            raise verdict
        return verdict, user

    @staticmethod
    async def _device(connection: AsyncConnection, origin: AttemptOrigin, now: datetime) -> str:
        """Return the device that this login makes known: the one of the cookie only if it came from here."""
        digest = origin.device_hash
        if origin.device and digest and await has_logged_in_anyone(connection, digest, now - FAMILIAR_FOR):
            return origin.device
        return new_secret()

    async def _lock_session(
        self, connection: AsyncConnection, token: str
    ) -> tuple[StoredRefreshToken | None, StoredUser | None]:
        """Return a refresh token and its user, whose lock makes rotation, logout and changes of the user take turns."""
        digest = secret_hash(token)
        unlocked = await repository.find_refresh_token(connection, digest)
        if unlocked is None:
            return None, None
        user = await repository.lock_user(connection, unlocked.user_id)
        return await repository.find_refresh_token(connection, digest), user

    async def _end_session(
        self, connection: AsyncConnection, family_id: UUID, actor: Principal, caller: Caller
    ) -> None:
        if await repository.end_session(connection, family_id, self._context.clock.now()):
            await record_audit(connection, actor=actor, action="auth.logout", address=caller.address)

    async def _open(
        self,
        connection: AsyncConnection,
        user: StoredUser,
        opening: _Opening,
        *,
        refresh: str,
        caller: Caller,
        now: datetime,
    ) -> SessionOut:
        await repository.add_refresh_token(
            connection,
            {
                "family_id": opening.family_id,
                "user_id": user.id,
                "token_hash": secret_hash(refresh),
                "opened_at": opening.opened_at,
                "issued_at": now,
                "expires_at": now + timedelta(days=self._context.settings.refresh_token_days),
                "user_agent": (caller.user_agent or "")[:200] or None,
            },
        )
        return self._session(user, family_id=opening.family_id, refresh=refresh, now=now)

    def _session(self, user: StoredUser, *, family_id: UUID, refresh: str, now: datetime) -> SessionOut:
        access = self._authenticator.tokens.issue_access(
            user_id=user.id, session_id=str(family_id), epoch=user.session_epoch, now=now
        )
        return SessionOut(
            access_token=access,
            expires_in=self._context.settings.access_token_minutes * 60,
            refresh_token=refresh,
            user=user_out(user),
        )


def user_out(user: StoredUser) -> UserOut:
    """Return a user as the API shows them."""
    return UserOut(
        user_id=user.id,
        username=user.username,
        display_name=user.display_name,
        role=Role(user.role),
        is_active=user.is_active,
        location_ids=None if user.visible_codes is None else sorted(user.visible_codes),
        created_at=user.created_at,
        last_login_at=user.last_login_at,
    )
