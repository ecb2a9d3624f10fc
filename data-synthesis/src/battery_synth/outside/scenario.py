"""What a drill adds to the outside world."""

from dataclasses import dataclass

from battery_synth.outside.chargers import ChargerFault
from battery_synth.outside.grid import Discharge
from battery_synth.outside.rooms import HvacFault


@dataclass(frozen=True, slots=True)
class Scenario:
    """Events on top of what seed and time bring; of two discharges at once the scenario's stays."""

    name: str
    discharges: tuple[Discharge, ...] = ()
    hvac_faults: tuple[HvacFault, ...] = ()
    charger_faults: tuple[ChargerFault, ...] = ()
