"""The charger of a string: compensated set-point, current limit, and what the blocks accept in the taper."""

import math
from typing import Final

from battery_synth.compiled import compiled

SET_CELL_V: Final = 2.275
COMPENSATION_V_PER_K: Final = -0.0033
COLDEST_C, WARMEST_C = 10.0, 40.0
"""Range of the compensation."""
LIMIT_PER_AH: Final = 0.1
"""Current limit over rated capacity (0.1 C, best practice of makers)."""
ACCEPTANCE_TAU_H: Final = 2.2
"""In the taper at float voltage the accepted current falls with this time constant (engineering judgement)."""
SIDE_REACTION_SHARE: Final = 0.06
"""Charge lost beside the float current: with it about 1.1 Ah go in per Ah that came out."""
FLOAT_MARGIN_A_PER_AH: Final = 0.25e-3
"""A string counts as recharged when it takes no more than this above its float current."""


@compiled
def set_point_v(cells: float, temperature_c: float, offset_cell_v: float) -> float:
    """Return the charger's float voltage for cells in series: 2.275 V at 25 °C, -3.3 mV/K a cell, 10 to 40 °C."""
    within_c = min(max(temperature_c, COLDEST_C), WARMEST_C)
    return cells * (SET_CELL_V + COMPENSATION_V_PER_K * (within_c - 25.0) + offset_cell_v)


@compiled
def recharged_ah(deficit_ah: float, most_a: float, step_s: float) -> float:
    """Return the charge still missing after a step with at most ``most_a`` stored.

    A straight line in the current limit, then exponential; exact.
    """
    hours = step_s / 3600.0
    if most_a <= 0.0:
        return deficit_ah
    knee_ah = most_a * ACCEPTANCE_TAU_H
    limited_h = min(max((deficit_ah - knee_ah) / most_a, 0.0), hours)
    return (deficit_ah - most_a * limited_h) * math.exp(-(hours - limited_h) / ACCEPTANCE_TAU_H)
