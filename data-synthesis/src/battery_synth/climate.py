"""Outdoor climate of the Thai zones: monthly means, the day's course, and weather that persists from day to day.

Means are the Thai Meteorological Department's 30-year figures (1981-2010) by season, spread over the months so that the
seasonal means are kept; half-ranges of the day are half of (mean maximum - mean minimum).
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np
import numpy.typing as npt

from battery_synth.streams import stream

FloatArray = npt.NDArray[np.float64]

MONTHLY_MEAN_C: Final = {
    "N": (21.8, 24.4, 27.8, 29.9, 28.7, 28.0, 27.4, 27.1, 26.6, 26.1, 24.4, 22.1),
    "NE": (22.9, 25.3, 28.4, 30.3, 29.0, 28.3, 27.7, 27.4, 26.9, 26.5, 25.0, 23.0),
    "C": (25.5, 27.5, 29.7, 30.9, 29.4, 28.9, 28.2, 28.2, 27.4, 27.2, 26.5, 25.4),
    "E": (26.1, 27.5, 29.1, 30.0, 29.1, 28.7, 28.3, 28.2, 27.8, 27.7, 27.0, 26.1),
    "S-Gulf": (25.7, 26.8, 28.1, 28.9, 28.4, 28.1, 27.8, 27.7, 27.5, 27.3, 26.7, 25.8),
    "S-Andaman": (26.9, 27.7, 28.5, 28.9, 28.0, 27.9, 27.5, 27.5, 27.1, 27.1, 27.0, 26.7),
}
"""Monthly mean outdoor temperature in °C by zone, January to December."""
DAY_HALF_RANGE_C: Final = {"N": 5.8, "NE": 5.2, "C": 5.0, "E": 4.4, "S-Gulf": 4.2, "S-Andaman": 4.4}
HUMIDITY_PCT: Final = {
    "N": (69, 62, 81),
    "NE": (69, 65, 80),
    "C": (71, 69, 79),
    "E": (71, 74, 81),
    "S-Gulf": (81, 77, 78),
    "S-Andaman": (77, 76, 84),
}
"""Mean relative humidity in % by zone: cool, hot and rainy season."""
_DAY_SIGMA_C: Final = 1.2
_DAY_MEMORY: Final = 0.7
_EPOCH: Final = datetime(2010, 1, 1, tzinfo=UTC)
_DAYS: Final = 366 * 40
_BANGKOK_S: Final = 7 * 3600
_COLDEST_HOUR, _WARMEST_HOUR = 6.0, 14.5


@dataclass(frozen=True)
class Climate:
    """The weather of one site as a function of time; every call gives the same answer."""

    zone: str
    daily_anomaly_c: FloatArray

    @classmethod
    def of_site(cls, seed: int, site_code: str, zone: str) -> "Climate":
        """Draw the day-to-day weather of a site: AR(1), sigma 1.2 °C, memory 0.7 a day."""
        shocks = stream(seed, "climate", site_code).standard_normal(_DAYS) * _DAY_SIGMA_C * np.sqrt(1 - _DAY_MEMORY**2)
        anomaly = np.empty(_DAYS)
        value = 0.0
        for day, shock in enumerate(shocks):
            value = _DAY_MEMORY * value + shock
            anomaly[day] = value
        return cls(zone, anomaly)

    def outdoor_c(self, at: datetime) -> float:
        """Return the outdoor temperature in °C."""
        local_s = (at - _EPOCH).total_seconds() + _BANGKOK_S
        # Anomalies are interpolated between noons, so that midnight is not a step.
        noon, part = divmod(local_s / 86_400.0 - 0.5, 1.0)
        before, after = self.daily_anomaly_c[int(noon)], self.daily_anomaly_c[int(noon) + 1]
        weather = float(before + (after - before) * part)
        return seasonal_mean_c(self.zone, at) + DAY_HALF_RANGE_C[self.zone] * day_course(_local_hour(at)) + weather

    def humidity_pct(self, at: datetime) -> float:
        """Return the outdoor relative humidity in %, lowest in the warm hours."""
        mean = HUMIDITY_PCT[self.zone][season_index(at)]
        return min(100.0, max(20.0, mean - 12.0 * day_course(_local_hour(at))))


def day_course(local_hour: float) -> float:
    """Return the course of a day from -1 at 06:00 to 1 at 14:30 in two half cosines; its mean is 0."""
    rise = _WARMEST_HOUR - _COLDEST_HOUR
    since = (local_hour - _COLDEST_HOUR) % 24.0
    if since < rise:
        return -math.cos(math.pi * since / rise)
    return math.cos(math.pi * (since - rise) / (24.0 - rise))


def seasonal_mean_c(zone: str, at: datetime) -> float:
    """Return the mean temperature of the time of year, interpolated smoothly between mid-months."""
    days = (at - datetime(at.year, 1, 1, tzinfo=UTC)).total_seconds() / 86_400.0
    lower, along = divmod(days / 365.25 * 12.0 - 0.5, 1.0)
    months = MONTHLY_MEAN_C[zone]
    part = (1.0 - math.cos(along * math.pi)) / 2.0
    return months[int(lower) % 12] * (1.0 - part) + months[(int(lower) + 1) % 12] * part


def season_index(at: datetime) -> int:
    """Return 0 for the cool season (mid-October on), 1 for the hot (mid-February on), 2 for the rainy (mid-May on)."""
    position = at.month + (at.day - 1) / 31.0
    if 2.5 <= position < 5.5:
        return 1
    return 2 if 5.5 <= position < 10.5 else 0


def _local_hour(at: datetime) -> float:
    return ((at - _EPOCH).total_seconds() + _BANGKOK_S) % 86_400.0 / 3600.0
