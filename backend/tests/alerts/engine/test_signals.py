import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from battery_api.alerts.engine.signals import MIN_COMPARED, battery_signals, location_signals, string_reference

MINUTE_US = 60_000_000


def test_one_dead_block_does_not_accuse_its_neighbours() -> None:
    voltage_v = np.full(24, 13.65)
    voltage_v[5] = 0.0
    string, time_us = np.zeros(24, np.int64), np.zeros(24, np.int64)
    unknown = np.full(24, np.nan)
    signals = battery_signals(
        {"voltage_v": voltage_v}, string=string, time_us=time_us, room_c=unknown, drift_pct=unknown
    )
    assert signals["voltage_vs_string_v"][5] == -13.65
    assert np.all(np.delete(signals["voltage_spread_v"], 5) == 0.0)
    assert np.isnan(signals["temperature_over_room_c"]).all()


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 2), st.one_of(st.floats(-5, 20), st.just(float("nan")))),
        max_size=60,
    )
)
def test_reference_is_the_median_of_the_string_at_that_instant(rows: list[tuple[int, int, float]]) -> None:
    string = np.array([row[0] for row in rows], np.int64)
    # Instants lie a quarter of an hour apart, so that no two fall into the same minute.
    time_us = np.array([row[1] * 15 * MINUTE_US for row in rows], np.int64)
    value = np.array([row[2] for row in rows], np.float64)
    reference = string_reference(value, string, time_us)
    for at in range(len(rows)):
        same = (string == string[at]) & (time_us == time_us[at]) & ~np.isnan(value)
        if np.isnan(value[at]) or same.sum() < MIN_COMPARED:
            assert np.isnan(reference[at])
        else:
            np.testing.assert_allclose(reference[at], np.median(value[same]))


def test_blocks_read_one_after_another_are_compared_within_the_minute() -> None:
    value = np.array([13.6, 13.7, 13.6, 13.7, 11.5])
    time_us = np.arange(5) * 2_000_000
    reference = string_reference(value, np.zeros(5, np.int64), time_us)
    np.testing.assert_allclose(reference, 13.6)


def test_too_few_blocks_are_not_compared() -> None:
    assert np.isnan(string_reference(np.array([13.6, 1.0]), np.zeros(2, np.int64), np.zeros(2, np.int64))).all()


def test_mains_and_room_of_a_location() -> None:
    signals = location_signals({"mains": np.array([1.0, 0.0, np.nan])}, 3, hvac_loss=np.array([0.0, 2.0, np.nan]))
    np.testing.assert_array_equal(signals["mains_lost"], [0.0, 1.0, np.nan])
    assert np.isnan(signals["room_c"]).all()
