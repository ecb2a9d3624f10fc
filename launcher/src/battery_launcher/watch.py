"""Watch the running platform: report changes of state and restart what failed for good."""

import time
from collections.abc import Callable, Sequence

import httpx

from battery_launcher.console import Screen
from battery_launcher.history import HistoryGeneration
from battery_launcher.programs import Program
from battery_launcher.supervision import ProgramState, Supervisor

_POLL_S = 1.0
_READINESS_EVERY_S = 5.0
# Delay before another attempt at a program that failed repeatedly: causes go away (a full disk, for example).
_RETRY_FATAL_S = 15.0


class Watch:
    """The foreground loop of the launcher."""

    def __init__(
        self,
        supervisor: Supervisor,
        programs: Sequence[Program],
        readiness_url: str,
        history: HistoryGeneration,
        screen: Screen,
    ) -> None:
        self._supervisor = supervisor
        self._programs = programs
        self._readiness_url = readiness_url
        self._history = history
        self._screen = screen
        self._states: dict[str, ProgramState] = {}
        self._failed_at: dict[str, float] = {}
        self._readiness: str | None = None
        self._readiness_checked_at = 0.0

    def run(self, restart: Callable[[], None]) -> None:
        """Watch until an exception ends the loop; ``restart`` starts everything again if supervisord itself ends."""
        while True:
            if not self._supervisor.is_alive:
                self._screen.change("the supervisor ended; starting everything again", is_bad=True)
                self._supervisor.stop()
                restart()
                self._states.clear()
            self.check()
            self._history.poll()
            time.sleep(_POLL_S)

    def check(self) -> None:
        """Compare the programs with the previous check and report what changed."""
        for state in self._supervisor.states():
            before = self._states.get(state.name)
            self._states[state.name] = state
            if before is not None and (before.pid, before.state) != (state.pid, state.state):
                self._report(before, state)
            self._retry_failed(state)
        self._check_readiness()

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
        if time.monotonic() - self._readiness_checked_at < _READINESS_EVERY_S:
            return
        self._readiness_checked_at = time.monotonic()
        readiness, why = _readiness(self._readiness_url)
        if readiness != self._readiness:
            self._readiness = readiness
            self._screen.change(f"platform is {readiness}{f' ({why})' if why else ''}", is_bad=readiness != "ready")


def _readiness(url: str) -> tuple[str, str]:
    try:
        answer = httpx.get(url, timeout=2.0)
        body = answer.json()
    except (httpx.HTTPError, ValueError):
        return "not answering", ""
    if not isinstance(body, dict):
        return "not answering", ""
    checks = body.get("checks")
    pairs = checks.items() if isinstance(checks, dict) else ()
    away = [name for name, check in pairs if isinstance(check, dict) and check.get("state") != "up"]
    return str(body.get("status", "not answering")), "without " + ", ".join(away) if away else ""
