"""A block's filter state as bytes: compact, little-endian, versioned and bound to its battery and circuit."""

import zlib
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from battery_twin.arrays import FloatArray, IntArray
from battery_twin.filter.states import FilterStates
from battery_twin.kernel import layout

VERSION: Final = 2
# Sums of small steps over years need double precision; values that each reading replaces do not.
_SUMMED: Final = (
    layout.DRAWN_AH,
    layout.SETTLED_LOG_Q,
    layout.SETTLED_VAR,
    layout.EVIDENCE_AGE_S,
    layout.SINCE_DISCHARGE_S,
    layout.RESISTANCE_AGE_S,
    layout.PRIOR_LOG_Q,
)
_FLAGS: Final = (layout.UNINFORMATIVE, layout.HAS_EVIDENCE, layout.BEGAN_FULL, layout.AT_CUT_OFF, layout.SETTLED_GRADE)
_PLAIN: Final = tuple(sorted(set(range(layout.MEMORY_SIZE)) - set(_SUMMED) - set(_FLAGS)))
_PAIRS: Final = np.triu_indices(layout.STATE_SIZE, 1)
_LAYOUT: Final = np.dtype(
    [
        ("checksum", "<u4"),
        ("version", "<u2"),
        ("battery", "<u4"),
        ("circuit", "<u4"),
        ("mean", "<f8", layout.STATE_SIZE),
        ("deviation", "<f8", layout.STATE_SIZE),
        ("correlation", "<f4", len(_PAIRS[0])),
        ("summed", "<f8", len(_SUMMED)),
        ("plain", "<f4", len(_PLAIN)),
        ("flags", "u1", len(_FLAGS)),
    ]
)
SIZE: Final = _LAYOUT.itemsize
# Rounding to single precision must leave the matrix positive semidefinite.
_CORRELATION_SHRINKAGE: Final = 1.0 - 1e-6

WRONG_LENGTH = f"is not {SIZE} bytes long, the length of version {VERSION}"
DAMAGED = "is damaged: its checksum does not match"
OTHER_VERSION = f"has a version other than {VERSION}"
OTHER_BATTERY = "belongs to another battery"
OTHER_CIRCUIT = "was made with another model or parameter set"


def fingerprint(text: str) -> int:
    """Return a 32-bit fingerprint (CRC-32) of an id."""
    return zlib.crc32(text.encode())


def pack(states: FilterStates, battery: Sequence[int], circuit: IntArray) -> list[bytes]:
    """Return the states (n,) as bytes, bound to the fingerprints of their batteries and circuits (n,)."""
    deviation = np.sqrt(np.diagonal(states.covariance, axis1=1, axis2=2))
    scale = np.where(deviation > 0, deviation, 1.0)
    rows, columns = _PAIRS
    records = np.zeros(len(states.mean), _LAYOUT)
    records["version"], records["battery"], records["circuit"] = VERSION, battery, circuit
    records["mean"], records["deviation"] = states.mean, deviation
    correlation = states.covariance[:, rows, columns] / (scale[:, rows] * scale[:, columns])
    records["correlation"] = np.clip(correlation, -1.0, 1.0) * _CORRELATION_SHRINKAGE
    records["summed"] = states.memory[:, _SUMMED]
    records["plain"] = states.memory[:, _PLAIN]
    records["flags"] = states.memory[:, _FLAGS]
    whole = records.tobytes()
    bodies = [whole[start + 4 : start + SIZE] for start in range(0, len(whole), SIZE)]
    return [zlib.crc32(body).to_bytes(4, "little") + body for body in bodies]


def unpack(
    blobs: Sequence[bytes | None], battery: Sequence[int], circuit: IntArray
) -> tuple[FilterStates, list[str | None]]:
    """Return the states (n,) and the fault of each blob that cannot be used.

    None and empty bytes are no fault; their states are zero. A faulty blob does not affect the others.
    """
    faults = [_damage(blob) for blob in blobs]
    blank = bytes(SIZE)
    whole = b"".join(blob if blob and fault is None else blank for blob, fault in zip(blobs, faults, strict=True))
    records = np.frombuffer(whole, _LAYOUT)
    present = np.array([bool(blob) and fault is None for blob, fault in zip(blobs, faults, strict=True)], bool)
    for is_wrong, fault in (
        (present & (records["circuit"] != circuit), OTHER_CIRCUIT),
        (present & (records["battery"] != np.asarray(battery, np.uint32)), OTHER_BATTERY),
        (present & (records["version"] != VERSION), OTHER_VERSION),
    ):
        for slot in np.flatnonzero(is_wrong).tolist():
            faults[slot] = fault
    return _states(records), faults


def _states(records: NDArray[np.void]) -> FilterStates:
    states = FilterStates.empty(len(records))
    deviation: FloatArray = records["deviation"].astype(np.float64)
    rows, columns = _PAIRS
    covariance = records["correlation"] * deviation[:, rows] * deviation[:, columns]
    states.covariance[:, rows, columns] = covariance
    states.covariance[:, columns, rows] = covariance
    diagonal = np.arange(layout.STATE_SIZE)
    states.covariance[:, diagonal, diagonal] = deviation**2
    states.mean[:] = records["mean"]
    for fields, name in ((_SUMMED, "summed"), (_PLAIN, "plain"), (_FLAGS, "flags")):
        states.memory[:, fields] = records[name]
    return states


def _damage(blob: bytes | None) -> str | None:
    if not blob:
        return None
    if len(blob) != SIZE:
        return WRONG_LENGTH
    return None if zlib.crc32(memoryview(blob)[4:]) == int.from_bytes(blob[:4], "little") else DAMAGED
