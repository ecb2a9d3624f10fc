"""Import of the fleet catalogue: each line is checked first, then all is written in one transaction or nothing is.

Importing the same file again changes nothing. A new serial number at a known position is a swap: the old battery keeps
its history and ends on the day the new one was installed.
"""

import csv
import io
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any, Final

from pydantic import ValidationError
from sqlalchemy import insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.db.tables.fleet import Battery, BatteryModel, BatterySystem, Location, String
from battery_api.fleet.errors import ImportRefused
from battery_api.fleet.schemas import ImportLineError, ImportReport
from battery_contracts.fleet import BATTERY_MODELS, FLEET_COLUMNS, FleetRow

MAX_LINES: Final = 100_000
MAX_ERRORS_SHOWN: Final = 200
_IMPORT_LOCK: Final = 7_204_861_954
_SITE_FIELDS: Final = (
    "location_name",
    "region",
    "latitude",
    "longitude",
    "altitude_m",
    "commissioned_on",
    "utility",
    "climate_zone",
)
_SYSTEM_FIELDS: Final = ("system_kind", "rated_power_kva")


@dataclass(slots=True)
class ParsedCatalogue:
    """Lines that are sound in themselves and with each other, and the errors of the rest."""

    rows: list[FleetRow] = field(default_factory=list)
    errors: list[ImportLineError] = field(default_factory=list)
    line_count: int = 0


def parse_catalogue(content: bytes) -> ParsedCatalogue:
    """Read a catalogue file (CSV, UTF-8, header line) and check each line and their agreement.

    Raises
    ------
    ImportRefused
        The file is not CSV text with the expected header.
    """
    reader = csv.DictReader(io.StringIO(_decoded(content)), restkey="_surplus", strict=True)
    _require_header(reader.fieldnames)
    parsed = ParsedCatalogue()
    agreement = _Agreement()
    try:
        for record in reader:
            parsed.line_count += 1
            if parsed.line_count > MAX_LINES:
                raise ImportRefused(f"The file has more than {MAX_LINES:,} lines; split it.")
            row, errors = _checked_line(record, reader.line_num)
            errors += agreement.disagreements(row, reader.line_num) if row else []
            parsed.errors += errors
            if row and not errors:
                parsed.rows.append(row)
    except csv.Error as error:
        raise ImportRefused(f"Line {reader.line_num} is not CSV: {error}") from error
    if parsed.line_count == 0:
        raise ImportRefused("The file has a header but no lines.")
    return parsed


async def import_catalogue(connection: AsyncConnection, content: bytes, *, dry_run: bool) -> ImportReport:
    """Import a catalogue file; with any error nothing is written and the report names line, field and remedy."""
    parsed = parse_catalogue(content)
    if not parsed.errors:
        # Two imports at once take turns; readers and ingest are not held up.
        await connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _IMPORT_LOCK})
        parsed.errors += await _clashes_with_fleet(connection, parsed.rows)
    counts = _Counts()
    if not parsed.errors:
        async with connection.begin_nested() as savepoint:
            await _write(connection, parsed.rows, counts)
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


class _Agreement:
    """Remembers what earlier lines said, since site and system facts repeat on every line."""

    def __init__(self) -> None:
        self._facts: dict[str, tuple[int, FleetRow]] = {}
        self._batteries: dict[str, int] = {}
        self._serials: dict[str, int] = {}

    def disagreements(self, row: FleetRow, line: int) -> list[ImportLineError]:
        errors = [
            *self._facts_differ(row.location_id, _SITE_FIELDS, row, line),
            *self._facts_differ(row.system_id, _SYSTEM_FIELDS, row, line),
        ]
        for name, seen in (("battery_id", self._batteries), ("serial_number", self._serials)):
            value = getattr(row, name)
            first = seen.setdefault(value, line)
            if first != line:
                errors.append(_error(line, name, "repeated", f"{value} stands on line {first} already; keep one."))
        return errors

    def _facts_differ(self, key: str, names: Iterable[str], row: FleetRow, line: int) -> Iterable[ImportLineError]:
        first_line, first = self._facts.setdefault(key, (line, row))
        for name in names:
            here, there = getattr(row, name), getattr(first, name)
            if here != there:
                yield _error(
                    line, name, "contradiction", f"{here} differs from {there} on line {first_line} for {key}."
                )


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ImportRefused(f"The file is not UTF-8 text (byte {error.start}); save it as CSV UTF-8.") from error


def _require_header(names: Sequence[str] | None) -> None:
    given = [name.strip() for name in names or []]
    missing = [name for name in FLEET_COLUMNS if name not in given]
    surplus = [name for name in given if name not in FLEET_COLUMNS]
    if missing or surplus:
        detail = "The first line must name the columns."
        detail += f" Missing: {', '.join(missing)}." if missing else ""
        detail += f" Not known: {', '.join(surplus)}." if surplus else ""
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


async def _clashes_with_fleet(connection: AsyncConnection, rows: Sequence[FleetRow]) -> list[ImportLineError]:
    """Find serial numbers that another position holds, and swaps that lie before the present battery."""
    present = await _present_batteries(connection)
    known = await connection.execute(select(Battery.serial_number, Battery.code))
    holders: dict[str, str] = dict(known.all())
    errors = []
    for index, row in enumerate(rows):
        line = index + 2
        holder = holders.get(row.serial_number)
        old = present.get(row.battery_id)
        if holder is not None and holder != row.battery_id:
            errors.append(_error(line, "serial_number", "taken", f"{row.serial_number} belongs to {holder}."))
        elif old is not None and old["serial_number"] != row.serial_number:
            if holder is not None:
                errors.append(_error(line, "serial_number", "removed", f"{row.serial_number} was removed from there."))
            elif _instant(row.installed_on) <= old["installed_at"]:
                since = f"{old['installed_at']:%Y-%m-%d}"
                errors.append(
                    _error(line, "installed_on", "too_early", f"{old['serial_number']} is in place since {since}.")
                )
    return errors


