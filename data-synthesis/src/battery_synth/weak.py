"""The few genuinely weak blocks of the fleet, so that a monitor has something true to find."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from battery_synth.streams import stream

FloatArray = npt.NDArray[np.float64]

HIGH_RESISTANCE: Final = (1.27, 1.31, 1.36, 1.44, 1.52, 1.58)
"""Factors on the resistance of blocks with failing straps or dry plates."""
_STRAPPED_CAPACITY: Final = 0.85
_DRY_RESISTANCE, _DRY_EXCHANGE, _DRY_HEAT_W = 1.35, 1.6, 14.0
_SHORTED_CELLS_LEFT: Final = 5.0
_SULFATED_CAPACITY: Final = 0.7
WEAK_COUNT: Final = len(HIGH_RESISTANCE) + 3
_SMALLEST_FLEET: Final = 10 * WEAK_COUNT


@dataclass(frozen=True, slots=True)
class Weakness:
    """Deviations (n,) from a sound block; ``kind`` is empty for the sound ones."""

    kind: tuple[str, ...]
    resistance_factor: FloatArray
    capacity_factor: FloatArray
    float_factor: FloatArray
    good_cells: FloatArray
    extra_heat_w: FloatArray


def draw_weakness(seed: int, battery_ids: list[str]) -> Weakness:
    """Choose the weak blocks: six of high resistance, one dry and warm, one with a shorted cell, one sulfated.

    A small fleet (a test's, or a laboratory's) has none.
    """
    count = len(battery_ids)
    kind = [""] * count
    weakness = (np.ones(count), np.ones(count), np.ones(count), np.full(count, 6.0), np.zeros(count))
    resistance, capacity, floating, cells, heat = weakness
    if count >= _SMALLEST_FLEET:
        chosen = [int(i) for i in stream(seed, "weak").choice(count, size=WEAK_COUNT, replace=False)]
        *strapped, dry, shorted, sulfated = chosen
        for index, factor in zip(strapped, HIGH_RESISTANCE, strict=True):
            kind[index], resistance[index], capacity[index] = "high_resistance", factor, _STRAPPED_CAPACITY
        kind[dry], resistance[dry], floating[dry], heat[dry] = "dry", _DRY_RESISTANCE, _DRY_EXCHANGE, _DRY_HEAT_W
        kind[shorted], cells[shorted] = "shorted_cell", _SHORTED_CELLS_LEFT
        # A sulfated block has lost capacity, and its resistance does not show it.
        kind[sulfated], capacity[sulfated] = "sulfated", _SULFATED_CAPACITY
    return Weakness(tuple(kind), *weakness)
