"""Compile kernels, and keep the machine code where a change of the sources cannot meet an old one.

Numba's own cache looks at the file of a function and not at the files of the functions that it calls: after a change of
the physics it would go on with the old equations. The cache folder is therefore named by the sources.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numba

_config: Any = numba.config

P = ParamSpec("P")
R = TypeVar("R")

_PACKAGE = Path(__file__).parent
_COMPILED_FOLDERS = ("block", "datasets", "engine", "sensing")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function of numbers and arrays; without fast-math, so that the order of sums is the written one."""
    kept = _config.CACHE_DIR
    _config.CACHE_DIR = str(cache_folder())
    try:
        kernel: Callable[P, R] = numba.njit(cache=True, error_model="numpy", nogil=True)(function)
    finally:
        _config.CACHE_DIR = kept
    return kernel


@cache
def cache_folder() -> Path:
    """Return the folder of the machine code of exactly these sources; beside them, else in the user's own folder."""
    digest = hashlib.sha256(numba.__version__.encode())
    for source in sorted(path for folder in _COMPILED_FOLDERS for path in (_PACKAGE / folder).glob("*.py")):
        digest.update(source.read_bytes())
    name = f"kernels-{digest.hexdigest()[:12]}"
    beside = _PACKAGE / "__pycache__" / name
    try:
        beside.mkdir(parents=True, exist_ok=True)
    except OSError:
        beside = _elsewhere() / name
        beside.mkdir(parents=True, exist_ok=True)
    else:
        if not os.access(beside, os.W_OK):
            beside = _elsewhere() / name
            beside.mkdir(parents=True, exist_ok=True)
    return beside


def _elsewhere() -> Path:
    told = os.environ.get("XDG_CACHE_HOME")
    if told:
        return Path(told) / "battery-synth"
    home = Path.home() / ".cache"
    return (home if os.access(home, os.W_OK) else Path(tempfile.gettempdir())) / "battery-synth"
