"""The sheets of a workbook as the archive holds them: what the reader of values leaves out, and their extent."""

import html
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from posixpath import join, normpath
from typing import Final

from battery_api.tables.model import TableRefused, column_number

_ATTRIBUTE: Final = re.compile(r"""([\w:]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_SHEET: Final = re.compile(r"<(?:\w+:)?sheet\s([^>]*)>")
_RELATIONSHIP: Final = re.compile(r"<(?:\w+:)?Relationship\s([^>]*)>")
_REFERENCE: Final = re.compile(rb"""\sr\s*=\s*["']([A-Z]{1,3})([0-9]{1,7})["']""")
_ERROR: Final = re.compile(rb"""<(?:\w+:)?c\s[^>]*\bt\s*=\s*["']e["'][^>]*>(.*?)</(?:\w+:)?c>""", re.DOTALL)
_VALUE: Final = re.compile(rb"<(?:\w+:)?v\s*>([^<]+)</")
_FORMULA_CELL: Final = re.compile(
    rb"<(?:\w+:)?c\s((?:[^>]*[^>/])?)>((?:(?!</(?:\w+:)?c>).)*?<(?:\w+:)?f[\s>/].*?)</(?:\w+:)?c>", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class SheetPart:
    """What the archive says of one sheet."""

    row_count: int
    """Number of its last row, and of its last column."""
    column_count: int
    errors: dict[str, str]
    """Addresses of cells that hold an error, with the error."""
    without_value: list[str]
    """Addresses of formulas that were never computed."""


def scan_sheet(content: bytes, name: str) -> SheetPart:
    """Look at a sheet's cells without reading their values.

    Raises
    ------
    TableRefused
        The sheet is not found or damaged.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        try:
            part = _part_names(archive).get(name)
            if part is None:
                raise TableRefused(f"the sheet {name!r} cannot be found in the workbook; save it again.")
            cells = archive.read(part)
        except (KeyError, zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as error:
            raise TableRefused("the workbook is torn or damaged; save it again.") from error
    row_count, column_count = _extent(cells)
    return SheetPart(row_count, column_count, dict(_errors(cells)), list(_without_value(cells)))


def _part_names(archive: zipfile.ZipFile) -> dict[str, str]:
    targets = {}
    for found in _RELATIONSHIP.finditer(archive.read("xl/_rels/workbook.xml.rels").decode()):
        attributes = _attributes(found[1])
        target = attributes.get("Target", "")
        targets[attributes.get("Id", "")] = (
            target.lstrip("/") if target.startswith("/") else normpath(join("xl", target))
        )
    parts = {}
    for found in _SHEET.finditer(archive.read("xl/workbook.xml").decode()):
        attributes = _attributes(found[1])
        key = next((value for name, value in attributes.items() if name.endswith(":id")), "")
        parts[attributes.get("name", "")] = targets.get(key, "")
    return parts


def _attributes(text: str) -> dict[str, str]:
    return {name: html.unescape(double or single) for name, double, single in _ATTRIBUTE.findall(text)}


def _extent(cells: bytes) -> tuple[int, int]:
    last_row, widest = 0, b""
    for found in _REFERENCE.finditer(cells):
        letters, digits = found.groups()
        if (len(letters), letters) > (len(widest), widest):
            widest = letters
        last_row = max(last_row, int(digits))
    return last_row, column_number(widest.decode()) if widest else 0


def _errors(cells: bytes) -> Iterator[tuple[str, str]]:
    if b't="e"' not in cells and b"t='e'" not in cells:
        return
    for found in _ERROR.finditer(cells):
        value = _VALUE.search(found[1])
        yield _address(found[0]), value[1].decode(errors="replace") if value else "an error"


def _without_value(cells: bytes) -> Iterator[str]:
    for found in _FORMULA_CELL.finditer(cells) if b"<f" in cells or b":f" in cells else ():
        # The result of a formula may be an empty text, which is a value.
        if _VALUE.search(found[2]) is None and b't="str"' not in found[1]:
            yield _address(found[0])


def _address(cell: bytes) -> str:
    found = _REFERENCE.search(cell[: cell.find(b">") + 1])
    return (found[1] + found[2]).decode() if found else "?"
