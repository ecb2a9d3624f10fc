"""Status and control of the feed."""

from collections import Counter
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from battery_contracts.ids import StringId
from battery_servicekit.problems import Invalid, problems
from battery_servicekit.responses import JsonResponse
from battery_sim.runner import Runner

router = APIRouter(prefix="/api/v1", tags=["simulator"])


class UnknownString(Invalid):
    """A string of the filter is not in the fleet."""

    code = "unknown_string"


class FeedPlanOut(BaseModel):
    """What is fed and how often, in seconds."""

    enabled: bool
    interval_s: float
    discharge_interval_s: float
    strings: list[str] | None


class FeedPatch(BaseModel):
    """What to change; an absent field stays as it is."""

    model_config = ConfigDict(extra="forbid")

    enabled: bool | None = None
    interval_s: Annotated[float, Field(ge=1, le=60)] | None = None
    discharge_interval_s: Annotated[float, Field(ge=1, le=60)] | None = None
    strings: list[StringId] | None = None


class SimulatorStatus(BaseModel):
    """How the feed is doing."""

    world_time: AwareDatetime
    lag_s: float
    feed: FeedPlanOut
    is_connected: bool
    waiting_batches: int
    waiting_bytes: int
    refused_batches: int
    is_spool_full: bool
    sent_readings: int
    duplicates: int
    rejected: int
    last_error: str | None
    strings_by_mode: dict[str, int]


class ScenarioList(BaseModel):
    """Scenarios that can be run; none yet."""

    items: list[str]
    note: str


@router.get("/status", response_model=SimulatorStatus)
async def get_status(request: Request) -> Response:
    """Return how the feed is doing."""
    runner = _runner(request)
    world, sent = runner.feed.world, runner.sender.status
    discharging, recharging = world.discharging(), world.recharging()
    modes = Counter(
        "discharge" if s in discharging else "recharge" if s in recharging else "float" for s in world.string_ids
    )
    return JsonResponse(
        SimulatorStatus(
            world_time=world.time,
            lag_s=runner.lag.total_seconds(),
            feed=_plan(runner),
            is_connected=sent.is_connected,
            waiting_batches=runner.spool.count,
            waiting_bytes=runner.spool.size_bytes,
            refused_batches=runner.spool.refused_count(),
            is_spool_full=runner.is_full,
            sent_readings=sent.sent_readings,
            duplicates=sent.duplicates,
            rejected=sent.rejected,
            last_error=sent.last_error,
            strings_by_mode=dict(modes),
        )
    )


@router.patch("/feed", response_model=FeedPlanOut, responses=problems(UnknownString))
async def change_feed(body: FeedPatch, request: Request) -> Response:
    """Change the feed while it runs."""
    changes: dict[str, Any] = body.model_dump(exclude_unset=True)
    if changes.get("strings") is not None:
        changes["strings"] = tuple(changes["strings"])
    runner = _runner(request)
    try:
        runner.feed.change(**{name: value for name, value in changes.items() if value is not None or name == "strings"})
    except ValueError as error:
        raise UnknownString(str(error)) from error
    return JsonResponse(_plan(runner))


@router.get("/scenarios", response_model=ScenarioList)
async def list_scenarios() -> Response:
    """List the scenarios for drills."""
    return JsonResponse(ScenarioList(items=[], note="Drills are not built yet; only the live feed runs."))


def _runner(request: Request) -> Runner:
    runner: Runner = request.app.state.runner
    return runner


def _plan(runner: Runner) -> FeedPlanOut:
    plan = runner.feed.plan
    return FeedPlanOut(
        enabled=plan.enabled,
        interval_s=plan.interval_s,
        discharge_interval_s=plan.discharge_interval_s,
        strings=None if plan.strings is None else list(plan.strings),
    )
