import numpy as np
import pytest

from battery_twin.identification.design import choose_rows, first_order_lag, hat_weights
from battery_twin.runs import RecordedRun

KNOTS = np.array([0.0, 0.1, 0.4, 1.0])


def test_hat_weights_interpolate_linearly_and_are_constant_outside() -> None:
    value, table = np.linspace(-0.2, 1.2, 57), np.array([3.0, 1.0, 4.0, 1.5])
    weights = hat_weights(KNOTS, value)
    assert weights.sum(axis=1) == pytest.approx(1.0)
    assert weights @ table == pytest.approx(np.interp(value, KNOTS, table))


def test_the_lag_is_the_same_for_even_steps_as_for_nearly_even_ones() -> None:
    drive = np.random.default_rng(1).normal(0, 1, (50, 3))
    even = np.full(50, 10.0)
    nearly = even + np.where(np.arange(50) % 2, 1e-4, -1e-4)
    assert first_order_lag(drive, even, 30.0) == pytest.approx(first_order_lag(drive, nearly, 30.0), abs=1e-4)


def test_thinned_rows_keep_the_steps_of_current() -> None:
    current_a = np.zeros(5000)
    current_a[2000:2010] = -30.0
    run = RecordedRun(np.arange(5000.0), current_a, np.full(5000, 12.5), np.full(5000, 25.0))
    rows = choose_rows(run, np.ones(5000, bool), 200)
    assert len(rows) <= 200
    assert set(range(1999, 2015)) <= set(rows.tolist())
    assert np.array_equal(choose_rows(run, np.arange(5000) < 50, 200), np.arange(50))
