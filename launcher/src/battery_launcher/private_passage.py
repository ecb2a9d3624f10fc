"""A way for another user into folders that lie below closed ones, without opening those.

The database of a root user runs as a user of its own, which may not pass through a closed folder such as ``/root``.
Its process gets a mount namespace in which the topmost closed folder is an empty one that holds nothing but the way to
the folders that it needs. Nobody else sees that, nothing on disk changes, and it ends with the process.
"""

import ctypes
import os
import pwd
from collections.abc import Iterable, Sequence
from pathlib import Path

_CLONE_NEWNS = 0x00020000
_MS_BIND = 0x1000
_MS_REC = 0x4000
_MS_PRIVATE = 0x40000
_PASSABLE = 0o001


def closed_above(folders: Iterable[Path]) -> list[Path]:
    """Return the folders above the given ones that other users may not pass through, topmost first."""
    parents = {parent for folder in folders for parent in folder.parents}
    return sorted(parent for parent in parents if not parent.stat().st_mode & _PASSABLE)


def become(user: str, folders: Sequence[Path]) -> None:
    """Change this process to another user who reaches the folders; call it as root, in a process of its own.

    Raises
    ------
    OSError
        A folder above is closed and this system allows no private mounts.
    """
    entry = pwd.getpwnam(user)
    _open_privately(folders)
    # The groups too: as a member of root's group the process would get that group's permissions.
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)


def _open_privately(folders: Sequence[Path]) -> None:
    closed = closed_above(folders)
    topmost = [
        folder for folder in closed if not any(folder.is_relative_to(other) for other in closed if other != folder)
    ]
    if not topmost:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    _checked(libc.unshare(_CLONE_NEWNS), "unshare")
    _mount(libc, "none", Path("/"), None, _MS_REC | _MS_PRIVATE)
    # Opened in the new namespace and before they are covered; a folder stays reachable through its descriptor.
    hidden = [folder for folder in folders if any(folder.is_relative_to(above) for above in topmost)]
    descriptors = [os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC) for folder in hidden]
    for above in topmost:
        _mount(libc, "tmpfs", above, "tmpfs", 0)
    for folder, descriptor in zip(hidden, descriptors, strict=True):
        old_mask = os.umask(0o066)
        folder.mkdir(parents=True, exist_ok=True)
        os.umask(old_mask)
        _mount(libc, f"/proc/self/fd/{descriptor}", folder, None, _MS_BIND | _MS_REC)


def _mount(libc: ctypes.CDLL, source: str, target: Path, kind: str | None, flags: int) -> None:
    data = b"mode=0711,size=1m" if kind == "tmpfs" else None
    encoded_kind = None if kind is None else kind.encode()
    _checked(libc.mount(source.encode(), os.fsencode(target), encoded_kind, ctypes.c_ulong(flags), data), str(target))


def _checked(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)
