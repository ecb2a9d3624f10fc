"""supervisord as a child process: starts, restarts and stops the programs."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xmlrpc.client import Error as RpcError
from xmlrpc.client import ServerProxy

import psutil
from supervisor.xmlrpc import SupervisorTransport

from battery_launcher.attached import end_with_parent
from battery_launcher.data_folder import DataFolder, write_private
from battery_launcher.errors import LaunchFailed
from battery_launcher.programs import Program

STOP_WITHIN_S = 9.0
_START_WITHIN_S = 15.0
_PROCESS = "battery_launcher.supervisor_process"


@dataclass(frozen=True, slots=True)
class ProgramState:
    """State of a program in supervisord: STARTING, RUNNING, BACKOFF, STOPPING, EXITED, FATAL or STOPPED."""

    name: str
    state: str
    pid: int
    exit_code: int


class Supervisor:
    """The supervisor process and its control socket."""

    def __init__(self, folder: DataFolder, sockets: Path, programs: Sequence[Program]) -> None:
        self._folder = folder
        self._socket = sockets / "supervisor"
        self._programs = programs
        self._config = folder.run / "supervisord.conf"
        self._process: subprocess.Popen[bytes] | None = None
        self._pids: dict[int, float] = {}

    def start(self) -> None:
        """Start supervisord with every program configured and none running."""
        self.end_leftovers()
        for program in self._programs:
            write_private(self._recipe(program), json.dumps(_recipe_of(program)))
        write_private(self._config, self._configuration())
        with (self._folder.logs / "supervisord.out").open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603  # our own interpreter
                [sys.executable, "-m", _PROCESS, "-n", "-s", "-c", str(self._config)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # A separate session: Ctrl-C reaches only the launcher, which then stops the programs in order.
                start_new_session=True,
                preexec_fn=lambda: end_with_parent(signal.SIGTERM),  # noqa: PLW1509  # no other thread runs yet
            )
        deadline = time.monotonic() + _START_WITHIN_S
        while time.monotonic() < deadline and self._process.poll() is None:
            with contextlib.suppress(OSError, RpcError):
                self._rpc().supervisor.getState()
                return
            time.sleep(0.05)
        raise LaunchFailed(f"The supervisor did not start; see {self._folder.logs / 'supervisord.out'}.")

    @property
    def is_alive(self) -> bool:
        """Whether supervisord runs."""
        return self._process is not None and self._process.poll() is None

    def start_program(self, name: str) -> None:
        """Start a program without waiting for it."""
        try:
            self._rpc().supervisor.startProcess(name, False)
        except RpcError as error:
            if "ALREADY_STARTED" not in str(error):
                raise LaunchFailed(f"{name} could not be started: {error}") from error
        except OSError as error:
            raise LaunchFailed(f"The supervisor does not respond: {error}") from error

    def states(self) -> list[ProgramState]:
        """Return the state of every program; empty while supervisord does not respond."""
        try:
            rows: Any = self._rpc().supervisor.getAllProcessInfo()
        except (OSError, RpcError):
            return []
        states = [ProgramState(row["name"], row["statename"], row["pid"], row["exitstatus"]) for row in rows]
        for state in states:
            self._remember(state.pid)
        return states

    def stop(self) -> None:
        """Stop every program in order, then supervisord, and kill whatever is left."""
        self.states()
        if self.is_alive:
            assert self._process is not None
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=STOP_WITHIN_S)
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait(timeout=5)
        self._sweep()

    def end_leftovers(self) -> None:
        """Stop the supervisor, the database and the programs that a killed launcher left behind."""
        for process in psutil.process_iter(["pid", "cmdline"]):
            arguments = process.info["cmdline"] or []
            is_supervisor = _PROCESS in arguments and str(self._config) in arguments
            is_program = "-D" in arguments and str(self._folder.postgres) in arguments
            if process.pid == os.getpid() or not (is_supervisor or is_program):
                continue
            children = _children(process)
            with contextlib.suppress(psutil.Error):
                process.send_signal(signal.SIGTERM if is_supervisor else signal.SIGINT)
            _, alive = psutil.wait_procs([process, *children], timeout=STOP_WITHIN_S)
            for left in alive:
                with contextlib.suppress(psutil.Error):
                    left.kill()
            psutil.wait_procs(alive, timeout=5)

    def _sweep(self) -> None:
        """Kill programs that outlived supervisord; id and creation time identify a process."""
        left = []
        for pid, created_at in self._pids.items():
            with contextlib.suppress(psutil.Error):
                process = psutil.Process(pid)
                if process.create_time() == created_at:
                    left += [process, *_children(process)]
        # Programs end by themselves with their parent; give them time for an orderly shutdown.
        _, alive = psutil.wait_procs(left, timeout=3)
        for process in alive:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(alive, timeout=3)
        self._pids.clear()

    def _remember(self, pid: int) -> None:
        if pid and pid not in self._pids:
            with contextlib.suppress(psutil.Error):
                self._pids[pid] = psutil.Process(pid).create_time()

    def _rpc(self) -> Any:
        # One proxy per call: its connection does not survive a restart of supervisord.
        return ServerProxy("http://127.0.0.1", transport=SupervisorTransport(None, None, f"unix://{self._socket}"))

    def _recipe(self, program: Program) -> Path:
        return self._folder.run / f"{program.name}.json"

    def _configuration(self) -> str:
        logs, run = _escaped(self._folder.logs), _escaped(self._folder.run)
        head = f"""\
[unix_http_server]
file={_escaped(self._socket)}
chmod=0700

[supervisord]
logfile={logs}/supervisord.log
logfile_maxbytes=5MB
logfile_backups=2
pidfile={run}/supervisord.pid
childlogdir={logs}
{"user=root" if os.geteuid() == 0 else ""}

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""
        return head + "".join(self._section(program) for program in self._programs)

    def _section(self, program: Program) -> str:
        command = f'"{_escaped(sys.executable)}" -m battery_launcher.attached "{_escaped(self._recipe(program))}"'
        return f"""
[program:{program.name}]
command={command}
priority={program.stop_rank}
autostart=false
autorestart=true
startsecs=2
startretries=8
stopsignal={program.end_signal.removeprefix("SIG")}
stopwaitsecs={program.stop_within_s}
killasgroup=true
redirect_stderr=true
stdout_logfile={_escaped(self._folder.logs)}/{program.name}.log
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=3
"""


def _recipe_of(program: Program) -> dict[str, object]:
    return {
        "command": program.command,
        "environment": dict(program.environment),
        "user": program.user,
        "folders": [str(folder) for folder in program.folders],
        "end_signal": program.end_signal,
        "directory": str(program.directory),
    }


def _children(process: psutil.Process) -> list[psutil.Process]:
    with contextlib.suppress(psutil.Error):
        return list(process.children(recursive=True))
    return []


def _escaped(value: object) -> str:
    # supervisord's configuration expands %(name)s.
    return str(value).replace("%", "%%")
