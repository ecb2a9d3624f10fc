"""Choose the resolution of a series: the finest that the allowed number of points permits."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from battery_api.db.bangkok import DAY_ORIGIN
from battery_api.telemetry.errors import ResolutionTooFine

MAX_POINTS: Final = 1000
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


class Resolution(StrEnum):
    """Resolution of a series; ``auto`` lets the gateway choose."""

    AUTO = "auto"
    RAW = "raw"
    MINUTE = "1m"
    HOUR = "1h"
    DAY = "1d"


@dataclass(frozen=True, slots=True)
class Grain:
    """Buckets of one width, and the relation that they aggregate."""

    resolution: Resolution
    bucket_s: int

    @property
    def source(self) -> str:
        """Relation that the buckets aggregate."""
        return {Resolution.HOUR: "telemetry_hourly", Resolution.DAY: "telemetry_daily"}.get(
            self.resolution, "telemetry"
        )

    @property
    def label(self) -> str:
        """Width of the buckets in the unit of their resolution, such as ``6h``."""
        unit = {Resolution.MINUTE: ("m", _MINUTE), Resolution.HOUR: ("h", _HOUR)}.get(self.resolution, ("d", _DAY))
        return f"{self.bucket_s // unit[1]}{unit[0]}"

    def count(self, start: datetime, end: datetime) -> int:
        """Return how many buckets touch the span from ``start`` to before ``end``."""
        width = timedelta(seconds=self.bucket_s)
        first = (start - DAY_ORIGIN) // width
        last = (end - DAY_ORIGIN - timedelta(microseconds=1)) // width
        return last - first + 1


# Widths that divide an hour or a day, so that buckets start at full hours and midnights; then whole days.
GRAINS: Final = (
    *(Grain(Resolution.MINUTE, _MINUTE * count) for count in (1, 2, 3, 5, 10, 15, 20, 30)),
    *(Grain(Resolution.HOUR, _HOUR * count) for count in (1, 2, 3, 4, 6, 8, 12)),
    *(Grain(Resolution.DAY, _DAY * count) for count in (1, 2, 3, 5, 7, 14, 30, 90, 365)),
)
_EXPLICIT: Final = {
    Resolution.MINUTE: Grain(Resolution.MINUTE, _MINUTE),
    Resolution.HOUR: Grain(Resolution.HOUR, _HOUR),
    Resolution.DAY: Grain(Resolution.DAY, _DAY),
}


def choose_grain(start: datetime, end: datetime, max_points: int, *, raw_available_from: datetime) -> Grain:
    """Return the finest buckets of which at most ``max_points`` cover the span.

    Where raw rows are already deleted, only roll-ups cover the whole span.
    """
    for grain in GRAINS:
        if grain.source == "telemetry" and start < raw_available_from:
            continue
        if grain.count(start, end) <= max_points:
            return grain
    return GRAINS[-1]


def explicit_grain(resolution: Resolution, start: datetime, end: datetime, max_points: int) -> Grain:
    """Return the buckets of a requested resolution.

    Raises
    ------
    ResolutionTooFine
        There would be more than ``max_points``.
    """
    grain = _EXPLICIT[resolution]
    count = grain.count(start, end)
    if count > max_points:
        raise too_fine(resolution, max_points, f"{count:,} points")
    return grain


def too_fine(resolution: Resolution, max_points: int, size: str) -> ResolutionTooFine:
    """Return the error of a resolution with too many points, with the remedy."""
    coarser = {Resolution.RAW: "1m", Resolution.MINUTE: "1h", Resolution.HOUR: "1d"}.get(resolution, "auto")
    return ResolutionTooFine(
        f"resolution={resolution} would give {size} in this span, more than {max_points:,}; "
        f"use resolution={coarser} or auto, a shorter span, or telemetry/export for every row."
    )
