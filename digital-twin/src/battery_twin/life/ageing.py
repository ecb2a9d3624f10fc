"""The ageing law: how temperature, time and discharges consume the life of a VRLA block.

Used life is 0 for a new block and 1 when a block delivered at 100 % of its rated capacity has fallen to 80 %.
"""

import numpy as np

from battery_twin.arrays import FloatArray

BOLTZMANN_EV_PER_K = 8.617333262e-5
REFERENCE_C = 25.0
# A battery reaches its end of life at 80 % of rated capacity (25 degC).
END_OF_LIFE = 0.80
FADE_AT_END = 0.20
# Full cycles to 80 %: N = 112 depth^-1.9, through 112 at 100 %, 425 at 50 %, 1,125 at 30 % (a fit to [SAM]).
CYCLES_AT_FULL_DEPTH = 112.0
DEPTH_EXPONENT = 1.9
DAYS_PER_YEAR = 365.25
# Ten-year blocks reach 80 % after 6.0 to 7.5 years at 25 degC in practice.
PRACTICE_OVER_DESIGN_LIFE = 0.67


def acceleration(temperature_c: FloatArray, activation_energy_ev: FloatArray) -> FloatArray:
    """Return the ageing rate over that at 25 degC, exp(E / k (1 / 298.15 K - 1 / T)) (Arrhenius); arrays broadcast."""
    kelvin = 273.15
    inverse_k = 1.0 / (REFERENCE_C + kelvin) - 1.0 / (np.asarray(temperature_c) + kelvin)
    return np.asarray(np.exp(np.asarray(activation_energy_ev) / BOLTZMANN_EV_PER_K * inverse_k))


def cycle_damage(depth: FloatArray) -> FloatArray:
    """Return the share of life that one discharge to each depth (fraction of rated) consumes, by Miner's rule."""
    return np.asarray(np.clip(depth, 0.0, 1.0)) ** DEPTH_EXPONENT / CYCLES_AT_FULL_DEPTH


def health(used_life: FloatArray, knee_exponent: FloatArray, initial: FloatArray) -> FloatArray:
    """Return capacity over rated at a used life u: initial (1 - 0.2 u^k), flat for years and then a knee."""
    fade = FADE_AT_END * np.maximum(used_life, 0.0) ** knee_exponent
    return np.asarray(initial * np.maximum(1.0 - fade, 0.0))


def life_at_end(knee_exponent: FloatArray, initial: FloatArray) -> FloatArray:
    """Return the used life at which `health` falls to 80 % of rated; 1 for a block delivered at 100 %."""
    fade = np.maximum(1.0 - END_OF_LIFE / np.asarray(initial), 0.0) / FADE_AT_END
    return np.asarray(fade ** (1.0 / np.asarray(knee_exponent)))
