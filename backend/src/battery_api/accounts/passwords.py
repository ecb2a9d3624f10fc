"""Password hashes and the rule for new passwords."""

import asyncio
import re
import unicodedata
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Final

from passlib.context import CryptContext
from zxcvbn import zxcvbn

from battery_api.accounts.errors import WeakPassword

MIN_LENGTH: Final = 12
MAX_LENGTH: Final = 256
_MIN_SCORE: Final = 4  # the highest: more than 10^10 guesses by zxcvbn's estimate
_JUDGED_LENGTH: Final = 72  # zxcvbn takes no more; what follows only makes a password harder to guess
# What people around batteries in Thailand think of first.
_WORDS_OF_THE_TRADE: Final = [
    "administrator",
    "batteries",
    "battery",
    "center",
    "centre",
    "charger",
    "data",
    "datacenter",
    "discharge",
    "float",
    "monitor",
    "string",
    "twin",
    "voltage",
    "vrla",
    "bangkok",
    "chiang",
    "chonburi",
    "hatyai",
    "khonkaen",
    "korat",
    "mai",
    "phuket",
    "siam",
    "songkhla",
    "thai",
    "thailand",
]
_MIN_NAME_LENGTH: Final = 4

_hashes = CryptContext(schemes=["argon2"])
# Each hash takes 64 MiB and a core for a tenth of a second by design, so few run at a time and none on the event loop.
_workers = ThreadPoolExecutor(max_workers=2, thread_name_prefix="password")
# Callers whom a name knows do not queue behind a flood of strangers.
_known_callers = ThreadPoolExecutor(max_workers=1, thread_name_prefix="password-known")


async def hash_password(password: str) -> str:
    """Hash a password off the event loop."""
    return await asyncio.get_running_loop().run_in_executor(_workers, _hash, password)


async def verify_password(password: str, password_hash: str | None, *, at_once: bool = False) -> bool:
    """Return whether a password is right; without a hash (no such user) it takes as long and returns False.

    With ``at_once`` it does not wait for the passwords of strangers.
    """
    workers = _known_callers if at_once else _workers
    return await asyncio.get_running_loop().run_in_executor(workers, _verify, password, password_hash)


async def check_strength(password: str, *, username: str, display_name: str | None = None) -> None:
    """Raise `WeakPassword`, with the remedy, if a password is too easy to guess.

    The estimate of zxcvbn counts: common passwords and words, names, dates, sequences, keyboard patterns, repetitions
    and all of these combined or spelt with digits and signs.
    """
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise WeakPassword(f"Use {MIN_LENGTH} to {MAX_LENGTH} characters; this password has {len(password)}.")
    names = {username.casefold(), *_words(username), *_words(display_name or "")}
    folded = password.casefold()
    if any(len(name) >= _MIN_NAME_LENGTH and name in folded for name in names):
        raise WeakPassword(
            "This password contains the user's name, which makes it easy to guess; use several unrelated words."
        )
    inputs = [*_WORDS_OF_THE_TRADE, *names]
    # A long one takes a tenth of a second, which the event loop does not have.
    score = await asyncio.get_running_loop().run_in_executor(_workers, _score, password, inputs)
    if score < _MIN_SCORE:
        raise WeakPassword("This password is easy to guess; use several unrelated words.")


def _words(name: str) -> list[str]:
    return [word for word in re.split(r"[\W_]+", name.casefold()) if word]


def _score(password: str, inputs: Sequence[str]) -> int:
    return int(zxcvbn(_normalized(password)[:_JUDGED_LENGTH], user_inputs=inputs)["score"])


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
