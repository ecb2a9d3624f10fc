from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from battery_contracts.clients.errors import ServiceRefused
from battery_contracts.clients.twin_analysis import TwinAnalysisClient
from battery_contracts.twin_analysis import (
    BlockState,
    CalibrateRequest,
    LoadStep,
    PhysicsRulQuery,
    PhysicsRulRequest,
    RunColumns,
    SimulateRequest,
    ValidateRequest,
)
from battery_twin.api.app import create_app
from battery_twin.runs import COLUMNS, read_run

RECORDING = Path(__file__).parents[1] / "data" / "vrla_recording" / "bboxx_A_cycle2.csv.gz"


@pytest_asyncio.fixture
async def twin() -> AsyncIterator[TwinAnalysisClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(create_app())) as http:
        yield TwinAnalysisClient(http, "http://twin", token="t", timeout_s=60)


def recorded(stop: int | None = None) -> RunColumns:
    run = read_run(RECORDING)
    return RunColumns(**{name: getattr(run, name)[:stop].tolist() for name in COLUMNS})


async def test_the_weak_block_ends_the_string(twin: TwinAnalysisClient) -> None:
    blocks = [BlockState(battery_id=code, soc_pct=100, soh_pct=soh) for code, soh in (("A", 95), ("B", 60), ("C", 95))]
    response = await twin.simulate(
        SimulateRequest(blocks=blocks, profile=[LoadStep(duration_s=300, current_a=-60)], rated_ah=120)
    )
    assert response.limiting_battery_id == "B"
    assert 0 < response.runtime_p10_s < response.runtime_p50_s < response.runtime_p90_s


async def test_forecasts_are_in_the_order_of_the_request(twin: TwinAnalysisClient) -> None:
    batteries = [PhysicsRulQuery(battery_id=code, age_days=days) for code, days in (("old", 3000), ("new", 100))]
    response = await twin.predict_rul(PhysicsRulRequest(as_of=datetime(2026, 11, 20, tzinfo=UTC), batteries=batteries))
    old, new = response.forecasts
    assert old.rul_days.p50 < new.rul_days.p50


async def test_a_recorded_run_is_calibrated_and_validated(twin: TwinAnalysisClient) -> None:
    calibrated = await twin.calibrate(CalibrateRequest(rated_ah=17, runs=[recorded()]))
    report = await twin.validate(ValidateRequest(run=recorded(), parameters=calibrated.parameters))
    assert 0 < report.rows <= len(recorded().time_s)
    assert report.voltage_rmse_mv < 50


async def test_a_run_that_is_too_short_is_refused_by_name(twin: TwinAnalysisClient) -> None:
    with pytest.raises(ServiceRefused) as refused:
        await twin.calibrate(CalibrateRequest(rated_ah=17, runs=[recorded(5)]))
    assert (refused.value.status, refused.value.code) == (422, "run_invalid")
    assert not twin.breaker.is_open
