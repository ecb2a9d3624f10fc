"""The whole platform as a process: brought up by its own command, observed and hurt by tests."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = ROOT / ".venv" / "bin"


def is_alive(process: psutil.Process) -> bool:
    """Tell whether a process runs; one that ends while it is asked does not."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


@dataclass
class RunningPlatform:
    """A platform brought up by ``battery-up``."""

    data: Path
    process: subprocess.Popen[str]
    output: Path
    url: str
    seen: list[psutil.Process] = field(default_factory=list)

    def text(self) -> str:
        return self.output.read_text(errors="replace")

    def wait_for(self, condition: Callable[[], Any], what: str, timeout_s: float = 120.0) -> Any:
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            with suppress(httpx.HTTPError):
                answer = condition()
                if answer:
                    return answer
            if self.process.poll() is not None:
                break
            time.sleep(0.2)
        raise AssertionError(f"{what} did not happen in {timeout_s:.0f} s; the launcher said:\n{self.text()[-4000:]}")

    def wait_until_up(self, timeout_s: float = 180.0) -> None:
        self.wait_for(lambda: "Ctrl-C stops everything" in self.text(), "coming up", timeout_s)
        self.wait_for(lambda: httpx.get(f"{self.url}/health", timeout=30).is_success, "health")

    def family(self) -> list[psutil.Process]:
        """Every living process the launcher ever had below it."""
        with suppress(psutil.Error):
            for child in psutil.Process(self.process.pid).children(recursive=True):
                if child not in self.seen:
                    self.seen.append(child)
        return [one for one in self.seen if is_alive(one)]

    def program(self, command: str) -> psutil.Process | None:
        """Return the running process of a supervised command."""
        for one in self.family():
            with suppress(psutil.Error):
                if any(Path(part).name == command for part in one.cmdline()[:2]) and one.parent() in self.seen:
                    return one
        return None

    def stop(self, number: int = signal.SIGINT) -> float:
        """Stop it as a user does; return how long it took."""
        self.family()
        began = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(timeout=60)
        return time.monotonic() - began

    @property
    def admin_password(self) -> str:
        return (self.data / "admin-password").read_text().strip()

    @property
    def simulator_key(self) -> str:
        return (self.data / "simulator-api-key").read_text().strip()

    @property
    def database_url(self) -> str:
        recipe = json.loads((self.data / "run" / "gateway.json").read_text())
        return str(recipe["environment"]["DATABASE_URL"])

    def login(self) -> httpx.Client:
        """Return a client that is logged in as the administrator."""
        body = {"username": "admin", "password": self.admin_password}
        answer = httpx.post(f"{self.url}/api/v1/auth/login", json=body, timeout=20)
        answer.raise_for_status()
        headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        return httpx.Client(base_url=f"{self.url}/api/v1", headers=headers, timeout=20)


@contextmanager
def running_platform(data: Path, output: Path, port: int, **settings: str) -> Iterator[RunningPlatform]:
    """Bring a platform up for the length of the block; whatever happens, none of its processes stays."""
    inherited = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}}
    environment = {**inherited, "DATA_DIR": str(data), "PORT": str(port), "BATTERY_HISTORY_DAYS": "0", **settings}
    with output.open("w") as stream:
        process = subprocess.Popen(
            [str(COMMANDS / "battery-up")],
            cwd=ROOT,
            env=environment,
            stdout=stream,
            stderr=subprocess.STDOUT,
            text=True,
        )
    platform = RunningPlatform(data, process, output, f"http://127.0.0.1:{port}")
    try:
        yield platform
    finally:
        left = platform.family()
        if process.poll() is None:
            with suppress(subprocess.TimeoutExpired):
                platform.stop()
        process.kill()
        for one in left:
            with suppress(psutil.Error):
                one.kill()
