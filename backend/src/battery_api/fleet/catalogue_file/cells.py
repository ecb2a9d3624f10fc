"""Cells of the fleet file before they become values: what spreadsheets make of numbers and serial numbers."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from battery_api.fleet.catalogue_file.problems import CellProblem
from battery_api.tables.model import shown
from battery_contracts.fleet import FleetRow

UNITS: Final = {
    "latitude": "degrees",
    "longitude": "degrees",
    "altitude_m": "m",
    "rated_power_kva": "kVA",
    "position": "1 at the positive end",
    "baseline_resistance_mohm": "mΩ",
    "baseline_temperature_c": "°C",
}
"""The columns that hold numbers, with their units."""
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_DECIMAL_COMMA: Final = re.compile(r"([+-]?\d+),(\d+)", re.ASCII)
_NUMBER_WITH_UNIT: Final = re.compile(r"([+-]?\d+(?:\.\d+)?)\s*([^\d\s.,].*)", re.ASCII)
_SPREADSHEET_ERROR: Final = re.compile(r"#(N/A|REF!|VALUE!|NAME\?|DIV/0!|NUM!|NULL!|SPILL!|#+)", re.ASCII)
_SHORTENED_NUMBER: Final = re.compile(r"\d(?:[.,]\d+)?E\+\d+", re.ASCII | re.IGNORECASE)
_NO_SERIAL_NUMBER: Final = frozenset({"n/a", "nan", "null", "none", "unknown", "tba", "tbd", "xxx", "---", "???"})


def cell_problems(cells: Mapping[str, str]) -> list[CellProblem]:
    """Return what is wrong with the spelling of the cells of a line, at most one problem per column."""
    problems = []
    for column, text in cells.items():
        if text:
            found = _first_problem(text, *_checks(column))
            if found is not None:
                problems.append(CellProblem(column, *found))
    return problems


def identity(serial_number: str) -> str:
    """Return what spreadsheets leave of a serial number; two that share it are one, written differently."""
    kept = "".join(char for char in serial_number.upper() if char.isprintable() and not char.isspace())
    return kept.removesuffix(".0").lstrip("0")


_Found: TypeAlias = tuple[str, str] | None
"""Code and detail of a problem."""


def _first_problem(text: str, *checks: Callable[[str], _Found]) -> _Found:
    return next((found for check in checks if (found := check(text)) is not None), None)


def _checks(column: str) -> tuple[Callable[[str], _Found], ...]:
    common = (_control_character, _spreadsheet_error)
    if column in UNITS:
        return (*common, lambda text: _number(text, UNITS[column]))
    if column == "serial_number":
        return (*common, _serial_number)
    assert column in FleetRow.model_fields
    return common


def _control_character(text: str) -> _Found:
    found = next((char for char in text if unicodedata.category(char) == "Cc"), None)
    if found is None:
        return None
    return "control_character", f"{shown(text)} holds the control character U+{ord(found):04X}; remove it."


def _spreadsheet_error(text: str) -> _Found:
    if _SPREADSHEET_ERROR.fullmatch(text) is None:
        return None
    return "spreadsheet_error", f"{text} is an error of the spreadsheet; write the value."


def _number(text: str, unit: str) -> _Found:
    if _NUMBER.fullmatch(text):
        return None
    comma = _DECIMAL_COMMA.fullmatch(text)
    if comma:
        return "decimal_comma", f"{shown(text)} holds a decimal comma; write {shown(f'{comma[1]}.{comma[2]}')}."
    with_unit = _NUMBER_WITH_UNIT.fullmatch(text)
    if with_unit:
        return (
            "not_a_number",
            f"{shown(text)} is not a number alone; write only the number, without {shown(with_unit[2])} ({unit}).",
        )
    return (
        "not_a_number",
        f"{shown(text)} is not a number; write digits and a decimal point, without thousands separators ({unit}).",
    )


def _serial_number(text: str) -> _Found:
    hidden = next((char for char in text if not char.isprintable()), None)
    if hidden is not None:
        return "hidden_character", f"{shown(text)} holds the hidden character U+{ord(hidden):04X}; remove it."
    if _SHORTENED_NUMBER.fullmatch(text):
        return (
            "shortened",
            f"{text} is a number that a spreadsheet has shortened; format the column as text and write every digit.",
        )
    if text.lower() in _NO_SERIAL_NUMBER:
        return "no_serial_number", f"{text} is not a serial number; write the one on the battery's label."
    return None
