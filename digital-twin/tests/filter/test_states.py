from dataclasses import replace

import numpy as np
import pytest

from battery_twin.circuit.data_sheet import data_sheet_parameters
from battery_twin.filter.circuit_table import CAPACITY_BIAS_SD, CircuitTable
from battery_twin.filter.states import CapacityPrior, FilterStates, summarise
from battery_twin.kernel import constants, layout

SHEET = data_sheet_parameters(120.0)
CALIBRATED = replace(SHEET, calibrated=True, capacity_ah=132.0, capacity_sd_ah=2.0)
CIRCUITS = CircuitTable.of([SHEET, CALIBRATED])
PRIOR = CapacityPrior(np.array([0.0, -0.1]), np.array([0.1, 0.05]))


def started(floats: list[bool]) -> FilterStates:
    states = FilterStates.empty(2)
    states.start(
        np.array([True, True]), CIRCUITS, np.array([0, 1]), PRIOR,
        soc=0.9, soc_sd=0.1, floats=np.array(floats), voltage_v=np.array([13.6, 12.7]),
        current_a=np.array([0.1, -5.0]), temperature_c=np.array([25.0, 30.0]),
    )  # fmt: skip
    return states


def test_rows_have_every_parameter_at_its_index() -> None:
    row = CIRCUITS.rows[1]
    assert row.shape == (layout.PARAMETER_SIZE,)
    assert row[layout.OCV : layout.R0] == pytest.approx(CALIBRATED.ocv_v)
    for start, stop, table in (
        (layout.R0, layout.R1, CALIBRATED.r0_ohm),
        (layout.R1, layout.R2, CALIBRATED.r1_ohm),
        (layout.R2, layout.CAPACITY_AH, CALIBRATED.r2_ohm),
    ):
        assert row[start:stop] == pytest.approx(table)
    assert row[layout.R2_MID] == CALIBRATED.r2_ohm[list(layout.RESISTANCE_KNOTS).index(0.4)]
    assert (row[layout.CAPACITY_AH], row[layout.RATED_AH]) == (132.0, 120.0)
    assert row[layout.RESISTANCE_PRIOR_VAR] == pytest.approx(CALIBRATED.resistance_relative_sd**2)
    assert np.isfinite(CIRCUITS.rows).all()


def test_a_calibrated_circuit_is_more_certain_than_a_data_sheet() -> None:
    assert CIRCUITS.capacity_bias_sd[1] < CIRCUITS.capacity_bias_sd[0]
    assert CIRCUITS.capacity_bias_sd[1] == pytest.approx(np.hypot(CAPACITY_BIAS_SD, 2.0 / 132.0))
    assert CIRCUITS.capacity_share.tolist() == pytest.approx([1.0, 1.1])


def test_a_block_on_float_starts_uninformative_and_another_does_not() -> None:
    states = started([True, False])
    assert states.memory[:, layout.UNINFORMATIVE].tolist() == [1.0, 0.0]
    assert states.memory[:, layout.DRAWN_AH].tolist() == pytest.approx([0.0, constants.SURFACE_SHARE * 120.0])
    assert states.covariance[0, layout.ERROR, layout.ERROR] == pytest.approx(constants.CHARGE_ERROR_SD_V**2)
    assert states.covariance[1, layout.ERROR, layout.ERROR] < 0.1 * constants.CHARGE_ERROR_SD_V**2
    assert states.mean[:, layout.LOG_Q].tolist() == [0.0, -0.1]


def test_blocks_outside_the_mask_keep_their_state() -> None:
    states, before = started([True, False]), started([True, False])
    states.start(
        np.array([True, False]), CIRCUITS, np.array([0, 1]), PRIOR,
        soc=0.5, soc_sd=0.3, floats=np.array([False, False]), voltage_v=np.array([12.0, 12.0]),
        current_a=np.zeros(2), temperature_c=np.full(2, 25.0),
    )  # fmt: skip
    assert states.mean[:, layout.SOC].tolist() == [0.5, 0.9]
    for name in ("mean", "covariance", "memory"):
        assert np.array_equal(getattr(states, name)[1], getattr(before, name)[1])


def test_an_exact_filter_still_leaves_the_error_of_the_circuit() -> None:
    out = np.zeros((2, layout.OUT_SIZE))
    out[:, layout.OUT_LOG_Q] = PRIOR.log_q
    exact = summarise(out, CIRCUITS, np.array([0, 1]), PRIOR)
    bias, prior = CIRCUITS.capacity_bias_sd, PRIOR.sd
    assert exact.soh_sd / exact.soh == pytest.approx(bias * prior / np.hypot(bias, prior))
    assert exact.soh == pytest.approx(CIRCUITS.capacity_share * np.exp(PRIOR.log_q))
    assert (exact.soc_sd > 0).all()
    out[:, layout.OUT_LOG_Q_VAR] = prior**2 + bias**2
    # With the variance that the filter starts from, the prior of the capacity itself comes out.
    assert summarise(out, CIRCUITS, np.array([0, 1]), PRIOR).soh_sd / exact.soh == pytest.approx(prior)
