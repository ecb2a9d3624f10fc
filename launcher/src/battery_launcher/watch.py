"""Watch the running platform: report changes of state and restart what failed for good."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import httpx

from battery_launcher.console import Screen
from battery_launcher.errors import LaunchFailed
from battery_launcher.history import HistoryGeneration
from battery_launcher.programs import Program
from battery_launcher.responsiveness import Responsiveness, ResponsivenessProbe, kill
from battery_launcher.supervision import ProgramState, Supervisor
from battery_servicekit.disk import DiskState, DiskWatch

_POLL_S = 1.0
_READINESS_EVERY_S = 5.0
# Delay before another attempt at a program that failed repeatedly: causes go away (a full disk, for example).
_RETRY_FATAL_S = 15.0
_RESTART_EVERY_S = 5.0


class Watch:
    """The foreground loop of the launcher."""

    def __init__(
        self,
        supervisor: Supervisor,
        programs: Sequence[Program],
        readiness_url: str,
        *,
        history: HistoryGeneration,
        screen: Screen,
        disk: DiskWatch,
    ) -> None:
        self._supervisor = supervisor
        self._responsiveness = ResponsivenessProbe(programs)
        self._alive: dict[str, Responsiveness] = {}
        self._disk = disk
        self._disk_state = DiskState.ENOUGH
        self._readiness_url = readiness_url
        self._history = history
        self._screen = screen
        self._states: dict[str, ProgramState] = {}
        self._failed_at: dict[str, float] = {}
        self._readiness: tuple[str, str] | None = None
        self._readiness_checked_at = 0.0
        self._readiness_thread = ThreadPoolExecutor(1, thread_name_prefix="readiness")
        self._readiness_answer: Future[tuple[str, str]] | None = None

    def run(self, restart: Callable[[], None]) -> None:
        """Watch until an exception ends the loop; ``restart`` starts everything again if supervisord itself ends."""
        while True:
            if not self._supervisor.is_alive:
                self._screen.change("the supervisor ended; starting everything again", is_bad=True)
                self._restart(restart)
            self.check()
            self._history.poll()
            time.sleep(_POLL_S)

    def _restart(self, restart: Callable[[], None]) -> None:
        """Start everything again, for as long as it takes: what prevents it, a full disk say, passes."""
        while True:
            try:
                self._supervisor.stop()
                restart()
            except (LaunchFailed, OSError) as error:
                self._screen.change(f"not possible now: {error}; next attempt in {_RESTART_EVERY_S:.0f} s", is_bad=True)
                self._check_disk()
                time.sleep(_RESTART_EVERY_S)
            else:
                self._states.clear()
                return

    def check(self) -> None:
        """Compare the programs with the previous check and report what changed."""
        states = self._supervisor.states()
        for state in states:
            before = self._states.get(state.name)
            self._states[state.name] = state
            if before is not None and (before.pid, before.state) != (state.pid, state.state):
                self._report(before, state)
            self._retry_failed(state)
        self._check_responsiveness(states)
        self._check_disk()
        self._check_readiness()

    def _check_responsiveness(self, states: Sequence[ProgramState]) -> None:
        pids = {state.name: state.pid for state in states}
        found = self._responsiveness.check(states)
        for name, responsiveness in found.items():
            before = self._alive.get(name, Responsiveness.ALIVE)
            if responsiveness is Responsiveness.FROZEN:
                self._screen.change(f"{name} is frozen; ending and starting it again", is_bad=True)
                kill(pids[name])
            elif responsiveness is not before:
                is_slow = responsiveness is Responsiveness.SLOW
                self._screen.change(f"{name} {'is slow to answer' if is_slow else 'answers again'}", is_bad=is_slow)
        self._alive = found

    def _check_disk(self) -> None:
        report = self._disk.report()
        if report.state is self._disk_state:
            return
        self._disk_state = report.state
        free = f"{report.free_mib:,} MB free"
        days = "" if report.days_left is None else f", enough for {report.days_left:.1f} days"
        text = {
            DiskState.FULL: f"disk_full: the disk is full ({free}); readings are refused until there is room",
            DiskState.LOW: f"the disk is nearly full ({free}{days})",
            DiskState.ENOUGH: f"the disk has room again ({free})",
        }
        self._screen.change(text[report.state], is_bad=report.state is not DiskState.ENOUGH)

    def _report(self, before: ProgramState, now: ProgramState) -> None:
        if now.state == "RUNNING":
            verb = "was restarted" if before.state == "RUNNING" else "is running"
            self._screen.change(f"{now.name} {verb} (process {now.pid})", is_bad=False)
        elif now.state == "FATAL":
            self._screen.change(f"{now.name} keeps failing; next attempt in {_RETRY_FATAL_S:.0f} s", is_bad=True)
        elif before.state == "RUNNING":
            self._screen.change(f"{now.name} ended; restarting it", is_bad=True)

    def _retry_failed(self, state: ProgramState) -> None:
        if state.state != "FATAL":
            self._failed_at.pop(state.name, None)
            return
        since = self._failed_at.setdefault(state.name, time.monotonic())
        if time.monotonic() - since >= _RETRY_FATAL_S:
            del self._failed_at[state.name]
            self._supervisor.start_program(state.name)

    def _check_readiness(self) -> None:
        if self._readiness_answer is None:
            if time.monotonic() - self._readiness_checked_at < _READINESS_EVERY_S:
                return
            self._readiness_checked_at = time.monotonic()
            self._readiness_answer = self._readiness_thread.submit(_readiness, self._readiness_url)
        if not self._readiness_answer.done():
            return
        readiness, self._readiness_answer = self._readiness_answer.result(), None
        # The list counts as well: without a model the platform is degraded, and still loses the twin.
        if readiness != self._readiness:
            self._readiness = readiness
            status, why = readiness
            self._screen.change(f"platform is {status}{f' ({why})' if why else ''}", is_bad=status != "ready")


def _readiness(url: str) -> tuple[str, str]:
    try:
        answer = httpx.get(url, timeout=10.0)
        body = answer.json()
    except (httpx.HTTPError, ValueError):
        return "not answering", ""
    if not isinstance(body, dict):
        return "not answering", ""
    checks = body.get("checks")
    pairs = checks.items() if isinstance(checks, dict) else ()
    away = [name for name, check in pairs if isinstance(check, dict) and check.get("state") != "up"]
    return str(body.get("status", "not answering")), "without " + ", ".join(away) if away else ""
