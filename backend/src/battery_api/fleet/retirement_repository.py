"""Reads and writes of retirement."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Literal, NamedTuple

from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.db.tables.fleet import Battery

SubjectKind = Literal["battery", "string", "location"]

_PRESENT: Final = """
    select b.id, b.code, b.serial_number, b.installed_at, b.retired_at, b.retired_by, b.retired_reason,
           b.string_id, b.location_id, l.code
    from battery b join string g on g.id = b.string_id join location l on l.id = b.location_id
    where b.removed_at is null and {column} = any(:codes) order by b.id
"""
_COLUMNS: Final[Mapping[SubjectKind, str]] = {"battery": "b.code", "string": "g.code", "location": "l.code"}
_LOCATION_OF: Final[Mapping[SubjectKind, str]] = {
    "battery": "select l.code from battery b join location l on l.id = b.location_id where b.code = :code limit 1",
    "string": "select l.code from string g join location l on l.id = g.location_id where g.code = :code",
    "location": "select l.code from location l where l.code = :code",
}


class PresentBattery(NamedTuple):
    """A battery in its position, with its retirement if it is retired."""

    key: int
    code: str
    serial_number: str
    installed_at: datetime
    retired_at: datetime | None
    retired_by: str | None
    retired_reason: str | None
    string_key: int
    location_key: int
    location_code: str


class Subject(NamedTuple):
    """What is retired: a battery, or every battery of a string or location."""

    kind: SubjectKind
    code: str


async def find_location(connection: AsyncConnection, subject: Subject) -> str | None:
    """Return the location of a subject, None if there is no such subject."""
    found: str | None = await connection.scalar(text(_LOCATION_OF[subject.kind]), {"code": subject.code})
    return found


async def list_present(connection: AsyncConnection, kind: SubjectKind, codes: Sequence[str]) -> list[PresentBattery]:
    """Return the batteries that are in the positions of subjects now, by key."""
    rows = await connection.execute(text(_PRESENT.format(column=_COLUMNS[kind])), {"codes": list(codes)})
    return [PresentBattery(*row) for row in rows]


async def retire_battery(connection: AsyncConnection, key: int, *, at: datetime, by: str, reason: str) -> None:
    """Record that a battery is retired."""
    values = {"retired_at": at, "retired_by": by, "retired_reason": reason}
    await connection.execute(update(Battery).where(Battery.id == key).values(**values))


async def reinstate_batteries(connection: AsyncConnection, keys: Sequence[int]) -> None:
    """Record that batteries are in service again."""
    values = {"retired_at": None, "retired_by": None, "retired_reason": None}
    await connection.execute(update(Battery).where(Battery.id.in_(keys)).values(**values))
