"""Hashed noise: normal, independent, and a function of sensor and instant alone."""

import numpy as np
from scipy import stats

from battery_synth.sensing.noise import QUANTILES, bits, keys, normal


def draw(count: int, channel: int, key: np.uint64 | None = None) -> np.ndarray:
    own = keys(1, ["sensor"], "noise")[0] if key is None else key
    return np.array([normal(np.uint64(bits(own, np.int64(tick))), channel) for tick in range(count)])


def test_quantiles_are_those_of_the_normal_distribution() -> None:
    middles = (np.arange(65_536) + 0.5) / 65_536
    np.testing.assert_allclose(QUANTILES, stats.norm.ppf(middles), rtol=1e-5, atol=1e-7)


def test_noise_is_normal_in_every_channel() -> None:
    for channel in range(4):
        values = draw(20_000, channel)
        assert stats.kstest(values, "norm").pvalue > 1e-3
        assert abs(np.corrcoef(values[1:], values[:-1])[0, 1]) < 0.03


def test_channels_and_sensors_are_independent() -> None:
    one, other = keys(1, ["a", "b"], "noise")
    columns = np.array([draw(20_000, channel, key) for key in (one, other) for channel in range(4)])
    correlation = np.corrcoef(columns) - np.eye(8)
    assert np.abs(correlation).max() < 0.035


def test_same_name_same_noise_whoever_else_is_asked() -> None:
    alone, among = keys(7, ["x"], "noise"), keys(7, ["a", "x", "b"], "noise")
    assert alone[0] == among[1]
    assert keys(8, ["x"], "noise")[0] != alone[0]
    assert keys(7, ["x"], "other")[0] != alone[0]
