"""The stated uncertainty is right for blocks of the filter's own model, and covers blocks that differ from it."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import chi2

from battery_twin.circuit.parameter_set import ParameterSet
from battery_twin.kernel import layout
from battery_twin.replay import replay
from battery_twin.runs import RecordedRun
from tests.matched_model import PARAMS, filtered

INSIDE_90 = 1.645


@pytest.mark.parametrize(("current_a", "dt_s", "seed"), [(-60.0, 10.0, 1), (-25.0, 30.0, 2)])
def test_errors_and_innovations_are_as_large_as_stated(current_a: float, dt_s: float, seed: int) -> None:
    blocks, steps = 80, 120
    estimates = filtered(blocks, steps, current_a, dt_s, seed)
    low, high = chi2.ppf([0.025, 0.975], layout.STATE_SIZE * blocks) / blocks
    assert low < estimates.nees.mean() < high
    # The noises grow with what the innovations show and never shrink, so the latter are a little smaller than stated.
    high = chi2.ppf(0.975, blocks * (steps - 1)) / (blocks * (steps - 1))
    assert 0.93 < estimates.nis[:, 1:].mean() < high


def outage(
    params: ParameterSet, *, soh: float, rng: np.random.Generator, minutes: float = 30.0
) -> tuple[RecordedRun, np.ndarray]:
    """Return a minute of rest and a discharge at about 0.6 C by the circuit, and the true state of charge."""
    dt, c = 5.0, params.rated_ah
    steps = int((60 + minutes * 60) / dt)
    current_a = np.where(np.arange(steps) * dt < 60, 0.0, -0.6 * c * rng.uniform(0.8, 1.2))
    soc = 1.0 + np.cumsum(current_a) * dt / 3600 / (params.capacity_ah * soh)
    v1 = v2 = depletion = 0.0
    voltage_v = np.empty(steps)
    knots = np.array([0.0, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0])
    scale_a = 0.1 * c / np.arcsinh(0.1 * c / params.knee_a)
    for step in range(steps):
        lasting = params.depletion_h * current_a[step] / (params.capacity_ah * soh)
        depletion += (1 - np.exp(-dt / params.tau_d_s)) * (lasting - depletion)
        surface = soc[step] + depletion
        r0, r1, r2 = (np.interp(surface, knots, ohm) for ohm in (params.r0_ohm, params.r1_ohm, params.r2_ohm))
        v1 += (1 - np.exp(-dt / params.tau1_s)) * (r1 * current_a[step] - v1)
        v2 += (1 - np.exp(-dt / params.tau2_s)) * (r2 * scale_a * np.arcsinh(current_a[step] / params.knee_a) - v2)
        ocv = np.interp(surface, [0, 0.05, *np.arange(0.1, 1.0, 0.1), 0.95, 1.0], params.ocv_v)
        voltage_v[step] = ocv + r0 * current_a[step] + v1 + v2
    voltage_v += rng.normal(0, 0.005, steps)
    return RecordedRun(dt * np.arange(steps, dtype=np.float64), current_a + 0.2, voltage_v, np.full(steps, 25.0)), soc


def test_charge_within_three_points_through_wrong_start_bias_and_noise() -> None:
    rng = np.random.default_rng(11)
    errors, counted = [], []
    for _ in range(60):
        run, soc = outage(PARAMS, soh=rng.uniform(0.85, 1.02), rng=rng)
        estimates = replay(run, PARAMS, 0.8)
        errors.append(estimates.soc[-1] - soc[-1])
        counted.append(0.8 + run.charge_ah[-1] / PARAMS.capacity_ah - soc[-1])
    assert np.sqrt(np.mean(np.square(errors))) < 0.03
    assert np.sqrt(np.mean(np.square(counted))) > 0.15


def test_capacity_is_inside_its_interval_as_often_as_stated() -> None:
    estimates = filtered(240, 240, -60.0, 10.0, 3)
    assert 0.85 <= np.mean(np.abs(estimates.capacity_z) < INSIDE_90) <= 0.95


@pytest.mark.parametrize("minutes", [20.0, 40.0])
def test_capacity_of_blocks_unlike_the_set_is_inside_at_least_as_often(minutes: float) -> None:
    """Each block differs from the set in capacity, curve and resistance, but keeps the set's equations."""
    rng = np.random.default_rng(int(minutes))
    inside = []
    for _ in range(240):
        curve = np.array(PARAMS.ocv_v)
        stretch = 1 + rng.normal(0, 0.03)
        curve = curve[-1] - (curve[-1] - curve) * stretch + rng.normal(0, PARAMS.ocv_shift_sd_v)
        scale = np.exp(rng.normal(0, PARAMS.resistance_relative_sd))
        r0_ohm, r1_ohm, r2_ohm = (tuple(scale * np.array(ohm)) for ohm in (PARAMS.r0_ohm, PARAMS.r1_ohm, PARAMS.r2_ohm))
        block = replace(PARAMS, ocv_v=tuple(curve), r0_ohm=r0_ohm, r1_ohm=r1_ohm, r2_ohm=r2_ohm)
        soh = np.exp(rng.normal(0, np.hypot(0.08, PARAMS.capacity_sd_ah / PARAMS.capacity_ah)))
        run, _ = outage(block, soh=soh, rng=rng, minutes=minutes)
        estimates = replay(run, PARAMS, 0.9)
        inside.append(
            abs(estimates.soh[-1] - soh * PARAMS.capacity_ah / PARAMS.rated_ah) < INSIDE_90 * estimates.soh_sd[-1]
        )
    assert np.mean(inside) >= 0.85
