from dataclasses import replace
from typing import Any

import httpx
import numpy as np
import pytest

from battery_contracts.twin import EstimateRequest, EstimateResponse
from battery_servicekit.health import CheckState
from battery_twin.api import readiness
from battery_twin.api.app import create_app
from battery_twin.circuit.data_sheet import data_sheet_parameters
from battery_twin.fleet.estimator import FleetEstimator
from battery_twin.fleet.models import BatteryModels


class AlteredEstimator(FleetEstimator):
    """An estimator whose response is altered as a defect would alter it."""

    def __init__(self, **columns: Any) -> None:
        super().__init__(BatteryModels())
        self._columns = columns

    def estimate(self, request: EstimateRequest) -> EstimateResponse:
        return super().estimate(request).model_copy(update=self._columns)


async def ready(app: Any) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://twin") as client:
        return await client.get("/health/ready")


async def test_ready_when_a_block_is_estimated() -> None:
    response = await ready(create_app())
    assert (response.status_code, response.json()["checks"]["capability"]["state"]) == (200, "up")


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"soc_pct": [float("nan")]}, readiness.IMPLAUSIBLE),
        ({"soh_pct": [None]}, readiness.IMPLAUSIBLE),
        ({"soc_pct": [12.0]}, readiness.IMPLAUSIBLE),
        ({"normalised_innovation_squared": [40.0]}, readiness.IMPLAUSIBLE),
        ({"soh_sd_pct": [0.0]}, readiness.IMPLAUSIBLE),
        ({"state": [b""]}, readiness.IMPLAUSIBLE),
        ({"state": [b"damaged"]}, readiness.REFUSED),
        ({"error": ["voltage_v: wrong"]}, readiness.REFUSED),
        ({"state": []}, readiness.FAILED),
    ],
)
def test_down_with_a_reason_when_the_estimate_is_wrong(columns: dict[str, Any], reason: str) -> None:
    finding = readiness.check_estimator(AlteredEstimator(**columns))
    assert (finding.state, finding.reason) == (CheckState.DOWN, reason)


async def test_the_service_is_unavailable_while_its_filter_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    app = create_app()

    def fail(*_arguments: object) -> None:
        raise FloatingPointError

    with monkeypatch.context() as broken:
        broken.setattr("battery_twin.kernel.ekf.filter_fleet", fail)
        response = await ready(app)
    assert response.status_code == 503
    assert response.json()["checks"]["capability"]["reason"] == readiness.FAILED
    # Nothing hides a failure, and nothing keeps one.
    assert (await ready(app)).status_code == 200


def test_a_circuit_without_finite_numbers_is_implausible(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = replace(data_sheet_parameters(120.0), r0_ohm=(float(np.nan),) * 7)
    monkeypatch.setattr("battery_twin.fleet.models.data_sheet_parameters", lambda _rated_ah: broken)
    finding = readiness.check_estimator(FleetEstimator(BatteryModels()))
    assert finding.state is CheckState.DOWN
    assert finding.reason == readiness.IMPLAUSIBLE
