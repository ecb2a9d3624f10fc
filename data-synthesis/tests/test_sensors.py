import numpy as np
import pytest

from battery_synth.sensors import BlockSensors, StringSensors
from battery_synth.streams import keys, noise, stream

COUNT = 2000
NAMES = [f"BAT-{i}" for i in range(COUNT)]
ALL = np.arange(COUNT)


def test_noise_is_standard_normal_and_white() -> None:
    key = keys(1, NAMES, "x")
    values = np.array([noise(key, tick, 0) for tick in range(200)])
    assert values.mean() == pytest.approx(0.0, abs=0.01)
    assert values.std() == pytest.approx(1.0, abs=0.01)
    assert np.mean(values**4) == pytest.approx(3.0, abs=0.1)
    assert np.corrcoef(values[:-1].ravel(), values[1:].ravel())[0, 1] == pytest.approx(0.0, abs=0.01)
    assert np.corrcoef(values[:, :-1].ravel(), values[:, 1:].ravel())[0, 1] == pytest.approx(0.0, abs=0.01)
    channel = np.array([noise(key, tick, 1) for tick in range(200)])
    assert np.corrcoef(values.ravel(), channel.ravel())[0, 1] == pytest.approx(0.0, abs=0.01)


def test_streams_depend_on_seed_and_every_part_of_the_name() -> None:
    first = stream(1, "a", "b").standard_normal()
    assert first == stream(1, "a", "b").standard_normal()
    assert len({first, *(stream(*name).standard_normal() for name in ((2, "a", "b"), (1, "ab"), (1, "b", "a")))}) == 4


def test_block_voltage_has_gain_error_noise_and_resolution() -> None:
    sensors = BlockSensors.of(1, NAMES)
    readings = np.array([sensors.voltage_v(np.full(COUNT, 13.65), ALL, tick) for tick in range(60)])
    assert readings.mean(axis=0).std() / 13.65 == pytest.approx(0.0015, rel=0.1)
    assert (readings - readings.mean(axis=0)).std() == pytest.approx(0.005, rel=0.1)
    assert readings * 1e3 == pytest.approx(np.round(readings * 1e3), abs=1e-6)


def test_temperature_has_its_own_offset_and_tenths() -> None:
    sensors = BlockSensors.of(1, NAMES)
    readings = np.array([sensors.temperature_c(np.full(COUNT, 25.0), ALL, tick) for tick in range(60)])
    assert readings.mean(axis=0).std() == pytest.approx(0.5, rel=0.1)
    assert readings * 10 == pytest.approx(np.round(readings * 10), abs=1e-6)


def test_resistance_repeats_within_a_percent() -> None:
    sensors = BlockSensors.of(1, NAMES)
    readings = np.array([sensors.resistance_mohm(np.full(COUNT, 3.5), ALL, tick) for tick in range(60)])
    assert readings.std() / 3.5 == pytest.approx(0.01, rel=0.1)
    assert readings * 100 == pytest.approx(np.round(readings * 100), abs=1e-6)


def test_hall_sensor_is_blind_to_float_and_the_probe_to_discharge() -> None:
    sensors = StringSensors.of(1, NAMES)
    assert not sensors.current_a(np.full(COUNT, 0.06), ALL, 5).any()
    assert sensors.current_a(np.full(COUNT, -74.0), ALL, 5) == pytest.approx(-74.4, abs=0.2)
    assert sensors.float_current_ma(np.full(COUNT, 0.045), ALL, 5) == pytest.approx(45.0, abs=15.0)
    assert (sensors.float_current_ma(np.full(COUNT, -74.0), ALL, 5) == -2000.0).all()
