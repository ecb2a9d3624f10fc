"""Population stability index: how far a population has moved from another one whose tenths are known."""

from collections.abc import Sequence
from math import log
from typing import Final

TENTHS: Final = 10
_SMOOTHING: Final = 0.5
"""Members added to each tenth, so that an empty one is finite (Jeffreys' prior)."""


def population_stability_index(counts: Sequence[float]) -> float:
    """Return the index of a population from its members in each tenth (10,) of another one.

    ``sum((a - e) * log(a / e))`` with ``e = 0.1`` and ``a`` the share of the members, half a member added to each
    tenth. It is 0 for equal distributions; n members of the same one have about 9 / n by chance. The counts of parts of
    a population add up, their indices do not: a part is narrower than the whole. Formula and limits: Siddiqi, *Credit
    Risk Scorecards* (2006).

    Raises
    ------
    ValueError
        There are not ten counts.
    """
    if len(counts) != TENTHS:
        raise ValueError(f"{len(counts)} counts were given; a population has ten tenths")
    total, expected = sum(counts) + TENTHS * _SMOOTHING, 1.0 / TENTHS
    shares = [(count + _SMOOTHING) / total for count in counts]
    return max(sum((share - expected) * log(share / expected) for share in shares), 0.0)
