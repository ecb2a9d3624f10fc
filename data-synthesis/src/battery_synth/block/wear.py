"""The clocks that wear a block: heat, overcharge, undercharge and cycles. `life.condition` turns them into ageing."""

import math
from typing import Final

from battery_synth.compiled import compiled

BOLTZMANN_EV: Final = 8.617e-5
REFERENCE_K: Final = 298.15
VOLTAGE_DOUBLING_V: Final = 0.055
"""Float at 2.33 V per cell on average instead of 2.275 halves life [EXI]."""
FLOAT_CELL_V: Final = 2.275
_LOG_2: Final = math.log(2.0)


@compiled
def acceleration(temperature_c: float, activation_ev: float) -> float:
    """Return how much faster than at 25 °C a block ages (Arrhenius): at 0.60 eV 1.47 at 30 °C, 2.13 at 35 °C."""
    return math.exp(activation_ev / BOLTZMANN_EV * (1.0 / REFERENCE_K - 1.0 / (temperature_c + 273.15)))


@compiled
def overcharge_factor(cell_v: float) -> float:
    """Return how much faster than at 2.275 V per cell the positive grid corrodes: doubling per 55 mV."""
    return math.exp((cell_v - FLOAT_CELL_V) * (_LOG_2 / VOLTAGE_DOUBLING_V))


@compiled
def miner_share(before: float, after: float, full_cycles: float, exponent: float) -> float:
    """Return the share of cycle life that deepening a discharge from one depth to another (fractions) uses up.

    Cycle life to 80 %: N = full_cycles depth^-exponent; 112 and 1.9 fit the table of [SAM].
    """
    return float((after**exponent - before**exponent) / full_cycles)
