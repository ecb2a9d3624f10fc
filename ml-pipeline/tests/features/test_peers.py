"""Deviation from the string against its definition, and its resistance to one bad battery."""

import numpy as np
import pytest

from battery_ml.arrays import FloatArray
from battery_ml.features.days import Days
from battery_ml.features.history import DailyHistory
from battery_ml.features.peers import QUANTITIES, peer_deviation

COUNT, LENGTH = 24, 120


def string(**columns: FloatArray) -> DailyHistory:
    """Return one string of alike batteries whose voltage moves from day to day."""
    count = next((len(values) for values in columns.values()), COUNT)
    wobble = 0.001 * (np.arange(LENGTH) % 7)
    days = {"voltage_mean_v": 13.6 + np.tile(wobble, (count, 1))}
    days |= {name: values[:, None] + np.tile(0.0 * wobble, (count, 1)) for name, values in columns.items()}
    return DailyHistory(
        battery_ids=tuple(f"B{number}" for number in range(count)),
        string_ids=("S",) * count,
        days=days,
        age_days=np.full(count, 1000.0),
        rated_ah=np.full(count, 120.0),
        design_life_years=np.full(count, 10.0),
        baseline_resistance_mohm=np.full(count, 4.0),
    )


def test_it_is_the_distance_over_robust_spread_and_instrument_error() -> None:
    deviation_v = np.random.default_rng(1).normal(0.0, 0.03, COUNT)
    found = peer_deviation(Days(string(voltage_deviation_v=deviation_v)))
    distance = np.abs(deviation_v - np.median(deviation_v))
    expected = distance / np.hypot(1.4826 * np.median(distance), 0.010)
    np.testing.assert_allclose(found.sd, expected, rtol=1e-9)
    assert {QUANTITIES[slot] for slot in found.largest_of} == {"float_voltage"}


@pytest.mark.parametrize("distance_mohm", [0.4, 4.0, 40.0])
def test_a_bad_battery_does_not_hide_itself(distance_mohm: float) -> None:
    resistance = 4.0 + np.random.default_rng(2).normal(0.0, 0.02, COUNT)
    others = peer_deviation(Days(string(resistance_25c_mohm=resistance))).sd[1:]
    resistance[0] += distance_mohm
    found = peer_deviation(Days(string(resistance_25c_mohm=resistance)))
    assert found.sd[0] > 5.0
    assert QUANTITIES[found.largest_of[0]] == "resistance"
    np.testing.assert_allclose(found.sd[1:], others, atol=0.6)


def test_what_instruments_alone_can_make_is_no_deviation() -> None:
    alike = np.zeros(COUNT)
    alike[0] = 0.005
    assert peer_deviation(Days(string(voltage_deviation_v=alike))).sd[0] == pytest.approx(0.5)


def test_without_measurements_it_is_unknown() -> None:
    assert np.isnan(peer_deviation(Days(string())).sd).all()


def test_in_a_string_of_four_the_bad_battery_is_the_one_that_deviates() -> None:
    """A 48 V plant has four blocks; what is left of them after one is lost is still compared, two are not."""
    bad = 2
    resistance = 4.0 + np.array([0.02, -0.03, 1.2, 0.01])
    found = peer_deviation(Days(string(resistance_25c_mohm=resistance)))
    assert found.sd.argmax() == bad
    assert found.sd[bad] > 5.0
    assert (np.delete(found.sd, bad) < 2.0).all()
    # Relative to the mean of four, a block takes the others a third of the way to the other side.
    volts = np.array([13.60, 13.61, 13.30, 13.59])
    by_voltage = peer_deviation(Days(string(voltage_deviation_v=volts - volts.mean())))
    assert by_voltage.sd.argmax() == bad
    assert (np.delete(by_voltage.sd, bad) < 2.0).all()
    assert np.isfinite(peer_deviation(Days(string(resistance_25c_mohm=resistance * [1, 1, 1, np.nan]))).sd[:3]).all()
    lost = resistance * [1, 1, np.nan, np.nan]
    assert np.isnan(peer_deviation(Days(string(resistance_25c_mohm=lost))).sd).all()
