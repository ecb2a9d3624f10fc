"""Compilation of kernels, with a cache that a change of the sources always invalidates.

Numba's own cache checks the file of a function but not the files of the functions that it calls: after a change of the
physics it would keep running the old equations. The cache folder is therefore named by a hash of the sources.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numba

from battery_contracts.ohmic import REFERENCE_TEMPERATURE_C, RESISTANCE_SLOPE_PER_C

_config: Any = numba.config

P = ParamSpec("P")
R = TypeVar("R")

_PACKAGE = Path(__file__).parent
_COMPILED_FOLDERS = ("block", "datasets", "engine", "sensing", "state")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function of numbers and arrays; without fast-math, so that sums keep their written order."""
    previous = _config.CACHE_DIR
    _config.CACHE_DIR = str(cache_folder())
    try:
        kernel: Callable[P, R] = numba.njit(cache=True, error_model="numpy", nogil=True)(function)
    finally:
        _config.CACHE_DIR = previous
    return kernel


@cache
def cache_folder() -> Path:
    """Return the folder of the machine code of exactly these sources: beside them, else in the user's cache."""
    digest = hashlib.sha256(numba.__version__.encode())
    for source in sorted(path for folder in _COMPILED_FOLDERS for path in (_PACKAGE / folder).glob("*.py")):
        digest.update(source.read_bytes())
    # Constants of other packages end up in the machine code too.
    digest.update(repr((RESISTANCE_SLOPE_PER_C, REFERENCE_TEMPERATURE_C)).encode())
    name = f"kernels-{digest.hexdigest()[:12]}"
    beside = _PACKAGE / "__pycache__" / name
    try:
        beside.mkdir(parents=True, exist_ok=True)
    except OSError:
        beside = _user_cache() / name
        beside.mkdir(parents=True, exist_ok=True)
    else:
        if not os.access(beside, os.W_OK):
            beside = _user_cache() / name
            beside.mkdir(parents=True, exist_ok=True)
    return beside


def _user_cache() -> Path:
    configured = os.environ.get("XDG_CACHE_HOME")
    if configured:
        return Path(configured) / "battery-synth"
    home = Path.home() / ".cache"
    return (home if os.access(home, os.W_OK) else Path(tempfile.gettempdir())) / "battery-synth"
