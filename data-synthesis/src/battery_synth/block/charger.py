"""The charger of a string: compensated set-point, current limit, and the current accepted in the taper."""

import math
from typing import Final

from battery_synth.compiled import compiled

SET_CELL_V: Final = 2.275
COMPENSATION_V_PER_K: Final = -0.0033
COLDEST_C, WARMEST_C = 10.0, 40.0
"""Temperature range of the compensation."""
LIMIT_PER_AH: Final = 0.1
"""Current limit over rated capacity in 1/h (0.1 C, good practice [FSP])."""
ACCEPTANCE_TAU_H: Final = 2.2
"""Time constant with which the accepted current falls in the taper at float voltage (engineering judgement)."""
SIDE_REACTION_SHARE: Final = 0.06
"""Charge lost in addition to the float current: about 1.1 Ah must be charged per Ah discharged."""
FLOAT_MARGIN_A_PER_AH: Final = 0.25e-3
"""A string counts as recharged when it draws no more than this above its float current."""


@compiled
def set_point_v(cells: float, temperature_c: float, offset_cell_v: float) -> float:
    """Return the charger's float voltage in V for cells in series.

    2.275 V per cell at 25 °C, -3.3 mV/K per cell, compensated from 10 to 40 °C. ``offset_cell_v`` is the fault of the
    set-point in V per cell.
    """
    within_c = min(max(temperature_c, COLDEST_C), WARMEST_C)
    return cells * (SET_CELL_V + COMPENSATION_V_PER_K * (within_c - 25.0) + offset_cell_v)


@compiled
def recharged_ah(deficit_ah: float, most_a: float, step_s: float) -> float:
    """Return the charge in Ah still missing after a step that stores at most ``most_a``.

    Linear at the current limit, then exponential with `ACCEPTANCE_TAU_H`; the exact solution.
    """
    hours = step_s / 3600.0
    if most_a <= 0.0:
        return deficit_ah
    knee_ah = most_a * ACCEPTANCE_TAU_H
    limited_h = min(max((deficit_ah - knee_ah) / most_a, 0.0), hours)
    return (deficit_ah - most_a * limited_h) * math.exp(-(hours - limited_h) / ACCEPTANCE_TAU_H)
