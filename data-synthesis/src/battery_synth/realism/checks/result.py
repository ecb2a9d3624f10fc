"""What a check says: the value that it measured, its limit, and whether it holds; or that the data cannot answer it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RealismCheck:
    """A check: its limit, the measured value, and the source of the limit."""

    name: str
    limit: str
    measured: str
    passed: bool
    source: str


@dataclass(frozen=True, slots=True)
class NotChecked:
    """A check that the data cannot answer: it neither holds nor fails, and the report says why."""

    reason: str


Finding = RealismCheck | NotChecked


def between(name: str, low: float, high: float, value: float, source: str, *, unit: str = "") -> RealismCheck:
    """Return a check that a value lies in a range; NaN fails."""
    return RealismCheck(name, f"{low:g} to {high:g}{unit}", f"{value:.4g}{unit}", bool(low <= value <= high), source)
