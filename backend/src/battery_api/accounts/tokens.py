"""Access tokens (JWT, HS256 only) and refresh tokens (opaque secrets). The only importer of python-jose."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from jose import ExpiredSignatureError, JWTError, jwt

from battery_api.accounts.errors import NotAuthenticated, TokenExpired

_ALGORITHM: Final = "HS256"
_ACCESS: Final = "access"
_ISSUER: Final = "battery-api"


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """What an access token says: who, in which session family, and under which epoch of the user's rights."""

    user_id: int
    session_id: str
    epoch: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class AccessTokens:
    """Issues and verifies access tokens with one secret."""

    secret: str
    lifetime: timedelta

    def issue(self, *, user_id: int, session_id: str, epoch: int, now: datetime) -> str:
        """Return a signed token for a user's session."""
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

    def verify(self, token: str) -> AccessClaims:
        """Check signature, algorithm, issuer and type; expiry against the caller's clock is `AccessClaims.expires_at`.

        Raises
        ------
        NotAuthenticated
            Anything about the token is wrong.
        """
        options = {"verify_exp": False, "require_exp": True, "require_sub": True, "verify_aud": False}
        try:
            claims: dict[str, Any] = jwt.decode(
                token, self.secret, algorithms=[_ALGORITHM], issuer=_ISSUER, options=options
            )
        except ExpiredSignatureError as error:
            raise TokenExpired("The access token has expired; refresh it.") from error
        except JWTError as error:
            raise NotAuthenticated("The access token is not valid.") from error
        if claims.get("typ") != _ACCESS:
            raise NotAuthenticated("This is not an access token.")
        try:
            return AccessClaims(
                user_id=int(claims["sub"]),
                session_id=str(claims["sid"]),
                epoch=int(claims["epoch"]),
                expires_at=datetime.fromtimestamp(int(claims["exp"]), UTC),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise NotAuthenticated("The access token lacks a claim.") from error


def new_secret() -> str:
    """Return a fresh opaque secret of 256 bits."""
    return secrets.token_urlsafe(32)


def secret_hash(secret: str) -> str:
    """Return what is stored of an opaque secret. It is random and long, so a plain SHA-256 cannot be searched back."""
    return hashlib.sha256(secret.encode()).hexdigest()
