"""The fleet catalogue as arrays, so that a batch is resolved without a Python object per reading."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, Literal, TypeVar

import numpy as np

from battery_api.fleet.catalogue import BatteryEntry, FleetCatalogue, LocationEntry, StringEntry
from battery_api.telemetry.store.columns import FloatArray, IntArray
from battery_api.telemetry.store.indices import FleetSlot, FleetSlots, Keys
from battery_api.telemetry.store.instants import microseconds

NOT_RETIRED: Final = np.iinfo(np.int64).max
"""Later than every instant."""
Kind = Literal["battery", "string", "location"]
Entry = TypeVar("Entry", BatteryEntry, StringEntry, LocationEntry)
EntryT_co = TypeVar("EntryT_co", bound=BatteryEntry | StringEntry | LocationEntry, covariant=True)


@dataclass(frozen=True, slots=True)
class KindIndex(Generic[EntryT_co]):
    """Entries (n,) of one kind of subject by fleet slot, in key order, the order in which state rows are locked."""

    entries: Sequence[EntryT_co]
    keys: Keys
    slot_of: Mapping[str, FleetSlot]
    """Fleet slot of a code."""
    location: FleetSlots
    """Fleet slot of each entry's location."""
    retired_us: IntArray
    """When each entry was retired, a string or location with its last battery; `NOT_RETIRED` while it is in service."""
    retired_by: Sequence[str | None]

    def keys_at(self, slots: FleetSlots) -> Keys:
        """Return the keys at some slots."""
        return Keys(self.keys[slots])

    def entries_at(self, slots: FleetSlots) -> list[EntryT_co]:
        """Return the entries at some slots."""
        return [self.entries[slot] for slot in slots.tolist()]


@dataclass(frozen=True, slots=True)
class FleetIndex:
    """Every location, string and battery of a catalogue, with what ingest needs of each battery (n,)."""

    catalogue: FleetCatalogue
    locations: KindIndex[LocationEntry]
    strings: KindIndex[StringEntry]
    batteries: KindIndex[BatteryEntry]
    string_of_battery: FleetSlots
    installed_us: IntArray
    baseline_mohm: FloatArray
    baseline_c: FloatArray
    battery_capacity_ah: FloatArray
    battery_cells: FloatArray
    """(n,) cells in series of each battery."""
    string_cells: FloatArray
    """(strings,) cells in series, NaN for a string without batteries."""
    string_capacity_ah: FloatArray
    """(strings,) rated capacity, NaN for a string without batteries."""

    @classmethod
    def of(cls, catalogue: FleetCatalogue) -> "FleetIndex":
        """Build the arrays of a catalogue."""
        locations = _by_key(catalogue.locations)
        strings = _by_key(catalogue.strings)
        batteries = _by_key(catalogue.batteries)
        location_slot = _slots(locations)
        string_slot = _slots(strings)
        members = [[catalogue.battery_by_key[key] for key in entry.battery_keys] for entry in strings]
        string_of = FleetSlots(_ints(string_slot[entry.string_code] for entry in batteries))
        location_of = FleetSlots(_ints(location_slot[entry.location_code] for entry in batteries))
        retired = _Retirement.of_batteries(batteries)
        retired_strings = retired.grouped(string_of, len(strings))
        retired_locations = retired.grouped(location_of, len(locations))
        return cls(
            catalogue=catalogue,
            locations=KindIndex(
                locations,
                _keys(locations),
                location_slot,
                FleetSlots(np.arange(len(locations))),
                retired_locations.at_us,
                retired_locations.by,
            ),
            strings=KindIndex(
                strings,
                _keys(strings),
                string_slot,
                FleetSlots(_ints(location_slot[entry.location_code] for entry in strings)),
                retired_strings.at_us,
                retired_strings.by,
            ),
            batteries=KindIndex(
                batteries,
                _keys(batteries),
                _slots(batteries),
                location_of,
                retired.at_us,
                retired.by,
            ),
            string_of_battery=string_of,
            installed_us=_ints(round(entry.installed_at.timestamp() * 1e6) for entry in batteries),
            baseline_mohm=np.array([entry.baseline_resistance_mohm for entry in batteries], np.float64),
            baseline_c=np.array([entry.baseline_temperature_c for entry in batteries], np.float64),
            battery_capacity_ah=np.array([entry.rated_capacity_ah for entry in batteries], np.float64),
            battery_cells=np.array([entry.cell_count for entry in batteries], np.float64),
            string_cells=np.array([_cells_in_series(entries) for entries in members], np.float64),
            string_capacity_ah=np.array(
                [max((entry.rated_capacity_ah for entry in entries), default=np.nan) for entries in members],
                np.float64,
            ),
        )

    def of_kind(self, kind: Kind) -> KindIndex[BatteryEntry | StringEntry | LocationEntry]:
        """Return the entries of a kind."""
        by_kind: dict[Kind, KindIndex[BatteryEntry | StringEntry | LocationEntry]] = {
            "battery": self.batteries,
            "string": self.strings,
            "location": self.locations,
        }
        return by_kind[kind]


def _cells_in_series(batteries: Sequence[BatteryEntry]) -> float:
    """Return the cells of a string: a position that is vacant for now, or not monitored, counts as well."""
    if not batteries:
        return np.nan
    count = max(len(batteries), *(entry.position for entry in batteries))
    return float(count * max(entry.cell_count for entry in batteries))


@dataclass(frozen=True, slots=True)
class _Retirement:
    """When entries (n,) of one kind were retired and by whom."""

    at_us: IntArray
    by: list[str | None]

    @classmethod
    def of_batteries(cls, batteries: Sequence[BatteryEntry]) -> "_Retirement":
        instants = (entry.retired_at for entry in batteries)
        at_us = _ints(NOT_RETIRED if instant is None else microseconds(instant) for instant in instants)
        return cls(at_us, [entry.retired_by for entry in batteries])

    def grouped(self, group: FleetSlots, count: int) -> "_Retirement":
        """Return that of groups: a group is retired with the last of its batteries, one without batteries never."""
        at_us = np.full(count, NOT_RETIRED, np.int64)
        by: list[str | None] = [None] * count
        # In order of time the last one wins, and one that is in service comes after all that are not.
        for member in np.argsort(self.at_us, kind="stable").tolist():
            at_us[group[member]] = self.at_us[member]
            by[int(group[member])] = self.by[member]
        return _Retirement(at_us, by)


def _by_key(entries: Mapping[str, Entry]) -> list[Entry]:
    return sorted(entries.values(), key=lambda entry: entry.key)


def _slots(entries: Sequence[BatteryEntry | StringEntry | LocationEntry]) -> dict[str, FleetSlot]:
    return {entry.code: FleetSlot(slot) for slot, entry in enumerate(entries)}


def _keys(entries: Sequence[BatteryEntry | StringEntry | LocationEntry]) -> Keys:
    return Keys(_ints(entry.key for entry in entries))


def _ints(values: Iterable[int]) -> IntArray:
    return np.fromiter(values, np.int64)
