"""Import of the fleet catalogue: every line is checked first, then everything is written in one transaction or nothing.

Importing the same file again changes nothing. A new serial number at an occupied position is a swap: the old battery
keeps its history and ends at the instant at which the new one was installed; a day begins at midnight in Asia/Bangkok.
A day in ``retired_on`` retires a battery.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.fleet import import_repository, import_retirement
from battery_api.fleet.catalogue_file.lines import CatalogueLine, check_line
from battery_api.fleet.catalogue_file.nameplate import location_warnings
from battery_api.fleet.catalogue_file.problems import CellProblem
from battery_api.fleet.catalogue_file.text import BrokenRecord, Record, read_records
from battery_api.fleet.errors import ImportRefused
from battery_api.fleet.import_repository import LOCATION_FIELDS, SYSTEM_FIELDS, BatteryValues, battery_values
from battery_api.fleet.import_schemas import ImportLineError, ImportLineWarning, ImportReport, Replacement
from battery_api.fleet.ports import BatteryEnd, FleetChange
from battery_api.fleet.swaps import InstalledFleet
from battery_contracts.fleet import FleetRow

MAX_LINES: Final = 100_000
MAX_SHOWN: Final = 200
"""So many errors, and so many warnings, are shown; all are counted."""


class _Finding(NamedTuple):
    line: int
    field: str | None
    code: str
    detail: str


class _Findings:
    """Errors or warnings, found in the order of the lines: all are counted, the first are kept."""

    def __init__(self) -> None:
        self.count = 0
        self.kept: list[_Finding] = []
        self.letters: Mapping[str, str] = {}
        """Letters of each column of a workbook, with which a detail names its cell."""

    def add(self, line: int, problems: Iterable[CellProblem | BrokenRecord]) -> None:
        for problem in problems:
            self.count += 1
            if len(self.kept) < MAX_SHOWN:
                column = problem.column if isinstance(problem, CellProblem) else None
                self.kept.append(_Finding(line, column, problem.code, self._located(line, column, problem.detail)))

    def _located(self, line: int, column: str | None, detail: str) -> str:
        letters = self.letters.get(column or "")
        return detail if letters is None else f"Cell {letters}{line}: {detail}"

    def merge(self, later: "_Findings") -> None:
        self.count += later.count
        self.kept = sorted(self.kept + later.kept, key=lambda finding: finding.line)[:MAX_SHOWN]

    def dicts(self) -> list[dict[str, Any]]:
        return [finding._asdict() for finding in self.kept]


@dataclass(slots=True)
class _ParsedCatalogue:
    """Lines that are valid and agree with each other, and what is wrong with the others."""

    lines: list[CatalogueLine] = field(default_factory=list)
    errors: _Findings = field(default_factory=_Findings)
    warnings: _Findings = field(default_factory=_Findings)
    line_count: int = 0


async def import_catalogue(
    connection: AsyncConnection,
    content: bytes,
    *,
    dry_run: bool,
    change: FleetChange | None = None,
    sheet: str | None = None,
) -> ImportReport:
    """Import a catalogue file; after any error nothing is written, and the report names line, field and remedy.

    Parameters
    ----------
    connection
        In a transaction of the caller.
    content
        The file: CSV text with a header, or an XLSX workbook.
    dry_run
        Check and count everything, write nothing.
    change
        Who imports, when, and what ends with a battery; without it nothing but the fleet's own rows changes.
    sheet
        Sheet of a workbook; needed where several hold data.

    Raises
    ------
    ImportRefused
        The file is no table with the expected header, or has no lines.
    """
    change = change or FleetChange.of_fleet_alone()
    # A large file takes seconds, in which others are served.
    parsed = await asyncio.to_thread(_parse, content, change.now, sheet)
    await import_repository.lock_import(connection)
    fleet = await InstalledFleet.load(connection)
    _compare(parsed, fleet)
    changes = _Changes()
    if not parsed.errors.count:
        async with connection.begin_nested() as savepoint:
            changes = await _write(connection, parsed.lines, fleet, change)
            if dry_run:
                await savepoint.rollback()
    return ImportReport(
        dry_run=dry_run,
        row_count=parsed.line_count,
        created=changes.created,
        updated=changes.updated,
        unchanged=changes.unchanged,
        replaced=len(changes.replacements),
        replacements=changes.replacements,
        retired=changes.retired,
        reinstated=changes.reinstated,
        error_count=parsed.errors.count,
        errors=[ImportLineError(**finding) for finding in parsed.errors.dicts()],
        warning_count=parsed.warnings.count,
        warnings=[ImportLineWarning(**finding) for finding in parsed.warnings.dicts()],
    )


def _parse(content: bytes, now: datetime, sheet: str | None) -> _ParsedCatalogue:
    """Check each line, and that the lines agree."""
    parsed = _ParsedCatalogue()
    earlier = _EarlierLines()
    for record in read_records(content, sheet=sheet):
        parsed.line_count += 1
        if parsed.line_count > MAX_LINES:
            raise ImportRefused(f"The file has more than {MAX_LINES:,} lines; split it.")
        if isinstance(record, BrokenRecord):
            parsed.errors.add(record.line, [record])
            continue
        parsed.errors.letters = parsed.warnings.letters = record.letters
        checked = check_line(record, now)
        repeats = earlier.repeats(record)
        contradictions = earlier.contradictions(checked.line) if checked.line else []
        parsed.errors.add(record.line, [*checked.errors, *repeats, *contradictions])
        parsed.warnings.add(record.line, checked.warnings)
        if earlier.is_new_location(record):
            parsed.warnings.add(record.line, location_warnings(checked.numbers))
        if checked.line and not (repeats or contradictions):
            parsed.lines.append(checked.line)
    if parsed.line_count == 0:
        raise ImportRefused("The file has a header but no lines; add one line per battery.")
    return parsed


class _EarlierLines:
    """The values of earlier lines; each line repeats those of its location and system."""

    def __init__(self) -> None:
        self._first_lines: dict[str, CatalogueLine] = {}
        self._line_of: dict[tuple[str, str], int] = {}
        self._locations: set[str] = set()

    def repeats(self, record: Record) -> list[CellProblem]:
        """Return the ids that an earlier line has, whether or not that one is valid."""
        problems = []
        for column in ("battery_id", "serial_number"):
            value = record.cells[column]
            first = self._line_of.setdefault((column, value), record.line) if value else record.line
            if first != record.line:
                problems.append(CellProblem(column, "repeated", f"{value} is already on line {first}; keep one."))
        return problems

    def contradictions(self, line: CatalogueLine) -> list[CellProblem]:
        """Return what differs from the first valid line of the same location or system."""
        return [
            *self._differences(line.row.location_id, LOCATION_FIELDS, line),
            *self._differences(line.row.system_id, SYSTEM_FIELDS, line),
        ]

    def is_new_location(self, record: Record) -> bool:
        """Return whether no earlier line is of the same location."""
        code = record.cells["location_id"]
        is_new = code not in self._locations
        self._locations.add(code)
        return is_new

    def _differences(self, code: str, columns: Iterable[str], line: CatalogueLine) -> Iterable[CellProblem]:
        first = self._first_lines.setdefault(code, line)
        for column in columns:
            value, first_value = getattr(line.row, column), getattr(first.row, column)
            if value != first_value:
                detail = f"{value} differs from {first_value} on line {first.number} for {code}; make the lines agree."
                yield CellProblem(column, "contradiction", detail)


def _compare(parsed: _ParsedCatalogue, fleet: InstalledFleet) -> None:
    """Add what contradicts the installed fleet, of every valid line even if others have errors."""
    errors, warnings = _Findings(), _Findings()
    errors.letters = warnings.letters = parsed.errors.letters
    for line in parsed.lines:
        conflict, warning = fleet.conflict(line), fleet.warning(line)
        errors.add(line.number, [conflict] if conflict else [])
        warnings.add(line.number, [warning] if warning else [])
    parsed.errors.merge(errors)
    parsed.warnings.merge(warnings)


@dataclass(slots=True)
class _Changes:
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    replacements: list[Replacement] = field(default_factory=list)
    retired: int = 0
    reinstated: int = 0


async def _write(
    connection: AsyncConnection, lines: Sequence[CatalogueLine], fleet: InstalledFleet, change: FleetChange
) -> _Changes:
    done = _Changes()
    rows: list[FleetRow] = [line.row for line in lines]
    keys = await import_repository.put_catalogue(connection, rows)
    new: list[BatteryValues] = []
    ends: list[BatteryEnd] = []
    for line in lines:
        values = battery_values(line.row, fleet.installed_at(line), keys)
        old = fleet.at(line)
        if old is None:
            done.created += 1
            new.append(values)
        elif old.values.serial_number == values.serial_number:
            changes = _changes(old.values, values)
            done.unchanged += not changes
            if changes:
                done.updated += 1
                await _correct(connection, old, changes)
        else:
            done.replacements.append(_replacement(line, old.values, values))
            await import_repository.remove_battery(connection, old.key, values.installed_at)
            ends.append(import_retirement.replacement(old, values, line.row))
            new.append(values)
    await import_repository.add_batteries(connection, new)
    await import_repository.add_state_rows(connection)
    await import_repository.continue_rooms(connection, [end.battery_key for end in ends])
    done.reinstated = await import_retirement.reinstate(connection, lines)
    retired = await import_retirement.retire(connection, rows, change)
    done.retired = len(retired)
    await change.end([*ends, *retired], connection)
    return done


async def _correct(
    connection: AsyncConnection, old: import_repository.InstalledBattery, changes: Mapping[str, Any]
) -> None:
    await import_repository.change_battery(connection, old.key, changes)
    if "installed_at" in changes:
        await import_repository.move_removal(
            connection, old.values.code, removed_at=old.values.installed_at, to=changes["installed_at"]
        )


def _changes(old: BatteryValues, new: BatteryValues) -> dict[str, Any]:
    old_values = old._asdict()
    return {name: value for name, value in new._asdict().items() if old_values[name] != value}


def _replacement(line: CatalogueLine, old: BatteryValues, new: BatteryValues) -> Replacement:
    return Replacement(
        line=line.number,
        battery_id=new.code,
        old_serial_number=old.serial_number,
        new_serial_number=new.serial_number,
        installed_at=new.installed_at,
    )
