"""The fleet in memory: what ingest and the rules need to know of each battery without asking the database."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import numpy.typing as npt
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.db.tables.fleet import Battery, BatteryModel, BatterySystem, Location, String
from battery_contracts.enums import SystemKind

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LocationEntry:
    """A location's keys and name."""

    key: int
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class StringEntry:
    """A string with what lies above it."""

    key: int
    code: str
    system_key: int
    system_code: str
    system_kind: SystemKind
    location_key: int
    location_code: str
    battery_keys: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class BatteryEntry:
    """A battery that is in place now, with its nameplate figures and baseline."""

    key: int
    code: str
    position: int
    string_key: int
    string_code: str
    system_code: str
    location_key: int
    location_code: str
    model_code: str
    installed_at: datetime
    cell_count: int
    rated_capacity_ah: float
    float_voltage_low_v: float
    float_voltage_high_v: float
    float_compensation_v_per_c: float
    baseline_resistance_mohm: float | None
    baseline_temperature_c: float | None


@dataclass(frozen=True)
class FleetCatalogue:
    """Every location, string and present battery, by code and by key."""

    locations: Mapping[str, LocationEntry]
    strings: Mapping[str, StringEntry]
    batteries: Mapping[str, BatteryEntry]
    location_by_key: Mapping[int, LocationEntry] = field(init=False)
    string_by_key: Mapping[int, StringEntry] = field(init=False)
    battery_by_key: Mapping[int, BatteryEntry] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "location_by_key", {entry.key: entry for entry in self.locations.values()})
        object.__setattr__(self, "string_by_key", {entry.key: entry for entry in self.strings.values()})
        object.__setattr__(self, "battery_by_key", {entry.key: entry for entry in self.batteries.values()})


async def load_catalogue(connection: AsyncConnection) -> FleetCatalogue:
    """Read the whole fleet; about two thousand rows."""
    locations = {
        row.code: LocationEntry(row.id, row.code, row.name)
        for row in await connection.execute(select(Location.id, Location.code, Location.name))
    }
    batteries = {row.code: _battery_entry(row) for row in await connection.execute(_BATTERIES)}
    members: dict[int, list[BatteryEntry]] = {}
    for entry in batteries.values():
        members.setdefault(entry.string_key, []).append(entry)
    strings = {}
    for row in await connection.execute(_STRINGS):
        ordered = sorted(members.get(row.id, []), key=lambda entry: entry.position)
        strings[row.code] = StringEntry(
            key=row.id,
            code=row.code,
            system_key=row.system_id,
            system_code=row.system_code,
            system_kind=SystemKind(row.kind),
            location_key=row.location_id,
            location_code=row.location_code,
            battery_keys=tuple(entry.key for entry in ordered),
        )
    return FleetCatalogue(locations, strings, batteries)


_STRINGS = (
    select(
        String.id,
        String.code,
        String.system_id,
        BatterySystem.code.label("system_code"),
        BatterySystem.kind,
        String.location_id,
        Location.code.label("location_code"),
    )
    .join(BatterySystem, BatterySystem.id == String.system_id)
    .join(Location, Location.id == String.location_id)
    .order_by(String.code)
)
_BATTERIES = (
    select(
        Battery,
        String.code.label("string_code"),
        BatterySystem.code.label("system_code"),
        Location.code.label("location_code"),
        BatteryModel.code.label("model_code"),
        BatteryModel.cell_count,
        BatteryModel.rated_capacity_ah,
        BatteryModel.float_voltage_low_v,
        BatteryModel.float_voltage_high_v,
        BatteryModel.float_compensation_v_per_c,
    )
    .join(String, String.id == Battery.string_id)
    .join(BatterySystem, BatterySystem.id == String.system_id)
    .join(Location, Location.id == Battery.location_id)
    .join(BatteryModel, BatteryModel.id == Battery.model_id)
    .where(Battery.removed_at.is_(None))
    .order_by(Battery.code)
)


def _battery_entry(row: object) -> BatteryEntry:
    values = row._mapping  # type: ignore[attr-defined]  # noqa: SLF001  # SQLAlchemy's documented row mapping
    return BatteryEntry(
        key=values["id"],
        code=values["code"],
        position=values["position"],
        string_key=values["string_id"],
        string_code=values["string_code"],
        system_code=values["system_code"],
        location_key=values["location_id"],
        location_code=values["location_code"],
        model_code=values["model_code"],
        installed_at=values["installed_at"],
        cell_count=values["cell_count"],
        rated_capacity_ah=values["rated_capacity_ah"],
        float_voltage_low_v=values["float_voltage_low_v"],
        float_voltage_high_v=values["float_voltage_high_v"],
        float_compensation_v_per_c=values["float_compensation_v_per_c"],
        baseline_resistance_mohm=values["baseline_resistance_mohm"],
        baseline_temperature_c=values["baseline_temperature_c"],
    )


class CatalogueCache:
    """The present catalogue, read again when the fleet changed.

    Parameters
    ----------
    max_age_s
        How long another replica's import may stay unnoticed.
    """

    def __init__(self, *, max_age_s: float = 30.0) -> None:
        self._max_age_s = max_age_s
        self._catalogue: FleetCatalogue | None = None
        self._version: tuple[int, int, int] | None = None
        self._checked_at: datetime | None = None

    async def get(self, connection: AsyncConnection, now: datetime) -> FleetCatalogue:
        """Return the catalogue, asking at most once in ``max_age_s`` whether it changed."""
        fresh = self._checked_at is not None and 0 <= (now - self._checked_at).total_seconds() < self._max_age_s
        if self._catalogue is not None and fresh:
            return self._catalogue
        version = await _version(connection)
        if self._catalogue is None or version != self._version:
            self._catalogue = await load_catalogue(connection)
            self._version = version
        self._checked_at = now
        return self._catalogue

    def forget(self) -> None:
        """Read anew at the next use, after this process changed the fleet."""
        self._checked_at = None
        self._version = None


async def _version(connection: AsyncConnection) -> tuple[int, int, int]:
    # Rows are never deleted and a swap adds one, so counts and the newest transaction that wrote a row tell a change.
    row = (
        await connection.exec_driver_sql(
            "select (select count(*) from location), (select count(*) from string), "
            "coalesce((select max(xmin::text::bigint) from battery), 0)"
        )
    ).one()
    locations, strings, newest = (int(value) for value in row)
    return locations, strings, newest
