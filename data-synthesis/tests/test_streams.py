"""Named streams: a function of seed and name, independent of order and company, and normal where they claim to be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from battery_synth.streams import keys, noise, stream

names = st.text(min_size=1, max_size=20)
seeds = st.integers(0, 2**63 - 1)


@given(seed=seeds, name=names)
def test_a_name_gives_the_same_numbers_whatever_was_drawn_before(seed: int, name: str) -> None:
    first = stream(seed, "other", name).random(3)
    again = stream(seed, name).random(3)
    np.testing.assert_array_equal(stream(seed, name).random(3), again)
    assert not np.array_equal(first, again)


@given(seed=seeds, name=names)
def test_seed_parts_and_types_of_a_name_all_count(seed: int, name: str) -> None:
    draws = {stream(*parts).random() for parts in ((seed, name), (seed + 1, name), (seed, name, 1), (seed, name, "1"))}
    assert len(draws) == 4


@given(seed=seeds, several=st.lists(names, min_size=1, max_size=8, unique=True))
def test_keys_belong_to_their_names_and_not_to_their_order(seed: int, several: list[str]) -> None:
    forward, backward = keys(seed, several, "x"), keys(seed, several[::-1], "x")
    np.testing.assert_array_equal(forward, backward[::-1])
    assert len(set(forward.tolist())) == len(several)
    assert not np.isin(forward, keys(seed, several, "y")).any()


def test_noise_is_standard_normal_over_sensors_and_over_time() -> None:
    sensors = keys(1, [f"S{number}" for number in range(5000)], "noise")
    over_sensors = noise(sensors, 7, 0)
    over_time = np.concatenate([noise(sensors[:1], tick, 0) for tick in range(5000)])
    for values in (over_sensors, over_time):
        assert stats.kstest(values, "norm").pvalue > 1e-3
    assert abs(np.corrcoef(over_time[1:], over_time[:-1])[0, 1]) < 0.05
    assert abs(np.corrcoef(over_sensors, noise(sensors, 7, 1))[0, 1]) < 0.05
    assert abs(np.corrcoef(over_sensors, noise(sensors, 8, 0))[0, 1]) < 0.05


@given(tick=st.integers(0, 2**40), channel=st.integers(0, 7), first=st.integers(0, 9))
def test_noise_of_a_sensor_does_not_depend_on_the_others(tick: int, channel: int, first: int) -> None:
    sensors = keys(3, [f"S{number}" for number in range(10)], "noise")
    everyone = noise(sensors, tick, channel)
    assert np.isfinite(everyone).all()
    assert noise(sensors[first : first + 1], tick, channel)[0] == pytest.approx(everyone[first], abs=0.0)
