"""The subjects that a batch touches."""

from dataclasses import dataclass

import numpy as np

from battery_api.telemetry.ingest.checks import ValidatedBatch
from battery_api.telemetry.store.fleet_index import FleetIndex
from battery_api.telemetry.store.indices import BatchSlots, FleetSlots


@dataclass(frozen=True, slots=True)
class BatchSubjects:
    """The subjects that a batch touches: fleet slots in ascending order, indexed by batch slot."""

    batteries: FleetSlots
    strings: FleetSlots
    locations: FleetSlots
    string_of_battery: BatchSlots
    location_of_battery: BatchSlots
    location_of_string: BatchSlots

    @classmethod
    def of(cls, batch: ValidatedBatch, fleet: FleetIndex) -> "BatchSubjects":
        """Gather the subjects of a batch and those above them."""
        batteries = np.unique(
            np.concatenate([batch.batteries.slot, batch.repeated_batteries.slot, batch.rejected_batteries.slot])
        )
        string_of = fleet.string_of_battery[batteries]
        # The room concerns every string of its location.
        of_rooms = np.flatnonzero(np.isin(fleet.strings.location, batch.locations.slot))
        strings = np.unique(np.concatenate([string_of, batch.strings.slot, of_rooms]))
        location_of = fleet.batteries.location[batteries]
        locations = np.unique(np.concatenate([location_of, fleet.strings.location[strings], batch.locations.slot]))
        return cls(
            batteries=FleetSlots(batteries),
            strings=FleetSlots(strings),
            locations=FleetSlots(locations),
            string_of_battery=BatchSlots(np.searchsorted(strings, string_of)),
            location_of_battery=BatchSlots(np.searchsorted(locations, location_of)),
            location_of_string=BatchSlots(np.searchsorted(locations, fleet.strings.location[strings])),
        )

    def battery_slots(self, slots: FleetSlots) -> BatchSlots:
        """Return the batch slots of batteries."""
        return BatchSlots(np.searchsorted(self.batteries, slots))

    def string_slots(self, slots: FleetSlots) -> BatchSlots:
        """Return the batch slots of strings."""
        return BatchSlots(np.searchsorted(self.strings, slots))

    def location_slots(self, slots: FleetSlots) -> BatchSlots:
        """Return the batch slots of locations."""
        return BatchSlots(np.searchsorted(self.locations, slots))

    def strings_of(self, batteries: BatchSlots) -> BatchSlots:
        """Return the strings of batteries."""
        return BatchSlots(self.string_of_battery[batteries])

    def locations_of(self, batteries: BatchSlots) -> BatchSlots:
        """Return the locations of batteries."""
        return BatchSlots(self.location_of_battery[batteries])
