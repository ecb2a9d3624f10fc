"""Status and control of the feed."""

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from battery_contracts.ids import StringId
from battery_servicekit.problems import Invalid, Unavailable, problems
from battery_servicekit.responses import JsonResponse
from battery_sim.feed import LONGEST_INTERVAL_S, SHORTEST_INTERVAL_S, FeedPlan, UnknownStrings
from battery_sim.runner import FeedState, Runner

router = APIRouter(prefix="/api/v1", tags=["simulator"])

IntervalS = Annotated[float, Field(ge=SHORTEST_INTERVAL_S, le=LONGEST_INTERVAL_S, allow_inf_nan=False)]


class UnknownString(Invalid):
    """A string of the filter is not in the fleet."""

    code = "unknown_string"


class FeedNotStarted(Unavailable):
    """The feed has no world yet; ``/api/v1/status`` gives the reason."""

    code = "feed_not_started"


class FeedPlanOut(BaseModel):
    """The strings that report and their intervals in seconds; ``strings`` null means all of them."""

    model_config = ConfigDict(from_attributes=True)

    enabled: bool
    interval_s: float
    discharge_interval_s: float
    strings: tuple[str, ...] | None


class FeedPatch(BaseModel):
    """Changes until the next start; an absent field stays as it is, an empty ``strings`` means all of them."""

    model_config = ConfigDict(extra="forbid")

    enabled: bool | None = None
    interval_s: IntervalS | None = None
    discharge_interval_s: IntervalS | None = None
    strings: tuple[StringId, ...] | None = None


class DeliveryOut(BaseModel):
    """Outcome of the batches since the start."""

    is_connected: bool
    waiting_batches: int
    waiting_bytes: int
    refused_batches: int
    acknowledged_batches: int
    accepted_readings: int
    amended_readings: int
    duplicate_readings: int
    late_readings: int
    rejected_readings: int
    last_error: str | None


class SimulatorStatus(BaseModel):
    """Status of the feed; ``strings_by_mode`` counts the strings by their mode at their last report."""

    state: FeedState
    reason: str | None
    world_time: AwareDatetime | None
    lag_s: float | None
    feed: FeedPlanOut | None
    delivery: DeliveryOut
    strings_by_mode: dict[str, int]


class ScenarioList(BaseModel):
    """Scenarios that can be run; none yet."""

    items: list[str]
    note: str


@router.get("/status", response_model=SimulatorStatus)
async def get_status(request: Request) -> Response:
    """Return the status of the feed."""
    runner = _runner(request)
    status = runner.status()
    sent = status.sender
    return JsonResponse(
        SimulatorStatus(
            state=status.state,
            reason=status.reason,
            world_time=status.world_time,
            lag_s=None if status.lag is None else round(status.lag.total_seconds(), 3),
            feed=None if runner.plan is None else FeedPlanOut.model_validate(runner.plan),
            delivery=DeliveryOut(
                is_connected=sent.is_connected,
                waiting_batches=status.waiting_batches,
                waiting_bytes=status.waiting_bytes,
                refused_batches=status.refused_batches,
                acknowledged_batches=sent.acknowledged_batches,
                accepted_readings=sent.accepted,
                amended_readings=sent.amended,
                duplicate_readings=sent.duplicates,
                late_readings=sent.late,
                rejected_readings=sent.rejected,
                last_error=sent.last_error,
            ),
            strings_by_mode=dict(status.strings_by_mode),
        )
    )


@router.patch("/feed", response_model=FeedPlanOut, responses=problems(UnknownString, FeedNotStarted))
async def change_feed(body: FeedPatch, request: Request) -> Response:
    """Change the feed while it runs."""
    changes: dict[str, Any] = body.model_dump(exclude_none=True)
    if "strings" in changes:
        changes["strings"] = changes["strings"] or None
    try:
        plan: FeedPlan | None = _runner(request).change(**changes)
    except UnknownStrings as error:
        raise UnknownString(str(error)) from error
    if plan is None:
        raise FeedNotStarted("The feed has not started; see /api/v1/status for the reason.")
    return JsonResponse(FeedPlanOut.model_validate(plan))


@router.get("/scenarios", response_model=ScenarioList)
async def list_scenarios() -> Response:
    """List the scenarios for drills."""
    return JsonResponse(ScenarioList(items=[], note="Drills are not part of this version; only the live feed runs."))


def _runner(request: Request) -> Runner:
    runner: Runner = request.app.state.runner
    return runner
