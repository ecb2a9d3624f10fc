"""What is done to the platform. Each attack ends by itself and leaves the platform to recover unaided."""

import os
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlparse

import httpx
import psutil

from tests.platform_process import RunningPlatform

PROGRAMS = {
    "gateway": "battery-api",
    "database": "postgres",
    "twin": "battery-twin-service",
    "ml": "battery-ml-service",
    "simulator": "battery-sim-service",
}
_FROZEN_FOR_S = 90.0
_SLOW_FOR_S = 30.0
_FULL_FOR_S = 20.0


@dataclass(frozen=True)
class Attack:
    """One fault: its name, what does it, and what it found out by itself."""

    name: str
    run: Callable[[RunningPlatform], str]


def kill(program: str) -> Attack:
    """Return the attack that kills a program without warning."""

    def run(platform: RunningPlatform) -> str:
        victim = _running(platform, program)
        victim.kill()
        return ""

    return Attack(f"kill -9 {program}", run)


def freeze(program: str) -> Attack:
    """Return the attack that stops a program, which looks alive and does nothing."""

    def run(platform: RunningPlatform) -> str:
        victim = _running(platform, program)
        victim.suspend()
        began = time.monotonic()
        while time.monotonic() - began < _FROZEN_FOR_S:
            now = platform.program(PROGRAMS[program])
            if now is not None and now.pid != victim.pid:
                return f"replaced after {time.monotonic() - began:.0f} s"
            time.sleep(0.5)
        with suppress(psutil.Error):
            victim.resume()
        return "NOT replaced"

    return Attack(f"SIGSTOP {program}", run)


def slow_clients(count: int = 60) -> Attack:
    """Return the attack of clients that send half of a request and wait."""

    def run(platform: RunningPlatform) -> str:
        head = b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        unfinished = [head[:20], head, head + b"Content-Length: 1048575\r\n\r\n{", b""]
        with ExitStack() as stack:
            held = [stack.enter_context(_connection(platform)) for _ in range(count)]
            for number, one in enumerate(held):
                one.sendall(unfinished[number % len(unfinished)])
            time.sleep(_SLOW_FOR_S)
            left = sum(_is_open(one) for one in held)
        return f"{left} of {count} still open after {_SLOW_FOR_S:.0f} s"

    return Attack("slow and half-open clients", run)


def header_flood(count: int = 8, size: int = 4 * 2**20) -> Attack:
    """Return the attack of clients that send headers without end."""

    def run(platform: RunningPlatform) -> str:
        answered = []
        for _ in range(count):
            with _connection(platform) as one:
                one.settimeout(10)
                with suppress(OSError):
                    one.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * size)
                with suppress(OSError):
                    answered.append(one.recv(64).split(b" ")[1].decode())
        return f"answered {', '.join(sorted(set(answered))) or 'by closing'}"

    return Attack("header floods", run)


def full_disk(volume: Path) -> Attack:
    """Return the attack that fills the volume of the data folder, and frees it again."""

    def run(platform: RunningPlatform) -> str:
        filler = volume / "filler"
        try:
            with suppress(OSError), filler.open("wb") as file:
                while True:
                    file.write(os.urandom(2**20))
                    file.flush()
            time.sleep(_FULL_FOR_S)
            with suppress(httpx.HTTPError):
                checks = httpx.get(f"{platform.url}/health/ready", timeout=10).json()["checks"]
                reason = checks["disk"]["reason"]
                return f"readiness says {reason}"
            return "gateway NOT reachable while full"
        finally:
            filler.unlink(missing_ok=True)

    return Attack("disk full", run)


def _running(platform: RunningPlatform, program: str) -> psutil.Process:
    found: psutil.Process = platform.wait_for(lambda: platform.program(PROGRAMS[program]), f"{program} to run")
    return found


def _connection(platform: RunningPlatform) -> socket.socket:
    address = urlparse(platform.url)
    return socket.create_connection((address.hostname or "", address.port or 0), timeout=10)


def _is_open(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        while True:
            if not connection.recv(4096):
                return False
    except BlockingIOError:
        return True
    except OSError:
        return False
