"""The bytes of a file: bounded, complete, and of a kind that holds a table."""

import io
import os
import stat
import zipfile
import zlib
from pathlib import Path
from typing import Final

from battery_api.tables.model import TableRefused

MAX_BYTES: Final = 50_000_000
MAX_UNPACKED_BYTES: Final = 300_000_000
_GZIP: Final = b"\x1f\x8b"
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_AS_XLSX: Final = "save it as an Excel workbook (.xlsx) or as CSV UTF-8"
_OTHER_KINDS: Final = (
    (b"%PDF", "a PDF document", "export the table as CSV UTF-8 or as an Excel workbook (.xlsx)"),
    (b"PAR1", "a Parquet file", "export the table as CSV UTF-8"),
    (b"SQLite format 3\0", "a SQLite database", "export the table as CSV UTF-8"),
    (b"{\\rtf", "a text document (RTF)", "export the table as CSV UTF-8"),
    (b"BZh", "compressed with bzip2", "unpack it first"),
    (b"\xfd7zXZ", "compressed with xz", "unpack it first"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", "unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it first"),
    (b"Rar!", "a RAR archive", "unpack it first"),
    (b"\x89PNG", "a picture", "send the table itself, as CSV UTF-8 or as an Excel workbook (.xlsx)"),
    (b"\xff\xd8\xff", "a picture", "send the table itself, as CSV UTF-8 or as an Excel workbook (.xlsx)"),
)
_MARKUP: Final = (
    (b"<!doctype html", "a web page (HTML)"),
    (b"<html", "a web page (HTML)"),
    (b"<table", "a web page (HTML)"),
    (b"<?xml", "XML"),
)


def read_bytes(path: Path) -> bytes:
    """Read a regular file of at most `MAX_BYTES`.

    Raises
    ------
    TableRefused
        It is missing, no regular file, empty, too large, not readable, or written to while it is read.
    """
    try:
        # A pipe would wait for its writer when it is opened, so its kind is looked up first.
        kind = path.stat().st_mode
        if not stat.S_ISREG(kind):
            raise TableRefused(f"it is {_kind_name(kind)}, not a file; name a file.")
        with path.open("rb") as file:
            before = os.fstat(file.fileno())
            _require_size(before.st_size)
            content = file.read(before.st_size + 1)
            after = os.fstat(file.fileno())
    except OSError as error:
        raise TableRefused(f"it cannot be read ({error.strerror or type(error).__name__}).") from error
    if len(content) != before.st_size or (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        raise TableRefused("it was written to while it was read; wait until it is complete, and send it again.")
    if not content:
        raise TableRefused("the file is empty.")
    return content


def unpacked(content: bytes) -> bytes:
    """Return the content of a gzip file, and other content as it is.

    Raises
    ------
    TableRefused
        The archive is torn, or larger than `MAX_BYTES` once unpacked.
    """
    if not content.startswith(_GZIP):
        return content
    unpacked_parts = bytearray()
    try:
        rest = content
        while rest:
            inflater = zlib.decompressobj(wbits=31)
            unpacked_parts += inflater.decompress(rest, MAX_BYTES + 1 - len(unpacked_parts))
            _require_size(len(unpacked_parts))
            if not inflater.eof:
                raise TableRefused("the gzip archive is torn: it ends too early; copy it again.")
            rest = inflater.unused_data.lstrip(b"\0")
    except zlib.error as error:
        raise TableRefused(f"the gzip archive is damaged ({error}); copy it again.") from error
    return bytes(unpacked_parts)


def is_workbook(content: bytes) -> bool:
    """Return whether content is an XLSX workbook, by its bytes; False for text.

    Raises
    ------
    TableRefused
        It is a known kind of file that holds no table which is understood.
    """
    if content.startswith(_OLE):
        if "EncryptedPackage".encode("utf-16-le") in content:
            raise TableRefused("the workbook is protected by a password; save it without one.")
        raise TableRefused(f"the file is an Excel 97 workbook (.xls) by its content; {_AS_XLSX}.")
    if content.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        _require_xlsx(content)
        return True
    for signature, kind, remedy in _OTHER_KINDS:
        if content.startswith(signature):
            raise TableRefused(f"the file is {kind} by its content; {remedy}.")
    beginning = content[:200].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for signature, kind in _MARKUP:
        if beginning.startswith(signature):
            raise TableRefused(f"the file is {kind} by its content; open it in a spreadsheet and {_AS_XLSX}.")
    if beginning.startswith((b"{", b"[")):
        raise TableRefused("the file is JSON by its content; write a table as CSV UTF-8.")
    return False


def _require_xlsx(content: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = set(archive.namelist())
            unpacked_size = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise TableRefused("the workbook is torn or damaged; save it again.") from error
    if unpacked_size > MAX_UNPACKED_BYTES:
        # Before anything unpacks it: a small archive can hold a very large file.
        raise TableRefused(f"the workbook is larger than {MAX_UNPACKED_BYTES // 1_000_000} MB once unpacked; split it.")
    if "xl/workbook.xml" in names:
        return
    if "xl/workbook.bin" in names:
        raise TableRefused(f"the file is a binary workbook (.xlsb) by its content; {_AS_XLSX}.")
    if "content.xml" in names and "mimetype" in names:
        raise TableRefused(f"the file is an OpenDocument file (.ods) by its content; {_AS_XLSX}.")
    if "word/document.xml" in names:
        raise TableRefused("the file is a Word document by its content; save the table as CSV UTF-8.")
    raise TableRefused("the file is a ZIP archive by its content; unpack it first.")


def _require_size(size: int) -> None:
    if size > MAX_BYTES:
        raise TableRefused(f"it is larger than {MAX_BYTES // 1_000_000} MB; split it.")


def _kind_name(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "a directory"
    return "a pipe" if stat.S_ISFIFO(mode) else "a socket" if stat.S_ISSOCK(mode) else "a device"
