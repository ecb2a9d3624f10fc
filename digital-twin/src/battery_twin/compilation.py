"""Compilation of the filter to machine code."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numba

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function of numbers and arrays; without fast-math, so that sums keep their written order."""
    kernel: Callable[P, R] = numba.njit(cache=True, error_model="numpy", nogil=True)(function)
    return kernel
