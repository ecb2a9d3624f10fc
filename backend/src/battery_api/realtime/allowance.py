"""How many events one live connection may send: a bucket of tokens that fills with time."""

from dataclasses import dataclass
from typing import Final

REFUSAL_PAUSE_S: Final = 0.02
"""How long nothing is read from a connection after a refusal: a flood then waits in its own client."""
MAX_REFUSED: Final = 1_000
"""Events refused one after another before the connection is ended: its client does not listen to the answers."""


@dataclass(slots=True)
class Allowance:
    """Tokens of one connection; ``taken_at_s`` is the time of a monotonic clock."""

    burst: int
    per_s: float
    tokens: float
    taken_at_s: float
    refused: int = 0

    @classmethod
    def full(cls, *, burst: int, per_s: float, now_s: float) -> "Allowance":
        """Return an allowance of which nothing is used."""
        return cls(burst, per_s, float(burst), now_s)

    def take(self, now_s: float) -> bool:
        """Use one event; return whether it was allowed."""
        self.tokens = min(float(self.burst), self.tokens + (now_s - self.taken_at_s) * self.per_s)
        self.taken_at_s = now_s
        if self.tokens < 1:
            self.refused += 1
            return False
        self.tokens -= 1
        self.refused = 0
        return True

    @property
    def is_abused(self) -> bool:
        """Whether so many events were refused in a row that the connection has to end."""
        return self.refused >= MAX_REFUSED
