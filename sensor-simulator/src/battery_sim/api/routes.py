"""Status and control of the feed."""

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import AwareDatetime, ConfigDict, Field

from battery_contracts.described import Described
from battery_contracts.ids import StringId
from battery_servicekit.problems import Invalid, Unavailable, problems
from battery_servicekit.responses import JsonResponse
from battery_servicekit.strict_query import StrictRoute
from battery_sim.feed import LONGEST_INTERVAL_S, SHORTEST_INTERVAL_S, FeedPlan, UnknownStrings
from battery_sim.runner import FeedState, Runner

router = APIRouter(prefix="/api/v1", tags=["simulator"], route_class=StrictRoute)

IntervalS = Annotated[float, Field(ge=SHORTEST_INTERVAL_S, le=LONGEST_INTERVAL_S, allow_inf_nan=False)]


class UnknownString(Invalid):
    """A string of the filter is not in the fleet."""

    code = "unknown_string"


class FeedNotStarted(Unavailable):
    """The feed has no world yet; ``/api/v1/status`` gives the reason."""

    code = "feed_not_started"


class FeedPlanOut(Described):
    """The strings that report and their intervals in seconds; ``strings`` null means all of them."""

    model_config = ConfigDict(from_attributes=True)

    enabled: bool
    """False: no string reports."""
    interval_s: float
    """Seconds between the readings of a string."""
    discharge_interval_s: float
    """Seconds between the readings of a string that discharges."""
    strings: tuple[str, ...] | None
    """Ids of the strings that report; null means all of them."""


class FeedPatch(Described):
    """Changes until the next start; an absent field stays as it is, an empty ``strings`` means all of them."""

    model_config = ConfigDict(extra="forbid")

    enabled: bool | None = None
    """False pauses the feed; null leaves it as it is."""
    interval_s: IntervalS | None = None
    """Seconds between the readings of a string; null leaves them as they are."""
    discharge_interval_s: IntervalS | None = None
    """Seconds between the readings of a string that discharges; null leaves them as they are."""
    strings: tuple[StringId, ...] | None = None
    """Ids of the strings that report; empty means all of them, null leaves them as they are."""


class DeliveryOut(Described):
    """Outcome of the batches since the start."""

    is_connected: bool
    """Whether the gateway acknowledged the last batch."""
    waiting_batches: int
    """Batches that the gateway has not acknowledged yet."""
    waiting_bytes: int
    """Size of these batches in bytes."""
    refused_batches: int
    """Batches that the gateway refused for good; they are set aside, and not sent again."""
    acknowledged_batches: int
    """Batches that the gateway stored."""
    accepted_readings: int
    """Readings that the gateway stored as new ones."""
    amended_readings: int
    """Readings that completed or corrected stored ones."""
    duplicate_readings: int
    """Readings that the gateway had already."""
    late_readings: int
    """Accepted readings that were older than the newest stored ones."""
    rejected_readings: int
    """Readings that the gateway did not store."""
    last_error: str | None
    """Why the last attempt to send failed; null if it succeeded."""


class SimulatorStatus(Described):
    """Status of the feed; ``strings_by_mode`` counts the strings by their mode at their last report."""

    state: FeedState
    """What the feed does now."""
    reason: str | None
    """Why it does not run; null while it does."""
    world_time: AwareDatetime | None
    """Time of the synthetic world; null before it is loaded."""
    lag_s: float | None
    """Seconds by which the world is behind the clock; null before it is loaded."""
    feed: FeedPlanOut | None
    """The strings that report and how often; null before the world is loaded."""
    delivery: DeliveryOut
    """What became of the batches."""
    strings_by_mode: dict[str, int]
    """Numbers of strings by their mode at their last report."""


class ScenarioList(Described):
    """Scenarios that can be run; none yet."""

    items: list[str]
    """Names of the scenarios."""
    note: str
    """Why there are none, for people."""


NO_SCENARIOS = ScenarioList(items=[], note="Drills are not part of this version; only the live feed runs.")


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
    return JsonResponse(NO_SCENARIOS)


def _runner(request: Request) -> Runner:
    runner: Runner = request.app.state.runner
    return runner
