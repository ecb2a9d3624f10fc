"""The charger of a string: compensated set-point, current limit, and what the blocks accept in the taper."""

from typing import Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

SET_CELL_V: Final = 2.275
COMPENSATION_V_PER_K: Final = -0.0033
COMPENSATION_RANGE_C: Final = (10.0, 40.0)
LIMIT_PER_AH: Final = 0.1
"""Current limit over rated capacity (0.1 C, best practice of makers)."""
ACCEPTANCE_TAU_H: Final = 2.2
"""In the taper at float voltage the accepted current falls with this time constant (engineering judgement)."""
SIDE_REACTION_SHARE: Final = 0.06
"""Charge lost beside the float current: with it about 1.1 Ah go in per Ah that came out."""
FLOAT_MARGIN_A_PER_AH: Final = 0.25e-3
"""A string counts as recharged when it takes no more than this above its float current."""


def float_set_point_v(cells: float | FloatArray, temperature_c: FloatArray) -> FloatArray:
    """Return the charger's float voltage for cells in series: 2.275 V at 25 °C, -3.3 mV/K a cell, 10 to 40 °C."""
    voltage: FloatArray = cells * (
        SET_CELL_V + COMPENSATION_V_PER_K * (np.clip(temperature_c, *COMPENSATION_RANGE_C) - 25.0)
    )
    return voltage


def accepted_a(deficit_ah: FloatArray) -> FloatArray:
    """Return the current that blocks would store at float voltage, if the charger gives it."""
    return deficit_ah / ACCEPTANCE_TAU_H


def step_deficit_ah(deficit_ah: FloatArray, most_a: FloatArray, step_s: float) -> FloatArray:
    """Recharge for a step with at most ``most_a`` stored: a straight line in the limit, then exponential. Exact."""
    hours = step_s / 3600.0
    knee_ah = most_a * ACCEPTANCE_TAU_H
    limited_h = np.clip((deficit_ah - knee_ah) / np.maximum(most_a, 1e-9), 0.0, hours)
    left: FloatArray = (deficit_ah - most_a * limited_h) * np.exp(-(hours - limited_h) / ACCEPTANCE_TAU_H)
    return np.where(limited_h >= hours, deficit_ah - most_a * hours, left)
