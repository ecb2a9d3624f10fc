"""FastAPI dependencies: who is calling, and whether they are allowed to."""

from collections.abc import AsyncIterator
from typing import Annotated, Protocol

from fastapi import Depends, Request

from battery_api.accounts.access import access_of
from battery_api.accounts.addresses import client_address
from battery_api.accounts.audit import note_caller_address
from battery_api.accounts.errors import NotAuthenticated, TokenExpired, TooManyRequests
from battery_api.accounts.principal import Forbidden, Principal, Scope
from battery_api.accounts.refusals import record_refusal
from battery_api.accounts.request_limits import RequestLimits
from battery_api.accounts.sessions import Authenticator
from battery_api.context import ProcessContext, parts_of
from battery_api.db.errors import DatabaseUnavailable, DiskFull
from battery_contracts.enums import Role
from battery_servicekit.openapi.marks import admits, can_raise
from battery_servicekit.server.connections import mark_authenticated


class AccountParts(Protocol):
    """What these dependencies need of the running gateway."""

    @property
    def authenticator(self) -> Authenticator:
        """Verifies credentials."""
        ...

    @property
    def request_limits(self) -> RequestLimits:
        """Counts requests."""
        ...

    @property
    def context(self) -> ProcessContext:
        """The process context."""
        ...


def _authenticator(request: Request) -> Authenticator:
    parts: AccountParts = parts_of(request)
    return parts.authenticator


AuthenticatorDep = Annotated[Authenticator, Depends(_authenticator)]


@can_raise(TooManyRequests)
async def _counted(request: Request) -> None:
    parts: AccountParts = parts_of(request)
    await parts.request_limits.count_stranger(client_address(request, parts.context.settings))


COUNTED = Depends(_counted)
"""For endpoints that need no credentials: their requests count against the address."""


class _Allowed:
    """Accepts users of at least a role, and keys with a scope.

    One dependency without sub-dependencies: each node of FastAPI's tree costs more per request than looking up a
    cached token.
    """

    def __init__(self, scope: Scope | None, role: Role) -> None:
        self._scope = scope
        self._role = role
        admits(access_of(scope, role))(self)
        # A caller who is not in the cache is looked up in the database.
        can_raise(NotAuthenticated, TokenExpired, Forbidden, TooManyRequests, DatabaseUnavailable, DiskFull)(self)

    async def __call__(self, request: Request) -> Principal:
        principal = await self.authenticate(request)
        self.require(principal)
        return principal

    @staticmethod
    async def authenticate(request: Request) -> Principal:
        """Return the caller, whatever they may do."""
        parts: AccountParts = parts_of(request)
        address = client_address(request, parts.context.settings)
        note_caller_address(address)
        try:
            principal = await _Allowed._principal(request, parts.authenticator)
        except NotAuthenticated:
            await parts.request_limits.count_stranger(address)
            raise
        mark_authenticated(request.scope)
        await parts.request_limits.count(principal)
        return principal

    @staticmethod
    async def _principal(request: Request, authenticator: Authenticator) -> Principal:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and token:
            return await authenticator.authenticate_token(token.strip())
        if key := request.headers.get("x-api-key"):
            return await authenticator.authenticate_key(key)
        raise NotAuthenticated("Send Authorization: Bearer <access token> or X-API-Key.")

    def require(self, principal: Principal) -> None:
        """Raise `Forbidden` unless the caller has the role or the scope."""
        principal.require(self._role, self._scope)


class _Audited(_Allowed):
    """Lets in the same callers; a refusal, here or by the endpoint, is recorded in the audit log."""

    async def __call__(self, request: Request) -> AsyncIterator[Principal]:  # type: ignore[override]  # FastAPI awaits either
        principal: Principal | None = None
        try:
            principal = await self.authenticate(request)
            self.require(principal)
            yield principal
        except (NotAuthenticated, Forbidden) as error:
            parts: AccountParts = parts_of(request)
            address = client_address(request, parts.context.settings)
            await record_refusal(parts.context, request, principal, address, error)
            raise


def require_scope(scope: Scope | None, *, role: Role) -> _Allowed:
    """Return a dependency that accepts users of at least ``role`` and keys with ``scope``."""
    return _Allowed(scope, role)


def require_audited(scope: Scope | None, *, role: Role) -> _Audited:
    """Return the dependency of `require_scope` for what administrators watch: refusals are recorded."""
    return _Audited(scope, role)


ViewerDep = Annotated[Principal, Depends(require_scope(None, role=Role.VIEWER))]
AdminDep = Annotated[Principal, Depends(require_audited(None, role=Role.ADMIN))]
