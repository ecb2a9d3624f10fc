"""The load on the batteries: constant power behind an inverter, shared by the strings on one bus."""

from typing import Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

LOAD_FACTOR: Final = 0.65
POWER_FACTOR: Final = 0.9
INVERTER_EFFICIENCY: Final = 0.945


def battery_power_w(rated_kva: FloatArray) -> FloatArray:
    """Return the DC power in W that a rating asks of its batteries: 20.6 kW a string of 33 kVA."""
    return rated_kva * 1e3 * LOAD_FACTOR * POWER_FACTOR / INVERTER_EFFICIENCY


def shared_currents_a(
    source_v: FloatArray, resistance_ohm: FloatArray, bus: IntArray, power_w: FloatArray
) -> FloatArray:
    """Return the (positive) currents of strings that feed constant power together.

    With G the sum of 1/R and J the sum of E/R of a bus, its voltage solves V (J - G V) = P; at a power that the strings
    cannot give, they give what they can.

    Parameters
    ----------
    source_v, resistance_ohm, bus
        (k,) of the strings that take part; ``bus`` numbers which of them stand together.
    power_w
        (number of buses,).
    """
    conductance = 1.0 / resistance_ohm
    total = np.bincount(bus, conductance, len(power_w))
    driven = np.bincount(bus, source_v * conductance, len(power_w))
    idle = total <= 0.0
    total = np.where(idle, 1.0, total)
    root = np.sqrt(np.clip(np.square(driven) - 4.0 * total * power_w, 0.0, None))
    bus_v = (driven + root) / (2.0 * total)
    # A string below the bus voltage is held off by its diode.
    currents: FloatArray = np.clip((source_v - bus_v[bus]) * conductance, 0.0, None)
    return currents
