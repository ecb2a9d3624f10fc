"""Text that people write for other people: what cannot be seen in it is refused."""

import unicodedata
from typing import Annotated, Final

from pydantic import AfterValidator, StringConstraints

_LAYOUT: Final = frozenset("\n\t\r")
_HIDDEN: Final = frozenset({"Cc", "Cs"})  # control characters, NUL among them, and halves of a pair
_REORDERING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that change the order in which the others are shown, so that a text reads as another one."""


def _line(text: str) -> str:
    return _visible(text, frozenset())


def _text(text: str) -> str:
    return _visible(text, _LAYOUT)


def _visible(text: str, layout: frozenset[str]) -> str:
    for position, character in enumerate(text, start=1):
        is_hidden = unicodedata.category(character) in _HIDDEN and character not in layout
        if is_hidden or character in _REORDERING:
            raise ValueError(f"character {position} is U+{ord(character):04X}, which cannot be seen; remove it")
    return unicodedata.normalize("NFC", text)


PlainLine = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(_line)]
"""One line without spaces at its ends, in composed characters."""
PlainText = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(_text)]
"""The same with line breaks and tabs."""
