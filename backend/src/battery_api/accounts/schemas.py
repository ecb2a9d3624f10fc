"""Requests and responses of the account endpoints."""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, ConfigDict, Field, StringConstraints, field_validator

from battery_api.accounts.names import NewUsername, Username
from battery_api.accounts.principal import Scope
from battery_contracts.described import Described
from battery_contracts.enums import Role
from battery_contracts.ids import LocationId
from battery_contracts.instants import Instant
from battery_servicekit.plain_text import PlainLine

Password = Annotated[str, StringConstraints(min_length=1, max_length=256)]
DisplayName = Annotated[PlainLine, StringConstraints(max_length=120)]
Locations = Annotated[list[LocationId], Field(max_length=200)]


class _Body(Described):
    model_config = ConfigDict(extra="forbid")


class LoginRequest(_Body):
    """User name and password; with ``session`` cookie the refresh token is out of reach of scripts."""

    username: Username
    """Name of the user; capital and small letters count as the same."""
    password: Password
    """Password of the user."""
    session: Literal["token", "cookie"] = "token"
    """`token` returns the refresh token in the answer, `cookie` only in an HttpOnly cookie."""


class RefreshRequest(_Body):
    """The refresh token, unless it is sent in the cookie."""

    refresh_token: Annotated[str, Field(max_length=200)] | None = None
    """Refresh token of the session; null where the cookie carries it."""


class ChangePasswordRequest(_Body):
    """The current and the new password."""

    current_password: Password
    """Password that is valid now."""
    new_password: Password
    """Password from now on, 12 to 256 characters."""


class UserOut(Described):
    """A user; null in ``location_ids`` means every location."""

    user_id: int
    """Number by which the API addresses the user."""
    username: str
    """Name to log in with."""
    display_name: str | None
    """Name for people; null where none was given."""
    role: Role
    """What the user may do; each role includes the one before it."""
    is_active: bool
    """False: the user cannot log in, and has no session."""
    location_ids: list[str] | None
    """Ids of the locations that the user may see; null means every location."""
    created_at: AwareDatetime
    """When the user was created."""
    last_login_at: AwareDatetime | None
    """When the user last logged in; null before the first time."""


class SessionOut(Described):
    """A session: the access token to send as bearer token, and the refresh token unless it is in the cookie."""

    access_token: str
    """Token to send as `Authorization: Bearer ...`."""
    token_type: Literal["bearer"] = "bearer"  # noqa: S105  # the scheme's name
    """Scheme of the access token."""
    expires_in: int = Field(description="Seconds until the access token expires.")
    refresh_token: str | None
    """Token for `POST auth/refresh`, which can be used once; null where the cookie carries it."""
    user: UserOut
    """The user whose session it is."""


class UserCreate(_Body):
    """A new user."""

    username: NewUsername
    """Name to log in with, which cannot be changed; capital and small letters count as the same."""
    password: Password
    """First password, 12 to 256 characters."""
    role: Role
    """What the user may do; each role includes the one before it."""
    display_name: DisplayName | None = None
    """Name for people; null for none."""
    location_ids: Locations | None = None
    """Ids of the locations that the user may see; null means every location."""


class UserUpdate(_Body):
    """The fields to change; fields that are left out keep their values."""

    role: Role | None = None
    """New role; it applies within seconds."""
    display_name: DisplayName | None = None
    """New name for people; null removes it."""
    location_ids: Locations | None = None
    """Ids of the locations that the user may see from now on; null means every location."""
    is_active: bool | None = None
    """False ends the user's sessions and refuses new ones; true lets the user log in again."""
    password: Password | None = None
    """New password, 12 to 256 characters; it ends the user's sessions."""

    @field_validator("role", "is_active", "password")
    @classmethod
    def _has_no_null(cls, value: object) -> object:
        if value is None:
            raise ValueError("leave the field out to keep its value")
        return value


class ApiKeyCreate(_Body):
    """A new key for a machine."""

    name: Annotated[PlainLine, StringConstraints(min_length=1, max_length=80)]
    """Name of the machine that uses the key; no other key, even a revoked one, may have it."""
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=len(Scope))]
    """What the key may do; each endpoint names the scope that it needs."""
    location_ids: Locations | None = None
    """Ids of the locations that the key may read or send; null means every location."""
    expires_at: Instant | None = Field(
        default=None, description="By default API_KEY_DEFAULT_DAYS from now, at most API_KEY_MAX_DAYS."
    )


class ApiKeyHandOver(_Body):
    """Who takes a key over; left out, the caller does."""

    user_id: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None
    """Number of the administrator who takes the key over; null means the caller."""


class ApiKeyOut(Described):
    """A key without its secret."""

    key_id: int
    """Number by which the API addresses the key."""
    name: str
    """Name of the machine that uses the key."""
    prefix: str
    """First characters of the key, by which people recognise it."""
    scopes: list[Scope]
    """What the key may do."""
    location_ids: list[str] | None
    """Ids of the locations that the key may read or send; null means every location."""
    created_at: AwareDatetime
    """When the key was created."""
    expires_at: AwareDatetime | None
    """From when the key is refused; null where it does not expire."""
    revoked_at: AwareDatetime | None
    """When the key was revoked; null while it is not."""
    last_used_at: AwareDatetime | None
    """When the key was last used, to the minute; null before the first time."""
    owner: str | None = Field(description="The administrator with whom the key ends; null for the installation's own.")
    owner_is_active: bool = Field(description="False: the key is refused until somebody takes it over.")


class ApiKeyCreated(ApiKeyOut):
    """A key with its secret, which is shown only once."""

    key: str
    """The key itself, to send as `X-API-Key`; it cannot be read again."""


class AuditEntry(Described):
    """One entry of the audit log."""

    audit_id: int
    """Number of the entry; a later entry has a larger one."""
    at: AwareDatetime
    """When it happened."""
    actor: str
    """Who did it: a user name, or the name of a key or of the platform's own part."""
    action: str
    """What was done, as `user.create`."""
    target: str | None
    """What it was done to; null where the action names it already."""
    address: str | None
    """Network address that the request came from; null for what no request caused."""
    request_id: str | None
    """Id of the request, as in `X-Request-Id`; null for what no request caused."""
    data: dict[str, Any]
    """Particulars of the action, by name; never a secret."""
