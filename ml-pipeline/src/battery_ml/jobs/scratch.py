"""Temporary folders of jobs: deleted when the job ends, and by whoever comes next if it was killed.

A job holds a lock on its folder, which the operating system releases however the job ends; so a folder without a holder
is a leftover, whoever made it, and the folder of a job that runs is none.
"""

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

_LOCK: Final = ".lock"
_PREFIX: Final = "job-"


@contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """Yield an empty folder below ``parent`` that is deleted at the end; leftovers are deleted first."""
    remove_leftovers(parent)
    with _locked(parent / _LOCK):
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        held = _lock_now(folder / _LOCK)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if held is not None:
            held.close()


def remove_leftovers(parent: Path) -> int:
    """Delete the folders below ``parent`` that no running job holds; return how many running jobs keep theirs.

    Raises
    ------
    OSError
        The parent can be neither made nor locked.
    """
    parent.mkdir(parents=True, exist_ok=True)
    kept = 0
    # A folder is made and locked under the same lock, so that none is deleted before its job holds it.
    with _locked(parent / _LOCK):
        for folder in sorted(parent.glob(f"{_PREFIX}*")):
            held = _lock_now(folder / _LOCK)
            if held is None:
                kept += 1
                continue
            shutil.rmtree(folder, ignore_errors=True)
            held.close()
    return kept


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _lock_now(path: Path) -> IO[str] | None:
    """Return the lock, held until it is closed; None if another process holds it."""
    lock = path.open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    return lock
