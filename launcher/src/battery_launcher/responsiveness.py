"""Tell slow and frozen programs apart: each is asked in a thread of its own, so that none keeps the others waiting.

A program that is not there at all is the supervisor's to report. One that runs but does not answer is slow while it
uses the processor, and frozen once it has done nothing for a while.
"""

import subprocess
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import httpx
import psutil

from battery_launcher.programs import Program
from battery_launcher.supervision import ProgramState

ASK_EVERY_S: Final = 5.0
SLOW_AFTER_S: Final = 5.0
FROZEN_AFTER_S: Final = 20.0
"""Time without an answer and without any work after which a program is frozen."""
STUCK_AFTER_S: Final = 180.0
"""Time without an answer after which it counts as frozen however busy it is; a first start may compile for a minute."""
_ANSWER_WITHIN_S: Final = 4.0
_IDLE_CPU_S: Final = 0.05


class Responsiveness(StrEnum):
    """Whether a running program answers."""

    ALIVE = "alive"
    SLOW = "slow"
    FROZEN = "frozen"


@dataclass
class _Followed:
    """One process of a program: when it last answered, and since when it has done nothing."""

    pid: int
    answered_at_s: float
    asked_at_s: float
    cpu_s: float
    idle_since_s: float
    question: Future[bool] | None = None


@dataclass
class ResponsivenessProbe:
    """Asks the programs of the platform."""

    programs: Sequence[Program]
    now_s: Callable[[], float] = time.monotonic
    _followed: dict[str, _Followed] = field(default_factory=dict)
    _threads: ThreadPoolExecutor = field(init=False)

    def __post_init__(self) -> None:
        self._threads = ThreadPoolExecutor(max(1, len(self.programs)), thread_name_prefix="responsiveness")

    def check(self, states: Sequence[ProgramState]) -> dict[str, Responsiveness]:
        """Return that of every program that runs; answers that are due are asked for in the background."""
        by_name = {state.name: state for state in states if state.state == "RUNNING"}
        found = {}
        for program in self.programs:
            state = by_name.get(program.name)
            if state is None:
                self._followed.pop(program.name, None)
            elif program.answers is not None:
                found[program.name] = self._follow(program, state.pid)
        return found

    def _follow(self, program: Program, pid: int) -> Responsiveness:
        now_s = self.now_s()
        followed = self._followed.get(program.name)
        if followed is None or followed.pid != pid:
            followed = self._followed[program.name] = _Followed(pid, now_s, float("-inf"), 0.0, now_s)
        if followed.question is not None and followed.question.done():
            if followed.question.result():
                followed.answered_at_s = followed.idle_since_s = now_s
            followed.question = None
        if followed.question is None and now_s - followed.asked_at_s >= ASK_EVERY_S:
            followed.asked_at_s = now_s
            followed.question = self._threads.submit(_answers, program)
        silent_s = now_s - followed.answered_at_s
        if silent_s > ASK_EVERY_S:
            cpu_s = _cpu_s(pid)
            if abs(cpu_s - followed.cpu_s) > _IDLE_CPU_S:
                followed.cpu_s, followed.idle_since_s = cpu_s, now_s
        idle_s = now_s - followed.idle_since_s
        if silent_s >= STUCK_AFTER_S or min(silent_s, idle_s) >= FROZEN_AFTER_S:
            return Responsiveness.FROZEN
        return Responsiveness.SLOW if silent_s >= ASK_EVERY_S + SLOW_AFTER_S else Responsiveness.ALIVE


def kill(pid: int) -> None:
    """End a frozen process; the supervisor starts the program again."""
    with suppress(psutil.Error):
        psutil.Process(pid).kill()


def _answers(program: Program) -> bool:
    if program.answers is None:
        return True
    try:
        if isinstance(program.answers, str):
            return httpx.get(program.answers, timeout=_ANSWER_WITHIN_S).is_success
        # 1 is a server that starts or stops: it answers, though it takes no connections.
        return subprocess.run(program.answers, check=False, timeout=_ANSWER_WITHIN_S).returncode in {0, 1}  # noqa: S603  # our own command
    except (httpx.HTTPError, OSError, subprocess.SubprocessError):
        return False


def _cpu_s(pid: int) -> float:
    # Of the process itself: sessions of a database go on for a while when the one that starts them is frozen.
    with suppress(psutil.Error):
        times = psutil.Process(pid).cpu_times()
        return float(times.user + times.system)
    return 0.0
