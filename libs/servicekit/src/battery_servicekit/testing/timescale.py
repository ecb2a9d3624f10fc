"""A real TimescaleDB for tests: the server at ``TEST_TIMESCALE_URL``, else the WebAssembly build run by Node.

The WebAssembly build accepts one connection at a time, crashes on COPY and runs no background workers; tests that need
these use a separate server or plain PostgreSQL.
"""

import json
import os
import select
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_FOLDER = "tools/timescale-wasm"
_START_TIMEOUT_S = 60.0


@pytest.fixture
def timescale_url() -> Iterator[str]:
    """Return the URL of an empty TimescaleDB database, fresh for each test."""
    configured = os.environ.get("TEST_TIMESCALE_URL")
    if configured:
        yield configured
        return
    with timescale_wasm() as url:
        yield url


@pytest.fixture(scope="module")
def timescale_module_url() -> Iterator[str]:
    """Return the URL of a TimescaleDB database that the tests of one module share."""
    configured = os.environ.get("TEST_TIMESCALE_URL")
    if configured:
        yield configured
        return
    with timescale_wasm() as url:
        yield url


@contextmanager
def timescale_wasm() -> Iterator[str]:
    """Run the WebAssembly build for the duration of the block and yield its URL."""
    folder = _find_folder()
    command = ["node", "serve.mjs"]
    process = subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603  # fixed arguments
    try:
        assert process.stdout is not None
        ready, _, _ = select.select([process.stdout], [], [], _START_TIMEOUT_S)
        line = process.stdout.readline() if ready else ""
        if not line:
            raise RuntimeError(f"TimescaleDB did not start in {_START_TIMEOUT_S:.0f} s; is `npm ci` done in {_FOLDER}?")
        port = json.loads(line)["port"]
        yield f"postgresql://postgres:postgres@127.0.0.1:{port}/template1"
    finally:
        process.kill()
        process.wait(timeout=10)


def _find_folder() -> Path:
    for parent in Path(__file__).resolve().parents:
        folder = parent / _FOLDER
        if (folder / "node_modules").is_dir():
            return folder
    raise RuntimeError(f"{_FOLDER}/node_modules is missing: run npm ci --legacy-peer-deps there (make setup does)")
