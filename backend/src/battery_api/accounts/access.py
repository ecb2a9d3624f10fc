"""How the OpenAPI description names the credentials of the gateway, and who may do what with them."""

from typing import Final

from battery_api.accounts.principal import Scope
from battery_contracts.enums import Role
from battery_servicekit.openapi.marks import Access

COOKIE: Final = "battery_refresh"
_TOKEN: Final = {
    "HTTPBearer": {"type": "http", "scheme": "bearer", "description": "Access token from auth/login."},
}
_API_KEY: Final = {
    "APIKeyHeader": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "API key of a machine."},
}
_COOKIE: Final = {
    "RefreshCookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": 'Refresh token, set by auth/login with `session: "cookie"`.',
    },
}
REFRESH_COOKIE: Final = Access(
    _COOKIE, "Needs the refresh token, in the body or in the cookie, and no other credentials.", is_optional=True
)
EITHER_TOKEN: Final = Access(
    _TOKEN | _COOKIE,
    "Ends the session of the access token and that of the refresh cookie; without either nothing happens.",
    is_optional=True,
)


def access_of(scope: Scope | None, role: Role) -> Access:
    """Return the access of users of at least ``role`` and, unless ``scope`` is None, of keys with it."""
    if scope is None:
        return Access(_TOKEN, f"Needs the role {role.value}; API keys are refused.")
    return Access(_TOKEN | _API_KEY, f"Needs the role {role.value} or a key with the scope `{scope.value}`.")
