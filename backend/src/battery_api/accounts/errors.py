"""Errors of accounts: credentials, sessions, users and keys."""

from battery_servicekit.problems import Conflict, DomainError, Invalid, NotFound


class NotAuthenticated(DomainError):
    """The request carries no valid credentials."""

    code, status = "not_authenticated", 401
    sends = ("WWW-Authenticate",)

    def __init__(self, detail: str) -> None:
        # RFC 9110 requires a challenge with every 401; with Bearer no browser asks for a password.
        super().__init__(detail, headers={"WWW-Authenticate": "Bearer"})


class TokenExpired(NotAuthenticated):
    """The access token has expired; refresh it."""

    code = "token_expired"


class BadCredentials(NotAuthenticated):
    """The user name or the password is wrong, or the account is inactive."""

    code = "bad_credentials"


class RefreshRefused(NotAuthenticated):
    """The refresh token is unknown, used or expired, or its session has ended."""

    code = "refresh_refused"


class TooManyAttempts(DomainError):
    """There were too many failed logins from one address or for one user name."""

    code, status = "too_many_attempts", 429
    sends = ("Retry-After",)


class TooManyRequests(DomainError):
    """A user, a key or an address made too many requests in a short time."""

    code, status = "too_many_requests", 429
    sends = ("Retry-After",)


class UserNotFound(NotFound):
    """No user has this id."""

    code = "user_not_found"


class ApiKeyNotFound(NotFound):
    """No key has this id."""

    code = "api_key_not_found"


class UsernameTaken(Conflict):
    """Another user has this name."""

    code = "username_taken"


class KeyNameTaken(Conflict):
    """Another key has this name."""

    code = "key_name_taken"


class NotOnYourself(Conflict):
    """Administrators cannot delete, demote or deactivate themselves, nor change their own locations."""

    code = "not_on_yourself"


class LastAdmin(Conflict):
    """At least one administrator without restrictions must remain."""

    code = "last_admin"


class WeakPassword(Invalid):
    """The password is too easy to guess."""

    code = "weak_password"


class UnknownLocation(Invalid):
    """A location in the list does not exist."""

    code = "unknown_location"


class OwnerUnsuitable(Invalid):
    """The owner of a key must be an active administrator who sees its locations."""

    code = "owner_unsuitable"


class ExpiryTooLate(Invalid):
    """A new key must expire within the longest time that the settings allow."""

    code = "expiry_too_late"


class ExpiryInThePast(Invalid):
    """The expiry of a new key must be in the future."""

    code = "expiry_in_the_past"
