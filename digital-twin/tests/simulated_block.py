"""A block of a given circuit, integrated row by row with plain floats: a second implementation."""

import math

import numpy as np

from battery_twin.circuit.parameter_set import ParameterSet
from battery_twin.runs import RecordedRun


def discharge(
    truth: ParameterSet, *, seed: int, noise_v: float = 0.005, bias_a: float = 0.0, soh: float = 1.0
) -> RecordedRun:
    """A rest, a slow discharge with three rests and a 0.3 C pulse after each, then on to the cut-off."""
    c = truth.rated_ah
    plan = [(1800.0, 0.0)]
    for _ in range(3):
        plan += [(7200.0, -0.1 * c), (1800.0, 0.0), (60.0, -0.3 * c), (1200.0, 0.0)]
    plan += [(40000.0, -0.1 * c)]
    rng = np.random.default_rng(seed)
    soc_knots = np.array([0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0])
    r_knots = np.array([0, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0])
    soc, v1, v2, depletion, time_s, dt = 1.0, 0.0, 0.0, 0.0, 0.0, 10.0
    rows = []
    reference_a = 0.1 * c
    for duration_s, current_a in plan:
        for _ in range(int(duration_s / dt)):
            lasting = truth.depletion_h * current_a / (c * soh)
            depletion += (1 - math.exp(-dt / truth.tau_d_s)) * (lasting - depletion)
            surface = soc + depletion
            r0, r1, r2 = (float(np.interp(surface, r_knots, t)) for t in (truth.r0_ohm, truth.r1_ohm, truth.r2_ohm))
            slow_a = reference_a * math.asinh(current_a / truth.knee_a) / math.asinh(reference_a / truth.knee_a)
            v1 += (1 - math.exp(-dt / truth.tau1_s)) * (r1 * current_a - v1)
            v2 += (1 - math.exp(-dt / truth.tau2_s)) * (r2 * slow_a - v2)
            soc += current_a * dt / 3600 / (c * soh)
            if soc <= 0:
                break
            ocv = float(np.interp(surface, soc_knots, truth.ocv_v))
            # Below empty the curve falls on as steeply as above it.
            ocv += min(surface, 0.0) * (truth.ocv_v[1] - truth.ocv_v[0]) / soc_knots[1]
            voltage_v = ocv + r0 * current_a + v1 + v2
            rows.append((time_s, current_a + bias_a, voltage_v + noise_v * rng.standard_normal(), 25.0))
            time_s += dt
    return RecordedRun.of(
        dict(zip(("time_s", "current_a", "voltage_v", "temperature_c"), np.array(rows).T, strict=True))
    )
