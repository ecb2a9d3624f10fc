"""The fleet's filter side by side with a filterpy loop, and the whole call over HTTP: G17.

Run: python benchmarks/twin.py.
"""

import math
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from filterpy.kalman import ExtendedKalmanFilter
from numpy.typing import NDArray

from battery_contracts.enums import StringMode
from battery_contracts.twin import EstimateRequest, EstimateResponse
from battery_servicekit.testing.process import running_service
from battery_twin.circuit.data_sheet import data_sheet_parameters
from battery_twin.circuit.parameter_set import ParameterSet
from battery_twin.filter.circuit_table import CircuitTable
from battery_twin.filter.states import CapacityPrior, FilterStates
from battery_twin.fleet.estimator import FleetEstimator
from battery_twin.fleet.models import BatteryModels
from battery_twin.kernel import constants, ekf, layout

FLEET = 1944
ROUNDS = 15
DT_S = 60.0
DISCHARGE_A = -70.0
TOKEN = "benchmark"
FloatArray = NDArray[np.float64]


def median_s(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Return the median duration after one that does not count."""
    work()
    spans = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        spans.append(time.perf_counter() - began)
    return statistics.median(spans)


class PlainTwin:
    """A battery's circuit in a filterpy filter: charge, two polarisations, resistance; none of what the twin adds."""

    def __init__(self, params: ParameterSet) -> None:
        self._params = params
        self._slope = np.gradient(params.ocv_v, layout.OCV_KNOTS)
        self.filter = ExtendedKalmanFilter(dim_x=4, dim_z=1)
        self.filter.x = np.array([[0.9], [0.0], [0.0], [params.r0_ohm[-1]]])
        self.filter.P = np.diag([0.01, 4e-4, 2.5e-3, 1e-7])
        self.filter.Q = np.diag([1e-8, 1e-6, 1e-6, 1e-12]) * DT_S
        self.filter.R = np.array([[6.4e-5]])
        decay1, decay2 = np.exp(-DT_S / params.tau1_s), np.exp(-DT_S / params.tau2_s)
        self.filter.F = np.diag([1.0, decay1, decay2, 1.0])
        drives = [
            DT_S / 3600.0 / params.capacity_ah,
            (1 - decay1) * params.r1_ohm[-1],
            (1 - decay2) * params.r2_ohm[-1],
            0,
        ]
        self.filter.B = np.array(drives).reshape(4, 1)

    def step(self, volts: float, amps: float) -> None:
        """Predict with a current and update with a voltage."""
        self.filter.predict(u=np.array([[amps]]))
        self.filter.update(np.array([[volts]]), self._jacobian, self._voltage, args=(amps,), hx_args=(amps,))

    def _jacobian(self, x: FloatArray, amps: float) -> FloatArray:
        return np.array([[np.interp(x[0, 0], layout.OCV_KNOTS, self._slope), 1.0, 1.0, amps]])

    def _voltage(self, x: FloatArray, amps: float) -> FloatArray:
        ocv = np.interp(x[0, 0], layout.OCV_KNOTS, self._params.ocv_v)
        return np.array([[ocv + x[1, 0] + x[2, 0] + amps * x[3, 0]]])


class WholeTwin:
    """The states of the twin in a filterpy filter: its Jacobian at each step, without its observability rules."""

    def __init__(self, params: ParameterSet) -> None:
        self._params = params
        self._circuit = CircuitTable.of([params]).rows[0]
        self._ocv_slope = np.gradient(params.ocv_v, layout.OCV_KNOTS)
        self.filter = ExtendedKalmanFilter(dim_x=layout.STATE_SIZE, dim_z=1)
        self.filter.x = np.zeros((layout.STATE_SIZE, 1))
        self.filter.x[layout.SOC] = 0.9
        self.filter.P = np.diag([0.01, 4e-4, 2.5e-3, 4e-4, 1e-3, 0.04, 0.01, 0.04, 0.04, 0.04, 0.01])
        self.filter.R = np.array([[6.4e-5]])

    def step(self, volts: float, amps: float) -> None:
        """Predict with a current and update with a voltage."""
        params, x = self._params, self.filter.x
        soc, depletion, bias = (x[state, 0] for state in (layout.SOC, layout.DEPLETION, layout.BIAS))
        log_q, log_p, log_k = (x[state, 0] for state in (layout.LOG_Q, layout.LOG_P, layout.LOG_K))
        true_a, scale = amps - bias, math.exp(log_p)
        per_a = DT_S / (3600.0 * params.capacity_ah * math.exp(log_q))
        decay1, decay2, decay_d = (math.exp(-DT_S / tau) for tau in (params.tau1_s, params.tau2_s, params.tau_d_s))
        drive1 = (1.0 - decay1) * scale * np.interp(soc + depletion, layout.RESISTANCE_KNOTS, params.r1_ohm)
        drive2 = (1.0 - decay2) * scale * np.interp(soc + depletion, layout.RESISTANCE_KNOTS, params.r2_ohm)
        depleted = (1.0 - decay_d) * params.depletion_h * math.exp(log_k - log_q) / params.capacity_ah
        slow_scale, knee = self._circuit[layout.SLOW_SCALE_A], self._circuit[layout.KNEE_A]
        slow_a, slow_slope = slow_scale * math.asinh(true_a / knee), slow_scale / math.hypot(true_a, knee)
        error_decay, bias_decay = math.exp(-DT_S / constants.ERROR_TAU_S), math.exp(-DT_S / constants.BIAS_TAU_S)
        jacobian = np.eye(layout.STATE_SIZE)
        jacobian[layout.SOC, layout.BIAS], jacobian[layout.SOC, layout.LOG_Q] = -per_a, -true_a * per_a
        jacobian[layout.V1, layout.V1], jacobian[layout.V1, layout.BIAS] = decay1, -drive1
        jacobian[layout.V2, layout.V2], jacobian[layout.V2, layout.BIAS] = decay2, -drive2 * slow_slope
        jacobian[layout.V1, layout.LOG_P], jacobian[layout.V2, layout.LOG_P] = drive1 * true_a, drive2 * slow_a
        jacobian[layout.DEPLETION, layout.DEPLETION], jacobian[layout.DEPLETION, layout.BIAS] = decay_d, -depleted
        jacobian[layout.DEPLETION, layout.LOG_Q], jacobian[layout.DEPLETION, layout.LOG_K] = (
            -depleted * true_a,
            depleted * true_a,
        )
        jacobian[layout.ERROR, layout.ERROR], jacobian[layout.BIAS, layout.BIAS] = error_decay, bias_decay
        self.filter.F = jacobian
        self.filter.Q = np.diag([1e-8, 1e-6, 1e-6, 1e-9, 1e-6, 1e-6, 1e-10, 1e-10, 1e-10, 1e-10, 1e-10])
        self.filter.predict()
        # The state moves by the equations themselves, not by their slopes.
        moved = x.copy()
        moved[layout.SOC] = soc + true_a * per_a
        moved[layout.V1], moved[layout.V2] = (
            decay1 * x[layout.V1] + drive1 * true_a,
            decay2 * x[layout.V2] + drive2 * slow_a,
        )
        moved[layout.DEPLETION] = decay_d * depletion + depleted * true_a
        moved[layout.ERROR], moved[layout.BIAS] = error_decay * x[layout.ERROR], bias_decay * bias
        self.filter.x = moved
        self.filter.update(np.array([[volts]]), self._jacobian, self._voltage, args=(amps,), hx_args=(amps,))

    def _jacobian(self, x: FloatArray, amps: float) -> FloatArray:
        surface = x[layout.SOC, 0] + x[layout.DEPLETION, 0]
        r0 = math.exp(x[layout.LOG_R, 0]) * np.interp(surface, layout.RESISTANCE_KNOTS, self._params.r0_ohm)
        slope = np.interp(surface * (1.0 + x[layout.ACID, 0]), layout.OCV_KNOTS, self._ocv_slope)
        row = np.zeros((1, layout.STATE_SIZE))
        row[0, [layout.SOC, layout.DEPLETION]] = slope * (1.0 + x[layout.ACID, 0])
        row[0, [layout.V1, layout.V2, layout.ERROR]] = 1.0
        row[0, layout.BIAS], row[0, layout.LOG_R] = -r0, r0 * (amps - x[layout.BIAS, 0])
        row[0, layout.ACID] = slope * surface
        return row

    def _voltage(self, x: FloatArray, amps: float) -> FloatArray:
        surface = x[layout.SOC, 0] + x[layout.DEPLETION, 0]
        r0 = math.exp(x[layout.LOG_R, 0]) * np.interp(surface, layout.RESISTANCE_KNOTS, self._params.r0_ohm)
        ocv = np.interp(surface * (1.0 + x[layout.ACID, 0]), layout.OCV_KNOTS, self._params.ocv_v)
        polarised = x[layout.V1, 0] + x[layout.V2, 0] + x[layout.ERROR, 0]
        return np.array([[ocv + polarised + r0 * (amps - x[layout.BIAS, 0])]])


def loop_over(twins: Sequence[PlainTwin | WholeTwin]) -> Callable[[], None]:
    """Return a sweep of a fleet, battery by battery."""

    def sweep() -> None:
        for number, twin in enumerate(twins):
            twin.step(12.1 + 1e-4 * number, DISCHARGE_A)

    return sweep


def kernel_sweep(params: ParameterSet) -> Callable[[], None]:
    """Return the same sweep by the compiled step, with everything that the twin adds."""
    circuits, which, states = CircuitTable.of([params]), np.zeros(FLEET, np.int64), FilterStates.empty(FLEET)
    every = np.ones(FLEET, bool)
    rows = np.zeros((FLEET, layout.IN_SIZE))
    rows[:, layout.IN_VOLTAGE_V] = 12.1 + 1e-4 * np.arange(FLEET)
    rows[:, layout.IN_DT_S], rows[:, layout.IN_CURRENT_A] = DT_S, DISCHARGE_A
    rows[:, layout.IN_TEMPERATURE_C], rows[:, layout.IN_RESISTANCE_MOHM] = 25.0, np.nan
    rows[:, layout.IN_FLOAT_A], rows[:, layout.IN_PRIOR_VAR] = np.nan, 0.01
    out = np.empty((FLEET, layout.OUT_SIZE))
    states.start(
        every,
        circuits,
        which,
        CapacityPrior(np.zeros(FLEET), np.full(FLEET, 0.1)),
        soc=0.9,
        soc_sd=0.1,
        floats=~every,
        voltage_v=rows[:, layout.IN_VOLTAGE_V],
        current_a=rows[:, layout.IN_CURRENT_A],
        temperature_c=rows[:, layout.IN_TEMPERATURE_C],
    )
    initial = states.mean.copy(), states.covariance.copy(), states.memory.copy()

    def sweep() -> None:
        # Each sweep is a minute of a discharge, not the hour after it.
        for present, first in zip((states.mean, states.covariance, states.memory), initial, strict=True):
            present[:] = first
        ekf.filter_fleet(circuits.rows, which, rows, states.mean, states.covariance, states.memory, out)

    return sweep


def estimate_request(state: list[bytes | None]) -> EstimateRequest:
    """Return a minute of the fleet on discharge."""
    nothing: list[Any] = [None] * FLEET
    return EstimateRequest(
        battery_id=[f"BAT-DC-BKK-01-UPS-01-STR-01-{number:04}" for number in range(FLEET)],
        model_id=["CSB-HX12-120"] * FLEET,
        dt_s=[DT_S if blob else None for blob in state],
        voltage_v=[12.1 + 1e-4 * number for number in range(FLEET)],
        current_a=[DISCHARGE_A] * FLEET,
        temperature_c=[25.0] * FLEET,
        internal_resistance_mohm=nothing,
        float_current_ma=nothing,
        mode=[StringMode.DISCHARGE] * FLEET,
        state=state,
        age_days=[900.0] * FLEET,
        rated_ah=[120.0] * FLEET,
        baseline_resistance_mohm=[3.5] * FLEET,
    )


def over_http(folder: Path) -> float:
    """Return the median of whole calls to a real process: request and answer as models on the caller's side."""
    command = [str(Path(sys.executable).with_name("battery-twin-service"))]
    with (
        running_service(command, {"SERVICE_TOKEN": TOKEN}, log=folder / "service.log") as service,
        httpx.Client(base_url=service.url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60.0) as client,
    ):
        service.wait_until_alive()

        def call(request: EstimateRequest) -> EstimateResponse:
            answer = client.post("/api/v1/estimate", content=request.model_dump_json().encode())
            answer.raise_for_status()
            return EstimateResponse.model_validate_json(answer.content)

        states = call(estimate_request([None] * FLEET)).state
        return median_s(lambda: call(estimate_request(states)))


def main() -> None:
    """Measure and print."""
    params = data_sheet_parameters(120.0)
    plain, whole = (loop_over([twin(params) for _ in range(FLEET)]) for twin in (PlainTwin, WholeTwin))
    compiled = kernel_sweep(params)
    # In turns, so that what else the machine does falls on all.
    rounds = [(median_s(plain, 1), median_s(whole, 1), median_s(compiled, 9)) for _ in range(5)]
    plain_s, loop_s, kernel_s = (statistics.median(column) for column in zip(*rounds, strict=True))
    estimator = FleetEstimator(BatteryModels())
    blobs = estimator.estimate(estimate_request([None] * FLEET)).state
    whole_s = median_s(lambda: estimator.estimate(estimate_request(blobs)))
    with tempfile.TemporaryDirectory() as folder:
        http_s = over_http(Path(folder))
    sys.stdout.write(
        f"one sweep of {FLEET:,} batteries, medians\n"
        f"  filterpy, battery by battery, the twin's 11 states            {1e3 * loop_s:8.2f} ms\n"
        f"  filterpy, a plain filter of 4 states                         {1e3 * plain_s:8.2f} ms\n"
        f"  kernel, 11 states and all that the twin adds                 {1e3 * kernel_s:8.2f} ms\n"
        f"  estimator in process: states unpacked, checked, packed       {1e3 * whole_s:8.2f} ms\n"
        f"  HTTP call, models on both sides                              {1e3 * http_s:8.2f} ms\n"
        f"G17 kernel over the filterpy loop of the same states: {loop_s / kernel_s:.0f} x (at least 100), "
        f"over the plain one: {plain_s / kernel_s:.0f} x\n"
        f"G17 the HTTP call: {1e3 * http_s:.0f} ms (at most 60)\n"
    )


if __name__ == "__main__":
    main()
