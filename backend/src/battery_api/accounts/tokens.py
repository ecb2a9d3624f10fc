"""Access tokens (JWT, HS256 only) and refresh tokens (opaque secrets). The only importer of python-jose."""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from jose import JWTError, jwt

from battery_api.accounts.errors import NotAuthenticated

_ALGORITHM: Final = "HS256"
_ACCESS: Final = "access"
_ISSUER: Final = "battery-api"
# Ours have about 350 characters. The header of a token is parsed before its signature is verified.
_MAX_TOKEN_LENGTH: Final = 2048


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """Contents of an access token: the user, the session family and the epoch of the user's rights."""

    user_id: int
    session_id: str
    epoch: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SessionTokens:
    """Issues and verifies the tokens of sessions with one secret."""

    secret: str = field(repr=False)
    lifetime: timedelta

    def issue_access(self, *, user_id: int, session_id: str, epoch: int, now: datetime) -> str:
        """Return a signed access token for a user's session."""
        claims = {
            "typ": _ACCESS,
            "iss": _ISSUER,
            "sub": str(user_id),
            "sid": session_id,
            "epoch": epoch,
            "iat": int(now.timestamp()),
            "exp": int((now + self.lifetime).timestamp()),
            "jti": secrets.token_hex(8),
        }
        return str(jwt.encode(claims, self.secret, algorithm=_ALGORITHM))

    def verify_access(self, token: str) -> AccessClaims:
        """Verify signature, algorithm, issuer and type; the caller compares `AccessClaims.expires_at` with its clock.

        Raises
        ------
        NotAuthenticated
            Anything about the token is wrong.
        """
        if len(token) > _MAX_TOKEN_LENGTH:
            raise NotAuthenticated("The access token is not valid.")
        # Expiry is compared with our own clock later. Never "require_exp" here: it would switch verify_exp on again.
        options = {"verify_exp": False, "verify_aud": False}
        try:
            claims: dict[str, Any] = jwt.decode(
                token, self.secret, algorithms=[_ALGORITHM], issuer=_ISSUER, options=options
            )
        except (JWTError, RecursionError) as error:  # a header of deeply nested brackets recurses
            raise NotAuthenticated("The access token is not valid.") from error
        if claims.get("typ") != _ACCESS:
            raise NotAuthenticated("This is not an access token.")
        try:
            return AccessClaims(
                user_id=int(claims["sub"]),
                session_id=str(UUID(claims["sid"])),
                epoch=int(claims["epoch"]),
                expires_at=datetime.fromtimestamp(int(claims["exp"]), UTC),
            )
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise NotAuthenticated("The access token lacks a claim.") from error

    def successor_of(self, refresh_token: str) -> str:
        """Return the refresh token that follows another.

        It is derived, not random, so that a client whose response was lost, or a second tab, gets the same successor
        again although only hashes are stored. It cannot be computed without the secret.
        """
        message = b"refresh token after\0" + refresh_token.encode()
        return urlsafe_b64encode(hmac.digest(self.secret.encode(), message, "sha256")).rstrip(b"=").decode()


def new_secret() -> str:
    """Return a new opaque secret of 256 bits."""
    return secrets.token_urlsafe(32)


def new_api_key() -> tuple[str, str]:
    """Return the public prefix of a new API key and the whole key: ``bk_<prefix>_<secret>``."""
    prefix = f"bk_{secrets.token_hex(4)}"
    return prefix, f"{prefix}_{new_secret()}"


def secret_hash(secret: str) -> str:
    """Return the hash that is stored of an opaque secret; it is random and long, so a plain SHA-256 is safe."""
    return hashlib.sha256(secret.encode()).hexdigest()
