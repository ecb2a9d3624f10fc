"""Sensors: fixed errors per device, resolution, dead bands, and nothing where nothing was measured."""

import numpy as np
import pytest

from battery_synth.sensing import sensors
from battery_synth.sensing.sensors import SensorReadings, Sensors
from battery_synth.state.arrays import TrueRows

WIDTH, ROWS = 24, 4000


def true_rows(*, voltage_v: float = 13.65, current_a: float = 0.04, temperature_c: float = 25.0) -> TrueRows:
    rows = TrueRows.empty(ROWS, WIDTH)
    rows.instant_s[:] = np.arange(ROWS) * 60.0
    rows.string[:] = rows.mode[:] = 0
    rows.current_a[:], rows.ripple_a[:] = current_a, 0.8
    rows.voltage_v[:], rows.temperature_c[:], rows.soc[:] = voltage_v, temperature_c, 1.0
    return rows


def read(rows: TrueRows, *, ohmic: bool = True, seed: int = 1, changes: bool = True) -> SensorReadings:
    own = Sensors.of(seed, "DC-CNX-01", [f"B{i}" for i in range(WIDTH)], ["S"])
    if not changes:
        own.errors.instrument_gain[:] = own.errors.instrument_gain[0]
    at_us = (rows.instant_s * 1e6).astype(np.int64)
    return own.read(rows, at_us, np.full(len(at_us), ohmic), np.full(WIDTH, 3.5))


def test_block_errors_are_fixed_gains_with_small_noise() -> None:
    seen = read(true_rows())
    offsets = seen.voltage_v.mean(axis=0) - 13.65
    assert offsets.std() == pytest.approx(0.0015 * 13.65, rel=0.5)
    assert seen.voltage_v.std(axis=0).mean() == pytest.approx(0.005, rel=0.1)
    assert np.abs(seen.voltage_v - 13.65).max() < 0.1
    assert (seen.temperature_c.mean(axis=0) - 25.0).std() == pytest.approx(0.5, rel=0.5)


def test_resistances_repeat_to_one_percent_of_which_most_stays_for_weeks() -> None:
    rows = true_rows()
    rows.instant_s[:] = np.arange(ROWS) * 86_400.0 / 4.0
    seen = read(rows, changes=False).internal_resistance_mohm / 3.5
    own = seen / seen.mean(axis=0)
    assert own.std() == pytest.approx(0.01, rel=0.1)
    # A month's mean of independent readings would be good to a fifth of a percent.
    months = own[: ROWS // 120 * 120].reshape(-1, 120, WIDTH).mean(axis=1)
    assert 0.004 < months.std() < 0.008
    daily = own[::4]
    assert np.corrcoef(daily[1:].ravel(), daily[:-1].ravel())[0, 1] > 0.5
    assert abs(np.corrcoef(daily[60:].ravel(), daily[:-60].ravel())[0, 1]) < 0.1
    # Blocks do not err together: what they share is the instrument's.
    assert abs(np.corrcoef(own.T)[np.triu_indices(WIDTH, 1)].mean()) < 0.05


def test_a_warm_block_reads_off_by_the_drift_of_its_string_s_instrument() -> None:
    own = Sensors.of(1, "DC-CNX-01", [f"B{i}" for i in range(WIDTH)], ["S"])
    per_k = own.errors.instrument_per_k[0]
    cold, warm = (read(true_rows(temperature_c=c)).internal_resistance_mohm.mean() for c in (20.0, 30.0))
    law = np.exp(-0.008 * 10.0)
    assert warm / cold / law == pytest.approx((1.0 + 5.0 * per_k) / (1.0 - 5.0 * per_k), abs=1e-3)


@pytest.mark.parametrize(
    ("channel", "step"), [("voltage_v", 0.001), ("temperature_c", 0.1), ("internal_resistance_mohm", 0.01)]
)
def test_readings_have_the_resolution_of_their_sensor(channel: str, step: float) -> None:
    steps = getattr(read(true_rows()), channel).astype(np.float64) / step
    np.testing.assert_allclose(steps, np.round(steps), atol=2e-3)


def test_resistance_is_nan_unless_it_was_measured_and_rises_when_cold() -> None:
    assert np.isnan(read(true_rows(), ohmic=False).internal_resistance_mohm).all()
    cold, warm = (read(true_rows(temperature_c=c)).internal_resistance_mohm.mean() for c in (15.0, 35.0))
    assert cold / warm == pytest.approx(np.exp(0.16), rel=0.06)


def test_hall_sensor_is_blind_to_the_float_current_and_the_probe_saturates() -> None:
    floating, working = read(true_rows()), read(true_rows(current_a=-74.0))
    assert (floating.current_a == 0.0).all()
    assert floating.float_current_ma.mean() == pytest.approx(40.0, abs=8.0)
    assert working.current_a.mean() == pytest.approx(-74.4, abs=0.2)
    assert (working.float_current_ma == -sensors.PROBE_RANGE_MA).all()


def test_string_voltage_is_about_the_sum_of_its_blocks() -> None:
    seen = read(true_rows())
    total = seen.voltage_v.astype(np.float64).sum(axis=1)
    assert np.abs(seen.string_voltage_v / total - 1.0).max() < 0.003


def test_another_seed_is_another_device() -> None:
    assert not np.array_equal(read(true_rows()).voltage_v, read(true_rows(), seed=2).voltage_v)
    np.testing.assert_array_equal(read(true_rows()).voltage_v, read(true_rows()).voltage_v)
