"""What the terminal shows, and when the launcher reports, restarts and retries."""

import io
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from rich.console import Console

from battery_launcher import watch as watch_module
from battery_launcher.console import Screen
from battery_launcher.data_folder import DataFolder, Steps
from battery_launcher.errors import StopRequested
from battery_launcher.history import HistoryGeneration
from battery_launcher.programs import Program
from battery_launcher.responsiveness import FROZEN_AFTER_S, Responsiveness, ResponsivenessProbe
from battery_launcher.supervision import ProgramState, Supervisor
from battery_launcher.watch import Watch
from battery_servicekit.disk import DiskWatch
from battery_servicekit.testing.process import free_port

from .test_programs import platform


class ScriptedSupervisor(Supervisor):
    """A supervisor whose answers a test sets."""

    def __init__(self, folder: DataFolder) -> None:
        super().__init__(folder, folder.root / "sockets", ())
        self.answer: list[ProgramState] = []
        self.alive = True
        self.started: list[str] = []
        self.stopped = 0

    @property
    def is_alive(self) -> bool:
        return self.alive

    def states(self) -> list[ProgramState]:
        return self.answer

    def start_program(self, name: str) -> None:
        self.started.append(name)

    def stop(self) -> None:
        self.stopped += 1


class Bench:
    """A watch over a scripted supervisor, with the printed lines."""

    def __init__(self, root: Path, readiness_url: str, programs: Sequence[Program] = ()) -> None:
        self.output = io.StringIO()
        screen = Screen(Console(file=self.output, width=200))
        installation = platform(root, BATTERY_HISTORY_DAYS="0")
        self.supervisor = ScriptedSupervisor(installation.folder)
        history = HistoryGeneration(installation, Steps(installation.folder, None), screen)
        disk = DiskWatch(root, full_below_bytes=2**27, low_below_bytes=2**31)
        self.watch = Watch(self.supervisor, programs, readiness_url, history=history, screen=screen, disk=disk)

    def check(self, *states: ProgramState) -> list[str]:
        """Let the watch see these states and return what it printed, without the time of day."""
        self.supervisor.answer = list(states)
        self.output.seek(0)
        self.output.truncate()
        self.watch.check()
        # The question whether the platform is ready is asked in the background.
        while self.watch._readiness_answer is not None:
            time.sleep(0.01)
            self.watch.check()
        return [line[9:] for line in self.output.getvalue().splitlines()]


class Readiness(BaseHTTPRequestHandler):
    status, body = 200, b"{}"

    def do_GET(self) -> None:
        self.send_response(type(self).status)
        self.end_headers()
        self.wfile.write(type(self).body)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def readiness() -> Iterator[type[Readiness]]:
    server = HTTPServer(("127.0.0.1", 0), Readiness)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    Readiness.port = server.server_port  # type: ignore[attr-defined]  # the test reads it
    yield Readiness
    server.shutdown()
    server.server_close()


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(watch_module, "_READINESS_EVERY_S", float("inf"))
    return Bench(tmp_path, "http://127.0.0.1:1/health/ready")


def state(name: str, pid: int, *, state: str = "RUNNING") -> ProgramState:
    return ProgramState(name, state, pid, 0)


def test_the_first_check_and_an_unchanged_one_report_nothing(bench: Bench) -> None:
    assert bench.check(state("gateway", 1)) == []
    assert bench.check(state("gateway", 1)) == []


def test_a_start_an_end_and_a_restart_are_reported(bench: Bench) -> None:
    bench.check(state("gateway", 0, state="STARTING"))
    assert bench.check(state("gateway", 7)) == ["gateway is running (process 7)"]
    assert bench.check(state("gateway", 0, state="BACKOFF")) == ["gateway ended; restarting it"]
    assert bench.check(state("gateway", 8)) == ["gateway is running (process 8)"]
    # Between two checks it may end and return.
    assert bench.check(state("gateway", 9)) == ["gateway was restarted (process 9)"]


