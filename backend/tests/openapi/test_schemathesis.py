"""Schemathesis asks every operation what its description allows and what it forbids, as each kind of caller.

A real gateway answers over HTTP. Whatever is asked: no server error, no undeclared status, every answer as declared.
"""

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from battery_api.accounts.principal import Scope
from battery_servicekit.clock import SystemClock
from battery_servicekit.testing.process import ServiceProcess, running_service
from tests.accounts.world import SECRET

from .worlds import populated

# What ends the caller's own session, or the callers.
ENDS_CALLERS = r"/auth/(logout|change-password|users/\{user_id\}|api-keys/\{key_id\})"
KEYS = (Scope.TELEMETRY_WRITE.value, Scope.RULES_WRITE.value)
BIN = Path(sys.executable).parent


@dataclass(frozen=True, slots=True)
class Target:
    """A running gateway and the headers of its callers."""

    gateway: ServiceProcess
    headers: dict[str, dict[str, str]]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def target(
    postgres_url: str, rights_template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Target]:
    """A gateway of its own process, on a copy of the world with two locations."""
    folder = tmp_path_factory.mktemp("schemathesis")
    async with populated(postgres_url, rights_template, foreign=True, clock=SystemClock()) as (world, callers):
        url = str(world.database.engine.url.render_as_string(hide_password=False))
        environment = {
            "DATABASE_URL": url,
            "JWT_SECRET_KEY": SECRET,
            "DATA_DIR": str(folder),
            "RUN_JOBS": "false",
            "REQUESTS_PER_MINUTE_OF_USER": "1000000",
            "REQUESTS_PER_MINUTE_OF_KEY": "1000000",
            "REQUESTS_PER_MINUTE_OF_ADDRESS": "1000000",
            "LOGIN_ATTEMPTS_PER_MINUTE": "1000000",
            "PATH": os.environ["PATH"],
        }
        with running_service([str(BIN / "battery-api"), "serve"], environment, log=folder / "gateway.log") as gateway:
            gateway.wait_until_alive()
            yield Target(gateway, {**callers.everywhere, "own location": callers.own["admin"], "nobody": {}})


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


@pytest.mark.parametrize("caller", ["admin", "nobody"])
def test_every_boundary_has_a_declared_answer(target: Target, caller: str, tmp_path: Path) -> None:
    run(target, caller, tmp_path, "--phases", "examples,coverage,fuzzing", "--max-examples", "10")


@pytest.mark.parametrize("caller", ["viewer", "engineer", "own location", *KEYS])
def test_every_caller_gets_declared_answers(target: Target, caller: str, tmp_path: Path) -> None:
    run(target, caller, tmp_path, "--phases", "examples,fuzzing", "--max-examples", "4")
