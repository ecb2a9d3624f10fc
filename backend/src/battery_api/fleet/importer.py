"""Import of the fleet catalogue: every line is checked first, then everything is written in one transaction or nothing.

Importing the same file again changes nothing. A new serial number at an occupied position is a swap: the old battery
keeps its history and ends on the day on which the new one was installed.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.fleet import import_repository
from battery_api.fleet.errors import ImportRefused
from battery_api.fleet.import_repository import (
    LOCATION_FIELDS,
    SYSTEM_FIELDS,
    BatteryValues,
    battery_values,
    installation_instant,
)
from battery_api.fleet.schemas import ImportLineError, ImportReport
from battery_contracts.fleet import FLEET_COLUMNS, FleetRow

MAX_LINES: Final = 100_000
MAX_ERRORS_SHOWN: Final = 200


@dataclass(slots=True)
class ParsedCatalogue:
    """Lines that are valid and agree with each other, and the errors of the others."""

    rows: list[FleetRow] = field(default_factory=list)
    errors: list[ImportLineError] = field(default_factory=list)
    line_count: int = 0


def parse_catalogue(content: bytes) -> ParsedCatalogue:
    """Read a catalogue file (CSV, UTF-8, header line), and check each line and that the lines agree.

    Raises
    ------
    ImportRefused
        The file is not CSV text with the expected header.
    """
    reader = csv.DictReader(io.StringIO(_decoded(content)), restkey="_surplus", strict=True)
    _require_header(reader.fieldnames)
    parsed = ParsedCatalogue()
    earlier = _EarlierLines()
    try:
        for record in reader:
            parsed.line_count += 1
            if parsed.line_count > MAX_LINES:
                raise ImportRefused(f"The file has more than {MAX_LINES:,} lines; split it.")
            row, errors = _checked_line(record, reader.line_num)
            errors += earlier.contradictions(row, reader.line_num) if row else []
            parsed.errors += errors
            if row and not errors:
                parsed.rows.append(row)
    except csv.Error as error:
        raise ImportRefused(f"Line {reader.line_num} is not CSV: {error}") from error
    if parsed.line_count == 0:
        raise ImportRefused("The file has a header but no lines.")
    return parsed


async def import_catalogue(connection: AsyncConnection, content: bytes, *, dry_run: bool) -> ImportReport:
    """Import a catalogue file; after any error nothing is written, and the report names line, field and remedy."""
    parsed = parse_catalogue(content)
    if not parsed.errors:
        await import_repository.lock_import(connection)
        parsed.errors += await _conflicts_with_fleet(connection, parsed.rows)
    counts = _Counts()
    if not parsed.errors:
        async with connection.begin_nested() as savepoint:
            counts = await _write(connection, parsed.rows)
            if dry_run:
                await savepoint.rollback()
    return ImportReport(
        dry_run=dry_run,
        row_count=parsed.line_count,
        created=counts.created,
        updated=counts.updated,
        unchanged=counts.unchanged,
        replaced=counts.replaced,
        error_count=len(parsed.errors),
        errors=parsed.errors[:MAX_ERRORS_SHOWN],
    )


@dataclass(slots=True)
class _Counts:
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    replaced: int = 0


class _EarlierLines:
    """The values of earlier lines; each line repeats those of its location and system."""

    def __init__(self) -> None:
        self._first_lines: dict[str, tuple[int, FleetRow]] = {}
        self._battery_ids: dict[str, int] = {}
        self._serial_numbers: dict[str, int] = {}

    def contradictions(self, row: FleetRow, line: int) -> list[ImportLineError]:
        errors = [
            *self._differences(row.location_id, LOCATION_FIELDS, row, line),
            *self._differences(row.system_id, SYSTEM_FIELDS, row, line),
        ]
        for name, line_of in (("battery_id", self._battery_ids), ("serial_number", self._serial_numbers)):
            value = getattr(row, name)
            first_line = line_of.setdefault(value, line)
            if first_line != line:
                errors.append(_error(line, name, "repeated", f"{value} is already on line {first_line}; keep one."))
        return errors

    def _differences(self, code: str, names: Iterable[str], row: FleetRow, line: int) -> Iterable[ImportLineError]:
        first_line, first = self._first_lines.setdefault(code, (line, row))
        for name in names:
            value, first_value = getattr(row, name), getattr(first, name)
            if value != first_value:
                detail = f"{value} differs from {first_value} on line {first_line} for {code}."
                yield _error(line, name, "contradiction", detail)


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ImportRefused(f"The file is not UTF-8 text (byte {error.start}); save it as CSV UTF-8.") from error


def _require_header(names: Sequence[str] | None) -> None:
    present = [name.strip() for name in names or []]
    missing = [name for name in FLEET_COLUMNS if name not in present]
    surplus = [name for name in present if name not in FLEET_COLUMNS]
    if missing or surplus:
        detail = "The first line must name the columns."
        detail += f" Missing: {', '.join(missing)}." if missing else ""
        detail += f" Unknown: {', '.join(surplus)}." if surplus else ""
        raise ImportRefused(detail)


def _checked_line(record: Mapping[str, Any], line: int) -> tuple[FleetRow | None, list[ImportLineError]]:
    if "_surplus" in record:
        return None, [_error(line, None, "surplus_fields", "The line has more fields than the header.")]
    values = {name.strip(): (value or "").strip() or None for name, value in record.items()}
    try:
        return FleetRow.model_validate(values), []
    except ValidationError as error:
        return None, [
            _error(line, ".".join(str(part) for part in item["loc"]) or None, item["type"], item["msg"])
            for item in error.errors()
        ]


async def _conflicts_with_fleet(connection: AsyncConnection, rows: Sequence[FleetRow]) -> list[ImportLineError]:
    """Find serial numbers of other positions, and swaps dated before the installation of the battery they replace."""
    installed = await import_repository.installed_batteries(connection)
    holders = await import_repository.serial_number_holders(connection)
    errors = []
    for index, row in enumerate(rows):
        line = index + 2
        holder = holders.get(row.serial_number)
        battery = installed.get(row.battery_id)
        old = battery.values if battery else None
        if holder is not None and holder != row.battery_id:
            errors.append(_error(line, "serial_number", "taken", f"{row.serial_number} belongs to {holder}."))
        elif old is not None and old.serial_number != row.serial_number:
            if holder is not None:
                detail = f"{row.serial_number} was removed from this position earlier; name its successor."
                errors.append(_error(line, "serial_number", "removed", detail))
            elif installation_instant(row.installed_on) <= old.installed_at:
                detail = f"{old.serial_number} was installed on {old.installed_at:%Y-%m-%d}; use a later day."
                errors.append(_error(line, "installed_on", "too_early", detail))
    return errors


async def _write(connection: AsyncConnection, rows: Sequence[FleetRow]) -> _Counts:
    counts = _Counts()
    keys = await import_repository.put_catalogue(connection, rows)
    installed = await import_repository.installed_batteries(connection)
    new: list[BatteryValues] = []
    for row in rows:
        values = battery_values(row, keys)
        old = installed.get(row.battery_id)
        if old is None:
            counts.created += 1
            new.append(values)
        elif old.values.serial_number == values.serial_number:
            changes = _changes(old.values, values)
            counts.unchanged += not changes
            if changes:
                counts.updated += 1
                await import_repository.change_battery(connection, old.key, changes)
        else:
            counts.replaced += 1
            await import_repository.remove_battery(connection, old.key, values.installed_at)
            new.append(values)
    await import_repository.add_batteries(connection, new)
    await import_repository.add_state_rows(connection)
    return counts


def _changes(old: BatteryValues, new: BatteryValues) -> dict[str, Any]:
    old_values = old._asdict()
    return {name: value for name, value in new._asdict().items() if old_values[name] != value}


def _error(line: int, name: str | None, code: str, detail: str) -> ImportLineError:
    return ImportLineError(line=line, field=name, code=code, detail=detail)
