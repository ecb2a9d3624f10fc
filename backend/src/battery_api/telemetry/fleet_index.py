"""The fleet catalogue as arrays, so that a batch is resolved without a Python object a reading."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from battery_api.fleet.catalogue import BatteryEntry, FleetCatalogue, LocationEntry, StringEntry
from battery_api.telemetry.rows import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class FleetIndex:
    """Entries in the order of their keys, which is the order that state rows are locked in.

    A *place* is an entry's position in that order.
    """

    catalogue: FleetCatalogue
    locations: Sequence[LocationEntry]
    strings: Sequence[StringEntry]
    batteries: Sequence[BatteryEntry]
    place: Mapping[str, Mapping[str, int]]
    """Place of a code, by kind (battery, string, location)."""
    key: Mapping[str, IntArray]
    location_of: Mapping[str, IntArray]
    """Location place of each entry, by kind."""
    string_of_battery: IntArray
    installed_us: IntArray
    baseline_mohm: FloatArray
    baseline_c: FloatArray

    @classmethod
    def of(cls, catalogue: FleetCatalogue) -> "FleetIndex":
        """Build the arrays of a catalogue."""
        locations = sorted(catalogue.locations.values(), key=lambda entry: entry.key)
        strings = sorted(catalogue.strings.values(), key=lambda entry: entry.key)
        batteries = sorted(catalogue.batteries.values(), key=lambda entry: entry.key)
        location_place = {entry.code: place for place, entry in enumerate(locations)}
        string_place = {entry.code: place for place, entry in enumerate(strings)}
        return cls(
            catalogue=catalogue,
            locations=locations,
            strings=strings,
            batteries=batteries,
            place={
                "location": location_place,
                "string": string_place,
                "battery": {entry.code: place for place, entry in enumerate(batteries)},
            },
            key={
                "location": _ints(entry.key for entry in locations),
                "string": _ints(entry.key for entry in strings),
                "battery": _ints(entry.key for entry in batteries),
            },
            location_of={
                "location": np.arange(len(locations)),
                "string": _ints(location_place[entry.location_code] for entry in strings),
                "battery": _ints(location_place[entry.location_code] for entry in batteries),
            },
            string_of_battery=_ints(string_place[entry.string_code] for entry in batteries),
            installed_us=_ints(round(entry.installed_at.timestamp() * 1e6) for entry in batteries),
            baseline_mohm=np.array([entry.baseline_resistance_mohm for entry in batteries], np.float64),
            baseline_c=np.array([entry.baseline_temperature_c for entry in batteries], np.float64),
        )

    def code_of(self, kind: str, place: int) -> str:
        """Return the public id at a place."""
        entries: Mapping[str, Sequence[LocationEntry | StringEntry | BatteryEntry]] = {
            "location": self.locations,
            "string": self.strings,
            "battery": self.batteries,
        }
        return entries[kind][place].code


def _ints(values: object) -> IntArray:
    return np.array(list(values), np.int64)  # type: ignore[call-overload]  # any iterable of whole numbers
