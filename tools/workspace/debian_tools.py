"""Programs that Debian packages: from PATH, else unpacked into .tools/debian without installing anything.

Neither root nor a package database of the machine is needed: apt keeps its lists below .tools too.
"""

import shutil
import subprocess
from pathlib import Path

from environments import TaskFailed
from members import ROOT

FOLDER = ROOT / ".tools" / "debian"


def find_program(name: str, package: str, folder: Path = FOLDER, *, below: str = "usr/bin") -> Path:
    """Return the path of a program; ``below`` is where its package keeps it.

    Raises
    ------
    TaskFailed
        It is neither installed nor can its package be fetched; the message has both ways out.
    """
    present = shutil.which(name)
    if present is not None:
        return Path(present)
    unpacked = folder / package / below / name
    if not unpacked.exists():
        try:
            _unpack(package, folder)
        except (OSError, subprocess.CalledProcessError) as error:
            output = getattr(error, "output", None) or str(error)
            raise TaskFailed(
                f"{name} is not installed and the Debian package {package} could not be fetched. Install it "
                f"(apt-get install {package}) or let this machine reach a Debian mirror.\n{output[-2000:]}"
            ) from error
    if not unpacked.exists():
        raise TaskFailed(f"The Debian package {package} has no program {name}; install {name} by other means")
    return unpacked


def _unpack(package: str, folder: Path) -> None:
    downloads = folder / "downloads" / package
    for path in (downloads, folder / "lists" / "partial", folder / "cache" / "archives" / "partial"):
        path.mkdir(parents=True, exist_ok=True)
    own = ["-o", f"Dir::State::Lists={folder / 'lists'}", "-o", f"Dir::Cache={folder / 'cache'}"]
    # As root apt would become a user who may not write here.
    own += ["-o", "APT::Sandbox::User=root", "-o", "Debug::NoLocking=true"]
    _run(["apt-get", *own, "--quiet", "update"], downloads)
    _run(["apt-get", *own, "--quiet", "download", package], downloads)
    (archive,) = downloads.glob("*.deb")
    _run(["dpkg-deb", "-x", str(archive), str(folder / package)], downloads)


def _run(command: list[str], folder: Path) -> None:
    subprocess.run(  # noqa: S603  # our own commands
        command, cwd=folder, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
