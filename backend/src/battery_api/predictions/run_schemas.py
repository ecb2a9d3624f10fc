"""Models of runs over the fleet."""

from enum import StrEnum
from uuid import UUID

from pydantic import AwareDatetime

from battery_api.predictions.run_repository import PredictionRunRow
from battery_contracts.described import Described


class RunTrigger(StrEnum):
    """What starts a run."""

    SCHEDULE = "schedule"
    MANUAL = "manual"


class RunState(StrEnum):
    """State of a run; the process of an interrupted one died."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


class RunIn(Described):
    """A request for a run."""

    request_key: UUID | None = None
    """Key that the caller chooses: a repeated request with the same key names the run that the first one started."""


class RunOut(Described):
    """A run over the fleet. What is of the whole fleet is null for callers who see a part of it."""

    run_id: int
    """Id of the run."""
    trigger: RunTrigger
    """What started it."""
    requested_by: str | None
    """Who requested it; null for the schedule."""
    as_of: AwareDatetime
    """Instant from which the days count."""
    started_at: AwareDatetime
    """When it was requested."""
    finished_at: AwareDatetime | None
    """When it ended; null while it runs."""
    state: RunState
    """State of the run; `interrupted`: its process died."""
    step: str | None
    """Location that it works on; null before and after."""
    done: int | None
    """Batteries that are done."""
    total: int | None
    """Batteries of the run; null before it begins."""
    error: str | None
    """Code of why it failed; null unless it has."""


def run_out(row: PredictionRunRow, *, sees_all: bool) -> RunOut:
    """Return a run as a caller sees it."""
    return RunOut(
        run_id=row.key,
        trigger=RunTrigger(row.trigger),
        requested_by=row.requested_by if sees_all else None,
        as_of=row.as_of,
        started_at=row.started_at,
        finished_at=row.finished_at,
        state=RunState(row.state),
        step=row.step if sees_all else None,
        done=row.done if sees_all else None,
        total=row.total if sees_all else None,
        error=row.error,
    )
