"""Remaining life over HTTP."""

from fastapi import APIRouter

from battery_contracts.twin import Quantiles
from battery_contracts.twin_analysis import PhysicsForecast, PhysicsRulQuery, PhysicsRulRequest, PhysicsRulResponse
from battery_servicekit.strict_query import StrictRoute
from battery_twin.life.remaining import CapacityObservation, OperatingHistory, remaining_life

router = APIRouter(route_class=StrictRoute)


@router.post("/predict/rul")
def predict_rul(request: PhysicsRulRequest) -> PhysicsRulResponse:
    """Forecast the days until each battery reaches 80 % of its rated capacity, by the ageing law."""
    forecasts = []
    for battery in request.batteries:
        remaining = remaining_life(_history(battery), _observations(battery))
        forecasts.append(
            PhysicsForecast(
                battery_id=battery.battery_id,
                rul_days=Quantiles(p10=remaining.p10_days, p50=remaining.p50_days, p90=remaining.p90_days),
                provenance=remaining.provenance,
                as_of=request.as_of,
                soh_pct=100.0 * remaining.soh,
                soh_sd_pct=100.0 * remaining.soh_sd,
                ageing_over_25_c=remaining.acceleration,
            )
        )
    return PhysicsRulResponse(forecasts=forecasts)


def _history(battery: PhysicsRulQuery) -> OperatingHistory:
    return OperatingHistory(
        age_days=battery.age_days,
        temperature_c=tuple(span.temperature_c for span in battery.temperature_history),
        days=tuple(span.days for span in battery.temperature_history),
        depths=tuple(depth / 100.0 for depth in battery.discharge_depths_pct),
        expected_temperature_c=battery.expected_temperature_c,
        expected_cycles_per_year=battery.expected_cycles_per_year,
        expected_depth=None if battery.expected_depth_pct is None else battery.expected_depth_pct / 100.0,
        design_life_years=battery.design_life_years,
    )


def _observations(battery: PhysicsRulQuery) -> tuple[CapacityObservation, ...]:
    return tuple(
        CapacityObservation(item.soh_pct / 100.0, item.soh_sd_pct / 100.0, item.provenance, item.age_days)
        for item in battery.evidence
    )
