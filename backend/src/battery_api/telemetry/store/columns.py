"""Columns of rows to write, and the array types of telemetry."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
CountArray = npt.NDArray[np.int16]
TimeArray = npt.NDArray[np.datetime64]
RuleState = Mapping[str, Any]
"""Rule state of one subject as stored (JSON): empty or None when no rule is pending, firing or clearing."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of rows to write: its name, its element type and the values (m,)."""

    name: str
    type: str
    values: Sequence[Any]


def reals(name: str, values: FloatArray) -> Column:
    """Make a column of measured values, null where NaN."""
    return Column(name, "real", optional(values) if np.isnan(values).any() else values.tolist())


def as_stored(values: FloatArray) -> FloatArray:
    """Return values (m,) as the store gives them back, rounded to 1e-5.

    The rules judge these, so that a limit is met or missed alike by a reading that just came and by the same reading
    read back.
    """
    rounded = np.round(values.astype(np.float32).astype(np.float64), 5)
    return np.asarray(rounded, np.float64)


def integers(name: str, values: IntArray, *, kind: str = "int") -> Column:
    """Make a column of integers."""
    return Column(name, kind, values.tolist())


def instants(name: str, times_us: IntArray) -> Column:
    """Make a column of instants; integers of microseconds cost far less to send than date objects."""
    return Column(name, "instant", times_us.tolist())


def optional(values: FloatArray) -> list[Any]:
    """Return values (m,) as a list with None where NaN."""
    return [None if value != value else value for value in values.tolist()]  # noqa: PLR0124  # NaN alone differs from itself
