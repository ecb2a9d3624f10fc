"""Where each block stands in the arrays: (n,) over blocks, (g,) over strings, (s,) over sites."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from battery_contracts.fleet import FleetRow
from battery_synth.sites import SITE_BY_CODE

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class FleetLayout:
    """Ids in array order and who belongs to whom; every string has ``width`` blocks."""

    battery_ids: list[str]
    string_ids: list[str]
    location_ids: list[str]
    width: int
    string_position: dict[str, int]
    location_position: dict[str, int]
    site_of_string: IntArray
    site_of_block: IntArray
    system_of_string: IntArray
    rated_kva_per_string: FloatArray

    @classmethod
    def of(cls, fleet: Sequence[FleetRow]) -> "FleetLayout":
        """Index a fleet sorted by battery id.

        Raises
        ------
        ValueError
            Strings differ in length, or no climate is known for a site.
        """
        per_string = Counter(row.string_id for row in fleet)
        if len(set(per_string.values())) != 1:
            raise ValueError("every string must have the same number of batteries, and there must be one at least")
        width = next(iter(per_string.values()))
        heads = fleet[::width]
        locations = list(dict.fromkeys(row.location_id for row in heads))
        unknown = sorted(set(locations) - set(SITE_BY_CODE))
        if unknown:
            raise ValueError(f"no climate is known for {', '.join(unknown)}; known: {', '.join(sorted(SITE_BY_CODE))}")
        location_position = {location: i for i, location in enumerate(locations)}
        systems = {system: i for i, system in enumerate(dict.fromkeys(row.system_id for row in heads))}
        strings_of_system = Counter(row.system_id for row in heads)
        site_of_string = np.array([location_position[row.location_id] for row in heads])
        return cls(
            battery_ids=[row.battery_id for row in fleet],
            string_ids=[row.string_id for row in heads],
            location_ids=locations,
            width=width,
            string_position={row.string_id: i for i, row in enumerate(heads)},
            location_position=location_position,
            site_of_string=site_of_string,
            site_of_block=np.repeat(site_of_string, width),
            system_of_string=np.array([systems[row.system_id] for row in heads]),
            rated_kva_per_string=np.array([row.rated_power_kva / strings_of_system[row.system_id] for row in heads]),
        )

    @property
    def fingerprint(self) -> str:
        """A short name of this very set of batteries."""
        return hashlib.sha256("\n".join(self.battery_ids).encode()).hexdigest()[:16]

    def strings_of(self, location_id: str) -> tuple[str, ...]:
        """Return the strings of a site."""
        site = self.location_position[location_id]
        return tuple(self.string_ids[i] for i in np.flatnonzero(self.site_of_string == site))

    def by_string(self, values: FloatArray) -> FloatArray:
        """Return values of blocks (n,) as (g, width)."""
        return values.reshape(-1, self.width)

    def to_blocks(self, values: FloatArray) -> FloatArray:
        """Return values of strings (g,) for each of their blocks (n,)."""
        spread: FloatArray = np.repeat(values, self.width)
        return spread
