"""Blocks that obey the filter's own model exactly, noise and all: what its stated uncertainty must hold for."""

from dataclasses import dataclass, replace

import numpy as np

from battery_twin.filter import kernel
from battery_twin.filter.blocks import Blocks, CapacityPrior, say
from battery_twin.filter.circuits import Circuits
from battery_twin.identification.parameter_set import ParameterSet

from .slow_block import SlowBlock

KNOWN = replace(
    ParameterSet.default_for(120.0),
    calibrated=True,
    ocv_shift_sd_v=0.01,
    resistance_relative_sd=0.05,
    voltage_rmse_v=0.005,
)
CELSIUS = 25.0
CAPACITY_SD = 0.05


@dataclass(frozen=True)
class Outcome:
    """Of each block at the end (n,): normalised errors, and capacity's error in its stated deviations.

    And normalised innovations of each step (n, steps).
    """

    nees: np.ndarray
    nis: np.ndarray
    capacity_z: np.ndarray


def filtered(blocks: int, steps: int, amps: float, dt_s: float, seed: int) -> Outcome:
    """Draw the truth of each block from what the filter believes at first, let it move, and filter it."""
    rng = np.random.default_rng(seed)
    nees, nis, capacity_z = np.empty(blocks), np.empty((blocks, steps)), np.empty(blocks)
    circuits, which = Circuits.of([KNOWN]), np.zeros(1, np.int64)
    prior = CapacityPrior(np.zeros(1), np.full(1, CAPACITY_SD))
    for block in range(blocks):
        state = Blocks.empty(1)
        state.begin(
            np.ones(1, bool), circuits, which, prior,
            soc=0.85, soc_sd=0.04, floats=np.zeros(1, bool), voltage_v=np.full(1, 12.7), current_a=np.full(1, amps),
            temperature_c=np.full(1, CELSIUS),
        )  # fmt: skip
        truth = SlowBlock(
            known=KNOWN,
            x=state.mean[0] + np.linalg.cholesky(state.covariance[0]) @ rng.standard_normal(7),
            p=np.eye(7),
            volts=12.7,
            amps=amps,
            drawn_ah=1e3,
            is_open=False,
            settled=(0.0, 1.0),
        )
        rows = np.zeros((steps, kernel.IN_SIZE))
        rows[0, kernel.IN_NEW], rows[:, kernel.IN_DT_S] = 1.0, dt_s
        rows[:, kernel.IN_CURRENT_A], rows[:, kernel.IN_TEMPERATURE_C] = amps, CELSIUS
        rows[:, kernel.IN_RESISTANCE_MOHM] = np.nan
        for step in range(steps):
            if step:
                after, _, true, moved, per_amp = truth.motion(amps, dt_s, CELSIUS)
                noise = truth.noise(amps, dt_s, true, moved, per_amp)
                truth.x = after + np.sqrt(np.diag(noise)) * rng.standard_normal(7)
            expected, _ = truth.sight(amps, CELSIUS)
            rows[step, kernel.IN_VOLTAGE_V] = expected + rng.normal(0, np.hypot(0.008, KNOWN.voltage_rmse_v))
        out = np.empty((steps, kernel.OUT_SIZE))
        kernel.along(circuits.rows[0], rows, state.mean[0], state.covariance[0], state.memory[0], out)
        error = truth.x - state.mean[0]
        nees[block] = error @ np.linalg.solve(state.covariance[0], error)
        # What the circuit shows is capacity times an error of its own that no discharge can tell from it.
        capacity, wrong = CAPACITY_SD**2, float(circuits.capacity_bias_sd[0]) ** 2
        share = capacity / (capacity + wrong)
        log_capacity = share * truth.x[kernel.LOG_Q] + np.sqrt(share * wrong) * rng.standard_normal()
        said = say(out[-1:], circuits, which, prior)
        capacity_z[block] = (np.log(said.soh[0]) - log_capacity) * said.soh[0] / said.soh_sd[0]
        nis[block] = (out[:, kernel.OUT_INNOVATION_V] / out[:, kernel.OUT_DEVIATION_V]) ** 2
    return Outcome(nees, nis, capacity_z)
