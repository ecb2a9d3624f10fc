"""The one reader of tables: every kind of file is understood or refused by line or cell, with the remedy."""

import gzip
import io
import os
import zipfile
from collections.abc import Callable
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from battery_api.tables import content as content_module
from battery_api.tables import delimited
from battery_api.tables.model import Table, TableRefused, text_of
from battery_api.tables.reader import read_table, read_table_file

TEXT = "time_s,voltage_v,note\n0,13.62,แบตเตอรี่\n60,13.61,\n"
Fill = Callable[[xlsxwriter.Workbook], None]


def is_known(name: str) -> bool:
    return name in {"time_s", "voltage_v", "note"}


def workbook(fill: Fill) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        fill(book)
    return buffer.getvalue()


def sheet_of(*rows: list[Any], name: str = "Data") -> Fill:
    def fill(book: xlsxwriter.Workbook) -> None:
        day = book.add_format({"num_format": "dd/mm/yyyy hh:mm"})
        sheet = book.add_worksheet(name)
        for number, row in enumerate(rows):
            for column, cell in enumerate(row):
                if isinstance(cell, (datetime, time, timedelta)):
                    sheet.write_datetime(number, column, cell, day)
                else:
                    sheet.write(number, column, cell)

    return fill


def read(content: bytes, sheet: str | None = None) -> Table:
    return read_table(content, is_known, sheet=sheet)


def refusal(content: bytes, sheet: str | None = None) -> str:
    with pytest.raises(TableRefused) as refused:
        read(content, sheet)
    return str(refused.value)


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        TEXT.replace("\n", "\r\n").encode(),
        TEXT.replace("\n", "\r").encode(),
        TEXT.replace(",", "\t").encode("utf-16"),
        b"\xfe\xff" + TEXT.replace(",", "\t").encode("utf-16-be"),
        TEXT.replace(",", ";").encode(),
        TEXT.replace(",", "|").encode(),
        ("sep=;\r\n" + TEXT.replace(",", ";")).encode(),
        ("\n\nsep=\t\n" + TEXT.replace(",", "\t")).encode(),
        TEXT.replace("time_s,", '"time_s", ').replace("13.62", '"13.62"').encode(),
        gzip.compress(TEXT.encode(), mtime=0),
        gzip.compress(TEXT[:30].encode(), mtime=0) + gzip.compress(TEXT[30:].encode(), mtime=0),
    ],
    ids=[
        "utf-8",
        "mark",
        "crlf",
        "cr",
        "utf-16",
        "utf-16-be",
        "semicolon",
        "bar",
        "sep",
        "sep-tab",
        "quotes",
        "gzip",
        "parts",
    ],
)
def test_a_text_is_the_same_table_however_it_is_written(content: bytes) -> None:
    table = read(content)
    assert table.names == ["time_s", "voltage_v", "note"]
    assert [row.cells for row in table.rows] == [["0", "13.62", "แบตเตอรี่"], ["60", "13.61", ""]]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (TEXT.encode("cp874"), "line 2 is not UTF-8 text (byte 33; probably Windows-874"),
        ("time_s,T °C\n0,1\n".encode("cp1252"), "line 1 is not UTF-8 text (byte 9; probably Windows-1252"),
        (TEXT.encode("utf-16-le"), "line 1 holds a NUL byte"),
        (TEXT.encode("utf-16")[:-1], "begins as UTF-16 text and breaks off"),
        (TEXT.encode("utf-32"), "UTF-32 text; save it as CSV UTF-8"),
        ("time_s\n1\n\0".encode("utf-16"), "line 3 holds a NUL character"),
        (b"", "the file is empty"),
        (b"\n \n", "the file is empty"),
        (b"sep=#\ntime_s#voltage_v\n", "line 1: 'sep=#' names no separator"),
        (b"time_s;voltage_v,note\n0;1,2\n", "line 1: the header contains a comma and a semicolon"),
        (b'time_s,"voltage_v\n0,1\n', "line 1: the record is not CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "Excel 97 workbook (.xls) by its content; save it as"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            "protected by a password; save it without one",
        ),
        (b"%PDF-1.7", "a PDF document by its content; export the table"),
        (b"PAR1....", "a Parquet file"),
        (b"<html><table>", "a web page (HTML)"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>", "the file is XML"),
        (b'[{"voltage_v": 13.6}]', "JSON by its content"),
        (b"PK\x03\x04 torn", "the workbook is torn or damaged"),
        (gzip.compress(TEXT.encode(), mtime=0)[:-9], "the gzip archive is torn"),
        (gzip.compress(TEXT.encode(), mtime=0)[:12] + b"\xff" * 30, "the gzip archive is"),
    ],
)
def test_what_is_no_table_is_refused_with_the_remedy(content: bytes, fault: str) -> None:
    assert fault in refusal(content)


def archive_of(**members: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("members", "kind"),
    [
        ({"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": ""}, "(.ods)"),
        ({"xl/workbook.bin": ""}, "(.xlsb)"),
        ({"word/document.xml": ""}, "a Word document"),
        ({"run.csv": TEXT}, "a ZIP archive by its content; unpack it first"),
    ],
)
def test_archives_of_other_kinds_are_distinguished(members: dict[str, str], kind: str) -> None:
    assert kind in refusal(archive_of(**members))


