"""A block's filter state as bytes: compact, little-endian, versioned and bound to its battery and circuit."""

import zlib
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from battery_twin.filter import kernel
from battery_twin.filter.blocks import Blocks
from battery_twin.filter.kernel import FloatArray

VERSION: Final = 1
# Sums of small steps over years keep double precision; what is replaced at each reading does not need it.
_SUMMED: Final = (
    kernel.DRAWN_AH,
    kernel.SETTLED_LOG_Q,
    kernel.SETTLED_VAR,
    kernel.EVIDENCE_AGE_S,
    kernel.SINCE_DISCHARGE_S,
    kernel.RESISTANCE_AGE_S,
    kernel.PRIOR_LOG_Q,
)
_FLAGS: Final = (kernel.WAS_OPEN, kernel.HAS_EVIDENCE)
_PLAIN: Final = tuple(sorted(set(range(kernel.MEMORY_SIZE)) - set(_SUMMED) - set(_FLAGS)))
_PAIRS: Final = np.triu_indices(kernel.SIZE, 1)
_LAYOUT: Final = np.dtype(
    [
        ("checksum", "<u4"),
        ("version", "<u2"),
        ("battery", "<u4"),
        ("circuit", "<u4"),
        ("mean", "<f8", kernel.SIZE),
        ("deviation", "<f8", kernel.SIZE),
        ("correlation", "<f4", len(_PAIRS[0])),
        ("summed", "<f8", len(_SUMMED)),
        ("plain", "<f4", len(_PLAIN)),
        ("flags", "u1", len(_FLAGS)),
    ]
)
SIZE: Final = _LAYOUT.itemsize
# Rounding to single precision must not make a matrix that no covariance is.
_CORRELATION_KEPT: Final = 1.0 - 1e-6

FOREIGN_LENGTH = f"has another length than the {SIZE} bytes of version {VERSION}"
DAMAGED = "is damaged: its checksum does not match"
OTHER_VERSION = f"is of another version than {VERSION}"
OTHER_BATTERY = "belongs to another battery"
OTHER_CIRCUIT = "was made with another model or parameter set"

IntArray = NDArray[np.int64]


def fingerprint(text: str) -> int:
    """Return a 32-bit fingerprint of an id."""
    return zlib.crc32(text.encode())


def pack(blocks: Blocks, battery: Sequence[int], circuit: IntArray) -> list[bytes]:
    """Return the state of each block, bound to the fingerprints of its battery and of its circuit (n,)."""
    deviation = np.sqrt(np.diagonal(blocks.covariance, axis1=1, axis2=2))
    scale = np.where(deviation > 0, deviation, 1.0)
    rows, columns = _PAIRS
    records = np.zeros(len(blocks.mean), _LAYOUT)
    records["version"], records["battery"], records["circuit"] = VERSION, battery, circuit
    records["mean"], records["deviation"] = blocks.mean, deviation
    correlation = blocks.covariance[:, rows, columns] / (scale[:, rows] * scale[:, columns])
    records["correlation"] = np.clip(correlation, -1.0, 1.0) * _CORRELATION_KEPT
    records["summed"] = blocks.memory[:, _SUMMED]
    records["plain"] = blocks.memory[:, _PLAIN]
    records["flags"] = blocks.memory[:, _FLAGS]
    whole = records.tobytes()
    bodies = [whole[start + 4 : start + SIZE] for start in range(0, len(whole), SIZE)]
    return [zlib.crc32(body).to_bytes(4, "little") + body for body in bodies]


def unpack(blobs: Sequence[bytes | None], battery: Sequence[int], circuit: IntArray) -> tuple[Blocks, list[str | None]]:
    """Return the states (n,) and, where a blob cannot be used, what is wrong with it; None and empty are no fault."""
    faults = [_damage(blob) for blob in blobs]
    blank = bytes(SIZE)
    whole = b"".join(blob if blob and fault is None else blank for blob, fault in zip(blobs, faults, strict=True))
    records = np.frombuffer(whole, _LAYOUT)
    given = np.array([bool(blob) and fault is None for blob, fault in zip(blobs, faults, strict=True)], bool)
    for is_wrong, what in (
        (given & (records["circuit"] != circuit), OTHER_CIRCUIT),
        (given & (records["battery"] != np.asarray(battery, np.uint32)), OTHER_BATTERY),
        (given & (records["version"] != VERSION), OTHER_VERSION),
    ):
        for at in np.flatnonzero(is_wrong).tolist():
            faults[at] = what
    return _blocks(records), faults


def _blocks(records: NDArray[np.void]) -> Blocks:
    blocks = Blocks.empty(len(records))
    deviation: FloatArray = records["deviation"].astype(np.float64)
    rows, columns = _PAIRS
    between = records["correlation"] * deviation[:, rows] * deviation[:, columns]
    blocks.covariance[:, rows, columns] = between
    blocks.covariance[:, columns, rows] = between
    diagonal = np.arange(kernel.SIZE)
    blocks.covariance[:, diagonal, diagonal] = deviation**2
    blocks.mean[:] = records["mean"]
    for fields, name in ((_SUMMED, "summed"), (_PLAIN, "plain"), (_FLAGS, "flags")):
        blocks.memory[:, fields] = records[name]
    return blocks


def _damage(blob: bytes | None) -> str | None:
    if not blob:
        return None
    if len(blob) != SIZE:
        return FOREIGN_LENGTH
    return None if zlib.crc32(memoryview(blob)[4:]) == int.from_bytes(blob[:4], "little") else DAMAGED
