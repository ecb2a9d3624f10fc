import numpy as np
import pytest

from battery_twin.circuit.data_sheet import data_sheet_parameters
from battery_twin.circuit.slow_branch import slow_drive_a


def test_resistance_is_inversely_proportional_to_capacity_and_voltage_independent_of_it() -> None:
    small, large = data_sheet_parameters(30.0), data_sheet_parameters(120.0)
    assert small.ocv_v == large.ocv_v
    for name in ("r0_ohm", "r1_ohm", "r2_ohm"):
        assert getattr(small, name) == pytest.approx(4.0 * np.array(getattr(large, name)))
    assert (small.knee_a, small.capacity_sd_ah) == pytest.approx((large.knee_a / 4, large.capacity_sd_ah / 4))
    assert not small.calibrated


def test_resistance_rises_towards_empty_and_voltage_towards_full() -> None:
    params = data_sheet_parameters(120.0)
    assert (np.diff(params.ocv_v) > 0).all()
    assert (np.diff(params.r0_ohm) < 0).all()
    assert params.r0_ohm[0] == pytest.approx(1.4 * params.r0_ohm[-1])


def test_the_slow_branch_saturates_above_its_knee_and_is_exact_at_the_ten_hour_current() -> None:
    drive = slow_drive_a(np.array([-12.0, 0.0, 12.0, 120.0]), 120.0, 2.4)
    assert drive[:3] == pytest.approx([-12.0, 0.0, 12.0])
    assert 12.0 < drive[3] < 30.0
