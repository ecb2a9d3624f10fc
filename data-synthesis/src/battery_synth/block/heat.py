"""Heat of a block: one thermal mass between its losses and the air of its rack tier."""

from typing import Final

from battery_synth.compiled import compiled

HEAT_CAPACITY_J_PER_K: Final = 28_000.0
"""34 to 40 kg at about 0.8 kJ/kg/K."""
THERMAL_RESISTANCE_K_PER_W: Final = 0.4
BLOCK_TAU_S: Final = HEAT_CAPACITY_J_PER_K * THERMAL_RESISTANCE_K_PER_W
POLARISATION_SHARE: Final = 1.6
"""Heating resistance over the ohmic one: 74 A through 3.5 mΩ x 1.6 give 31 W, about 4 K/h."""


@compiled
def joule_w(current_a: float, resistance_mohm: float) -> float:
    """Return the heat in W that a current produces in a block."""
    return current_a * current_a * resistance_mohm * 1e-3 * POLARISATION_SHARE


@compiled
def relaxed_c(block_c: float, air_c: float, heat_w: float, decay: float) -> float:
    """Return a block's temperature after a step with constant air and heat: the exact solution.

    ``decay`` is exp(-dt / `BLOCK_TAU_S`).
    """
    level = air_c + heat_w * THERMAL_RESISTANCE_K_PER_W
    return level + (block_c - level) * decay
