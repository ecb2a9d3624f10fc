"""All that acts on a location from outside, in one interface: a function of seed, location and time."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from battery_synth.outside.campaign import Campaign
from battery_synth.outside.chargers import Chargers
from battery_synth.outside.climate import Climate
from battery_synth.outside.grid import DischargeSpan, Grid
from battery_synth.outside.load import Load
from battery_synth.outside.locations import LocationProfile
from battery_synth.outside.rooms import Room
from battery_synth.outside.scenario import Scenario

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


class Surroundings:
    """A location's weather, room, mains, chargers and load; instants are in s since 1970."""

    def __init__(self, climate: Climate, room: Room, grid: Grid, chargers: Chargers, load: Load) -> None:
        self.climate, self.room, self.grid, self.chargers, self.load = climate, room, grid, chargers, load

    @classmethod
    def of(
        cls,
        seed: int,
        location: LocationProfile,
        system_ids: Sequence[str],
        strings: int,
        rated_ah: float,
        *,
        rectifiers: frozenset[str] = frozenset(),
        scenario: Scenario | None = None,
        campaign: Campaign | None = None,
    ) -> "Surroundings":
        """Draw the surroundings of a location with a number of strings of ``rated_ah``.

        ``rectifiers`` names the systems that are rectifiers. A scenario adds its events; a campaign has its capacity
        tests.
        """
        added = scenario or Scenario("none")
        climate = Climate.of_location(seed, location.code, location.climate_zone)
        systems = list(system_ids)
        return cls(
            climate,
            Room(seed, location, climate, added.hvac_faults),
            Grid(seed, location, strings, rated_ah, added.discharges, campaign=campaign),
            Chargers(seed, systems, added.charger_faults),
            Load(seed, systems, rectifiers),
        )

    def outdoor_c(self, at_s: FloatArray) -> FloatArray:
        """Return outdoor temperatures in °C."""
        return self.climate.outdoor_c(at_s)

    def room_target_c(self, at_s: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the temperature in °C that the room's air approaches, and its time constant in s."""
        return self.room.target_c(at_s)

    def warmer_k(self, string_ids: list[str], width: int, tiers: int) -> FloatArray:
        """Return how much warmer than the room the air at each block (n,) of strings on racks with tiers is."""
        return self.room.warmer_k(string_ids, width, tiers)

    def room_humidity_pct(self, at_s: FloatArray) -> FloatArray:
        """Return the room's relative humidity in %."""
        return self.room.humidity_pct(at_s)

    def hvac_state(self, at_s: FloatArray) -> IntArray:
        """Return the state that the air conditioning reports, as indices into `HvacState`."""
        return self.room.state(at_s)

    def mains(self, at_s: FloatArray) -> BoolArray:
        """Return whether the mains feed the location."""
        return self.grid.mains(at_s)

    def load_factor(self, at_s: float, system: int) -> float:
        """Return a system's load over its rating."""
        return self.load.factor(at_s, system)

    def discharges(self, start_s: float, end_s: float) -> list[DischargeSpan]:
        """Return the discharges that overlap a span."""
        return self.grid.discharges(start_s, end_s)

    def charger_offset_v(self, at_s: float) -> FloatArray:
        """Return the error of the set-points (systems,) in V per cell; NaN while a charger has no output."""
        return self.chargers.offset_cell_v(at_s)

    def ripple_factor(self, at_s: float) -> FloatArray:
        """Return ripple (systems,) over that of a sound charger."""
        return self.chargers.ripple_factor(at_s)

    def breaks(self, start_s: float, end_s: float) -> FloatArray:
        """Return the instants inside a span at which a charger changes."""
        edges = {edge for fault in self.chargers.faults(start_s, end_s) for edge in (fault.start_s, fault.end_s)}
        return np.array(sorted(edge for edge in edges if start_s < edge < end_s), np.float64)
