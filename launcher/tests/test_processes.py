"""Commands, attached programs and the clean-up, with real processes."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from supervisor import loggers

from battery_launcher.data_folder import DataFolder
from battery_launcher.errors import LaunchFailed
from battery_launcher.programs import Program
from battery_launcher.steps import StepCommand
from battery_launcher.supervision import Supervisor
from battery_launcher.supervisor_process import PatientFileHandler

from .conftest import is_alive

SLEEP = "import time; time.sleep(600)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
)


def wait_for(condition: Callable[[], bool], timeout_s: float = 30) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "timed out"
        time.sleep(0.05)


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    made = DataFolder(tmp_path / "data")
    made.create()
    return made


@pytest.fixture
def supervisor(folder: DataFolder, tmp_path: Path) -> Iterator[Supervisor]:
    sockets = tmp_path / "s"
    sockets.mkdir()
    program = Program("sleeper", [sys.executable, "-c", SLEEP], {"SECRET": "s3cret"}, 1, 2, directory=tmp_path)
    made = Supervisor(folder, sockets, [program])
    yield made
    made.stop()


def test_a_command_writes_its_log_and_its_failure_shows_the_end_of_it(tmp_path: Path) -> None:
    log = tmp_path / "setup.log"
    lines = "for n in range(50): print('line', n)"
    StepCommand([sys.executable, "-c", lines], {}, log).wait()
    assert log.read_text().splitlines()[-1] == "line 49"
    with pytest.raises(LaunchFailed) as failed:
        StepCommand([sys.executable, "-c", lines + "\nraise SystemExit(3)"], {}, log).wait()
    message = str(failed.value).splitlines()
    assert "failed with exit code 3" in message[0]
    assert message[-12:] == [f"line {number}" for number in range(38, 50)]


def test_a_command_gets_only_the_environment_that_it_is_given(tmp_path: Path) -> None:
    log = tmp_path / "log"
    program = "import os; print(sorted(set(os.environ) - {'LC_CTYPE'}))"
    StepCommand([sys.executable, "-c", program], {"ONE": "1"}, log).wait()
    assert log.read_text() == "['ONE']\n"


def test_a_missing_command_is_named(tmp_path: Path) -> None:
    with pytest.raises(LaunchFailed, match=r"battery-none is not installed; run `make setup`"):
        StepCommand([str(tmp_path / "battery-none")], {}, tmp_path / "log")


def test_a_command_that_ignores_the_stop_is_killed(tmp_path: Path) -> None:
    command = StepCommand([sys.executable, "-c", STUBBORN], {}, tmp_path / "log", progress=True)
    assert command.output.readline() == b"up\n"
    command.end()
    assert command.poll() == -signal.SIGKILL


def test_an_attached_program_becomes_its_recipe_and_ends_with_its_parent(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.json"
    program = "import os, time; print(os.getpid(), os.getcwd(), os.environ['SECRET'], flush=True); time.sleep(600)"
    recipe.write_text(
        json.dumps(
            {
                "command": [sys.executable, "-c", program],
                "environment": {"SECRET": "s3cret"},
                "user": None,
                "folders": [],
                "end_signal": "SIGTERM",
                "directory": str(tmp_path),
            }
        )
    )
    # The parent starts the program and waits to be killed.
    parent_program = (
        "import subprocess, sys; subprocess.run([sys.executable, '-m', 'battery_launcher.attached', sys.argv[1]])"
    )
    parent = subprocess.Popen([sys.executable, "-c", parent_program, str(recipe)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid, directory, secret = parent.stdout.readline().split()
    assert (directory, secret) == (str(tmp_path), "s3cret")
    child = psutil.Process(int(pid))
    assert "s3cret" not in " ".join(child.cmdline())
    parent.kill()
    parent.wait()
    wait_for(lambda: not is_alive(child))


def test_programs_start_restart_and_stop(supervisor: Supervisor, folder: DataFolder) -> None:
    supervisor.start()
    assert [(one.name, one.state) for one in supervisor.states()] == [("sleeper", "STOPPED")]
    supervisor.start_program("sleeper")
    # Starting a running program is no error.
    supervisor.start_program("sleeper")
    wait_for(lambda: supervisor.states()[0].state == "RUNNING")
    first = psutil.Process(supervisor.states()[0].pid)
    first.kill()
    wait_for(lambda: supervisor.states()[0].state == "RUNNING" and supervisor.states()[0].pid != first.pid)
    second = psutil.Process(supervisor.states()[0].pid)
    assert (folder.run / "sleeper.json").stat().st_mode & 0o777 == 0o600
    assert (folder.run / "supervisord.conf").stat().st_mode & 0o777 == 0o600
    supervisor.stop()
    assert not is_alive(second)
    assert not supervisor.is_alive
    assert supervisor.states() == []


def test_a_full_disk_stops_the_logs_and_nothing_else(folder: DataFolder, tmp_path: Path) -> None:
    sockets = tmp_path / "s"
    sockets.mkdir()
    talks = (
        "import itertools, time\nfor n in itertools.count(): print('line', n, 'x' * 4000, flush=True); time.sleep(0.02)"
    )
    made = Supervisor(folder, sockets, [Program("talker", [sys.executable, "-c", talks], {}, 1, 2, directory=tmp_path)])
    # Writing there fails as on a disk without room.
    for name in ("talker.log", "supervisord.log", "supervisord.out"):
        (folder.logs / name).symlink_to("/dev/full")
    try:
        made.start()
        made.start_program("talker")
        wait_for(lambda: made.states()[0].state == "RUNNING")
        first = psutil.Process(made.states()[0].pid)
        time.sleep(2)
        first.kill()
        wait_for(lambda: made.states()[0].state == "RUNNING" and made.states()[0].pid != first.pid)
        assert made.is_alive
    finally:
        made.stop()


def test_a_log_goes_on_when_there_is_room_again(tmp_path: Path) -> None:
    log = tmp_path / "program.log"
    log.symlink_to("/dev/full")
    handler = PatientFileHandler(str(log), maxBytes=1000, backupCount=1)
    for _ in range(3):
        handler.emit(loggers.LogRecord(loggers.LevelsByName.INFO, "lost"))
    log.unlink()
    with suppress(OSError):
        handler.stream.close()
    handler.emit(loggers.LogRecord(loggers.LevelsByName.INFO, "kept"))
    assert "kept" in log.read_text()
    for _ in range(60):
        handler.emit(loggers.LogRecord(loggers.LevelsByName.INFO, "a line that fills the file up to its limit"))
    assert (tmp_path / "program.log.1").exists()


def test_an_unknown_program_cannot_be_started(supervisor: Supervisor) -> None:
    with pytest.raises(LaunchFailed, match="does not respond"):
        supervisor.start_program("sleeper")
    supervisor.start()
    with pytest.raises(LaunchFailed, match="nothing could not be started"):
        supervisor.start_program("nothing")


def test_what_a_killed_launch_left_behind_is_ended_and_nothing_else(folder: DataFolder, tmp_path: Path) -> None:
    # They ignore the end of their parent, as on systems without that signal of the kernel.
    supervisord = [
        sys.executable,
        "-c",
        SLEEP,
        "battery_launcher.supervisor_process",
        str(folder.run / "supervisord.conf"),
    ]
    other = [
        sys.executable,
        "-c",
        SLEEP,
        "battery_launcher.supervisor_process",
        str(tmp_path / "other" / "supervisord.conf"),
    ]
    database = [sys.executable, "-c", SLEEP, "-D", str(folder.postgres)]
    left, foreign, server = (subprocess.Popen(command) for command in (supervisord, other, database))
    try:
        # A process has its arguments only after exec.
        wait_for(lambda: all(len(psutil.Process(one.pid).cmdline()) > 3 for one in (left, foreign, server)))
        Supervisor(folder, tmp_path, ()).end_leftovers()
        assert [psutil.pid_exists(one.pid) for one in (left, server)] == [False, False]
        assert foreign.poll() is None
    finally:
        for process in (left, foreign, server):
            with suppress(OSError):
                process.kill()
            process.wait()


def test_a_reused_process_id_is_not_killed(supervisor: Supervisor) -> None:
    # Another process has the id that a program had: its creation time differs.
    supervisor._pids[os.getpid()] = psutil.Process().create_time() - 100
    supervisor.stop()
    assert supervisor._pids == {}
