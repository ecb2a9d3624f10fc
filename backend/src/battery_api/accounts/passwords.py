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
# The commonest of those that are long enough; shorter ones fall to the length rule.
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
_SHORTEST_NAME_LOOKED_FOR: Final = 4

_hashes = CryptContext(schemes=["argon2"])
# Each hash takes 64 MiB and a core for a tenth of a second by design, so few run at a time and none on the event loop.
_workers = ThreadPoolExecutor(max_workers=2, thread_name_prefix="password")


async def hash_password(password: str) -> str:
    """Hash a password off the event loop."""
    return await asyncio.get_running_loop().run_in_executor(_workers, _hash, password)


async def verify_password(password: str, password_hash: str | None) -> bool:
    """Check a password; without a hash (no such user) the work and the time are the same and the answer is no."""
    return await asyncio.get_running_loop().run_in_executor(_workers, _verify, password, password_hash)


def check_strength(password: str, *, username: str) -> None:
    """Raise `WeakPassword` with the remedy."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise WeakPassword(f"Use {MIN_LENGTH} to {MAX_LENGTH} characters; this has {len(password)}.")
    folded, name = password.casefold(), username.casefold()
    holds_name = len(name) >= _SHORTEST_NAME_LOOKED_FOR and name in folded
    if holds_name or len(set(folded)) < 5 or folded in _COMMON:
        raise WeakPassword("This password is easy to guess; several unrelated words make a good one.")


def _hash(password: str) -> str:
    return str(_hashes.hash(_spelt(password)))


def _verify(password: str, password_hash: str | None) -> bool:
    matches = bool(_hashes.verify(_spelt(password), password_hash or _decoy_hash()))
    return matches and password_hash is not None


def _spelt(password: str) -> str:
    # The same keys give composed characters on one system and decomposed ones on another.
    return unicodedata.normalize("NFKC", password)


@cache
def _decoy_hash() -> str:
    return _hash("no user has this password")
