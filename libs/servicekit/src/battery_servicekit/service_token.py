"""The shared token with which services authenticate to each other."""

from collections.abc import Awaitable, Callable
from hmac import compare_digest
from typing import Final

from fastapi import Request
from pydantic import SecretStr

from battery_servicekit.openapi.marks import Access, admits, can_raise
from battery_servicekit.problems import DomainError
from battery_servicekit.server.connections import mark_authenticated


class ServiceTokenMissing(DomainError):
    """The call lacks the token that the services share."""

    code, status = "service_token_missing", 401


ACCESS: Final = Access(
    {
        "ServiceToken": {
            "type": "http",
            "scheme": "bearer",
            "description": "The token that the platform's services share (SERVICE_TOKEN).",
        }
    },
    "Needs the platform's service token as bearer token.",
)


def require_service_token(token: SecretStr) -> Callable[[Request], Awaitable[None]]:
    """Build a dependency that admits only the platform's own services."""
    expected = token.get_secret_value().encode()

    @admits(ACCESS)
    @can_raise(ServiceTokenMissing)
    async def check(request: Request) -> None:
        presented = request.headers.get("authorization", "").removeprefix("Bearer ").encode()
        # An empty configured token must not match an empty header.
        if not expected or not compare_digest(presented, expected):
            raise ServiceTokenMissing("Send the platform's service token: Authorization: Bearer SERVICE_TOKEN")
        mark_authenticated(request.scope)

    return check


def service_guard(token: SecretStr | None) -> Callable[[Request], Awaitable[None]]:
    """Build the dependency of `require_service_token`; with None it admits everybody, and is described all the same.

    None is for an app that is built without settings, to be described or tested; a service has a token.
    """
    if token is not None:
        return require_service_token(token)

    @admits(ACCESS)
    @can_raise(ServiceTokenMissing)
    async def admit(_: Request) -> None:
        """Admit everybody."""

    return admit
