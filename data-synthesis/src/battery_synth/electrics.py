"""Electrics of a 12 V AGM block: rest voltage, resistance, float current, capacity by rate. Charging is positive."""

from typing import Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

CELLS: Final = 6
_FULL_MOLARITY: Final = 5.3
_EMPTY_MOLARITY: Final = 1.3
# Molality of sulphuric acid over its molarity (kmol/m3), from tabulated densities; straight between the points.
_MOLARITY: Final = np.array([0.5, 1.0, 1.3, 2.0, 3.0, 4.0, 5.0, 5.3, 6.0])
_MOLALITY: Final = np.array([0.508, 1.03, 1.355, 2.14, 3.38, 4.73, 6.24, 6.73, 7.94])
TAFEL_VOLTAGE_PER_V: Final = 11.0
TAFEL_TEMPERATURE_PER_K: Final = 0.06
TAFEL_REFERENCE_V: Final = 2.23
"""Gassing current of VRLA cells: I = C/100 I0 exp(11 (U - 2.23) + 0.06 (T - 25)) (Schiffer et al. 2007)."""

RATE_MINUTES: Final = np.array([5, 10, 15, 20, 30, 45, 60, 120, 600, 1200], dtype=np.float64)
RATE_CURRENT_A: Final = np.array([246, 180, 150.8, 126.6, 94.2, 69.6, 55.9, 33.1, 10.0, 5.2])
"""Discharge currents of a 100 Ah block to 1.80 V a cell at 25 °C by duration (maker's table of the class)."""


def open_circuit_v(soc: FloatArray, temperature_c: FloatArray) -> FloatArray:
    """Return the rested voltage of a block in V from its acid concentration (Bode's law), SOC as a fraction.

    U_cell = 1.922 + 0.148 L + 0.063 L2 + 0.074 L3 + 0.034 L4, L = log10(molality); +1.5 mV/K a block.
    """
    molarity = _EMPTY_MOLARITY + (_FULL_MOLARITY - _EMPTY_MOLARITY) * np.clip(soc, 0.0, 1.0)
    log_m = np.log10(np.interp(molarity, _MOLARITY, _MOLALITY))
    cell = 1.922 + log_m * (0.148 + log_m * (0.063 + log_m * (0.074 + log_m * 0.034)))
    rested: FloatArray = CELLS * cell + 0.0015 * (temperature_c - 25.0)
    return rested


def ohmic_mohm(resistance_25c_mohm: FloatArray, soc: FloatArray, temperature_c: FloatArray) -> FloatArray:
    """Return the ohmic resistance of a block in mΩ: +40 % from full to empty, about -0.8 % a K."""
    by_soc = 1.0 + 0.4 * (1.0 - soc) + 0.6 * np.square(np.clip(0.2 - soc, 0.0, None) / 0.2)
    resistance: FloatArray = resistance_25c_mohm * by_soc * np.exp(-0.008 * (temperature_c - 25.0))
    return resistance


def float_current_a(
    set_cell_v: FloatArray, exchange_ma_per_100ah: FloatArray, temperature_c: FloatArray, capacity_ah: float
) -> FloatArray:
    """Return the float current in A of single cells held at a voltage (the kernel)."""
    exponent = TAFEL_VOLTAGE_PER_V * (set_cell_v - TAFEL_REFERENCE_V) + TAFEL_TEMPERATURE_PER_K * (temperature_c - 25.0)
    current: FloatArray = capacity_ah / 100.0 * exchange_ma_per_100ah * 1e-3 * np.exp(exponent)
    return current


def string_float(
    set_string_v: FloatArray,
    exchange_ma_per_100ah: FloatArray,
    temperature_c: FloatArray,
    good_cells: FloatArray,
    capacity_ah: float,
) -> tuple[FloatArray, FloatArray]:
    """Solve the float of strings: one current through all blocks, voltages that add up to the charger's.

    Parameters
    ----------
    set_string_v
        (g,) charger voltage in V.
    exchange_ma_per_100ah, temperature_c, good_cells
        (g, k) of the blocks; ``good_cells`` is 6, fewer with a shorted cell.

    Returns
    -------
    current_a, block_v
        (g,) float current and (g, k) block voltages, in closed form: log current is linear in the voltage.
    """
    cells = good_cells.sum(axis=1)
    own = np.log(capacity_ah / 100.0 * exchange_ma_per_100ah * 1e-3) + TAFEL_TEMPERATURE_PER_K * (temperature_c - 25.0)
    mean_own = (own * good_cells).sum(axis=1) / cells
    log_current = TAFEL_VOLTAGE_PER_V * (set_string_v / cells - TAFEL_REFERENCE_V) + mean_own
    cell_v = TAFEL_REFERENCE_V + (log_current[:, None] - own) / TAFEL_VOLTAGE_PER_V
    return np.exp(log_current), cell_v * good_cells


def available_ah(current_a: FloatArray, rated_ah: float) -> FloatArray:
    """Return the charge in Ah that a new block gives at a current to 1.80 V a cell at 25 °C, from the rate table."""
    per_100 = np.clip(current_a / rated_ah * 100.0, RATE_CURRENT_A[-1], RATE_CURRENT_A[0])
    minutes = np.exp(np.interp(np.log(per_100), np.log(RATE_CURRENT_A[::-1]), np.log(RATE_MINUTES[::-1])))
    charge: FloatArray = per_100 * minutes / 60.0 * rated_ah / 100.0
    return charge


def exhaustion_v(drawn_ah: FloatArray, usable_ah: FloatArray) -> FloatArray:
    """Return the voltage lost as the acid in the plates runs out: 0.9 V a block where the rate table ends.

    With the ohmic and the slower losses a block then stands at about 1.80 V a cell; beyond it falls steeply.
    """
    lost: FloatArray = np.clip(0.9 * (drawn_ah / usable_ah) ** 6, 0.0, 12.0)
    return lost
