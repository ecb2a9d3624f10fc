import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from battery_servicekit.testing.process import free_port

COMMANDS = ("battery-api", "battery-synth", "battery-twin-service", "battery-ml-service", "battery-sim-service")


def is_alive(process: psutil.Process) -> bool:
    """Return whether a process runs; one that ends during the check does not."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


@dataclass
class Launched:
    """A launcher process over stand-ins, with a real supervisor and a real database."""

    data: Path
    process: subprocess.Popen[str]
    output: Path
    port: int
    seen: list[psutil.Process] = field(default_factory=list)

    def text(self) -> str:
        return self.output.read_text()

    def wait_for(self, condition: Callable[[], bool], what: str, timeout_s: float = 60) -> None:
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if condition():
                return
            time.sleep(0.1)
        pytest.fail(f"{what} did not happen in {timeout_s} s; its output:\n{self.text()}")

    def wait_for_text(self, text: str) -> None:
        self.wait_for(lambda: text in self.text(), f"{text!r}")

    def wait_until_up(self) -> None:
        self.wait_for_text("Battery platform")
        self.wait_for(lambda: "battery-sim-service serves" in self.calls(), "the feed")

    def calls(self) -> list[str]:
        path = self.data / "calls"
        return path.read_text().splitlines() if path.exists() else []

    def family(self) -> list[psutil.Process]:
        """Every process below the launcher, recorded so that orphans are found later."""
        with suppress(psutil.Error):
            for child in psutil.Process(self.process.pid).children(recursive=True):
                if child not in self.seen:
                    self.seen.append(child)
        return [process for process in self.seen if is_alive(process)]

    def program(self, name: str) -> psutil.Process:
        for process in self.family():
            with suppress(psutil.Error):
                if any(Path(part).name == name for part in process.cmdline()[:3]):
                    return process
        raise LookupError(name)

    def stop(self, number: int = signal.SIGINT, timeout_s: float = 60) -> None:
        """Stop it and wait for its end; a launcher that waits for ever on a stubborn service fails here."""
        self.family()
        self.process.send_signal(number)
        self.process.wait(timeout=timeout_s)


Launcher = Callable[..., Launched]


@pytest.fixture
def data_dir() -> Iterator[Path]:
    # Not tmp_path: the path of a Unix socket must be short.
    with tempfile.TemporaryDirectory(prefix="battery-up-", ignore_cleanup_errors=True) as folder:
        yield Path(folder) / "data"


@pytest.fixture
def commands_dir(tmp_path: Path) -> Path:
    source = (Path(__file__).parent / "stand_in.py").read_text()
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in COMMANDS:
        command = folder / name
        command.write_text(f"#!{sys.executable}\n{source}")
        command.chmod(0o755)
    return folder


@pytest.fixture
def start_launcher(data_dir: Path, commands_dir: Path, tmp_path: Path) -> Iterator[Launcher]:
    running: list[Launched] = []

    def start(port: int | None = None, **environment: str) -> Launched:
        chosen = port or free_port()
        output = tmp_path / f"output-{len(running)}.txt"
        inherited = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}}
        settings = {"DATA_DIR": str(data_dir), "BATTERY_COMMANDS_DIR": str(commands_dir), "PORT": str(chosen)}
        with output.open("w") as stream:
            process = subprocess.Popen(
                [sys.executable, "-c", "from battery_launcher.cli import main; main()"],
                env={**inherited, **settings, **environment},
                cwd=tmp_path,
                stdout=stream,
                stderr=subprocess.STDOUT,
                text=True,
            )
        launched = Launched(data_dir, process, output, chosen)
        running.append(launched)
        return launched

    yield start
    for launched in running:
        left = launched.family()
        if launched.process.poll() is None:
            launched.process.kill()
            launched.process.wait()
        for process in left:
            with suppress(psutil.Error):
                process.kill()
