import numpy as np
import pytest

from battery_twin.arrays import FloatArray
from battery_twin.identification.design import Dynamics, Trace, choose_rows, first_order_lag, hat_weights, surface_soc
from battery_twin.runs import RecordedRun
from tests.identification.simple_runs import RATED_AH, simple_run

KNOTS = np.array([0.0, 0.1, 0.4, 1.0])
DYNAMICS = Dynamics(tau1_s=1.5, tau2_s=300.0, knee_a=2.0, tau_d_s=1200.0, depletion_h=0.25)


def surface(run: RecordedRun, capacity_ah: float = RATED_AH) -> FloatArray:
    """Return how far the acid at the plates is below that of the block (m,)."""
    trace = Trace(run, np.arange(len(run)), run.charge_ah, RATED_AH, capacity_ah)
    soc = 1.0 + run.charge_ah / capacity_ah
    return soc - surface_soc(trace, soc, DYNAMICS)


def test_a_lasting_discharge_depletes_the_plates_in_proportion_to_its_rate() -> None:
    for c_rate in (0.05, 0.1, 0.2):
        below = surface(simple_run((0.5, 0.0), (4.0, -c_rate * RATED_AH)))
        assert below[:30] == pytest.approx(0.0)
        assert below[-1] == pytest.approx(DYNAMICS.depletion_h * c_rate, rel=0.01)
        assert (np.diff(below) >= 0).all()


def test_a_small_capacity_is_depleted_more() -> None:
    run = simple_run((4.0, -10.0))
    assert surface(run, RATED_AH / 2) == pytest.approx(2 * surface(run))


def test_a_rest_restores_the_plates_with_the_time_constant_of_diffusion() -> None:
    below = surface(simple_run((3.0, -20.0), (3.0, 0.0)))
    rest = below[181:]
    assert rest == pytest.approx(rest[0] * np.exp(-60.0 * np.arange(len(rest)) / DYNAMICS.tau_d_s), abs=1e-6)


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
