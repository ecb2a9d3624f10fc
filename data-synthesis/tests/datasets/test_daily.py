"""Daily aggregates against plain numpy on the same readings, and ohmic readings referred to 25 °C."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from battery_synth.block import electrics
from battery_synth.datasets.daily import Daily, daily_of, mean_and_sd
from battery_synth.datasets.ohmic import resistance_25c_mohm
from battery_synth.engine.strings import DISCHARGE, FLOAT, TEST
from battery_synth.state.arrays import FloatArray
from battery_synth.state.readings import Float32Array, SimulatedReadings

STRINGS, WIDTH, SAMPLES = 2, 5, 24


def a_day(seed: int = 1) -> SimulatedReadings:
    """Return hourly readings of two strings, a tenth of the channels missing, with an hour of discharge."""
    random = np.random.default_rng(seed)
    count = STRINGS * SAMPLES

    def channel(mean: float, sd: float, *, missing: float = 0.1) -> np.ndarray:
        values = random.normal(mean, sd, (count, WIDTH)).astype(np.float32)
        values[random.random((count, WIDTH)) < missing] = np.nan
        return values

    at_us = np.repeat(np.arange(SAMPLES) * 3_600_000_000, STRINGS)
    mode = np.full(count, FLOAT, np.int8)
    mode[12:16] = DISCHARGE
    current = np.where(mode == DISCHARGE, -70.0, 0.0).astype(np.float32)
    return SimulatedReadings(
        at_us=at_us,
        string=np.tile(np.arange(STRINGS), SAMPLES).astype(np.int32),
        mode=mode,
        voltage_v=channel(13.6, 0.05),
        temperature_c=channel(30.0, 4.0),
        internal_resistance_mohm=channel(3.6, 0.2, missing=0.9),
        string_voltage_v=np.full(count, 68.0, np.float32),
        current_a=current,
        float_current_ma=random.normal(40.0, 5.0, count).astype(np.float32),
        ripple_voltage_v=np.zeros(count, np.float32),
        ripple_current_a=np.zeros(count, np.float32),
        soc=np.ones((count, WIDTH), np.float32),
        location_at_us=np.arange(SAMPLES) * 3_600_000_000,
        ambient_c=np.full(SAMPLES, 25.0, np.float32),
        humidity_pct=np.full(SAMPLES, 45.0, np.float32),
        hvac=np.zeros(SAMPLES, np.int8),
        mains=np.ones(SAMPLES, bool),
    )


def of_block(values: Float32Array, readings: SimulatedReadings, block: int) -> FloatArray:
    own: FloatArray = values[readings.string == block // WIDTH, block % WIDTH].astype(np.float64)
    return own


@pytest.fixture(scope="module")
def readings() -> SimulatedReadings:
    return a_day()


@pytest.fixture(scope="module")
def daily(readings: SimulatedReadings) -> Daily:
    return daily_of(readings, strings=STRINGS, every_s=3600.0, room_c=25.0)


@pytest.mark.parametrize("block", range(STRINGS * WIDTH))
def test_voltages_are_those_of_float_readings(readings: SimulatedReadings, daily: Daily, block: int) -> None:
    floating = readings.mode[readings.string == block // WIDTH] == FLOAT
    own = of_block(readings.voltage_v, readings, block)[floating]
    assert daily.voltage_mean_v[block] == pytest.approx(np.nanmean(own), rel=1e-6)
    assert daily.voltage_min_v[block] == np.float32(np.nanmin(own))
    assert daily.voltage_max_v[block] == np.float32(np.nanmax(own))
    mean_v = np.nanmean(readings.voltage_v[readings.string == block // WIDTH].astype(np.float64), axis=1)[floating]
    assert daily.voltage_deviation_v[block] == pytest.approx(np.nanmean(own - mean_v), abs=1e-5)
    assert daily.readings[block] == SAMPLES


@pytest.mark.parametrize("block", range(STRINGS * WIDTH))
def test_temperatures_and_warm_hours_count_every_regular_reading(
    readings: SimulatedReadings, daily: Daily, block: int
) -> None:
    own = of_block(readings.temperature_c, readings, block)
    assert daily.temperature_mean_c[block] == pytest.approx(np.nanmean(own), rel=1e-6)
    assert daily.temperature_rise_k[block] == pytest.approx(np.nanmean(own) - 25.0, abs=1e-4)
    assert daily.hours_above_30c[block] == (own > 30.0).sum()
    assert daily.hours_above_35c[block] == (own > 35.0).sum() <= daily.hours_above_30c[block]


@pytest.mark.parametrize("block", range(STRINGS * WIDTH))
def test_resistance_is_the_last_one_of_the_day(readings: SimulatedReadings, daily: Daily, block: int) -> None:
    own = of_block(readings.internal_resistance_mohm, readings, block)
    if np.isnan(own).all():
        assert np.isnan(daily.resistance_mohm[block])
        return
    last = np.flatnonzero(np.isfinite(own))[-1]
    temperature_c = of_block(readings.temperature_c, readings, block)[last]
    assert daily.resistance_mohm[block] == np.float32(own[last])
    if np.isfinite(temperature_c):
        referred = own[last] * np.exp(0.008 * (temperature_c - 25.0))
        assert daily.resistance_25c_mohm[block] == pytest.approx(referred, rel=1e-6)


def test_a_discharge_counts_once_per_string_and_gaps_are_not_integrated(daily: Daily) -> None:
    # Two hourly readings of a discharge: only two minutes after each are certain.
    np.testing.assert_array_equal(daily.discharge_count, np.ones(STRINGS * WIDTH))
    np.testing.assert_allclose(daily.discharge_s, 2 * 120.0)
    np.testing.assert_allclose(daily.discharge_ah, 2 * 70.0 * 120.0 / 3600.0, rtol=1e-5)


def test_a_test_counts_as_a_discharge(readings: SimulatedReadings) -> None:
    tested = a_day()
    tested.mode[tested.mode == DISCHARGE] = TEST
    one, other = (daily_of(each, strings=STRINGS, every_s=3600.0, room_c=25.0) for each in (readings, tested))
    np.testing.assert_array_equal(one.discharge_ah, other.discharge_ah)


def test_a_day_without_float_or_measurements_has_no_means() -> None:
    silent = a_day()
    silent.mode[:] = DISCHARGE
    silent.internal_resistance_mohm[:] = np.nan
    daily = daily_of(silent, strings=STRINGS, every_s=3600.0, room_c=25.0)
    for name in ("voltage_mean_v", "voltage_min_v", "float_current_ma", "resistance_mohm", "resistance_25c_mohm"):
        assert np.isnan(getattr(daily, name)).all(), name


@given(values=st.lists(st.floats(-50.0, 50.0, width=32) | st.just(float("nan")), min_size=1, max_size=30))
def test_mean_and_deviation_are_those_of_numpy(values: list[float]) -> None:
    array = np.array(values, np.float32)
    mean, sd = mean_and_sd(array)
    known = array[np.isfinite(array)].astype(np.float64)
    assert mean == pytest.approx(known.mean() if len(known) else 0.0, abs=1e-4)
    assert sd == pytest.approx(known.std() if len(known) else 0.0, abs=0.05)


@given(resistance=st.floats(1.0, 20.0), temperature_c=st.floats(0.0, 50.0))
def test_a_reading_of_a_full_block_is_referred_back_to_its_resistance_at_25_degrees(
    resistance: float, temperature_c: float
) -> None:
    measured = electrics.ohmic_mohm(resistance, 1.0, temperature_c)
    assert resistance_25c_mohm(measured, temperature_c) == pytest.approx(resistance)


def test_arrays_are_referred_element_by_element_and_missing_values_stay_missing() -> None:
    referred = resistance_25c_mohm(np.array([3.5, 3.5, np.nan]), np.array([25.0, 35.0, 25.0]))
    np.testing.assert_allclose(referred, [3.5, 3.5 * np.exp(0.08), np.nan])
