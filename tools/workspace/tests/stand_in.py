"""Stands in for uv, node, npm and the linters, by its own file name; records every call in $CALLS."""

import os
import sys
from pathlib import Path

NAME = Path(sys.argv[0]).name
ARGUMENTS = sys.argv[1:]
VERSIONS = {"uv": os.environ.get("UV_IS", "uv 0.13.9 (built here)"), "node": os.environ.get("NODE_IS", "v22.1.0")}
LINTERS = ("ruff", "mypy", "lint-imports", "deptry")


def make_environment(folder: Path) -> None:
    (folder / "bin").mkdir(parents=True, exist_ok=True)
    python = folder / "bin" / "python"
    # The interpreter of the tests, so that a suite of the workspace runs real pytest.
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    for name in LINTERS:
        linter = folder / "bin" / name
        linter.write_text(f"#!{sys.executable}\n{Path(__file__).read_text()}")
        linter.chmod(0o755)


def main() -> None:
    if ARGUMENTS == ["--version"]:
        sys.stdout.write(VERSIONS[NAME] + "\n")
        return
    call = " ".join([NAME, *ARGUMENTS])
    with Path(os.environ["CALLS"]).open("a") as calls:
        calls.write(call + "\n")
    failing = os.environ.get("FAILS")
    if failing and failing in call:
        sys.stdout.write("planted failure\n")
        sys.stderr.write("planted failure\n")
        sys.exit(3)
    if " venv " in call:
        make_environment(Path(ARGUMENTS[-1]))
    elif " export " in call:
        sys.stdout.write("# a group\npackage==1 \\\n    --hash=sha256:00\n")
    elif call.startswith("npm ci"):
        Path("node_modules").mkdir(exist_ok=True)
    elif call.startswith("npm run build"):
        Path("dist").mkdir(exist_ok=True)


main()
