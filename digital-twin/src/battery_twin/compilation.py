"""Compilation of the filter to machine code, with a cache that a change of its sources always invalidates.

Numba's own cache checks the file of a function but not the files of the functions that it calls: after a change of an
equation it would keep running the old one. The cache folder is therefore named by a hash of the kernel's sources.
"""

import hashlib
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numba

_config: Any = numba.config

P = ParamSpec("P")
R = TypeVar("R")

_KERNEL = Path(__file__).parent / "kernel"


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function of numbers and arrays; without fast-math, so that sums keep their written order."""
    previous = _config.CACHE_DIR
    _config.CACHE_DIR = cache_folder(previous)
    try:
        kernel: Callable[P, R] = numba.njit(cache=True, error_model="numpy", nogil=True)(function)
    finally:
        _config.CACHE_DIR = previous
    return kernel


@cache
def cache_folder(configured: str) -> str:
    """Return the folder of the machine code of exactly these sources, below the configured one or beside them.

    Where neither can be written, Numba chooses: an installation that cannot be written does not change either.
    """
    digest = hashlib.sha256(numba.__version__.encode())
    for source in sorted(_KERNEL.glob("*.py")):
        digest.update(source.read_bytes())
    folder = (Path(configured) if configured else _KERNEL / "__pycache__") / f"kernel-{digest.hexdigest()[:12]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return configured
    return str(folder) if os.access(folder, os.W_OK) else configured
