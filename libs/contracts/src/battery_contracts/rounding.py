"""Numbers of answers to the digits that their sensor or estimate resolves.

The store keeps single precision, which read as double precision shows 13.654000282287598 where 13.654 was sent.
"""

from functools import partial

from pydantic import AfterValidator


def to_decimals(decimals: int) -> AfterValidator:
    """Return the annotation that rounds a field to so many digits after the point."""
    return AfterValidator(partial(_rounded, decimals))


def _rounded(decimals: int, value: float) -> float:
    # Adding zero turns the -0.0 that rounding leaves of a small negative number into 0.0.
    return round(value, decimals) + 0.0
