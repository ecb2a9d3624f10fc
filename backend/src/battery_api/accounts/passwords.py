"""Password hashes and the rule for new passwords."""

import asyncio
from functools import cache
from typing import Final

from passlib.context import CryptContext

from battery_api.accounts.errors import WeakPassword

MIN_LENGTH: Final = 12
MAX_LENGTH: Final = 256
# The commonest of those that are long enough; shorter ones fall to the length rule.
_COMMON: Final = frozenset(
    {"123456789012", "passwordpassword", "password1234", "qwertyuiop12", "administrator", "adminadminadmin"}
)

_hashes = CryptContext(schemes=["argon2"])


async def hash_password(password: str) -> str:
    """Hash a password off the event loop: it takes about 0.15 s by design."""
    return await asyncio.to_thread(_hashes.hash, password)


async def verify_password(password: str, password_hash: str | None) -> bool:
    """Check a password; without a hash (no such user) the work and the time are the same and the answer is no."""
    matches = await asyncio.to_thread(_hashes.verify, password, password_hash or _decoy_hash())
    return matches and password_hash is not None


def check_strength(password: str, *, username: str) -> None:
    """Raise `WeakPassword` with the remedy."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise WeakPassword(f"Use {MIN_LENGTH} to {MAX_LENGTH} characters; this has {len(password)}.")
    if username.casefold() in password.casefold() or len(set(password)) < 5 or password.casefold() in _COMMON:
        raise WeakPassword("This password is easy to guess; several unrelated words make a good one.")


@cache
def _decoy_hash() -> str:
    return str(_hashes.hash("no user has this password"))
