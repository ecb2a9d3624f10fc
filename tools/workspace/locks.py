"""Resolve the dependencies and write the locks, with hashes and without registry addresses."""

import re
import subprocess
from pathlib import Path

from environments import BUILD_LOCK, REQUIREMENTS, UV_LOCK, UV_VERSION, TaskFailed, find_uv, print_line, run
from members import ROOT, load_members

_FORM = ("--no-emit-workspace", "--format", "requirements-txt", "--no-header", "--no-annotate", "--frozen", "--quiet")


def write_locks() -> None:
    """Update ``uv.lock`` and write ``requirements/*.txt``."""
    uv = str(find_uv())
    run([uv, "lock", "--upgrade"])
    REQUIREMENTS.mkdir(exist_ok=True)
    for member in load_members().values():
        if member.is_package:
            _export(uv, f"{member.label}.txt", "--package", member.name, "--no-dev")
        _export(uv, f"{member.label}.test.txt", "--package", member.name)
    _export(uv, "workspace.txt", "--all-packages")
    _export(uv, BUILD_LOCK.name, "--only-group", "build")
    _export(uv, "sbom.txt", "--only-group", "sbom")
    _pin_uv(uv)
    print_line(f"Wrote {len(list(REQUIREMENTS.glob('*.txt')))} locks to {REQUIREMENTS.relative_to(ROOT)}/")


def find_addresses() -> list[str]:
    """Return the lines of the locks that name a host; a clean repository has none."""
    found = []
    locks = [*REQUIREMENTS.glob("*.txt"), *_npm_locks()]
    for lock in sorted(locks):
        for number, line in enumerate(lock.read_text().splitlines(), start=1):
            names_host = re.search(r"https?://|--(extra-)?index-url|--find-links", line)
            if '"resolved"' in line or (lock.suffix == ".txt" and names_host):
                found.append(f"{lock.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    return found


def _npm_locks() -> list[Path]:
    command = ["git", "ls-files", "*package-lock.json"]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)  # noqa: S603  # fixed arguments
    return [ROOT / name for name in done.stdout.split()]


def _pin_uv(uv: str) -> None:
    """Write the hashes of the installer itself, which pip installs before there is anything else."""
    options = ["--generate-hashes", "--no-header", "--no-annotate", "--universal", "--quiet"]
    command = [uv, "pip", "compile", *options, "--output-file", str(UV_LOCK), "-"]
    pin = f"uv=={UV_VERSION}\n"
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, input=pin)  # noqa: S603  # uv itself
    if done.returncode != 0:
        raise TaskFailed(f"uv pip compile of uv itself failed:\n{done.stderr}")


def _export(uv: str, name: str, *selection: str) -> None:
    done = subprocess.run([uv, "export", *selection, *_FORM], cwd=ROOT, check=False, capture_output=True, text=True)  # noqa: S603  # uv itself
    if done.returncode != 0:
        raise TaskFailed(f"uv export for {name} failed:\n{done.stderr}")
    # Some exports start with a comment that names the group; only pins and hashes belong here.
    lines = [line for line in done.stdout.splitlines() if not line.startswith("#")]
    (REQUIREMENTS / name).write_text("\n".join(lines) + "\n")
