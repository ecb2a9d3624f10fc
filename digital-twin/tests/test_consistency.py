"""The stated uncertainty holds on blocks that obey the filter's own model, and on blocks that nearly do."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import chi2

from battery_twin.identification.parameter_set import ParameterSet
from battery_twin.replay import replay
from battery_twin.runs import Run

from .matched import KNOWN, filtered

INSIDE_90 = 1.645


@pytest.mark.parametrize(("amps", "dt_s", "seed"), [(-60.0, 10.0, 1), (-25.0, 30.0, 2)])
def test_errors_and_innovations_are_as_large_as_stated(amps: float, dt_s: float, seed: int) -> None:
    blocks, steps = 80, 120
    found = filtered(blocks, steps, amps, dt_s, seed)
    low, high = chi2.ppf([0.025, 0.975], 7 * blocks) / blocks
    assert low < found.nees.mean() < high
    low, high = chi2.ppf([0.025, 0.975], blocks * (steps - 1)) / (blocks * (steps - 1))
    assert low < found.nis[:, 1:].mean() < high


def outage(
    known: ParameterSet, *, soh: float, rng: np.random.Generator, minutes: float = 30.0
) -> tuple[Run, np.ndarray]:
    """Return a rest of a minute and a discharge at 0.6 C as the circuit has it, and the true state of charge."""
    dt, c = 5.0, known.rated_ah
    steps = int((60 + minutes * 60) / dt)
    amps = np.where(np.arange(steps) * dt < 60, 0.0, -0.6 * c * rng.uniform(0.8, 1.2))
    soc = 1.0 + np.cumsum(amps) * dt / 3600 / (known.capacity_ah * soh)
    v1 = v2 = 0.0
    volts = np.empty(steps)
    knots = np.array([0.0, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0])
    scale_a = 0.1 * c / np.arcsinh(0.1 * c / known.knee_a)
    for step in range(steps):
        r0, r1, r2 = (np.interp(soc[step], knots, ohm) for ohm in (known.r0_ohm, known.r1_ohm, known.r2_ohm))
        v1 += (1 - np.exp(-dt / known.tau1_s)) * (r1 * amps[step] - v1)
        v2 += (1 - np.exp(-dt / known.tau2_s)) * (r2 * scale_a * np.arcsinh(amps[step] / known.knee_a) - v2)
        ocv = np.interp(soc[step], [0, 0.05, *np.arange(0.1, 1.0, 0.1), 0.95, 1.0], known.ocv_v)
        volts[step] = ocv + r0 * amps[step] + v1 + v2
    volts += rng.normal(0, 0.005, steps)
    return Run(dt * np.arange(steps), amps + 0.2, volts, np.full(steps, 25.0)), soc


def test_charge_within_three_points_through_wrong_start_bias_and_noise() -> None:
    rng = np.random.default_rng(11)
    errors, counted = [], []
    for _ in range(60):
        run, soc = outage(KNOWN, soh=rng.uniform(0.85, 1.02), rng=rng)
        found = replay(run, KNOWN, 0.8)
        errors.append(found.soc[-1] - soc[-1])
        counted.append(0.8 + run.charge_ah[-1] / KNOWN.capacity_ah - soc[-1])
    assert np.sqrt(np.mean(np.square(errors))) < 0.03
    assert np.sqrt(np.mean(np.square(counted))) > 0.15


def test_capacity_is_inside_its_interval_as_often_as_promised() -> None:
    found = filtered(240, 240, -60.0, 10.0, 3)
    assert 0.85 <= np.mean(np.abs(found.capacity_z) < INSIDE_90) <= 0.95


@pytest.mark.parametrize("minutes", [20.0, 40.0])
def test_capacity_of_blocks_unlike_the_set_is_inside_at_least_as_often(minutes: float) -> None:
    """Each block differs from the set in capacity, curve and resistance, but keeps the set's equations."""
    rng = np.random.default_rng(int(minutes))
    inside = []
    for _ in range(240):
        curve = np.array(KNOWN.ocv_v)
        stretch = 1 + rng.normal(0, 0.03)
        curve = curve[-1] - (curve[-1] - curve) * stretch + rng.normal(0, KNOWN.ocv_shift_sd_v)
        scale = np.exp(rng.normal(0, KNOWN.resistance_relative_sd))
        tables = {name: tuple(scale * np.array(getattr(KNOWN, name))) for name in ("r0_ohm", "r1_ohm", "r2_ohm")}
        block = replace(KNOWN, ocv_v=tuple(curve), **tables)
        soh = np.exp(rng.normal(0, np.hypot(0.08, KNOWN.capacity_sd_ah / KNOWN.capacity_ah)))
        run, _ = outage(block, soh=soh, rng=rng, minutes=minutes)
        found = replay(run, KNOWN, 0.9)
        inside.append(abs(found.soh[-1] - soh * KNOWN.capacity_ah / KNOWN.rated_ah) < INSIDE_90 * found.soh_sd[-1])
    assert np.mean(inside) >= 0.85