def test_cells_of_a_workbook_keep_their_type_and_their_address() -> None:
    at = datetime.fromisoformat("2026-06-05T08:00:00.500")
    table = read(
        workbook(
            sheet_of(
                [],
                ["", "time_s", "voltage_v", "note"],
                ["", at, 13.62, "=1+1"],
                [],
                ["", datetime.fromisoformat("2026-06-05"), "13,62", True],
                ["", time(8, 30), 5, " 007 "],
            )
        )
    )
    assert (table.names, table.header_number, table.row_word) == (["time_s", "voltage_v", "note"], 2, "row")
    assert [row.cells for row in table.rows] == [
        [at, 13.62, 0.0],
        [datetime.fromisoformat("2026-06-05"), "13,62", "TRUE"],
        [timedelta(hours=8, minutes=30), 5.0, "007"],
    ]
    assert [row.number for row in table.rows] == [3, 5, 6]
    assert table.label(table.rows[1], 1) == "voltage_v (C5)"
    assert [text_of(cell) for cell in table.rows[1].cells] == ["2026-06-05", "13,62", "TRUE"]
    assert [text_of(cell) for cell in table.rows[2].cells] == ["8:30:00", "5", "007"]


def with_errors(book: xlsxwriter.Workbook) -> None:
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["time_s", "voltage_v"])
    for row in range(1, 9):
        sheet.write_formula(row, 1, "=NA()", None, "#N/A")


def with_merged_header(book: xlsxwriter.Workbook) -> None:
    sheet = book.add_worksheet()
    sheet.merge_range("A1:B1", "Monitor 1")
    sheet.write_row(1, 0, ["time_s", "voltage_v"])


def with_two_sheets(book: xlsxwriter.Workbook) -> None:
    for name in ("June", "July"):
        sheet_of(["time_s", "voltage_v"], [0, 13.6 if name == "June" else 13.5], name=name)(book)
    book.add_worksheet("Empty")


@pytest.mark.parametrize(
    ("fill", "fault"),
    [
        (with_errors, "cell B2 holds the error #N/A (also B3, B4, B5, B6, B7 and 2 more)"),
        (with_merged_header, "row 1: the cells A1:B1 of the header are merged; split them"),
        (with_two_sheets, "several sheets hold data: 'June', 'July'; name one of them"),
        (sheet_of(["time_s", "", "voltage_v"], [0, "x", 13.6]), "row 1: column B has no name in B1, but a value in B2"),
        (sheet_of(), "the file is empty: sheet 'Data' holds no header"),
        (lambda book: book.add_worksheet().write(1_000_005, 0, 1), "sheet 'Sheet1' reaches to A1000006"),
        (lambda book: book.add_worksheet().write_row(900_000, 16_000, [1]), "sheet 'Sheet1' reaches to WQK900001"),
    ],
)
def test_a_workbook_that_is_unclear_is_refused_by_address(fill: Fill, fault: str) -> None:
    assert fault in refusal(workbook(fill))


def test_a_sheet_is_chosen_by_name() -> None:
    content = workbook(with_two_sheets)
    assert read(content, "July").rows[0].cells == [0.0, 13.5]
    assert "no sheet 'August'; its sheets are: 'June', 'July', 'Empty'" in refusal(content, "August")
    assert "the file is text and has no sheets" in refusal(TEXT.encode(), "July")


def test_a_formula_that_was_never_computed_is_refused() -> None:
    content = workbook(lambda book: book.add_worksheet().write_row(0, 0, ["time_s", "=1+1"]))
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(buffer, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b"<v>0</v></c></row>", b"<v></v></c></row>"))
    assert "cell B1 holds a formula without a value" in refusal(buffer.getvalue())


def test_only_complete_files_of_a_bounded_size_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(path: Path) -> str:
        with pytest.raises(TableRefused) as refusal:
            read_table_file(path, is_known)
        return str(refusal.value)

    run, pipe = tmp_path / "run.csv", tmp_path / "pipe"
    os.mkfifo(pipe)
    assert "No such file" in refused(run)
    assert "it is a directory, not a file" in refused(tmp_path)
    assert "it is a pipe, not a file" in refused(pipe)
    assert "it is a device, not a file" in refused(Path("/dev/null"))
    run.touch()
    assert "the file is empty" in refused(run)
    run.write_text(TEXT)
    assert len(read_table_file(run, is_known).rows) == 2
    monkeypatch.setattr(delimited, "MAX_ROWS", 1)
    assert "more than 1 rows; split it" in refused(run)
    monkeypatch.setattr(content_module, "MAX_BYTES", 40)
    assert "larger than 0 MB; split it" in refused(run)
    run.write_bytes(gzip.compress(b"0" * 1000))
    assert "larger than 0 MB; split it" in refused(run)


def test_a_file_that_grows_while_it_is_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = tmp_path / "run.csv"
    run.write_text(TEXT)
    look_up = os.fstat

    def grow_after_looking(descriptor: int) -> os.stat_result:
        found = look_up(descriptor)
        with run.open("a") as file:
            file.write("120,13.6,\n")
        return found

    monkeypatch.setattr(os, "fstat", grow_after_looking)
    with pytest.raises(TableRefused, match="written to while it was read; wait until it is complete"):
        read_table_file(run, is_known)
