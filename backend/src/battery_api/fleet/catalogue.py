"""The fleet in memory: what ingest and the rules need of each battery without querying the database."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.db.tables.fleet import Battery, BatteryModelRow, BatterySystem, Location, String
from battery_api.fleet.ohmic import is_credible_baseline
from battery_contracts.enums import SystemKind

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LocationEntry:
    """Key, code and name of a location."""

    key: int
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class StringEntry:
    """A string with its system, its location and its batteries."""

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
    """A battery that is installed now, with its nameplate values and its baseline."""

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
    nominal_resistance_mohm: float
    baseline_resistance_mohm: float | None
    baseline_temperature_c: float | None
    retired_at: datetime | None = None
    """From when it is out of service; readings from before it are still accepted."""
    retired_by: str | None = None

    @property
    def usable_baseline_mohm(self) -> float:
        """Its own ohmic baseline; NaN where there is none, or none that its model could have."""
        baseline = self.baseline_resistance_mohm
        if baseline is None or not is_credible_baseline(baseline, self.nominal_resistance_mohm):
            return math.nan
        return baseline


class FleetVersion(NamedTuple):
    """Differs whenever the fleet has changed: rows are never deleted, and a swap adds one."""

    location_count: int
    string_count: int
    battery_transactions: int
    """Sum of the transactions that last wrote each battery, so that the order of their commits does not matter."""


@dataclass(frozen=True)
class FleetCatalogue:
    """Every location, string and installed battery, by code and by key; ``version`` None if it is never compared."""

    locations: Mapping[str, LocationEntry]
    strings: Mapping[str, StringEntry]
    batteries: Mapping[str, BatteryEntry]
    version: FleetVersion | None = None
    location_by_key: Mapping[int, LocationEntry] = field(init=False)
    string_by_key: Mapping[int, StringEntry] = field(init=False)
    battery_by_key: Mapping[int, BatteryEntry] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "location_by_key", {entry.key: entry for entry in self.locations.values()})
        object.__setattr__(self, "string_by_key", {entry.key: entry for entry in self.strings.values()})
        object.__setattr__(self, "battery_by_key", {entry.key: entry for entry in self.batteries.values()})


async def load_catalogue(connection: AsyncConnection, version: FleetVersion | None = None) -> FleetCatalogue:
    """Read the whole fleet; about two thousand rows. ``version`` was read before it."""
    locations = {row.code: LocationEntry(**row._asdict()) for row in await connection.execute(_LOCATIONS)}
    batteries = {row.code: BatteryEntry(**row._asdict()) for row in await connection.execute(_BATTERIES)}
    batteries_of: dict[int, list[BatteryEntry]] = {}
    for entry in batteries.values():
        batteries_of.setdefault(entry.string_key, []).append(entry)
    strings = {}
    for row in await connection.execute(_STRINGS):
        in_order = sorted(batteries_of.get(row.key, []), key=lambda entry: entry.position)
        strings[row.code] = StringEntry(
            key=row.key,
            code=row.code,
            system_key=row.system_key,
            system_code=row.system_code,
            system_kind=SystemKind(row.system_kind),
            location_key=row.location_key,
            location_code=row.location_code,
            battery_keys=tuple(entry.key for entry in in_order),
        )
    return FleetCatalogue(locations, strings, batteries, version)


# The labels are the names of the entries' fields.
_LOCATIONS: Final = select(Location.id.label("key"), Location.code, Location.name)
_STRINGS: Final = (
    select(
        String.id.label("key"),
        String.code,
        String.system_id.label("system_key"),
        BatterySystem.code.label("system_code"),
        BatterySystem.kind.label("system_kind"),
        String.location_id.label("location_key"),
        Location.code.label("location_code"),
    )
    .join(BatterySystem, BatterySystem.id == String.system_id)
    .join(Location, Location.id == String.location_id)
    .order_by(String.code)
)
_BATTERIES: Final = (
    select(
        Battery.id.label("key"),
        Battery.code,
        Battery.position,
        Battery.string_id.label("string_key"),
        String.code.label("string_code"),
        BatterySystem.code.label("system_code"),
        Battery.location_id.label("location_key"),
        Location.code.label("location_code"),
        BatteryModelRow.code.label("model_code"),
        Battery.installed_at,
        BatteryModelRow.cell_count,
        BatteryModelRow.rated_capacity_ah,
        BatteryModelRow.float_voltage_low_v,
        BatteryModelRow.float_voltage_high_v,
        BatteryModelRow.float_compensation_v_per_c,
        BatteryModelRow.nominal_resistance_mohm,
        Battery.baseline_resistance_mohm,
        Battery.baseline_temperature_c,
        Battery.retired_at,
        Battery.retired_by,
    )
    .join(String, String.id == Battery.string_id)
    .join(BatterySystem, BatterySystem.id == String.system_id)
    .join(Location, Location.id == Battery.location_id)
    .join(BatteryModelRow, BatteryModelRow.id == Battery.model_id)
    .where(Battery.removed_at.is_(None))
    .order_by(Battery.code)
)


class CatalogueCache:
    """The current catalogue, read again after the fleet has changed.

    Parameters
    ----------
    max_age_s
        How long an import by another replica may go unnoticed.
    """

    def __init__(self, *, max_age_s: float = 30.0) -> None:
        self._max_age_s = max_age_s
        self._catalogue: FleetCatalogue | None = None
        self._version: FleetVersion | None = None
        self._checked_at: datetime | None = None

    def current(self, now: datetime) -> FleetCatalogue | None:
        """Return the catalogue if it needs no check, so that no connection has to be opened for it."""
        return self._catalogue if self._is_fresh(now) else None

    async def get(self, connection: AsyncConnection, now: datetime) -> FleetCatalogue:
        """Return the catalogue, checking at most once per ``max_age_s`` whether it has changed."""
        if self._catalogue is not None and self._is_fresh(now):
            return self._catalogue
        version = await _fleet_version(connection)
        if self._catalogue is None or version != self._version:
            self._catalogue = await load_catalogue(connection, version)
            self._version = version
        self._checked_at = now
        return self._catalogue

    def _is_fresh(self, now: datetime) -> bool:
        return self._checked_at is not None and 0 <= (now - self._checked_at).total_seconds() < self._max_age_s

    def forget(self) -> None:
        """Read the catalogue again at the next use; called after this process has changed the fleet."""
        self._checked_at = None
        self._version = None


_VERSION: Final = text(
    """
    select (select count(*) from location), (select count(*) from string),
           coalesce((select sum(xmin::text::bigint)::bigint from battery), 0)
    """
)


async def is_current(connection: AsyncConnection, catalogue: FleetCatalogue) -> bool:
    """Return whether the fleet is still as a catalogue of the cache shows it."""
    return catalogue.version is None or catalogue.version == await _fleet_version(connection)


async def _fleet_version(connection: AsyncConnection) -> FleetVersion:
    return FleetVersion(*(await connection.execute(_VERSION)).one())
