"""The table of a file, whatever the file is: told by its bytes, never by its name."""

from collections.abc import Callable
from pathlib import Path

from battery_api.tables.content import is_workbook, read_bytes, unpacked
from battery_api.tables.delimited import read_delimited
from battery_api.tables.encoding import decoded
from battery_api.tables.model import Table, TableRefused
from battery_api.tables.workbook import read_workbook


def read_table(content: bytes, is_known: Callable[[str], bool], *, sheet: str | None = None) -> Table:
    """Read a table from CSV text (UTF-8, or UTF-16 with its mark), gzipped or not, or from an XLSX workbook.

    Parameters
    ----------
    is_known
        Whether a name is one of a column; decides between separators that all occur in the header.
    sheet
        Sheet of a workbook; needed where several hold data.

    Raises
    ------
    TableRefused
        The content holds no table that is understood as a whole; the message names the place and the remedy.
    """
    plain = unpacked(content)
    if is_workbook(plain):
        return read_workbook(plain, sheet)
    if sheet is not None:
        raise TableRefused("the file is text and has no sheets; leave the sheet out.")
    return read_delimited(decoded(plain), is_known)


def read_table_file(path: Path, is_known: Callable[[str], bool], *, sheet: str | None = None) -> Table:
    """Read a table from a file, as `read_table` does.

    Raises
    ------
    TableRefused
        Also if the file is missing, no regular file, empty, too large or written to while it is read.
    """
    return read_table(read_bytes(path), is_known, sheet=sheet)
