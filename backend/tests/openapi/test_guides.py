"""The guides of API_REFERENCE.md: every command runs, and answers what the page shows."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.accounts.world import ADMIN_PASSWORD

from .target import Target

REFERENCE = Path(__file__).resolve().parents[3] / "API_REFERENCE.md"
BLOCK = re.compile(r"^```(sh|json|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks() -> list[tuple[str, str]]:
    guides = REFERENCE.read_text(encoding="utf-8").partition("## Endpoints")[0]
    return [(found[1], found[2]) for found in BLOCK.finditer(guides)]


def commands() -> Iterator[tuple[str, Any]]:
    """Yield each shell block with the answer that follows it; None where none does."""
    found = blocks()
    for (kind, text), (next_kind, next_text) in zip(found, [*found[1:], ("", "")], strict=True):
        if kind == "sh":
            yield text, json.loads(next_text) if next_kind == "json" else None


def assert_as_shown(shown: Any, answer: Any, path: str = "answer") -> None:
    """Compare what the page shows, where "..." stands for anything, and fields may be left out."""
    if shown == "...":
        return
    if isinstance(shown, dict):
        assert isinstance(answer, dict), path
        for name, value in shown.items():
            assert name in answer, f"{path}.{name}"
            assert_as_shown(value, answer[name], f"{path}.{name}")
    elif isinstance(shown, list) and shown:
        assert answer, path
        for number, value in enumerate(shown):
            assert_as_shown(value, answer[number], f"{path}[{number}]")
    else:
        assert answer == shown, path


@pytest.fixture
def environment(target: Target) -> dict[str, str]:
    return {**os.environ, "API": f"{target.gateway.url}/api/v1", "PASSWORD": ADMIN_PASSWORD}


@pytest.mark.skipif(shutil.which("curl") is None, reason="the guides use curl")
def test_every_command_answers_what_the_page_shows(environment: dict[str, str], tmp_path: Path) -> None:
    shown = list(commands())
    assert len(shown) >= 6
    mark = "---- end of block ----"
    script = "set -eu\n" + "".join(f"{text}\necho\necho '{mark}'\n" for text, _ in shown)
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment, check=False, capture_output=True, text=True
    )  # the shell of the page
    assert done.returncode == 0, done.stderr
    outputs = done.stdout.split(mark)[:-1]
    for (text, expected), output in zip(shown, outputs, strict=True):
        if expected is not None:
            assert_as_shown(expected, json.loads(output), text.splitlines()[-1])


def test_the_live_example_prints_the_next_readings(target: Target, environment: dict[str, str]) -> None:
    (code,) = [text for kind, text in blocks() if kind == "python"]
    token = target.headers["admin"]["Authorization"].removeprefix("Bearer ")
    following = subprocess.Popen(
        [sys.executable, "-c", code], env=environment | {"TOKEN": token}, stdout=subprocess.PIPE, text=True
    )
    try:
        deadline = time.monotonic() + 60
        volts = 13.5
        while following.poll() is None and time.monotonic() < deadline:
            volts += 0.001
            target.send(voltage_v=round(volts, 3))
            time.sleep(0.5)
        output, _ = following.communicate(timeout=5)
    finally:
        following.kill()
    assert following.returncode == 0
    assert output.startswith("DC-CNX-01 ")
    assert "BAT-DC-CNX-01-UPS-01-STR-01-001" in output
