"""Outdoor climate of the Thai zones: monthly means, the daily course, and weather that persists from day to day.

Means are the Thai Meteorological Department's 30-year figures (1981-2010) by season, spread over the months so that the
seasonal means are kept; daily half-ranges are half of (mean maximum - mean minimum).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from battery_synth.streams import stream

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

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
RAIN_HALF_RANGE: Final = 0.75
"""Half-range of the cloudy days of the rainy months over the yearly mean; that of the dry months is larger."""
WET_MONTHS: Final = {"S-Gulf": (10, 11, 12), "S-Andaman": (5, 6, 7, 8, 9, 10)}
"""The Gulf coast is wettest from October to December, the Andaman coast from May on; elsewhere June to October."""
_INLAND_WET_MONTHS: Final = (6, 7, 8, 9, 10)
_DAY_SIGMA_C: Final = 1.2
_DAY_MEMORY: Final = 0.7
HEAT_WAVES_PER_YEAR: Final = {"N": 1.5, "NE": 1.5, "C": 1.0, "E": 0.7, "S-Gulf": 0.5, "S-Andaman": 0.5}
HEAT_WAVE_C: Final = (2.0, 4.5)
HEAT_WAVE_DAYS: Final = (3, 9)
"""Spells of the hot season, March to May, with days up to 40 °C inland (seasonal forecasts)."""
FIRST_YEAR, YEARS = 2010, 41
_EPOCH_S: Final = float(np.datetime64(f"{FIRST_YEAR}-01-01", "s").astype(np.int64))
_DAY_S: Final = 86_400.0
_BANGKOK_S: Final = 7 * 3600.0
_COLDEST_HOUR, _WARMEST_HOUR = 6.0, 14.5


@dataclass(frozen=True, slots=True)
class Climate:
    """The weather of one location as a pure function of time."""

    zone: str
    anomaly_c: FloatArray
    """(days,) by day since 2010: deviation of the weather from the seasonal mean in K."""

    @classmethod
    def of_location(cls, seed: int, code: str, zone: str) -> "Climate":
        """Draw the day-to-day weather of a location: AR(1) with sigma 1.2 K and memory 0.7 per day, and heat waves.

        The mean of the heat waves is subtracted from the other days of their months, so that the sourced means hold.
        """
        days = 366 * YEARS
        shocks = stream(seed, "climate", code).standard_normal(days) * _DAY_SIGMA_C * np.sqrt(1 - _DAY_MEMORY**2)
        anomaly = np.empty(days)
        value = 0.0
        for day, shock in enumerate(shocks):
            value = _DAY_MEMORY * value + shock
            anomaly[day] = value
        return cls(zone, anomaly + _heat_waves_c(seed, code, zone, days))

    def outdoor_c(self, at_s: FloatArray) -> FloatArray:
        """Return outdoor temperatures in °C at instants in s since 1970."""
        local_s = at_s - _EPOCH_S + _BANGKOK_S
        # Anomalies are interpolated between noons, so that there is no step at midnight.
        noon = local_s / _DAY_S - 0.5
        weather_c = np.interp(noon, np.arange(len(self.anomaly_c)), self.anomaly_c)
        course = day_course(local_s % _DAY_S / 3600.0) * DAY_HALF_RANGE_C[self.zone] * swing(self.zone, at_s)
        outdoor: FloatArray = seasonal_mean_c(self.zone, at_s) + course + weather_c
        return outdoor

    def humidity_pct(self, at_s: FloatArray) -> FloatArray:
        """Return outdoor relative humidity in %, lowest in the warm hours."""
        hour = (at_s - _EPOCH_S + _BANGKOK_S) % _DAY_S / 3600.0
        mean = np.array(HUMIDITY_PCT[self.zone], np.float64)[season_index(at_s)]
        return np.clip(mean - 12.0 * day_course(hour), 20.0, 100.0)


def day_course(local_hour: FloatArray) -> FloatArray:
    """Return the daily course from -1 at 06:00 to 1 at 14:30 in two half cosines; its mean is 0."""
    rise = _WARMEST_HOUR - _COLDEST_HOUR
    since = (local_hour - _COLDEST_HOUR) % 24.0
    return np.where(since < rise, -np.cos(np.pi * since / rise), np.cos(np.pi * (since - rise) / (24.0 - rise)))


def seasonal_mean_c(zone: str, at_s: FloatArray) -> FloatArray:
    """Return the mean temperature in °C of the time of year, interpolated smoothly between mid-months."""
    lower, along = np.divmod(_year_part(at_s) * 12.0 - 0.5, 1.0)
    months = np.array(MONTHLY_MEAN_C[zone])
    part = (1.0 - np.cos(along * np.pi)) / 2.0
    first = lower.astype(np.int64)
    mean: FloatArray = months[first % 12] * (1.0 - part) + months[(first + 1) % 12] * part
    return mean


def season_index(at_s: FloatArray) -> IntArray:
    """Return 0 for the cool season (from mid-October), 1 for the hot (mid-February), 2 for the rainy one (mid-May)."""
    position = _year_part(at_s) * 12.0
    return np.where((position >= 1.5) & (position < 4.5), 1, np.where((position >= 4.5) & (position < 9.5), 2, 0))


def swing(zone: str, at_s: FloatArray) -> FloatArray:
    """Return the daily swing over its yearly mean: small in the zone's wet months, large in the dry ones."""
    wet = np.isin(month_of(at_s), wet_months(zone))
    share = len(wet_months(zone)) / 12.0
    dry = (1.0 - share * RAIN_HALF_RANGE) / (1.0 - share)
    return np.where(wet, RAIN_HALF_RANGE, dry)


def wet_months(zone: str) -> tuple[int, ...]:
    """Return the months (1 to 12) with most rain and storms."""
    return WET_MONTHS.get(zone, _INLAND_WET_MONTHS)


def month_of(at_s: FloatArray) -> IntArray:
    """Return the months (1 to 12, Bangkok time) of instants."""
    local = (at_s + _BANGKOK_S).astype("datetime64[s]").astype("datetime64[M]").astype(np.int64)
    month: IntArray = local % 12 + 1
    return month


def year_start_s(year: int) -> float:
    """Return the start of a year (UTC) in s since 1970."""
    return float(np.datetime64(f"{year}-01-01", "s").astype(np.int64))


def year_of(at_s: float) -> int:
    """Return the year (UTC) of an instant."""
    return int(np.datetime64(int(at_s), "s").astype("datetime64[Y]").astype(np.int64)) + 1970


def _year_part(at_s: FloatArray) -> FloatArray:
    instants = np.asarray(at_s, np.float64)
    years = instants.astype("datetime64[s]").astype("datetime64[Y]").astype("datetime64[s]").astype(np.int64)
    part: FloatArray = (instants - years) / (365.25 * _DAY_S)
    return part


def _heat_waves_c(seed: int, code: str, zone: str, days: int) -> FloatArray:
    random = stream(seed, "heat-waves", code)
    waves, season = np.zeros(days), np.zeros(days, bool)
    for year in range(FIRST_YEAR, FIRST_YEAR + YEARS):
        first = round((year_start_s(year) - _EPOCH_S) / _DAY_S) + 59
        season[first : first + 90] = True
        for _ in range(int(random.poisson(HEAT_WAVES_PER_YEAR[zone]))):
            start, length = first + int(random.integers(0, 80)), int(random.integers(*HEAT_WAVE_DAYS))
            waves[start : start + length] = np.maximum(waves[start : start + length], random.uniform(*HEAT_WAVE_C))
    waves[season] -= waves[season].mean()
    return waves
