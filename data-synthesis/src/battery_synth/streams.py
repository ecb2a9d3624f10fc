"""Named random streams: a seed and a name give the same numbers on every machine, in any order of use."""

import hashlib

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
UintArray = npt.NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """Return the generator that belongs to a seed and the parts of a name."""
    digest = hashlib.sha256(repr((seed, *names)).encode()).digest()
    return np.random.Generator(np.random.Philox(key=np.frombuffer(digest[:16], dtype=np.uint64)))


def keys(seed: int, names: list[str], purpose: str) -> UintArray:
    """Return one 64-bit key per name, for `noise`."""
    digests = (hashlib.sha256(repr((seed, purpose, name)).encode()).digest()[:8] for name in names)
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)


def noise(key: UintArray, tick: int | UintArray, channel: int) -> FloatArray:
    """Return standard normal noise (n,) as a pure function of key (n,), time tick and channel.

    A sensor's noise must not depend on which other sensors are sampled or on the steps in which the world advances, so
    it is hashed (SplitMix64, Steele et al. 2014), not drawn. Two uniforms give the normal number (Box and Muller 1958).
    """
    with np.errstate(over="ignore"):
        base = key ^ _mixed(np.asarray(tick, dtype=np.uint64) * _GOLDEN + np.uint64(channel))
        first = _mixed(base + _GOLDEN)
        second = _mixed(base + _GOLDEN + _GOLDEN)
    scale = 1.0 / 2**53
    u1 = ((first >> np.uint64(11)).astype(np.float64) + 0.5) * scale
    u2 = (second >> np.uint64(11)).astype(np.float64) * scale
    normal: FloatArray = np.sqrt(-2.0 * np.log(u1)) * np.cos(2.0 * np.pi * u2)
    return normal


def _mixed(value: UintArray) -> UintArray:
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: UintArray = value ^ (value >> np.uint64(31))
    return mixed
