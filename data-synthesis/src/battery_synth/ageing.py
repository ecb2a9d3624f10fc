"""How blocks age: one mechanism each, with its own mark in capacity, resistance and float current.

Life at 25 °C is drawn per lot and block; the block's own temperature shortens it by Arrhenius' law (0.60 eV). Shares
and slopes are engineering judgement within published ranges; resistance carries scatter of its own, so that it bounds
the capacity and does not reveal it.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from battery_synth.streams import stream

FloatArray = npt.NDArray[np.float64]

BOLTZMANN_EV: Final = 8.617e-5
ACTIVATION_EV: Final = 0.60
MEDIAN_LIFE_DAYS: Final = 6.6 * 365.25
"""Median life of a 10-year block at 25 °C in this service (6.0 to 7.5 years)."""
_SHAPE: Final = 3.0
MECHANISMS: Final = ("corrosion", "dry_out", "sulfation", "softening", "strap", "short")
_SHARES: Final = (0.35, 0.30, 0.15, 0.08, 0.07, 0.05)
_RESISTANCE_SLOPE: Final = {
    "corrosion": 1.6,
    "dry_out": 3.0,
    "sulfation": 0.15,
    "softening": 0.8,
    "strap": 1.2,
    "short": 0.6,
}
"""k of R / R_new = 1 + k (1 - SOH) by mechanism: dry-out shows first in R, sulfation hardly at all."""
_FLOAT_CURRENT_SLOPE: Final = {
    "corrosion": 1.0,
    "dry_out": 4.0,
    "sulfation": 0.5,
    "softening": 0.5,
    "strap": 0.5,
    "short": 3.0,
}


@dataclass(frozen=True, slots=True)
class BlockNature:
    """What a block was born with: (n,) arrays that never change."""

    life_days: FloatArray
    initial_capacity: FloatArray
    resistance_scatter: FloatArray
    resistance_slope: FloatArray
    float_slope: FloatArray
    mechanism: tuple[str, ...]


def draw_nature(seed: int, battery_ids: list[str], string_ids: list[str]) -> BlockNature:
    """Draw the nature of blocks from their own named streams; blocks of one string share a lot."""
    lots = {string: 0.10 * stream(seed, "lot", string).standard_normal() for string in dict.fromkeys(string_ids)}
    draws = np.array([stream(seed, "nature", battery).standard_normal(4) for battery in battery_ids])
    chosen = [str(stream(seed, "mechanism", battery).choice(MECHANISMS, p=_SHARES)) for battery in battery_ids]
    lot = np.array([lots[string] for string in string_ids])
    return BlockNature(
        life_days=MEDIAN_LIFE_DAYS * np.exp(lot + 0.15 * draws[:, 0]),
        initial_capacity=1.0 + 0.025 * draws[:, 1],
        resistance_scatter=0.08 * draws[:, 2],
        resistance_slope=np.array([_RESISTANCE_SLOPE[name] for name in chosen]),
        float_slope=np.array([_FLOAT_CURRENT_SLOPE[name] for name in chosen]),
        mechanism=tuple(chosen),
    )


def acceleration(temperature_c: FloatArray) -> FloatArray:
    """Return how much faster than at 25 °C a block ages: 1.47 at 30 °C, 2.13 at 35 °C."""
    kelvin = temperature_c + 273.15
    factor: FloatArray = np.exp(ACTIVATION_EV / BOLTZMANN_EV * (1.0 / 298.15 - 1.0 / kelvin))
    return factor


def state_of_health(effective_age_days: FloatArray, nature: BlockNature) -> FloatArray:
    """Return capacity over rated capacity: flat for half a life, then a knee; 0.8 of the initial at the end of life."""
    part = effective_age_days / nature.life_days
    health: FloatArray = np.clip(nature.initial_capacity * (1.0 - 0.2 * part**_SHAPE), 0.05, None)
    return health


def resistance_ratio(effective_age_days: FloatArray, nature: BlockNature) -> FloatArray:
    """Return R / R_new at 25 °C, full."""
    lost = 0.2 * (effective_age_days / nature.life_days) ** _SHAPE
    # Scatter grows with wear: a new block is its own baseline by definition.
    grown = 1.0 + nature.resistance_slope * lost + nature.resistance_scatter * np.clip(lost / 0.2, 0.0, 1.0)
    ratio: FloatArray = np.clip(grown, 0.85, None)
    return ratio


def float_ratio(effective_age_days: FloatArray, nature: BlockNature) -> FloatArray:
    """Return the exchange current over that of the new block."""
    lost = 0.2 * (effective_age_days / nature.life_days) ** _SHAPE
    ratio: FloatArray = 1.0 + nature.float_slope * lost
    return ratio
