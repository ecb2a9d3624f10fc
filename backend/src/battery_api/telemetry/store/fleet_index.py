"""The fleet catalogue as arrays, so that a batch is resolved without a Python object per reading."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

import numpy as np

from battery_api.fleet.catalogue import BatteryEntry, FleetCatalogue, LocationEntry, StringEntry
from battery_api.telemetry.store.columns import FloatArray, IntArray
from battery_api.telemetry.store.indices import FleetSlot, FleetSlots, Keys

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
        return cls(
            catalogue=catalogue,
            locations=KindIndex(locations, _keys(locations), location_slot, FleetSlots(np.arange(len(locations)))),
            strings=KindIndex(
                strings,
                _keys(strings),
                string_slot,
                FleetSlots(_ints(location_slot[entry.location_code] for entry in strings)),
            ),
            batteries=KindIndex(
                batteries,
                _keys(batteries),
                _slots(batteries),
                FleetSlots(_ints(location_slot[entry.location_code] for entry in batteries)),
            ),
            string_of_battery=FleetSlots(_ints(string_slot[entry.string_code] for entry in batteries)),
            installed_us=_ints(round(entry.installed_at.timestamp() * 1e6) for entry in batteries),
            baseline_mohm=np.array([entry.baseline_resistance_mohm for entry in batteries], np.float64),
            baseline_c=np.array([entry.baseline_temperature_c for entry in batteries], np.float64),
            battery_capacity_ah=np.array([entry.rated_capacity_ah for entry in batteries], np.float64),
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


def _by_key(entries: Mapping[str, Entry]) -> list[Entry]:
    return sorted(entries.values(), key=lambda entry: entry.key)


def _slots(entries: Sequence[BatteryEntry | StringEntry | LocationEntry]) -> dict[str, FleetSlot]:
    return {entry.code: FleetSlot(slot) for slot, entry in enumerate(entries)}


def _keys(entries: Sequence[BatteryEntry | StringEntry | LocationEntry]) -> Keys:
    return Keys(_ints(entry.key for entry in entries))


def _ints(values: Iterable[int]) -> IntArray:
    return np.fromiter(values, np.int64)
