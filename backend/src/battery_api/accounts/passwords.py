"""Password hashes and the rule for new passwords."""

import asyncio
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Final

from passlib.context import CryptContext

from battery_api.accounts.errors import WeakPassword

MIN_LENGTH: Final = 12
MAX_LENGTH: Final = 256
# The most common ones that are long enough; the length rule refuses shorter ones.
_COMMON: Final = frozenset(
    {
        "administrator",
        "adminadminadmin",
        "battery12345",
        "changeme1234",
        "letmein12345",
        "password1234",
        "password12345",
        "passwordpassword",
        "qwerty123456",
        "qwertyuiop12",
        "qwertyuiop123",
        "qwertyuiopasdf",
        "1q2w3e4r5t6y",
        "1qaz2wsx3edc",
        "123456789012",
        "1234567890123",
        "welcome12345",
    }
)
_MIN_NAME_LENGTH: Final = 4

_hashes = CryptContext(schemes=["argon2"])
# Each hash takes 64 MiB and a core for a tenth of a second by design, so few run at a time and none on the event loop.
_workers = ThreadPoolExecutor(max_workers=2, thread_name_prefix="password")


async def hash_password(password: str) -> str:
    """Hash a password off the event loop."""
    return await asyncio.get_running_loop().run_in_executor(_workers, _hash, password)


async def verify_password(password: str, password_hash: str | None) -> bool:
    """Return whether a password is right; without a hash (no such user) it takes as long and returns False."""
    return await asyncio.get_running_loop().run_in_executor(_workers, _verify, password, password_hash)


def check_strength(password: str, *, username: str) -> None:
    """Raise `WeakPassword`, with the remedy, if a password is too easy to guess."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise WeakPassword(f"Use {MIN_LENGTH} to {MAX_LENGTH} characters; this password has {len(password)}.")
    folded, name = password.casefold(), username.casefold()
    contains_name = len(name) >= _MIN_NAME_LENGTH and name in folded
    if contains_name or len(set(folded)) < 5 or folded in _COMMON:
        raise WeakPassword("This password is easy to guess; use several unrelated words.")


def _hash(password: str) -> str:
    return str(_hashes.hash(_normalized(password)))


def _verify(password: str, password_hash: str | None) -> bool:
    matches = bool(_hashes.verify(_normalized(password), password_hash or _decoy_hash()))
    return matches and password_hash is not None


def _normalized(password: str) -> str:
    # The same keys give composed characters on one system and decomposed ones on another.
    return unicodedata.normalize("NFKC", password)


@cache
def _decoy_hash() -> str:
    return _hash("no user has this password")
