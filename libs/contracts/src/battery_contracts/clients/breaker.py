"""Circuit breaker: stop calling a dependency that fails, and try it again after a pause."""

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic


@dataclass(slots=True)
class CircuitBreaker:
    """Count consecutive failures; open after ``threshold`` of them, let one trial call through after ``pause_s``.

    Not thread-safe: one breaker belongs to one event loop.
    """

    threshold: int = 3
    pause_s: float = 5.0
    max_pause_s: float = 30.0
    now_s: Callable[[], float] = monotonic
    _failures: int = field(default=0, init=False)
    _open_until_s: float = field(default=0.0, init=False)
    _trial_under_way: bool = field(default=False, init=False)

    @property
    def is_open(self) -> bool:
        """Whether calls are blocked now."""
        return self._failures >= self.threshold and (self._trial_under_way or self.now_s() < self._open_until_s)

    def admit(self) -> bool:
        """Return whether a call may go out; after the pause exactly one trial call may."""
        if self._failures < self.threshold:
            return True
        if self._trial_under_way or self.now_s() < self._open_until_s:
            return False
        self._trial_under_way = True
        return True

    def succeeded(self) -> None:
        """Close the circuit."""
        self._failures = 0
        self._trial_under_way = False

    def failed(self) -> None:
        """Count a failure; the pause doubles with each failed trial up to ``max_pause_s``."""
        self._failures += 1
        self._trial_under_way = False
        if self._failures >= self.threshold:
            exponent = min(self._failures - self.threshold, 16)
            self._open_until_s = self.now_s() + min(self.pause_s * 2**exponent, self.max_pause_s)

    def abandoned(self) -> None:
        """Forget a call that was cancelled, so that the next one may be the trial."""
        self._trial_under_way = False
