"""Bounds of connections and requests, and how many connections the process has descriptors for."""

import resource
from dataclasses import dataclass
from typing import Final

MAX_DESCRIPTORS: Final = 65_536
"""Descriptors that a process asks for; the system may allow fewer."""
BACKLOG: Final = 128
"""Connections that wait to be accepted; a burst of them is accepted at once, before any can be closed."""
DESCRIPTOR_RESERVE: Final = 128 + BACKLOG
"""Descriptors kept for the database, files, other services and a burst of new connections."""
MIN_CONNECTIONS: Final = 16


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """What one connection may hold, and how many there may be; see `ServiceSettings` for the meaning of each."""

    max_connections: int = 800
    max_head_bytes: int = 64 * 1024
    max_headers: int = 100
    head_timeout_s: float = 10.0
    body_timeout_s: float = 20.0
    body_min_bytes_per_s: int = 32 * 1024
    stall_timeout_s: float = 30.0

    @property
    def sweep_interval_s(self) -> float:
        """Seconds between two looks at the open connections: short against the shortest deadline."""
        return min(1.0, self.head_timeout_s / 5, self.body_timeout_s / 5, self.stall_timeout_s / 5)


def raise_descriptor_limit() -> None:
    """Ask for as many descriptors as the system allows, up to `MAX_DESCRIPTORS`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = MAX_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MAX_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))


def connections_allowed(limits: ConnectionLimits) -> int:
    """Return how many connections may be open now: the limit can be lowered while the process runs."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return limits.max_connections
    return max(MIN_CONNECTIONS, min(limits.max_connections, soft - DESCRIPTOR_RESERVE))
