"""Heat of a block: one thermal mass between its losses and the air of its rack tier."""

from typing import Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

HEAT_CAPACITY_J_PER_K: Final = 28_000.0
"""34 to 40 kg at about 0.8 kJ/kg/K."""
THERMAL_RESISTANCE_K_PER_W: Final = 0.4
BLOCK_TAU_S: Final = HEAT_CAPACITY_J_PER_K * THERMAL_RESISTANCE_K_PER_W
POLARISATION_SHARE: Final = 1.6
"""Resistance that heats over the ohmic one: 74 A through 3.5 mΩ x 1.6 gives 31 W, about 4 K an hour."""


def losses_w(
    current_a: FloatArray, gassing_a: FloatArray, voltage_v: FloatArray, resistance_mohm: FloatArray
) -> FloatArray:
    """Return the heat of blocks in W: Joule heat, and on charge the gassing current, which recombines inside."""
    heat: FloatArray = np.square(current_a) * resistance_mohm * 1e-3 * POLARISATION_SHARE + gassing_a * voltage_v
    return heat


def settled_c(air_c: FloatArray, heat_w: FloatArray) -> FloatArray:
    """Return the temperature at which a block gives off what it loses."""
    level: FloatArray = air_c + heat_w * THERMAL_RESISTANCE_K_PER_W
    return level


def step_block_c(block_c: FloatArray, air_c: FloatArray, heat_w: FloatArray, step_s: float) -> FloatArray:
    """Move block temperatures on; exact while air and heat stand still."""
    level = settled_c(air_c, heat_w)
    moved: FloatArray = level + (block_c - level) * np.exp(-step_s / BLOCK_TAU_S)
    return moved
