"""Create the environments: Python with uv from hashed locks, Node with npm; unchanged ones are left alone."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from members import ROOT, Member, closure, load_members

UV_VERSION = "0.13.9"
REQUIREMENTS = ROOT / "requirements"
BUILD_LOCK = REQUIREMENTS / "build.txt"
UV_LOCK = REQUIREMENTS / "uv.txt"
MAIN_ENVIRONMENT = ROOT / ".venv"
FRONTEND = ROOT / "frontend"
TIMESCALE_WASM = ROOT / "tools" / "timescale-wasm"
BROWSER_TESTS = ROOT / "tests" / "browser"
_TOOLS = ROOT / ".tools"
_NODE_NEEDED = (20, 19)


class TaskFailed(Exception):
    """A task failed; the message gives the cause."""


def print_line(message: str) -> None:
    """Print one line without buffering."""
    sys.stdout.write(message + "\n")
    sys.stdout.flush()


def run(command: Sequence[str | Path], *, cwd: Path = ROOT, quiet: bool = True) -> None:
    """Run a command; unless ``quiet`` is false, show its output only when it fails."""
    stream = subprocess.PIPE if quiet else None
    environment = {**os.environ, "UV_PYTHON_DOWNLOADS": "never", "UV_NO_PROGRESS": "1"}
    done = subprocess.run(  # noqa: S603  # our own commands
        [str(part) for part in command],
        cwd=cwd,
        check=False,
        stdout=stream,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    )
    if done.returncode != 0:
        raise TaskFailed(f"{' '.join(map(str, command))} failed:\n{(done.stdout or '')[-6000:]}")


def find_uv() -> Path:
    """Return uv: one that is installed in the pinned version, else install it into .tools."""
    own = _TOOLS / "uv" / "bin" / "uv"
    present = shutil.which("uv")
    for candidate in (own, Path(present) if present else None, MAIN_ENVIRONMENT / "bin" / "uv"):
        if candidate is not None and candidate.exists() and _version_of(candidate) == UV_VERSION:
            return candidate
    print_line(f"Installing uv {UV_VERSION} into .tools/uv")
    run([sys.executable, "-m", "venv", "--clear", _TOOLS / "uv"])
    python = _TOOLS / "uv" / "bin" / "python"
    install: list[str | Path] = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--only-binary",
        ":all:",
        "--require-hashes",
        "-r",
        UV_LOCK,
    ]
    run([python, *install])
    return own


def ensure_main_environment() -> None:
    """Create or update ``.venv`` with every member and tool."""
    members = [member for member in load_members().values() if member.is_package]
    _ensure_python(MAIN_ENVIRONMENT, REQUIREMENTS / "workspace.txt", members)


def ensure_member_environment(member: Member) -> Path:
    """Create or update a member's test environment, which has only what the member declares."""
    folder = ROOT / ".venvs" / member.label
    needed = [part for part in closure(member, load_members()) if part.is_package]
    _ensure_python(folder, REQUIREMENTS / f"{member.label}.test.txt", needed)
    return folder


def ensure_comparison_environment() -> None:
    """Create or update ``.tools/comparison``: the main environment and what only the comparison of models needs.

    Those packages are in no lock, since neither a service nor a test uses them.
    """
    ensure_main_environment()
    members = [member for member in load_members().values() if member.is_package]
    folder = _TOOLS / "comparison"
    _ensure_python(folder, REQUIREMENTS / "workspace.txt", members)
    python = folder / "bin" / "python"
    group = f"{ROOT / 'ml-pipeline' / 'pyproject.toml'}:comparison"
    run([find_uv(), "pip", "install", "--quiet", "--python", python, "--group", group])


def ensure_node(folder: Path, *options: str) -> None:
    """Install a folder's npm packages from its lock."""
    _check_node()
    lock = folder / "package-lock.json"
    if not lock.exists():
        raise TaskFailed(f"{lock.relative_to(ROOT)} is missing")
    stamp = folder / "node_modules" / ".stamp"
    key = digest([lock, folder / "package.json"], " ".join(options))
    if _is_current(stamp, key):
        return
    print_line(f"Installing npm packages of {folder.relative_to(ROOT)}")
    run(["npm", "ci", "--no-audit", "--no-fund", *options], cwd=folder)
    stamp.write_text(key)


def ensure_dashboard() -> None:
    """Build the dashboard if its sources have changed."""
    if not (FRONTEND / "package.json").exists():
        return
    ensure_node(FRONTEND)
    sources = [path for path in FRONTEND.rglob("*") if path.is_file() and not _is_generated(path)]
    stamp = FRONTEND / "dist" / ".stamp"
    key = digest(sorted(sources), "")
    if _is_current(stamp, key):
        return
    print_line("Building the dashboard")
    run(["npm", "run", "build"], cwd=FRONTEND)
    stamp.write_text(key)


def digest(paths: Iterable[Path], extra: str) -> str:
    """Return a hash of files' names and contents."""
    total = hashlib.sha256(extra.encode())
    for path in paths:
        total.update(f"\0{path.relative_to(ROOT)}\0".encode())
        total.update(path.read_bytes())
    return total.hexdigest()


def _ensure_python(folder: Path, lock: Path, members: Sequence[Member]) -> None:
    if not lock.exists():
        raise TaskFailed(f"{lock.relative_to(ROOT)} is missing; `make lock` writes it")
    stamp = folder / ".stamp"
    projects = [member.folder / "pyproject.toml" for member in members]
    key = digest([lock, BUILD_LOCK, *projects], sys.version + sys.executable)
    if _is_current(stamp, key):
        return
    print_line(f"Installing Python packages into {folder.relative_to(ROOT)}")
    uv = find_uv()
    python = folder / "bin" / "python"
    if not python.exists():
        run([uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, folder])
    run([uv, "pip", "sync", "--quiet", "--python", python, "--require-hashes", lock])
    editable: list[str | Path] = [part for member in members for part in ("-e", str(member.folder))]
    # The build backend is locked too: it comes from the tools' lock.
    install: list[str | Path] = [
        uv,
        "pip",
        "install",
        "--quiet",
        "--python",
        python,
        "--no-deps",
        "--build-constraints",
        BUILD_LOCK,
    ]
    run([*install, *editable])
    stamp.write_text(key)


def _is_current(stamp: Path, key: str) -> bool:
    return stamp.exists() and stamp.read_text() == key


def _version_of(uv: Path) -> str:
    done = subprocess.run([str(uv), "--version"], check=False, capture_output=True, text=True)  # noqa: S603  # uv itself
    words = done.stdout.split()
    return words[1] if done.returncode == 0 and len(words) > 1 else ""


def _check_node() -> None:
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        raise TaskFailed("Node >= 20.19 with npm is needed and was not found")
    text = subprocess.run([node, "--version"], check=True, capture_output=True, text=True).stdout  # noqa: S603  # node itself
    version = tuple(int(part) for part in text.strip().removeprefix("v").split(".")[:2])
    if version < _NODE_NEEDED:
        raise TaskFailed(f"Node >= 20.19 is needed; {node} is {text.strip()}")


def _is_generated(path: Path) -> bool:
    below = path.relative_to(FRONTEND).parts
    return below[0] in {"node_modules", "dist", "coverage", "test-results"} or path.suffix == ".tsbuildinfo"
