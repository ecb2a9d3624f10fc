"""Texts that a spreadsheet would run as formulas, marked so that it shows them: ``'=1+1`` stands for ``=1+1``."""

import re
from typing import Final

# Also in full width, which spreadsheets of East Asia take for formulas.
_FORMULA: Final = re.compile("'*[=+\\-@\uff1d\uff0b\uff0d\uff20]")


def marked(text: str) -> str:
    """Return a text for a CSV file; `unmarked` returns the text again, whatever it is."""
    return f"'{text}" if _FORMULA.match(text) else text


def unmarked(text: str) -> str:
    """Return what a cell stands for: without the apostrophe that keeps a spreadsheet from running it."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text
