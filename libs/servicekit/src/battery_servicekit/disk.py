"""Free space of a data folder: warned about long before it ends, and nothing large is written once it has ended."""

import shutil
import time
from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from battery_servicekit.health import Check, CheckState, Finding

MIB: Final = 1024 * 1024
LOW_DAYS: Final = 14.0
"""Time in which somebody can be expected to make room."""
_TREND_S: Final = 6 * 3600.0
_SHORTEST_TREND_S: Final = 1800.0
_SAMPLE_EVERY_S: Final = 60.0


class DiskState(StrEnum):
    """Whether the volume of the data folder has room."""

    ENOUGH = "enough"
    LOW = "low"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class DiskReport:
    """Free space, and in how many days it ends at the rate of the last hours; None where it does not shrink."""

    state: DiskState
    free_bytes: int
    days_left: float | None

    @property
    def free_mib(self) -> int:
        """Free space in MiB."""
        return self.free_bytes // MIB


class DiskWatch:
    """Follows the free space of the volume of a folder, which may not exist yet.

    Parameters
    ----------
    full_below_bytes
        Free space below which the volume counts as full. It is kept free on purpose: a database without room for its
        log stops, and with it all reading.
    low_below_bytes
        Free space below which somebody is warned, however slowly it shrinks.
    """

    def __init__(self, folder: Path, *, full_below_bytes: int, low_below_bytes: int) -> None:
        self._folder = folder
        self._full_below = full_below_bytes
        self._low_below = low_below_bytes
        self._samples: deque[tuple[float, int]] = deque()

    @property
    def is_full(self) -> bool:
        """Whether nothing large may be written now."""
        return self.report().state is DiskState.FULL

    def report(self) -> DiskReport:
        """Measure the free space now."""
        free = shutil.disk_usage(_existing(self._folder)).free
        days_left = self._follow(time.monotonic(), free)
        if free < self._full_below:
            return DiskReport(DiskState.FULL, free, days_left)
        is_low = free < self._low_below or (days_left is not None and days_left < LOW_DAYS)
        return DiskReport(DiskState.LOW if is_low else DiskState.ENOUGH, free, days_left)

    def check(self) -> Check:
        """Return the readiness check: a full disk takes a part of the service, not all of it."""

        async def probe() -> Finding:
            state = self.report().state
            if state is DiskState.FULL:
                return Finding(CheckState.DOWN, "disk_full")
            return Finding(CheckState.UP, "disk_low" if state is DiskState.LOW else None)

        return Check("disk", probe, required=False)

    def _follow(self, now_s: float, free: int) -> float | None:
        if not self._samples or now_s - self._samples[-1][0] >= _SAMPLE_EVERY_S:
            self._samples.append((now_s, free))
        while now_s - self._samples[0][0] > _TREND_S:
            self._samples.popleft()
        first_s, first_free = self._samples[0]
        if now_s - first_s < _SHORTEST_TREND_S or free >= first_free:
            return None
        return free / ((first_free - free) / (now_s - first_s)) / 86_400


def _existing(folder: Path) -> Path:
    return next((path for path in (folder, *folder.absolute().parents) if path.exists()), Path("/"))
