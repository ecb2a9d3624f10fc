"""Electrics of a 12 V AGM block: rest voltage, resistance, float current, capacity by rate. Charging is positive."""

import math
from typing import Final

import numpy as np

from battery_contracts.ohmic import REFERENCE_TEMPERATURE_C, RESISTANCE_SLOPE_PER_C
from battery_synth.compiled import compiled

CELLS: Final = 6
FULL_MOLARITY: Final = 5.3
EMPTY_MOLARITY: Final = 1.3
# Molality of sulphuric acid over its molarity (kmol/m3), from tabulated densities; linear between the points.
_MOLARITY: Final = np.array([0.5, 1.0, 1.3, 2.0, 3.0, 4.0, 5.0, 5.3, 6.0])
_MOLALITY: Final = np.array([0.508, 1.03, 1.355, 2.14, 3.38, 4.73, 6.24, 6.73, 7.94])
TAFEL_VOLTAGE_PER_V: Final = 11.0
TAFEL_TEMPERATURE_PER_K: Final = 0.06
TAFEL_REFERENCE_V: Final = 2.23
"""Gassing current of VRLA cells: I = C/100 I0 exp(11 (U - 2.23) + 0.06 (T - 25)) [SCH]."""

RATE_MINUTES: Final = np.array([5, 10, 15, 20, 30, 45, 60, 120, 600, 1200], dtype=np.float64)
RATE_CURRENT_A: Final = np.array([246, 180, 150.8, 126.6, 94.2, 69.6, 55.9, 33.1, 10.0, 5.2])
"""Discharge currents of a 100 Ah block to 1.80 V per cell at 25 °C by duration [LEO]."""
_LOG_RATE: Final = np.log(RATE_CURRENT_A[::-1])
_LOG_MINUTES: Final = np.log(RATE_MINUTES[::-1])
_EXHAUSTED_V: Final = 0.9
EXHAUSTION_TAU_S: Final = 1200.0
"""Time constant with which acid diffuses back into the plates at rest: L2 / D of half a plate and its separator, 1 mm
at some 8e-10 m2/s in porous lead (engineering judgement). A block that was cut off regains about 1 V within an hour."""
MOST_EXHAUSTED_V: Final = 1.5
"""What is left of the exhaustion when the current ends: 0.25 V per cell of diluted acid (Nernst, a hundredth of the
concentration). The rest of a reversed block's voltage is an effect of the current and ends with it."""
_COUP_CELL_V: Final = 0.02
_COUP_SHARE: Final = 0.01
_SHARE_C: Final = np.array([-15.0, 0.0, 25.0, 40.0])
_SHARE: Final = np.array([0.65, 0.85, 1.0, 1.04])
"""Capacity over that at 25 °C by temperature [SAM]."""
_SOC_RESISTANCE_RISE: Final = 0.4
"""Rise of resistance from full to empty, relative (engineering judgement)."""


@compiled
def open_circuit_v(soc: float, temperature_c: float, cells: float) -> float:
    """Return the rested voltage in V of cells in series from the acid concentration; SOC as a fraction.

    [PYB]: U_cell = 1.922 + 0.148 L + 0.063 L2 + 0.074 L3 + 0.034 L4 with L = log10(molality);
    +0.25 mV/K per cell.
    """
    molarity = EMPTY_MOLARITY + (FULL_MOLARITY - EMPTY_MOLARITY) * min(max(soc, 0.0), 1.0)
    log_m = math.log10(np.interp(molarity, _MOLARITY, _MOLALITY))
    cell_v = 1.922 + log_m * (0.148 + log_m * (0.063 + log_m * (0.074 + log_m * 0.034)))
    return cells * (cell_v + 0.00025 * (temperature_c - 25.0))


@compiled
def ohmic_mohm(resistance_25c_mohm: float, soc: float, temperature_c: float) -> float:
    """Return the ohmic resistance of a block in mΩ: +40 % from full to empty, about -0.8 %/K; SOC as a fraction."""
    low = max(0.2 - soc, 0.0) / 0.2
    by_soc = 1.0 + _SOC_RESISTANCE_RISE * (1.0 - soc) + 0.6 * low * low
    return resistance_25c_mohm * by_soc * math.exp(RESISTANCE_SLOPE_PER_C * (temperature_c - REFERENCE_TEMPERATURE_C))


@compiled
def float_current_a(cell_v: float, exchange_ma_per_100ah: float, temperature_c: float, capacity_ah: float) -> float:
    """Return the float current in A of single cells held at a voltage: the law of the gassing branch."""
    exponent = TAFEL_VOLTAGE_PER_V * (cell_v - TAFEL_REFERENCE_V) + TAFEL_TEMPERATURE_PER_K * (temperature_c - 25.0)
    return capacity_ah / 100.0 * exchange_ma_per_100ah * 1e-3 * math.exp(exponent)


@compiled
def available_ah(current_a: float, rated_ah: float) -> float:
    """Return the charge in Ah that a new block gives at a current to 1.80 V per cell at 25 °C, from the rate table."""
    per_100 = min(max(current_a / rated_ah * 100.0, RATE_CURRENT_A[-1]), RATE_CURRENT_A[0])
    minutes = math.exp(np.interp(math.log(per_100), _LOG_RATE, _LOG_MINUTES))
    return float(per_100 * minutes / 60.0 * rated_ah / 100.0)


@compiled
def capacity_share(temperature_c: float) -> float:
    """Return capacity at a temperature over capacity at 25 °C."""
    return float(np.interp(temperature_c, _SHARE_C, _SHARE))


@compiled
def exhaustion_v(drawn_ah: float, usable_ah: float) -> float:
    """Return the voltage lost in V as the acid in the plates runs out: 0.9 V per block where the rate table ends.

    With the ohmic and the slower losses a block is then at about 1.80 V per cell. Beyond that point its voltage falls
    steeply, and a block that its string drives on reverses.
    """
    part = drawn_ah / usable_ah
    cube = part * part * part
    return min(_EXHAUSTED_V * cube * cube, 16.0)


@compiled
def coup_de_fouet_v(drawn_ah: float, capacity_ah: float, current_a: float) -> float:
    """Return the coup de fouet in V, the dip at the start of a discharge from full: deepest at 1 % drawn, gone by 8 %.

    20 mV per cell at 0.6 C, in proportion to the current (10 to 60 mV per cell are reported; engineering judgement).
    An estimator that reads capacity from the first minute is misled by it.
    """
    part = drawn_ah / (_COUP_SHARE * capacity_ah)
    strength = min(current_a / (0.6 * capacity_ah), 1.5)
    return CELLS * _COUP_CELL_V * strength * part * math.exp(1.0 - part)