async def _write(connection: AsyncConnection, rows: Sequence[FleetRow], counts: _Counts) -> None:
    models = await _write_models(connection)
    locations = await _write_locations(connection, rows)
    systems = await _write_systems(connection, rows, locations)
    strings = await _write_strings(connection, rows, systems, locations)
    await _write_batteries(connection, rows, _Keys(models, locations, strings), counts)
    await _fill_state_rows(connection)


@dataclass(frozen=True, slots=True)
class _Keys:
    models: Mapping[str, int]
    locations: Mapping[str, int]
    strings: Mapping[str, int]


async def _write_models(connection: AsyncConnection) -> dict[str, int]:
    names = [column.name for column in BatteryModel.__table__.columns if column.name not in {"id", "code"}]
    values = [
        {"code": model.model_id, **{name: getattr(model, name) for name in names}} for model in BATTERY_MODELS.values()
    ]
    return await _upsert(connection, BatteryModel, values, names)


async def _write_locations(connection: AsyncConnection, rows: Sequence[FleetRow]) -> dict[str, int]:
    names = ["name", *(name for name in _SITE_FIELDS if name != "location_name")]
    values = {
        row.location_id: {
            "code": row.location_id,
            "name": row.location_name,
            **{name: getattr(row, name) for name in names if name != "name"},
        }
        for row in rows
    }
    return await _upsert(connection, Location, list(values.values()), names)


async def _write_systems(
    connection: AsyncConnection, rows: Sequence[FleetRow], locations: Mapping[str, int]
) -> dict[str, int]:
    values = {
        row.system_id: {
            "code": row.system_id,
            "location_id": locations[row.location_id],
            "kind": row.system_kind.value,
            "rated_power_kva": row.rated_power_kva,
        }
        for row in rows
    }
    return await _upsert(connection, BatterySystem, list(values.values()), ["kind", "rated_power_kva"])


async def _write_strings(
    connection: AsyncConnection, rows: Sequence[FleetRow], systems: Mapping[str, int], locations: Mapping[str, int]
) -> dict[str, int]:
    values = {
        row.string_id: {
            "code": row.string_id,
            "system_id": systems[row.system_id],
            "location_id": locations[row.location_id],
        }
        for row in rows
    }
    return await _upsert(connection, String, list(values.values()), ["system_id"])


async def _upsert(
    connection: AsyncConnection, table: Any, values: list[dict[str, Any]], updated: Sequence[str]
) -> dict[str, int]:
    statement = upsert(table).values(values)
    changed = {name: statement.excluded[name] for name in updated}
    await connection.execute(statement.on_conflict_do_update(index_elements=["code"], set_=changed))
    keys = await connection.execute(select(table.code, table.id))
    return dict(keys.all())


async def _write_batteries(connection: AsyncConnection, rows: Sequence[FleetRow], keys: _Keys, counts: _Counts) -> None:
    present = await _present_batteries(connection)
    fresh: list[dict[str, Any]] = []
    for row in rows:
        values = _battery_values(row, keys)
        old = present.get(row.battery_id)
        if old is not None and old["serial_number"] == row.serial_number:
            changed = {name: value for name, value in values.items() if old[name] != value}
            counts.unchanged += not changed
            if changed:
                counts.updated += 1
                await connection.execute(update(Battery).where(Battery.id == old["id"]).values(**changed))
            continue
        if old is not None:
            counts.replaced += 1
            ended = {"removed_at": values["installed_at"], "removed_reason": "replaced by import"}
            await connection.execute(update(Battery).where(Battery.id == old["id"]).values(**ended))
        else:
            counts.created += 1
        fresh.append(values)
    if fresh:
        await connection.execute(insert(Battery), fresh)


async def _present_batteries(connection: AsyncConnection) -> dict[str, Mapping[str, Any]]:
    found = await connection.execute(select(Battery.__table__).where(Battery.removed_at.is_(None)))
    return {row["code"]: dict(row) for row in found.mappings()}


def _battery_values(row: FleetRow, keys: _Keys) -> dict[str, Any]:
    return {
        "code": row.battery_id,
        "string_id": keys.strings[row.string_id],
        "location_id": keys.locations[row.location_id],
        "model_id": keys.models[row.model_id],
        "position": row.position,
        "serial_number": row.serial_number,
        "installed_at": _instant(row.installed_on),
        "baseline_resistance_mohm": _as_real(row.baseline_resistance_mohm),
        "baseline_temperature_c": _as_real(row.baseline_temperature_c),
    }


async def _fill_state_rows(connection: AsyncConnection) -> None:
    for table in ("location", "string", "battery"):
        await connection.execute(
            text(f"insert into {table}_state ({table}_id) select id from {table} on conflict do nothing")  # noqa: S608
        )


def _instant(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)


def _as_real(value: float | None) -> float | None:
    # The column is single precision: compare with what it will hold, or the second import would look like a change.
    return None if value is None else struct.unpack("f", struct.pack("f", value))[0]


def _error(line: int, name: str | None, code: str, detail: str) -> ImportLineError:
    return ImportLineError(line=line, field=name, code=code, detail=detail)
