"""The batteries of a query: one, those of a string or those of a location, as far as the caller may see them."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from fastapi import Depends, Query
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.accounts.principal import Principal
from battery_api.db.fetching import fetch_all
from battery_api.fleet.errors import BatteryNotFound, LocationNotFound, StringNotFound
from battery_api.telemetry.errors import InvalidSelection
from battery_api.telemetry.store.indices import BatteryKey

_BATTERIES = (
    "select b.id, b.code, l.code as location from battery b join string s on s.id = b.string_id "
    "join location l on l.id = b.location_id where b.removed_at is null and {column} = $1 order by b.code"
)


_STRINGS = (
    "select s.id, s.code, l.code as location from string s join location l on l.id = s.location_id "
    "where {column} = $1 order by s.code"
)


class Series(StrEnum):
    """Whose readings are exported."""

    BATTERY = "battery"
    STRING = "string"
    ENVIRONMENT = "environment"


@dataclass(frozen=True, slots=True)
class Selection:
    """What the caller selects; exactly one id is set."""

    battery_id: str | None
    string_id: str | None
    location_id: str | None

    @property
    def name(self) -> str:
        """The id that is set."""
        return self.battery_id or self.string_id or self.location_id or ""


def _selection(
    battery_id: Annotated[str | None, Query(description="One battery.")] = None,
    string_id: Annotated[str | None, Query(description="Every battery of a string.")] = None,
    location_id: Annotated[str | None, Query(description="Every battery of a location.")] = None,
) -> Selection:
    selected = [value for value in (battery_id, string_id, location_id) if value]
    if len(selected) != 1:
        raise InvalidSelection("Name exactly one of battery_id, string_id and location_id.")
    return Selection(battery_id, string_id, location_id)


SelectionDep = Annotated[Selection, Depends(_selection)]


@dataclass(frozen=True, slots=True)
class SelectedBattery:
    """A battery of a selection."""

    key: BatteryKey
    code: str


@dataclass(frozen=True, slots=True)
class SelectedSubject:
    """A battery, a string or a location whose readings are wanted."""

    key: int
    code: str


async def find_batteries(
    connection: AsyncConnection, selection: Selection, principal: Principal
) -> Sequence[SelectedBattery]:
    """Return the batteries of a selection, sorted by id.

    Raises
    ------
    BatteryNotFound, LocationNotFound
        It has none that the caller may see.
    """
    column = "b.code" if selection.battery_id else "s.code" if selection.string_id else "l.code"
    rows = await fetch_all(connection, _BATTERIES.format(column=column), (selection.name,))
    visible = [SelectedBattery(BatteryKey(row.id), row.code) for row in rows if principal.may_see(row.location)]
    if visible:
        return visible
    if selection.location_id:
        raise LocationNotFound(f"No location {selection.location_id} with batteries that you may see.")
    raise BatteryNotFound(f"No batteries under {selection.name} that you may see.")


async def find_subjects(
    connection: AsyncConnection, selection: Selection, principal: Principal, of: Series
) -> Sequence[SelectedSubject]:
    """Return what a selection has of one kind, sorted by id.

    Raises
    ------
    BatteryNotFound, StringNotFound, LocationNotFound
        It has none that the caller may see.
    InvalidSelection
        The kind of series does not go with the id that is set.
    """
    if of is Series.BATTERY:
        batteries = await find_batteries(connection, selection, principal)
        return [SelectedSubject(int(battery.key), battery.code) for battery in batteries]
    if selection.battery_id or (of is Series.ENVIRONMENT and selection.string_id):
        allowed = "string_id or location_id" if of is Series.STRING else "location_id"
        raise InvalidSelection(f"series={of} needs {allowed}.")
    if of is Series.ENVIRONMENT:
        rows = await fetch_all(
            connection, "select id, code, code as location from location where code = $1", (selection.name,)
        )
    else:
        column = "s.code" if selection.string_id else "l.code"
        rows = await fetch_all(connection, _STRINGS.format(column=column), (selection.name,))
    visible = [SelectedSubject(row.id, row.code) for row in rows if principal.may_see(row.location)]
    if visible:
        return visible
    if selection.string_id:
        raise StringNotFound(f"No string {selection.string_id} that you may see.")
    raise LocationNotFound(f"No location {selection.location_id} with strings that you may see.")
