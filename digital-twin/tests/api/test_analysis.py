from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from battery_contracts.twin_analysis import CalibrateResponse, PhysicsRulResponse, SimulateResponse, ValidateResponse
from battery_twin.api.app import create_app
from battery_twin.runs import COLUMNS, read_run

RECORDING = Path(__file__).parents[1] / "data" / "vrla_recording" / "bboxx_A_cycle2.csv.gz"


@pytest_asyncio.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app())
    async with httpx.AsyncClient(transport=transport, base_url="http://twin/api/v1", timeout=60) as client:
        yield client


def columns(stop: int | None = None) -> dict[str, list[float]]:
    run = read_run(RECORDING)
    return {name: getattr(run, name)[:stop].tolist() for name in COLUMNS}


def block(number: int, **more: Any) -> dict[str, Any]:
    return {"battery_id": f"B{number}", "soc_pct": 100, "soc_sd_pct": 2, "soh_pct": 98, "soh_sd_pct": 3} | more


async def test_remaining_life_in_the_order_of_the_request(client: httpx.AsyncClient) -> None:
    batteries = [
        {"battery_id": "young", "age_days": 100, "expected_temperature_c": 25},
        {
            "battery_id": "worn",
            "age_days": 1800,
            "temperature_history": [{"days": 1800, "temperature_c": 31}],
            "evidence": [{"soh_pct": 83, "soh_sd_pct": 2, "provenance": "measured"}],
        },
    ]
    response = await client.post("/predict/rul", json={"as_of": "2026-01-01T00:00:00Z", "batteries": batteries})
    young, worn = PhysicsRulResponse.model_validate(response.json()).forecasts
    assert (young.battery_id, worn.battery_id) == ("young", "worn")
    assert worn.rul_days.p50 < 0.3 * young.rul_days.p50
    assert (young.provenance, worn.provenance) == ("prior_only", "measured")


async def test_calibrated_parameters_validate_their_own_run(client: httpx.AsyncClient) -> None:
    response = await client.post("/calibrate", json={"rated_ah": 17, "runs": [columns()]})
    calibrated = CalibrateResponse.model_validate(response.json())
    assert calibrated.fit.voltage_rmse_mv < 25
    request = {"run": columns(), "parameters": calibrated.parameters, "initial_soc": 0.8}
    report = ValidateResponse.model_validate((await client.post("/validate", json=request)).json())
    assert report.consistent


async def test_weakest_block_ends_the_string(client: httpx.AsyncClient) -> None:
    blocks = [block(number, soh_pct=75 if number == 5 else 98) for number in range(24)]
    runtimes = []
    for current_a in (-74, -12):
        request = {"blocks": blocks, "profile": [{"duration_s": 600, "current_a": current_a}], "rated_ah": 120}
        result = SimulateResponse.model_validate((await client.post("/simulate", json=request)).json())
        assert result.limiting_battery_id == "B5"
        assert result.runtime_p10_s < result.runtime_p50_s < result.runtime_p90_s
        runtimes.append(result.runtime_p50_s)
    assert 20 * 60 < runtimes[0] < 60 * 60
    # Ten-hour rate: three quarters of ten hours.
    assert runtimes[1] == pytest.approx(7.5 * 3600, rel=0.1)


async def test_constant_power_draws_more_current_towards_the_end(client: httpx.AsyncClient) -> None:
    request = {"blocks": [block(0)], "profile": [{"duration_s": 600, "power_w": 860}], "rated_ah": 120}
    result = SimulateResponse.model_validate((await client.post("/simulate", json=request)).json())
    assert result.current_a[-1] < result.current_a[0] < -60


@pytest.mark.parametrize(
    ("path", "request_body", "field"),
    [
        ("/calibrate", {"rated_ah": 17, "runs": [columns(20)]}, "time_s"),
        ("/calibrate", {"rated_ah": 17, "runs": [columns() | {"voltage_v": [12.0]}]}, "voltage_v"),
        ("/calibrate", {"rated_ah": 17, "runs": [columns(40) | {"time_s": [5.0] * 40}]}, "time_s"),
        ("/validate", {"run": columns(100), "parameters": {"format": "other"}}, "parameters.format"),
        ("/validate", {"run": columns(100)}, "rated_ah"),
        ("/simulate", {"blocks": [block(0, soc_pct=120)], "profile": [], "rated_ah": 120}, "soc_pct"),
        ("/simulate", {"blocks": [block(0)], "profile": [{"duration_s": 9}], "rated_ah": 120}, "current_a"),
        ("/predict/rul", {"as_of": "2026-01-01T00:00:00Z", "batteries": [{"battery_id": "x", "age_days": -1}]}, "age"),
        ("/predict/rul", {"as_of": "2026-01-01T00:00:00", "batteries": []}, "as_of"),
    ],
)
async def test_wrong_requests_are_refused_by_field(
    client: httpx.AsyncClient, path: str, request_body: dict[str, Any], field: str
) -> None:
    response = await client.post(path, json=request_body)
    assert response.status_code == 422, response.text[:300]
    assert field in response.text
