"""Schemathesis asks every operation what its description allows and what it forbids, as each kind of caller.

A real gateway answers over HTTP. Whatever is asked: no server error, no undeclared status, every answer as declared.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from battery_api.accounts.principal import Scope

from .target import Target

# What ends the caller's own session, or the callers.
ENDS_CALLERS = r"/auth/(logout|change-password|users/\{user_id\}|api-keys/\{key_id\})"
KEYS = (Scope.TELEMETRY_WRITE.value, Scope.RULES_WRITE.value)
BIN = Path(sys.executable).parent


def run(target: Target, caller: str, folder: Path, *options: str) -> None:
    headers = [argument for name, value in target.headers[caller].items() for argument in ("-H", f"{name}: {value}")]
    command = [
        *(str(BIN / "st"), "--config-file", str(Path(__file__).with_name("schemathesis.toml"))),
        *("run", f"{target.gateway.url}/api/openapi.json", *headers),
        *("--exclude-path-regex", ENDS_CALLERS, "--generation-deterministic", "--continue-on-failure"),
        *("--warnings", "off", "--no-color", *options),
    ]
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_every_boundary_has_a_declared_answer(target: Target, tmp_path: Path) -> None:
    run(target, "admin", tmp_path, "--phases", "examples,coverage,fuzzing", "--max-examples", "10")


@pytest.mark.parametrize("caller", ["viewer", "engineer", "own location", "nobody", *KEYS])
def test_every_caller_gets_declared_answers(target: Target, caller: str, tmp_path: Path) -> None:
    run(target, caller, tmp_path, "--phases", "examples,fuzzing", "--max-examples", "4")
