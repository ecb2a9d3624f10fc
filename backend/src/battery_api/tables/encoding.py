"""The text of a file: UTF-8, or UTF-16 with its mark; other encodings are named with the remedy, never guessed."""

import re
from typing import Final

from battery_api.tables.model import TableRefused

_UTF_16_MARKS: Final = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_UTF_32_MARKS: Final = (b"\xff\xfe\0\0", b"\0\0\xfe\xff")
_REMEDY: Final = "save it as CSV UTF-8"
_WESTERN_SIGNS: Final = frozenset(b"\xb0\xb1\xb2\xb3\xb5\xb7")
"""Degree, plus-minus, squared, cubed, micro and middle dot in Windows-1252; letters of Thai in Windows-874."""


def decoded(content: bytes) -> str:
    """Return the text of a file.

    Raises
    ------
    TableRefused
        It is neither UTF-8 nor UTF-16 with its mark, or holds NUL.
    """
    if content.startswith(_UTF_32_MARKS):
        raise TableRefused(f"the file is not UTF-8 but UTF-32 text; {_REMEDY}.")
    encoding = _UTF_16_MARKS.get(content[:2])
    if encoding is not None:
        return _decoded_utf_16(content[2:], encoding)
    nul = content.find(b"\0")
    if nul >= 0:
        raise TableRefused(
            f"line {_line_of(content, nul)} holds a NUL byte (byte {nul}): the file is damaged or not text "
            f"(UTF-16 without its mark, for example); {_REMEDY}."
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TableRefused(
            f"line {_line_of(content, error.start)} is not UTF-8 text (byte {error.start}; {_appearance(content)}); "
            f"{_REMEDY}."
        ) from error


def _decoded_utf_16(content: bytes, encoding: str) -> str:
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise TableRefused(
            f"the file begins as UTF-16 text and breaks off or is damaged at byte {error.start + 2}, and it is "
            f"not UTF-8; {_REMEDY}."
        ) from error
    nul = text.find("\0")
    if nul >= 0:
        line = _line_of(text[:nul].encode(), nul * 4)
        raise TableRefused(f"line {line} holds a NUL character: the file is damaged; {_REMEDY}.")
    return text


def _appearance(content: bytes) -> str:
    """Return the encodings that bytes beyond ASCII probably are: Thai words are runs of them, signs stand alone."""
    runs = re.findall(rb"[\x80-\xff]+", content)
    if all(len(run) == 1 and run[0] in _WESTERN_SIGNS for run in runs):
        return "probably Windows-1252, whose signs ° and µ stand alone"
    if any(len(run) > 2 for run in runs):
        return "probably Windows-874, in which a Thai spreadsheet saves plain CSV"
    return "probably Windows-874, as Thai spreadsheets save plain CSV, or Windows-1252"


def _line_of(content: bytes, index: int) -> int:
    return len(re.findall(rb"\r\n|\r|\n", content[:index])) + 1
