"""Test double of the authenticator, whose own tests are elsewhere."""

from battery_api.accounts.errors import NotAuthenticated
from battery_api.accounts.principal import Principal
from battery_api.accounts.sessions import Authenticator


class Callers(Authenticator):
    """The token, or the key, is the caller's name."""

    def __init__(self, known: dict[str, Principal]) -> None:
        self.known = known

    async def authenticate_token(self, token: str, *, ignore_expiry: bool = False) -> Principal:  # noqa: ARG002  # the signature of the real one
        if token not in self.known:
            raise NotAuthenticated("unknown")
        return self.known[token]

    async def authenticate_key(self, key: str) -> Principal:
        return await self.authenticate_token(key)


def named(name: str) -> dict[str, str]:
    """Return the header that calls as somebody."""
    return {"Authorization": f"Bearer {name}"}
