"""The shared token with which services authenticate to each other."""

from collections.abc import Awaitable, Callable
from hmac import compare_digest

from fastapi import Request
from pydantic import SecretStr

from battery_servicekit.problems import DomainError
from battery_servicekit.server.connections import mark_authenticated


class ServiceTokenMissing(DomainError):
    """The call lacks the token that the services share."""

    code, status = "service_token_missing", 401


def require_service_token(token: SecretStr) -> Callable[[Request], Awaitable[None]]:
    """Build a dependency that admits only the platform's own services."""
    expected = token.get_secret_value().encode()

    async def check(request: Request) -> None:
        presented = request.headers.get("authorization", "").removeprefix("Bearer ").encode()
        # An empty configured token must not match an empty header.
        if not expected or not compare_digest(presented, expected):
            raise ServiceTokenMissing("Send the platform's service token: Authorization: Bearer SERVICE_TOKEN")
        mark_authenticated(request.scope)

    return check
