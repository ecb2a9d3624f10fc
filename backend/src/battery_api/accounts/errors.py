"""What can go wrong with identities."""

from battery_servicekit.problems import Conflict, DomainError, Invalid, NotFound


class NotAuthenticated(DomainError):
    """The request carries no valid credentials."""

    code, status = "not_authenticated", 401

    def __init__(self, detail: str) -> None:
        # RFC 9110 wants a challenge with every 401; Bearer makes no browser ask for a password.
        super().__init__(detail, headers={"WWW-Authenticate": "Bearer"})


class TokenExpired(NotAuthenticated):
    """The access token was valid once; refresh it."""

    code = "token_expired"


class BadCredentials(NotAuthenticated):
    """User name and password do not belong together, or the account is switched off."""

    code = "bad_credentials"


class RefreshRefused(NotAuthenticated):
    """The refresh token is unknown, used, expired or its session has ended."""

    code = "refresh_refused"


class TooManyAttempts(DomainError):
    """Too many failed logins from one address or on one name."""

    code, status = "too_many_attempts", 429


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
    """Nobody deletes, demotes, restricts or switches off himself."""

    code = "not_on_yourself"


class LastAdmin(Conflict):
    """Somebody must be left who can administer."""

    code = "last_admin"


class WeakPassword(Invalid):
    """The password is too easy to guess."""

    code = "weak_password"


class UnknownLocation(Invalid):
    """A location of the list does not exist."""

    code = "unknown_location"


class ExpiryInThePast(Invalid):
    """A key that has expired already is of no use."""

    code = "expiry_in_the_past"
