"""Blocks simulated by the filter's own model, noise included: its stated uncertainty must be exact for them."""

from dataclasses import dataclass, replace

import numpy as np

from battery_twin.circuit.data_sheet import data_sheet_parameters
from battery_twin.filter.circuit_table import CircuitTable
from battery_twin.filter.states import CapacityPrior, FilterStates, summarise
from battery_twin.kernel import ekf, layout
from tests.reference_filter import ReferenceFilter

PARAMS = replace(
    data_sheet_parameters(120.0),
    calibrated=True,
    ocv_shift_sd_v=0.01,
    resistance_relative_sd=0.05,
    polarisation_relative_sd=0.05,
    depletion_relative_sd=0.05,
    voltage_error_sd_v=0.03,
    voltage_rmse_v=0.005,
)
CELSIUS = 25.0
CAPACITY_SD = 0.05


@dataclass(frozen=True)
class Outcome:
    """NEES of each block at the end (n,), NIS of each step (n, steps), capacity errors in stated deviations (n,)."""

    nees: np.ndarray
    nis: np.ndarray
    capacity_z: np.ndarray


def filtered(blocks: int, steps: int, amps: float, dt_s: float, seed: int) -> Outcome:
    """Draw the true state of each block from the filter's initial distribution, simulate it and filter it."""
    rng = np.random.default_rng(seed)
    nees, nis, capacity_z = np.empty(blocks), np.empty((blocks, steps)), np.empty(blocks)
    circuits, which = CircuitTable.of([PARAMS]), np.zeros(1, np.int64)
    # An extended filter is exact for small deviations alone: charge times strength is a product of two states.
    circuits.rows[0, layout.ACID_PRIOR_VAR] = 0.02**2
    prior = CapacityPrior(np.zeros(1), np.full(1, CAPACITY_SD))
    for block in range(blocks):
        state = FilterStates.empty(1)
        state.start(
            np.ones(1, bool), circuits, which, prior,
            soc=0.85, soc_sd=0.04, floats=np.zeros(1, bool), voltage_v=np.full(1, 12.7), current_a=np.full(1, amps),
            temperature_c=np.full(1, CELSIUS),
        )  # fmt: skip
        truth = ReferenceFilter(
            params=PARAMS,
            x=state.mean[0] + np.linalg.cholesky(state.covariance[0]) @ rng.standard_normal(11),
            p=np.eye(11),
            volts=12.7,
            amps=amps,
            drawn_ah=1e3,
            uninformative=False,
            settled=(0.0, 1.0),
        )
        rows = np.zeros((steps, layout.IN_SIZE))
        rows[0, layout.IN_NEW], rows[:, layout.IN_DT_S] = 1.0, dt_s
        rows[:, layout.IN_CURRENT_A], rows[:, layout.IN_TEMPERATURE_C] = amps, CELSIUS
        rows[:, layout.IN_RESISTANCE_MOHM] = np.nan
        for step in range(steps):
            if step:
                after, _, true, moved, per_amp = truth.transition(amps, dt_s, CELSIUS)
                noise = truth.process_noise(amps, dt_s, true, moved, per_amp)
                truth.x = after + np.sqrt(np.diag(noise)) * rng.standard_normal(11)
            expected, _ = truth.predicted_voltage(amps, CELSIUS)
            rows[step, layout.IN_VOLTAGE_V] = expected + rng.normal(0, np.hypot(0.008, PARAMS.voltage_rmse_v))
        out = np.empty((steps, layout.OUT_SIZE))
        ekf.filter_run(circuits.rows[0], rows, state.mean[0], state.covariance[0], state.memory[0], out)
        error = truth.x - state.mean[0]
        nees[block] = error @ np.linalg.solve(state.covariance[0], error)
        # The circuit shows the product of capacity and an error of its own; no discharge separates the two.
        capacity_var, circuit_var = CAPACITY_SD**2, float(circuits.capacity_bias_sd[0]) ** 2
        share = capacity_var / (capacity_var + circuit_var)
        log_capacity = share * truth.x[layout.LOG_Q] + np.sqrt(share * circuit_var) * rng.standard_normal()
        output = summarise(out[-1:], circuits, which, prior)
        capacity_z[block] = (np.log(output.soh[0]) - log_capacity) * output.soh[0] / output.soh_sd[0]
        nis[block] = (out[:, layout.OUT_INNOVATION_V] / out[:, layout.OUT_INNOVATION_SD_V]) ** 2
    return Outcome(nees, nis, capacity_z)
