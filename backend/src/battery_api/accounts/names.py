"""Names of users: compared in one spelling, so that no two look alike."""

import unicodedata
from typing import Annotated, Final

from pydantic import AfterValidator, StringConstraints

MAX_USERNAME_LENGTH: Final = 64
# Actors in the audit log that are not users; machines are "key:<name>", and a user name cannot contain a colon.
RESERVED: Final = frozenset({"anonymous", "bootstrap", "system"})
_PUNCTUATION: Final = frozenset(" ._-@+'")


def canonical(username: str) -> str:
    """Return a user name in the spelling that is stored and searched; case is kept, and searches ignore it."""
    name = unicodedata.normalize("NFKC", username).strip()
    if not 1 <= len(name) <= MAX_USERNAME_LENGTH:
        raise ValueError(f"a user name has 1 to {MAX_USERNAME_LENGTH} characters")
    # Letters, marks and digits of any script. Invisible and direction-changing characters would let one name look
    # like another; PostgreSQL does not accept NUL.
    if not all(unicodedata.category(character)[0] in "LMN" or character in _PUNCTUATION for character in name):
        raise ValueError("a user name may only contain letters, digits, spaces and . _ - @ + '")
    return name


def _new_username(username: str) -> str:
    name = canonical(username)
    if name.casefold() in RESERVED:
        raise ValueError("this name is reserved")
    return name


Username = Annotated[str, StringConstraints(max_length=200), AfterValidator(canonical)]
NewUsername = Annotated[str, StringConstraints(max_length=200), AfterValidator(_new_username)]
