"""Remaining life over HTTP."""

from fastapi import APIRouter

from battery_contracts.twin import Quantiles
from battery_contracts.twin_analysis import PhysicsForecast, PhysicsRulQuery, PhysicsRulRequest, PhysicsRulResponse
from battery_twin.life.remaining import Evidence, History, remaining_life

router = APIRouter()


@router.post("/predict/rul")
def predict_rul(request: PhysicsRulRequest) -> PhysicsRulResponse:
    """Forecast each battery's days to 80 % of rated capacity by the ageing law."""
    forecasts = []
    for battery in request.batteries:
        found = remaining_life(_history(battery), _evidence(battery))
        forecasts.append(
            PhysicsForecast(
                battery_id=battery.battery_id,
                rul_days=Quantiles(p10=found.p10_days, p50=found.p50_days, p90=found.p90_days),
                provenance=found.provenance,
                as_of=request.as_of,
                soh_pct=100.0 * found.soh,
                soh_sd_pct=100.0 * found.soh_sd,
                ageing_over_25_c=found.acceleration,
            )
        )
    return PhysicsRulResponse(forecasts=forecasts)


def _history(battery: PhysicsRulQuery) -> History:
    return History(
        age_days=battery.age_days,
        temperature_c=tuple(span.temperature_c for span in battery.temperature_history),
        days=tuple(span.days for span in battery.temperature_history),
        depths=tuple(depth / 100.0 for depth in battery.discharge_depths_pct),
        expected_temperature_c=battery.expected_temperature_c,
        expected_cycles_per_year=battery.expected_cycles_per_year,
        expected_depth=None if battery.expected_depth_pct is None else battery.expected_depth_pct / 100.0,
        design_life_years=battery.design_life_years,
    )


def _evidence(battery: PhysicsRulQuery) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(seen.soh_pct / 100.0, seen.soh_sd_pct / 100.0, seen.provenance, seen.age_days)
        for seen in battery.evidence
    )
