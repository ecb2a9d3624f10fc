"""The time that one question may take: checked inside the loops that could otherwise run for hours."""

import threading
import time


class TimeOver(Exception):
    """The computation took longer than it may."""


class Deadline:
    """Ends a computation after ``seconds``, or as soon as nobody waits for it; checked by the computation itself."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._ends_at = time.monotonic() + seconds
        self._is_cancelled = threading.Event()

    def cancel(self) -> None:
        """End the computation at its next check; called from another thread."""
        self._is_cancelled.set()

    def check(self) -> None:
        """Raise `TimeOver` if the time is over or nobody waits."""
        if self._is_cancelled.is_set() or time.monotonic() > self._ends_at:
            raise TimeOver(f"The computation took longer than {self.seconds:g} s.")


NO_DEADLINE = Deadline(float("inf"))
