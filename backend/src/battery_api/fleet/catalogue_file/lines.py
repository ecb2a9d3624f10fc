"""One line of the fleet file: its battery, or every error in it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from pydantic import ValidationError

from battery_api.fleet.catalogue_file.cells import UNITS, cell_problems
from battery_api.fleet.catalogue_file.dates import Installation, read_day, read_installation
from battery_api.fleet.catalogue_file.nameplate import nameplate_errors, nameplate_warnings, unusable_baseline
from battery_api.fleet.catalogue_file.problems import CellProblem, InvalidCell
from battery_api.fleet.catalogue_file.text import Record
from battery_api.tables.model import shown
from battery_contracts.fleet import OPTIONAL_FLEET_COLUMNS, FleetRow

_ID_EXAMPLES: Final = {
    "location_id": "DC-CNX-01",
    "system_id": "DC-CNX-01-UPS-01",
    "string_id": "DC-CNX-01-UPS-01-STR-01",
    "battery_id": "BAT-DC-CNX-01-UPS-01-STR-01-001",
}
DATE_COLUMNS: Final = ("commissioned_on", "installed_on", "retired_on")
_SENTENCES: Final = {
    "greater_than": "is not above {gt:g}; correct it",
    "greater_than_equal": "is below {ge:g}; correct it",
    "less_than": "is not below {lt:g}; correct it",
    "less_than_equal": "is above {le:g}; correct it",
    "string_too_long": "has more than {max_length} characters; shorten it",
    "string_too_short": "has fewer than {min_length} characters; write it in full",
    "enum": "is unknown; use one of {expected}",
    "int_parsing": "is not a whole number; write one",
}
"""What is wrong and the remedy, by the type of a validation error."""


@dataclass(frozen=True, slots=True)
class CatalogueLine:
    """A valid line."""

    number: int
    """Line of the file, 1 at the top."""
    row: FleetRow
    installation: Installation


@dataclass(slots=True)
class CheckedLine:
    """What a line holds: a battery if it has no error."""

    line: CatalogueLine | None = None
    errors: list[CellProblem] = field(default_factory=list)
    warnings: list[CellProblem] = field(default_factory=list)
    numbers: dict[str, float] = field(default_factory=dict)
    """The cells that are numbers, by column."""


def check_line(record: Record, now: datetime) -> CheckedLine:
    """Check a record as far as it can be judged alone; each column has at most one error."""
    checked = CheckedLine(errors=[*cell_problems(record.cells), *_date_cells(record)])
    checked.warnings += _shortened_serial_number(record)
    # An empty cell of an optional column says something, unlike a file without the column.
    values: dict[str, Any] = {
        column: text or None for column, text in record.cells.items() if text or column in OPTIONAL_FLEET_COLUMNS
    }
    installation = _read_dates(values, now, checked.errors)
    checked.numbers = _numbers(record.cells, checked.errors)
    checked.errors += nameplate_errors(checked.numbers, record.cells["model_id"])
    unusable = unusable_baseline(checked.numbers, record.cells["model_id"])
    if unusable is not None:
        checked.warnings.append(unusable)
        del values["baseline_resistance_mohm"]
    else:
        checked.warnings += nameplate_warnings(checked.numbers)
    row = _validated(values, checked.errors)
    if row is not None and installation is not None and not checked.errors:
        checked.line = CatalogueLine(record.line, row, installation)
    return checked


def _date_cells(record: Record) -> Iterator[CellProblem]:
    """Yield the cells that a spreadsheet has made dates of."""
    for column in sorted(record.dates.difference(DATE_COLUMNS)):
        if column not in UNITS:
            detail = f"{record.cells[column]} is a date in the workbook; format the column as text and write the value."
            yield CellProblem(column, "date_cell", detail)


def _shortened_serial_number(record: Record) -> Iterator[CellProblem]:
    if "serial_number" in record.numbers:
        detail = f"{record.cells['serial_number']} is a number in the workbook, which has no leading zeros; compare it "
        detail += "with the battery's label, and format the column as text."
        yield CellProblem("serial_number", "number_cell", detail)


def _read_dates(values: dict[str, Any], now: datetime, errors: list[CellProblem]) -> Installation | None:
    """Replace the texts of the dates by dates; remove those that are wrong."""
    installation = None
    for column in DATE_COLUMNS:
        text = values.get(column)
        if text is None:
            continue
        del values[column]
        if any(error.column == column for error in errors):
            continue
        try:
            if column == "installed_on":
                installation = read_installation(text, now)
                values[column] = installation.day
            else:
                values[column] = read_day(text, now)
        except InvalidCell as error:
            errors.append(CellProblem(column, error.code, error.detail))
    return installation


def _numbers(cells: Mapping[str, str], errors: list[CellProblem]) -> dict[str, float]:
    wrong = {error.column for error in errors}
    return {column: float(cells[column]) for column in UNITS if cells[column] and column not in wrong}


def _validated(values: Mapping[str, Any], errors: list[CellProblem]) -> FleetRow | None:
    """Add the errors of columns that have none yet."""
    wrong = {error.column for error in errors}
    try:
        # Fields that are missing because their cell is wrong are named already.
        return FleetRow.model_validate({column: value for column, value in values.items() if column not in wrong})
    except ValidationError as error:
        for item in error.errors():
            column = str(item["loc"][0])
            if column not in wrong:
                errors.append(CellProblem(column, item["type"], _sentence(column, item)))
        return None


def _sentence(column: str, item: Mapping[str, Any]) -> str:
    kind, text, context = item["type"], shown(str(item["input"])), item.get("ctx", {})
    unit = f" ({UNITS[column]})" if column in UNITS else ""
    if kind == "missing":
        return f"{column} is empty; fill it in{unit}."
    if kind == "string_pattern_mismatch":
        return f"{text} is not a {column}; write it like {_ID_EXAMPLES[column]}."
    if kind == "value_error":
        # The validators of the row name both values, or all that are allowed.
        return f"{context['error']}; correct the one that is wrong."
    if kind in _SENTENCES:
        return f"{text} {_SENTENCES[kind].format(**context)}{unit}."
    return f"{text}: {item['msg']}; correct the value{unit}."
