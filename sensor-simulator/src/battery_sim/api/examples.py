"""Examples of the endpoints for their OpenAPI description."""

from datetime import UTC, datetime
from typing import Final

from battery_servicekit.openapi.examples import Example, Examples
from battery_sim.api.routes import NO_SCENARIOS, DeliveryOut, FeedPatch, FeedPlanOut, SimulatorStatus
from battery_sim.runner import FeedState

_PLAN: Final = FeedPlanOut(enabled=True, interval_s=60.0, discharge_interval_s=2.0, strings=None)

EXAMPLES: Final[Examples] = {
    "simulator_get_status": Example(
        SimulatorStatus(
            state=FeedState.FEEDING,
            reason=None,
            world_time=datetime(2026, 11, 20, 1, 9, 42, tzinfo=UTC),
            lag_s=0.214,
            feed=_PLAN,
            delivery=DeliveryOut(
                is_connected=True,
                waiting_batches=0,
                waiting_bytes=0,
                refused_batches=0,
                acknowledged_batches=8412,
                accepted_readings=301_744,
                amended_readings=0,
                duplicate_readings=33,
                late_readings=0,
                rejected_readings=0,
                last_error=None,
            ),
            strings_by_mode={"float": 80, "discharge": 1},
        )
    ),
    "simulator_change_feed": Example(
        _PLAN.model_copy(update={"interval_s": 30.0, "strings": ("DC-CNX-01-UPS-01-STR-01",)}),
        request=FeedPatch(interval_s=30.0, strings=("DC-CNX-01-UPS-01-STR-01",)),
    ),
    "simulator_list_scenarios": Example(NO_SCENARIOS),
}
