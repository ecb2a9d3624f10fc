"""Examples of the account endpoints for their OpenAPI description."""

from datetime import UTC, datetime
from typing import Final

from battery_api.accounts.principal import Scope
from battery_api.accounts.schemas import (
    ApiKeyCreate,
    ApiKeyCreated,
    ApiKeyHandOver,
    ApiKeyOut,
    AuditEntry,
    ChangePasswordRequest,
    LoginRequest,
    RefreshRequest,
    SessionOut,
    UserCreate,
    UserOut,
    UserUpdate,
)
from battery_contracts.enums import Role
from battery_servicekit.openapi.examples import Example, Examples
from battery_servicekit.pagination import Page

# They open nothing anywhere.
_PASSPHRASE: Final = "seven quiet ponds at noon"  # noqa: S105  # an example
_NEW_PASSPHRASE: Final = "nine loud rivers at dusk"  # noqa: S105  # an example
_ACCESS: Final = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3In0.signature"
_REFRESH: Final = "refresh-token-to-use-once"
_USER: Final = UserOut(
    user_id=7,
    username="somchai",
    display_name="Somchai P.",
    role=Role.ENGINEER,
    is_active=True,
    location_ids=["DC-CNX-01"],
    created_at=datetime(2026, 3, 2, 2, 15, tzinfo=UTC),
    last_login_at=datetime(2026, 11, 20, 1, 4, 37, tzinfo=UTC),
)
_SESSION: Final = SessionOut(
    access_token=_ACCESS,
    expires_in=1800,
    refresh_token=_REFRESH,
    user=_USER,
)
_KEY: Final = ApiKeyOut(
    key_id=3,
    name="edge-cnx",
    prefix="bk_3f9a1c07",
    scopes=[Scope.TELEMETRY_WRITE],
    location_ids=["DC-CNX-01"],
    created_at=datetime(2026, 11, 1, 3, 0, tzinfo=UTC),
    expires_at=datetime(2027, 11, 1, 3, 0, tzinfo=UTC),
    revoked_at=None,
    last_used_at=datetime(2026, 11, 20, 1, 9, tzinfo=UTC),
    owner="admin",
    owner_is_active=True,
)
_ENTRY: Final = AuditEntry(
    audit_id=1873,
    at=datetime(2026, 11, 20, 1, 12, 5, tzinfo=UTC),
    actor="somchai",
    action="alert.acknowledge",
    target="4711",
    address="10.20.0.15",
    request_id="5f0c1a7be0d94b5c8d7a3e6f21904c8b",
    data={"note": "Checking the charger."},
)

EXAMPLES: Final[Examples] = {
    "auth_login": Example(_SESSION, request=LoginRequest(username="somchai", password=_PASSPHRASE)),
    "auth_refresh": Example(_SESSION, request=RefreshRequest(refresh_token=_REFRESH)),
    "auth_get_me": Example(_USER),
    "auth_change_password": Example(
        request=ChangePasswordRequest(current_password=_PASSPHRASE, new_password=_NEW_PASSPHRASE)
    ),
    "auth_list_users": Example(Page[UserOut](items=[_USER], total=1, skip=0, limit=100)),
    "auth_create_user": Example(
        _USER.model_copy(update={"last_login_at": None}),
        request=UserCreate(
            username="somchai",
            password=_PASSPHRASE,
            role=Role.ENGINEER,
            display_name="Somchai P.",
            location_ids=["DC-CNX-01"],
        ),
    ),
    "auth_get_user": Example(_USER),
    "auth_update_user": Example(
        _USER.model_copy(update={"role": Role.VIEWER, "location_ids": None}),
        request=UserUpdate(role=Role.VIEWER, location_ids=None),
    ),
    "auth_list_api_keys": Example(Page[ApiKeyOut](items=[_KEY], total=1, skip=0, limit=100)),
    "auth_create_api_key": Example(
        ApiKeyCreated(**{**_KEY.model_dump(), "last_used_at": None}, key="bk_3f9a1c07_the-rest-is-shown-only-here"),
        request=ApiKeyCreate(name="edge-cnx", scopes=[Scope.TELEMETRY_WRITE], location_ids=["DC-CNX-01"]),
    ),
    "auth_hand_over_api_key": Example(
        _KEY.model_copy(update={"owner": "malee"}),
        request=ApiKeyHandOver(user_id=12),
    ),
    "auth_list_audit_log": Example(Page[AuditEntry](items=[_ENTRY], total=1873, skip=0, limit=1)),
}
