from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from battery_synth.climate import DAY_HALF_RANGE_C, MONTHLY_MEAN_C, Climate, day_course
from battery_synth.sites import SITES, Site

# Seasonal means of the Thai Meteorological Department (cool, hot, rainy): an independent source of the yearly mean.
SEASONS_C = {
    "N": (23.4, 28.1, 27.3),
    "NE": (24.2, 28.6, 27.6),
    "C": (26.2, 29.7, 28.2),
    "E": (26.7, 29.1, 28.3),
    "S-Gulf": (26.3, 28.2, 27.8),
    "S-Andaman": (27.0, 28.4, 27.5),
}


@pytest.mark.parametrize("site", SITES, ids=lambda site: site.code)
def test_yearly_mean_agrees_with_the_seasonal_means(site: Site) -> None:
    climate = Climate.of_site(1, site.code, site.climate_zone)
    hours = [climate.outdoor_c(datetime(2025, 1, 1, tzinfo=UTC) + timedelta(hours=h)) for h in range(0, 8760, 2)]
    cool, hot, rainy = SEASONS_C[site.climate_zone]
    assert np.mean(hours) == pytest.approx((4 * cool + 3 * hot + 5 * rainy) / 12, abs=1.0)


@pytest.mark.parametrize("zone", MONTHLY_MEAN_C)
def test_months_reproduce_their_means(zone: str) -> None:
    climate = Climate(zone, np.zeros(366 * 40))
    for month, expected in enumerate(MONTHLY_MEAN_C[zone], start=1):
        first = datetime(2026, month, 1, tzinfo=UTC)
        hours = [climate.outdoor_c(first + timedelta(hours=h)) for h in range(24 * 28)]
        assert np.mean(hours) == pytest.approx(expected, abs=0.6)


def test_day_is_coldest_at_six_and_warmest_in_the_early_afternoon() -> None:
    hours = np.arange(0, 24, 0.05)
    course = np.array([day_course(hour) for hour in hours])
    assert hours[course.argmin()] == pytest.approx(6.0)
    assert hours[course.argmax()] == pytest.approx(14.5)
    assert course.mean() == pytest.approx(0.0, abs=1e-3)
    assert np.abs(np.diff(course)).max() < 0.03


def test_weather_persists_and_has_the_stated_sigma() -> None:
    anomaly = Climate.of_site(3, "DC-BKK-01", "C").daily_anomaly_c
    assert anomaly.std() == pytest.approx(1.2, abs=0.1)
    assert np.corrcoef(anomaly[:-1], anomaly[1:])[0, 1] == pytest.approx(0.7, abs=0.03)


def test_outdoor_temperature_has_no_steps() -> None:
    climate = Climate.of_site(1, "DC-CNX-01", "N")
    at = datetime(2025, 12, 30, tzinfo=UTC)
    series = np.array([climate.outdoor_c(at + timedelta(minutes=5 * i)) for i in range(12 * 24 * 4)])
    assert np.abs(np.diff(series)).max() < DAY_HALF_RANGE_C["N"] * 0.035