def test_a_program_that_keeps_failing_is_retried_after_a_pause_and_not_before(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = 1000.0
    monkeypatch.setattr("battery_launcher.watch.time.monotonic", lambda: now_s)
    bench.check(state("ml", 5))
    assert bench.check(state("ml", 0, state="FATAL")) == ["ml keeps failing; next attempt in 15 s"]
    now_s += 14.9
    bench.check(state("ml", 0, state="FATAL"))
    assert bench.supervisor.started == []
    now_s += 0.2
    bench.check(state("ml", 0, state="FATAL"))
    assert bench.supervisor.started == ["ml"]
    bench.check(state("ml", 6))
    now_s += 100
    bench.check(state("ml", 0, state="FATAL"))
    # A recovered program has its whole pause again.
    assert bench.supervisor.started == ["ml"]


def test_everything_starts_again_when_the_supervisor_has_ended(bench: Bench) -> None:
    restarts: list[str] = []

    def restart() -> None:
        restarts.append("all")
        raise StopRequested

    bench.supervisor.alive = False
    with pytest.raises(StopRequested):
        bench.watch.run(restart)
    assert (restarts, bench.supervisor.stopped) == (["all"], 1)
    assert "the supervisor ended; starting everything again" in bench.output.getvalue()


@pytest.mark.parametrize(
    ("status", "body", "printed"),
    [
        (200, b'{"status": "ready", "checks": {"database": {"state": "up"}}}', "platform is ready"),
        (
            200,
            b'{"status": "degraded", "checks": {"twin": {"state": "down"}, "database": {"state": "up"}}}',
            "platform is degraded (without twin)",
        ),
        (503, b'{"status": "unavailable", "checks": null}', "platform is unavailable"),
        (200, b"<html>", "platform is not answering"),
        (200, b"[]", "platform is not answering"),
    ],
)
def test_changes_of_readiness_are_reported_once(
    tmp_path: Path, readiness: type[Readiness], *, status: int, body: bytes, printed: str
) -> None:
    readiness.status, readiness.body = status, body
    bench = Bench(tmp_path, f"http://127.0.0.1:{readiness.port}/ready")  # type: ignore[attr-defined]  # set by the fixture
    bench.watch._readiness_checked_at = float("-inf")
    assert bench.check() == [printed]
    bench.watch._readiness_checked_at = float("-inf")
    assert bench.check() == []


def test_what_is_missing_is_reported_though_the_status_stays(tmp_path: Path, readiness: type[Readiness]) -> None:
    bench = Bench(tmp_path, f"http://127.0.0.1:{readiness.port}/ready")  # type: ignore[attr-defined]  # set by the fixture
    printed = []
    for missing in (["ml"], ["ml", "twin"], ["ml"]):
        checks = ", ".join(f'"{name}": {{"state": "down"}}' for name in missing)
        readiness.status, readiness.body = 200, f'{{"status": "degraded", "checks": {{{checks}}}}}'.encode()
        bench.watch._readiness_checked_at = float("-inf")
        printed += bench.check()
    assert printed == [
        "platform is degraded (without ml)",
        "platform is degraded (without ml, twin)",
        "platform is degraded (without ml)",
    ]


def test_a_disk_that_fills_is_reported_before_and_when_it_is_full(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("Usage", (), {"free": 0})
    printed = []
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    for free_mib in (10_000, 1_500, 40, 10_000):
        usage.free = free_mib * 2**20  # type: ignore[attr-defined]  # made above
        printed += bench.check()
    assert printed == [
        "the disk is nearly full (1,500 MB free)",
        "disk_full: the disk is full (40 MB free); readings are refused until there is room",
        "the disk has room again (10,000 MB free)",
    ]


def test_everything_starts_again_as_soon_as_there_is_room(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    attempts: list[int] = []

    def restart() -> None:
        attempts.append(len(attempts))
        if len(attempts) < 3:
            raise OSError(28, "No space left on device")
        bench.supervisor.alive = True

    def next_round(seconds: float) -> None:
        if seconds == watch_module._POLL_S:
            raise StopRequested

    bench.supervisor.alive = False
    monkeypatch.setattr("battery_launcher.watch.time.sleep", next_round)
    with pytest.raises(StopRequested):
        bench.watch.run(restart)
    assert attempts == [0, 1, 2]
    assert bench.output.getvalue().count("No space left on device; next attempt in 5 s") == 2


class Clockwork:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def listener() -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "0"]
    process = subprocess.Popen(
        [*command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={"PYTHONUNBUFFERED": "1"}
    )
    yield process
    process.kill()
    process.wait()


def asked(probe: ResponsivenessProbe, clock: Clockwork, pid: int) -> Responsiveness:
    """Let five seconds pass and the answer to a question come in."""
    clock.now_s += 5.0
    probe.check([state("twin", pid)])
    question = probe._followed["twin"].question
    if question is not None:
        question.result(timeout=30)
    return probe.check([state("twin", pid)])["twin"]


def test_a_stopped_program_is_slow_and_then_frozen_and_a_running_one_is_neither(
    listener: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    assert listener.stdout is not None
    port = int(listener.stdout.readline().split(b" port ")[1].split()[0])
    clock = Clockwork()
    program = Program("twin", [], {}, 1, 1, health_url=f"http://127.0.0.1:{port}/", directory=tmp_path)
    probe = ResponsivenessProbe([program], now_s=clock)
    assert [asked(probe, clock, listener.pid) for _ in range(10)] == [Responsiveness.ALIVE] * 10
    listener.send_signal(signal.SIGSTOP)
    stopped = [asked(probe, clock, listener.pid) for _ in range(6)]
    assert stopped[-1] is Responsiveness.FROZEN
    assert stopped.index(Responsiveness.FROZEN) * 5 >= FROZEN_AFTER_S - 10
    assert Responsiveness.SLOW in stopped
    listener.send_signal(signal.SIGCONT)
    assert asked(probe, clock, listener.pid) is Responsiveness.ALIVE


def test_a_busy_program_that_does_not_answer_is_slow_not_frozen(tmp_path: Path) -> None:
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    clock = Clockwork()
    address = f"http://127.0.0.1:{free_port()}/"
    probe = ResponsivenessProbe([Program("twin", [], {}, 1, 1, health_url=address, directory=tmp_path)], now_s=clock)
    try:
        found = []
        for _ in range(10):
            time.sleep(0.2)
            found.append(asked(probe, clock, busy.pid))
    finally:
        busy.kill()
        busy.wait()
    assert found[-1] is Responsiveness.SLOW
    assert Responsiveness.FROZEN not in found


def test_a_frozen_program_is_ended_so_that_the_supervisor_starts_it_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed: list[int] = []
    monkeypatch.setattr("battery_launcher.watch.kill", killed.append)
    monkeypatch.setattr(bench.watch._responsiveness, "check", lambda _: {"twin": Responsiveness.FROZEN})
    assert bench.check(state("twin", 77)) == ["twin is frozen; ending and starting it again"]
    assert killed == [77]


def test_a_gateway_that_does_not_listen_is_not_answering(tmp_path: Path) -> None:
    bench = Bench(tmp_path, f"http://127.0.0.1:{free_port()}/ready")
    bench.watch._readiness_checked_at = float("-inf")
    assert bench.check() == ["platform is not answering"]


def screen_and_output(*, terminal: bool = False) -> tuple[Screen, io.StringIO]:
    output = io.StringIO()
    return Screen(Console(file=output, width=60, force_terminal=terminal)), output


def test_a_step_is_ticked_off_with_its_time_only_when_it_succeeds() -> None:
    screen, output = screen_and_output()
    with screen.step("Schema [up] to date"):
        pass
    assert output.getvalue().startswith("✓ Schema [up] to date 0.")
    screen, output = screen_and_output()
    with pytest.raises(ZeroDivisionError), screen.step("Schema"):
        raise ZeroDivisionError
    assert "✓" not in output.getvalue()


def test_progress_without_a_terminal_is_a_line_per_tenth() -> None:
    screen, output = screen_and_output()
    line = screen.progress("loading history")
    for done in range(0, 1001, 5):
        line.update(done, 1000)
    line.close()
    assert output.getvalue().splitlines() == [f"  loading history: {percent} %" for percent in range(10, 101, 10)]


def test_progress_with_large_steps_and_an_empty_total_does_not_fail() -> None:
    screen, output = screen_and_output()
    line = screen.progress("loading")
    line.update(0, 0)
    line.update(55, 100)
    line.update(100, 100)
    assert output.getvalue().splitlines() == ["  loading: 50 %", "  loading: 100 %"]


def test_progress_on_a_terminal_disappears_when_closed() -> None:
    screen, output = screen_and_output(terminal=True)
    line = screen.progress("loading history")
    line.update(50, 100)
    line.close()
    # The transient bar ends with the sequence that erases its line.
    assert output.getvalue().rstrip("\n").endswith("\x1b[2K")


def test_addresses_and_passwords_are_never_wrapped() -> None:
    screen, output = screen_and_output()
    login = "user admin, password " + "x" * 100
    screen.welcome("http://localhost:8000", login, "hint")
    assert login in output.getvalue().splitlines()


def test_brackets_in_messages_are_printed_as_they_are() -> None:
    screen, output = screen_and_output()
    screen.note("value [red]")
    screen.fail("[bold]no")
    screen.change("[x] ended", is_bad=True)
    assert "! value [red]" in output.getvalue()
    assert "✗ [bold]no" in output.getvalue()
    assert "[x] ended" in output.getvalue()
