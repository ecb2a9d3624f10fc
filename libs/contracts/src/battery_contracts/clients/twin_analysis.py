"""Client of the slower calls of the digital twin: remaining life, simulation, calibration and validation.

They have a circuit breaker of their own: a long call that fails must not stop the estimates, nor the reverse.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import isfinite

from pydantic import BaseModel

from battery_contracts.clients.service import ServiceClient
from battery_contracts.twin_analysis import (
    CalibrateRequest,
    CalibrateResponse,
    PhysicsRulRequest,
    PhysicsRulResponse,
    SimulateRequest,
    SimulateResponse,
    ValidateRequest,
    ValidateResponse,
)


class TwinAnalysisClient(ServiceClient):
    """Call the digital twin for what takes seconds rather than milliseconds."""

    service = "digital-twin"

    async def predict_rul(self, request: PhysicsRulRequest) -> PhysicsRulResponse:
        """Forecast remaining life; the forecasts are in the order of the request."""
        requested = [battery.battery_id for battery in request.batteries]

        def fault(response: PhysicsRulResponse) -> str | None:
            if [forecast.battery_id for forecast in response.forecasts] != requested:
                return "forecasts are not for the requested batteries"
            for forecast in response.forecasts:
                if not _ascending([forecast.rul_days.p10, forecast.rul_days.p50, forecast.rul_days.p90]):
                    return f"quantiles of {forecast.battery_id} are not in order"
            return None

        return await self._call("POST", "/api/v1/predict/rul", PhysicsRulResponse, content=_body(request), fault=fault)

    async def simulate(self, request: SimulateRequest) -> SimulateResponse:
        """Simulate a string under a load until the cut-off voltage."""
        requested = {block.battery_id for block in request.blocks}

        def fault(response: SimulateResponse) -> str | None:
            if not _ascending([0.0, response.runtime_p10_s, response.runtime_p50_s, response.runtime_p90_s]):
                return "runtimes are not in order"
            if response.limiting_battery_id not in requested:
                return "the limiting battery is not one of those requested"
            courses: list[Sequence[float]] = [
                response.current_a,
                response.string_voltage_v,
                response.limiting_voltage_v,
                response.limiting_soc_pct,
            ]
            if any(len(course) != len(response.time_s) for course in courses):
                return "the courses differ in length from time_s"
            return None

        return await self._call("POST", "/api/v1/simulate", SimulateResponse, content=_body(request), fault=fault)

    async def calibrate(self, request: CalibrateRequest) -> CalibrateResponse:
        """Identify a parameter set from recorded runs."""
        return await self._call("POST", "/api/v1/calibrate", CalibrateResponse, content=_body(request))

    async def validate(self, request: ValidateRequest) -> ValidateResponse:
        """Check a parameter set against a recorded run."""
        return await self._call("POST", "/api/v1/validate", ValidateResponse, content=_body(request))


def _body(request: BaseModel) -> bytes:
    return request.model_dump_json().encode()


def _ascending(values: Sequence[float]) -> bool:
    in_order = all(low <= high for low, high in pairwise(values))
    return in_order and all(map(isfinite, values))
