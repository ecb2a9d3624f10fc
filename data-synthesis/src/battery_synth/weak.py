"""The few genuinely weak blocks of the fleet, so that a monitor has something true to find."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from battery_synth.streams import stream

FloatArray = npt.NDArray[np.float64]

HIGH_RESISTANCE: Final = (1.27, 1.31, 1.36, 1.44, 1.58, 1.72)
"""Factors on the resistance of blocks with failing straps or dry plates."""


@dataclass(frozen=True, slots=True)
class Weakness:
    """Deviations (n,) from a sound block."""

    resistance_factor: FloatArray
    capacity_factor: FloatArray
    float_factor: FloatArray
    good_cells: FloatArray
    extra_heat_w: FloatArray


def draw_weakness(seed: int, count: int) -> Weakness:
    """Choose the weak blocks: six of high resistance, one dry and warm, one with a shorted cell, one sulfated."""
    weakness = Weakness(np.ones(count), np.ones(count), np.ones(count), np.full(count, 6.0), np.zeros(count))
    wanted = len(HIGH_RESISTANCE) + 3
    if count < 10 * wanted:
        return weakness
    chosen = stream(seed, "weak").choice(count, size=wanted, replace=False)
    strapped, (dry, shorted, sulfated) = chosen[:-3], chosen[-3:]
    weakness.resistance_factor[strapped] = HIGH_RESISTANCE
    weakness.capacity_factor[strapped] = 0.85
    weakness.resistance_factor[dry] = 1.35
    weakness.float_factor[dry] = 1.6
    weakness.extra_heat_w[dry] = 14.0
    weakness.good_cells[shorted] = 5.0
    # A sulfated block has lost capacity, and its resistance does not show it.
    weakness.capacity_factor[sulfated] = 0.7
    return weakness
