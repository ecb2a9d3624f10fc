"""FastAPI dependencies: who is calling, and whether he may."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import APIKeyHeader, HTTPBearer

from battery_api.accounts.errors import NotAuthenticated
from battery_api.accounts.principal import Principal, Scope
from battery_api.accounts.sessions import Authenticator
from battery_contracts.enums import Role

# Declared for the OpenAPI description; the check itself is ours, for our problem shape.
_bearer = HTTPBearer(auto_error=False, description="Access token from auth/login.")
_api_key = APIKeyHeader(name="X-API-Key", auto_error=False, description="Key of a machine.")


def _authenticator(request: Request) -> Authenticator:
    authenticator: Authenticator = request.app.state.authenticator
    return authenticator


AuthenticatorDep = Annotated[Authenticator, Depends(_authenticator)]


async def _principal(request: Request, authenticator: AuthenticatorDep) -> Principal:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return await authenticator.authenticate_token(token.strip())
    key = request.headers.get("x-api-key")
    if key:
        return await authenticator.authenticate_key(key)
    raise NotAuthenticated("Send Authorization: Bearer <access token> or X-API-Key.")


_declared = [Depends(_bearer), Depends(_api_key)]
PrincipalDep = Annotated[Principal, Depends(_principal)]


def require_scope(scope: Scope | None, *, role: Role) -> Callable[..., Awaitable[Principal]]:
    """Build a dependency that lets users of at least ``role`` and keys with ``scope`` pass."""

    async def check(
        principal: PrincipalDep, _bearer_doc: Annotated[object, _declared[0]], _key_doc: Annotated[object, _declared[1]]
    ) -> Principal:
        principal.require(role, scope)
        return principal

    return check


ViewerDep = Annotated[Principal, Depends(require_scope(None, role=Role.VIEWER))]
EngineerDep = Annotated[Principal, Depends(require_scope(None, role=Role.ENGINEER))]
AdminDep = Annotated[Principal, Depends(require_scope(None, role=Role.ADMIN))]
