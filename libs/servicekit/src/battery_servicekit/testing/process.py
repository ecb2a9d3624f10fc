"""Real service processes for tests: start on a free port, wait until alive, stop or kill."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx


def free_port() -> int:
    """Return a loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(slots=True)
class ServiceProcess:
    """A running service."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    def wait_until_alive(self, *, timeout_s: float = 60.0, path: str = "/health") -> None:
        """Wait for ``/health``; raises with the end of the log when the process ends or takes too long."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                if httpx.get(self.url + path, timeout=2.0).is_success:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.1)
        tail = self.log.read_text(errors="replace")[-4000:]
        raise RuntimeError(f"{self.process.args!r} is not alive (exit code {self.process.poll()}):\n{tail}")

    def kill(self) -> None:
        """Kill it, as a crash does."""
        self.process.kill()
        self.process.wait(timeout=10)

    def stop(self, *, timeout_s: float = 60.0) -> int:
        """Stop it and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=timeout_s)


@contextmanager
def running_service(
    command: Sequence[str], environment: Mapping[str, str], *, log: Path, port: int | None = None
) -> Iterator[ServiceProcess]:
    """Run a service that reads HOST and PORT for the duration of the block."""
    chosen = port or free_port()
    full = {**os.environ, **environment, "HOST": "127.0.0.1", "PORT": str(chosen)}
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603  # our own commands
            list(command), env=full, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    service = ServiceProcess(process, f"http://127.0.0.1:{chosen}", log)
    try:
        yield service
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(timeout=10)
