"""A small workspace in a temporary folder, with the real task runner and stand-ins for uv, node and npm."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1]
# The task runner is a folder of scripts that import each other by name.
sys.path.insert(0, str(FOLDER))

STAND_IN = Path(__file__).with_name("stand_in.py")
PASSING = "def test_one() -> None:\n    assert True\n"
FAILING = "def test_two() -> None:\n    assert 1 == 2\n"


@dataclass(frozen=True, slots=True)
class Workspace:
    """The temporary workspace."""

    root: Path

    def make(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a task as the Makefile does."""
        variables = {
            "PATH": f"{self.root / 'bin'}{os.pathsep}/usr/bin{os.pathsep}/bin",
            "HOME": str(self.root),
            "CALLS": str(self.root / "calls"),
            # Starts in a third of the time; no test of the workspace needs a plugin.
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        }
        command = [sys.executable, str(self.root / "tools" / "workspace"), *arguments]
        return subprocess.run(
            command,
            cwd=self.root,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**variables, **environment},
        )

    def calls(self) -> list[str]:
        """Return the calls of the stand-ins since the last time, without questions for a version."""
        file = self.root / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return [line for line in lines if not line.endswith("--version")]

    def write(self, name: str, text: str) -> Path:
        """Write a file below the root."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = Workspace(tmp_path)
    (tmp_path / "tools" / "workspace").mkdir(parents=True)
    for script in FOLDER.glob("*.py"):
        shutil.copy(script, tmp_path / "tools" / "workspace")
    made.write(
        "pyproject.toml",
        '[tool.uv.workspace]\nmembers = ["libs/alpha", "libs/beta", "tests", "benchmarks"]\n',
    )
    for folder, name, requirements, package in (
        ("libs/alpha", "battery-alpha", "[]", "true"),
        ("libs/beta", "battery-beta", '["battery-alpha[extra]>=0.1; python_version > \'3\'", "httpx"]', "true"),
        ("tests", "battery-system-tests", '["battery-beta"]', "false"),
        ("benchmarks", "battery-benchmarks", "[]", "false"),
    ):
        made.write(
            f"{folder}/pyproject.toml",
            f'[project]\nname = "{name}"\ndependencies = {requirements}\n[tool.uv]\npackage = {package}\n'
            '[tool.pytest.ini_options]\naddopts = "-p no:cacheprovider"\n',
        )
    for lock in ("workspace", "build", "alpha.test", "beta.test", "system-tests.test"):
        made.write(f"requirements/{lock}.txt", f"package=={len(lock)} --hash=sha256:00\n")
    made.write("tools/timescale-wasm/package.json", "{}")
    made.write("tools/timescale-wasm/package-lock.json", "{}")
    made.write("tools/workspace/tests/test_runner.py", PASSING)
    made.write("libs/alpha/tests/test_alpha.py", PASSING)
    made.write("libs/beta/tests/test_beta.py", PASSING)
    made.write("tests/test_system.py", PASSING)
    for name in ("uv", "node", "npm"):
        made.write(f"bin/{name}", f"#!{sys.executable}\n{STAND_IN.read_text()}").chmod(0o755)
    return made
