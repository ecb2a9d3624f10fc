"""Sensor noise as a pure function of sensor and instant, independent of which other sensors are read and when.

A 64-bit hash (SplitMix64) of sensor key and tick is cut into four 16-bit numbers; each selects one of the normal
distribution's 65,536 quantiles. A look-up instead of a logarithm: about 3 ns per value.
"""

import hashlib
from statistics import NormalDist
from typing import Final

import numpy as np
import numpy.typing as npt

from battery_synth.compiled import compiled

UintArray = npt.NDArray[np.uint64]

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_FIRST: Final = np.uint64(0xBF58476D1CE4E5B9)
_SECOND: Final = np.uint64(0x94D049BB133111EB)
_R30, _R27, _R31, _R16 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(16)
_LOW: Final = np.uint64(0xFFFF)


def _quantiles() -> npt.NDArray[np.float32]:
    upper = np.array([NormalDist().inv_cdf(0.5 + (i + 0.5) / 65_536) for i in range(32_768)])
    return np.concatenate([-upper[::-1], upper]).astype(np.float32)


QUANTILES: Final = _quantiles()
"""Standard normal quantiles at the middles of 65,536 equal shares; the outermost lie at 4.3."""


def keys(seed: int, names: list[str], purpose: str) -> UintArray:
    """Return one 64-bit key per name."""
    digests = (hashlib.sha256(repr((seed, purpose, name)).encode()).digest()[:8] for name in names)
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)


@compiled
def bits(key: np.uint64, tick: np.int64) -> np.uint64:
    """Return 64 random bits that belong to a key and a tick."""
    value = key ^ (np.uint64(tick) * _GOLDEN)
    value = (value ^ (value >> _R30)) * _FIRST
    value = (value ^ (value >> _R27)) * _SECOND
    return value ^ (value >> _R31)


@compiled
def normal(random: np.uint64, channel: int) -> float:
    """Return a standard normal number from one of the four channels (0 to 3) of random bits."""
    return float(QUANTILES[(random >> (_R16 * np.uint64(channel))) & _LOW])
