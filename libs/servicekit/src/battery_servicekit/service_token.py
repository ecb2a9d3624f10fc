"""The shared token by which services know each other."""

from collections.abc import Awaitable, Callable
from hmac import compare_digest

from fastapi import Request
from pydantic import SecretStr

from battery_servicekit.problems import DomainError


class ServiceTokenMissing(DomainError):
    """The call did not carry the token that the services share."""

    code, status = "service_token_missing", 401


def require_service_token(token: SecretStr) -> Callable[[Request], Awaitable[None]]:
    """Build a dependency that lets only the platform's own services in."""
    expected = token.get_secret_value().encode()

    async def check(request: Request) -> None:
        given = request.headers.get("authorization", "").removeprefix("Bearer ").encode()
        # An empty configured token must not open the door to an empty header.
        if not expected or not compare_digest(given, expected):
            raise ServiceTokenMissing("Send the platform's service token: Authorization: Bearer SERVICE_TOKEN")

    return check
