"""Designs of batteries: the ageing constants that the batteries of one product generation share.

A deployed model knows none of them. They are drawn from the ranges in which published figures lie, not set to the
figures that an estimator would assume: an estimate must not be right because it shares its constants with the world.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from battery_synth.block.wear import BOLTZMANN_EV, REFERENCE_K
from battery_synth.streams import stream

SHARES: Final = (0.35, 0.30, 0.15, 0.08, 0.07, 0.05)
"""Shares of the mechanisms over all designs, in the order of `life.traits.MECHANISMS` (domain sheet 4.2)."""
DESIGNS_PER_WORLD: Final = 8
"""Product generations that a world's deliveries come from (engineering judgement)."""
DOUBLING_RANGE_K: Final = (8.0, 12.0)
"""Ageing doubles per 8 K [BIR] to 10 K [CND]; corrosion alone per 15 K [SCH], so that mixtures reach 12 K."""
_DESIGN_DOUBLING_K: Final = (8.5, 11.5)
DESIGN_LIFE_LOG_SIGMA: Final = 0.12
"""Calendar life of a design over the median of all (7 to 8, 6, and 4 to 6 years are reported for one class)."""
_DESIGN_KNEE: Final = (2.7, 3.9)
"""Exponent of the loss: 3, from 2 to 4.5 (engineering judgement)."""
EARLY_SHARE: Final = (0.0, 0.2)
"""Part of the loss that grows evenly from the first day, the rest bends at the knee (engineering judgement)."""
FULL_CYCLES: Final = (100.0, 260.0)
"""Full cycles to 80 %: 112 in the fit to [SAM], 200 [VIN], more than 260 [CSB]."""
CYCLE_EXPONENT: Final = (1.5, 2.0)
"""N = full cycles x depth^-exponent: 1.9 in the fit to [SAM], 1.6 to 1.8 between the points of [VIN]."""
_SHARE_LOG_SIGMA: Final = 0.3
"""Scatter of a design's mechanisms about their usual shares (engineering judgement)."""


@dataclass(frozen=True, slots=True)
class Design:
    """The ageing constants of one product generation."""

    doubling_k: float
    """Rise of temperature that doubles the speed of ageing, in K from 25 °C on."""
    life_factor: float
    knee: float
    early_share: float
    full_cycles: float
    cycle_exponent: float
    shares: tuple[float, ...]
    """(6,) shares of the mechanisms; their sum is 1."""


def design_of(seed: int, lot: str) -> Design:
    """Return the design that a delivery belongs to."""
    return design(seed, int(stream(seed, "lot-design", lot).integers(DESIGNS_PER_WORLD)))


@lru_cache(maxsize=1024)
def design(seed: int, number: int) -> Design:
    """Draw one of a world's designs."""
    random = stream(seed, "design", number)
    weights = np.array(SHARES) * np.exp(_SHARE_LOG_SIGMA * random.standard_normal(len(SHARES)))
    low, high = np.log(FULL_CYCLES)
    return Design(
        doubling_k=float(random.uniform(*_DESIGN_DOUBLING_K)),
        life_factor=float(np.exp(DESIGN_LIFE_LOG_SIGMA * random.standard_normal())),
        knee=float(random.uniform(*_DESIGN_KNEE)),
        early_share=float(random.uniform(*EARLY_SHARE)),
        full_cycles=float(np.exp(random.uniform(low, high))),
        cycle_exponent=float(random.uniform(*CYCLE_EXPONENT)),
        shares=tuple((weights / weights.sum()).tolist()),
    )


def activation_of_doubling_ev(doubling_k: np.ndarray) -> np.ndarray:
    """Return the activation energies in eV with which ageing doubles from 25 °C to ``doubling_k`` above it."""
    inverse_k = 1.0 / REFERENCE_K - 1.0 / (REFERENCE_K + np.asarray(doubling_k, np.float64))
    return np.asarray(np.log(2.0) * BOLTZMANN_EV / inverse_k)
