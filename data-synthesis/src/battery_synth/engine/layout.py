"""The order of a location's batteries in the arrays: string by string, each with the same number of blocks."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from battery_contracts.enums import SystemKind
from battery_contracts.fleet import BATTERY_MODELS, FleetRow
from battery_synth.outside.load import battery_power_w
from battery_synth.outside.locations import LOCATION_BY_CODE, LocationProfile
from battery_synth.state.arrays import BoolArray, FloatArray, IntArray

TIERS: Final = 4
"""Tiers of the racks; a string fills them from the bottom to the top."""


@dataclass(frozen=True, slots=True)
class LocationLayout:
    """Ids in array order and their hierarchy; (n,) per block, (g,) per string."""

    location: LocationProfile
    battery_ids: list[str]
    string_ids: list[str]
    system_ids: list[str]
    width: int
    system_of_string: IntArray
    is_rectifier: BoolArray
    """(g,)"""
    rated_w: FloatArray
    """(g,) DC power of a string's share of its system's rating."""
    rated_ah: float
    baseline_mohm: FloatArray
    """(n,) resistance at 25 °C at the commissioning of the batteries in the catalogue."""
    nominal_mohm: FloatArray
    installed_s: FloatArray
    """(n,) s since 1970, of the batteries in the catalogue."""
    serial_numbers: list[str]
    """(n,) of the batteries in the catalogue."""

    @classmethod
    def of(cls, fleet: Sequence[FleetRow]) -> "LocationLayout":
        """Build the layout of the batteries of one location.

        Raises
        ------
        ValueError
            There are none, they are of several locations or of models of several capacities, strings differ in length,
            or no climate is known for the location.
        """
        rows = sorted(fleet, key=lambda row: row.battery_id)
        locations = sorted({row.location_id for row in rows})
        if len(locations) != 1:
            raise ValueError(f"one location at a time: {locations or 'no batteries'}")
        if locations[0] not in LOCATION_BY_CODE:
            raise ValueError(f"no climate is known for {locations[0]}; known: {', '.join(sorted(LOCATION_BY_CODE))}")
        per_string = Counter(row.string_id for row in rows)
        if len(set(per_string.values())) != 1:
            raise ValueError("every string must have the same number of batteries")
        width = next(iter(per_string.values()))
        models = [BATTERY_MODELS[row.model_id] for row in rows]
        if len({model.rated_capacity_ah for model in models}) != 1:
            raise ValueError("the world supports fleets of one rated capacity only")
        heads = rows[::width]
        systems = list(dict.fromkeys(row.system_id for row in heads))
        strings_of_system = Counter(row.system_id for row in heads)
        kva = np.array([row.rated_power_kva / strings_of_system[row.system_id] for row in heads])
        return cls(
            location=LOCATION_BY_CODE[locations[0]],
            battery_ids=[row.battery_id for row in rows],
            string_ids=[row.string_id for row in heads],
            system_ids=systems,
            width=width,
            system_of_string=np.array([systems.index(row.system_id) for row in heads]),
            is_rectifier=np.array([row.system_kind is SystemKind.RECTIFIER for row in heads]),
            rated_w=battery_power_w(kva),
            rated_ah=models[0].rated_capacity_ah,
            baseline_mohm=np.array(
                [
                    row.baseline_resistance_mohm or model.nominal_resistance_mohm
                    for row, model in zip(rows, models, strict=True)
                ]
            ),
            nominal_mohm=np.array([model.nominal_resistance_mohm for model in models]),
            installed_s=np.array([np.datetime64(row.installed_on, "s").astype(np.int64) for row in rows], np.float64),
            serial_numbers=[row.serial_number for row in rows],
        )

    @property
    def rectifiers(self) -> frozenset[str]:
        """The systems that are rectifiers."""
        return frozenset(self.system_ids[system] for system in self.system_of_string[self.is_rectifier].tolist())

    def battery_ids_of(self, strings: IntArray) -> list[str]:
        """Return the batteries of strings, given by index, in the order of the arrays."""
        return [self.battery_ids[string * self.width + j] for string in strings.tolist() for j in range(self.width)]
