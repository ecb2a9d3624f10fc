"""Requests and responses of the account endpoints."""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, field_validator

from battery_api.accounts.names import NewUsername, Username
from battery_api.accounts.principal import Scope
from battery_contracts.enums import Role
from battery_contracts.ids import LocationId
from battery_servicekit.plain_text import PlainLine

Password = Annotated[str, StringConstraints(min_length=1, max_length=256)]
DisplayName = Annotated[PlainLine, StringConstraints(max_length=120)]
Locations = Annotated[list[LocationId], Field(max_length=200)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class LoginRequest(_Body):
    """User name and password; with ``session`` cookie the refresh token is out of reach of scripts."""

    username: Username
    password: Password
    session: Literal["token", "cookie"] = "token"


class RefreshRequest(_Body):
    """The refresh token, unless it is sent in the cookie."""

    refresh_token: Annotated[str, Field(max_length=200)] | None = None


class ChangePasswordRequest(_Body):
    """The current and the new password."""

    current_password: Password
    new_password: Password


class UserOut(BaseModel):
    """A user; null in ``location_ids`` means every location."""

    user_id: int
    username: str
    display_name: str | None
    role: Role
    is_active: bool
    location_ids: list[str] | None
    created_at: AwareDatetime
    last_login_at: AwareDatetime | None


class SessionOut(BaseModel):
    """A session: the access token to send as bearer token, and the refresh token unless it is in the cookie."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105  # the scheme's name
    expires_in: int = Field(description="Seconds until the access token expires.")
    refresh_token: str | None
    user: UserOut


class UserCreate(_Body):
    """A new user."""

    username: NewUsername
    password: Password
    role: Role
    display_name: DisplayName | None = None
    location_ids: Locations | None = None


class UserUpdate(_Body):
    """The fields to change; fields that are left out keep their values."""

    role: Role | None = None
    display_name: DisplayName | None = None
    location_ids: Locations | None = None
    is_active: bool | None = None
    password: Password | None = None

    @field_validator("role", "is_active", "password")
    @classmethod
    def _has_no_null(cls, value: object) -> object:
        if value is None:
            raise ValueError("leave the field out to keep its value")
        return value


class ApiKeyCreate(_Body):
    """A new key for a machine."""

    name: Annotated[PlainLine, StringConstraints(min_length=1, max_length=80)]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=len(Scope))]
    location_ids: Locations | None = None
    expires_at: AwareDatetime | None = Field(
        default=None, description="By default API_KEY_DEFAULT_DAYS from now, at most API_KEY_MAX_DAYS."
    )


class ApiKeyHandOver(_Body):
    """Who takes a key over; left out, the caller does."""

    user_id: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None


class ApiKeyOut(BaseModel):
    """A key without its secret."""

    key_id: int
    name: str
    prefix: str
    scopes: list[Scope]
    location_ids: list[str] | None
    created_at: AwareDatetime
    expires_at: AwareDatetime | None
    revoked_at: AwareDatetime | None
    last_used_at: AwareDatetime | None
    owner: str | None = Field(description="The administrator with whom the key ends; null for the installation's own.")
    owner_is_active: bool = Field(description="False: the key is refused until somebody takes it over.")


class ApiKeyCreated(ApiKeyOut):
    """A key with its secret, which is shown only once."""

    key: str


class AuditEntry(BaseModel):
    """One entry of the audit log."""

    audit_id: int
    at: AwareDatetime
    actor: str
    action: str
    target: str | None
    address: str | None
    request_id: str | None
    data: dict[str, Any]
