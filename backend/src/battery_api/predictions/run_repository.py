"""The runs in the database: at most one is running, and only the process that holds it writes for it."""

import json
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

DEAD_AFTER: Final = timedelta(seconds=60)
"""Six missed heartbeats; EJ: a process that lives misses none, a busy database delays one or two."""
_COLUMNS: Final = (
    "id, trigger, requested_by, as_of, started_at, finished_at, state, step, done, total, error, ml_state, "
    "twin_state, past_day_count"
)
_START: Final = text(
    """
    insert into prediction_run (request_key, trigger, requested_by, as_of, started_at, state, done)
    values (:request_key, :trigger, :requested_by, :as_of, :now, 'running', 0)
    on conflict do nothing returning id
    """
)
_CLAIM: Final = text(
    """
    update prediction_run set holder = :holder, heartbeat_at = :now, past_day_count = :past_day_count
    where id = (select id from prediction_run where state = 'running' and holder is null for update skip locked)
    returning id, as_of
    """
)
_HELD: Final = "id = :run and state = 'running' and holder = :holder"
_HOLD: Final = text(f"select id from prediction_run where {_HELD} for update")
_BEAT: Final = text(f"update prediction_run set heartbeat_at = :now where {_HELD}")
_PROGRESS: Final = text(
    f"update prediction_run set heartbeat_at = :now, step = :step, done = :done, total = :total where {_HELD}"
)
_FINISH: Final = text(
    f"""
    update prediction_run set state = :state, finished_at = :now, error = :error, step = null,
        ml_state = :ml_state, twin_state = :twin_state, drift = cast(:drift as jsonb) where {_HELD}
    """
)
_INTERRUPT: Final = text(
    """
    update prediction_run set state = 'interrupted', finished_at = :now, step = null
    where state = 'running' and holder is not null and heartbeat_at < :dead_before
    """
)
_OF_ID: Final = text(f"select {_COLUMNS} from prediction_run where id = :run")
_OF_KEY: Final = text(f"select {_COLUMNS} from prediction_run where request_key = :key")
_NEWEST: Final = text(f"select {_COLUMNS} from prediction_run order by id desc limit 1")
_FINISHED: Final = text(
    f"select {_COLUMNS} from prediction_run where state in ('succeeded', 'failed') order by id desc limit 1"
)
_DRIFT: Final = text(
    """
    select as_of, drift from prediction_run
    where finished_at is not null and drift ->> 'model_version' = :version order by id desc limit 1
    """
)
_RUNNING: Final = text(f"select {_COLUMNS} from prediction_run where state = 'running'")


class PredictionRunRow(NamedTuple):
    """A run."""

    key: int
    trigger: str
    requested_by: str | None
    as_of: datetime
    started_at: datetime
    finished_at: datetime | None
    state: str
    step: str | None
    done: int
    total: int | None
    error: str | None
    ml_state: str | None
    twin_state: str | None
    past_day_count: int | None


class DriftRow(NamedTuple):
    """Drift in a run, as `drift.RunDrift` sums it up."""

    as_of: datetime
    drift: dict[str, Any]


class HeldRun(NamedTuple):
    """A run that this process works on."""

    key: int
    as_of: datetime
    holder: str

    def values(self, **further: Any) -> dict[str, Any]:
        """Return the parameters that name it in a statement, with others."""
        return {"run": self.key, "holder": self.holder, **further}


class RunLost(Exception):
    """The run was taken for dead, so that another one may write."""


async def start(
    connection: AsyncConnection,
    trigger: str,
    as_of: datetime,
    now: datetime,
    *,
    requested_by: str | None = None,
    request_key: UUID | None = None,
) -> int | None:
    """Add a run that waits for a process; return its key, or None if one is running or has the request's key."""
    values = {"trigger": trigger, "as_of": as_of, "now": now, "requested_by": requested_by, "request_key": request_key}
    key: int | None = await connection.scalar(_START, values)
    return key


async def claim(connection: AsyncConnection, holder: str, now: datetime, past_day_count: int) -> HeldRun | None:
    """Take the run that waits, if there is one; ``past_day_count`` says how far the histories are."""
    values = {"holder": holder, "now": now, "past_day_count": past_day_count}
    row = (await connection.execute(_CLAIM, values)).first()
    return None if row is None else HeldRun(row.id, row.as_of, holder)


async def hold(connection: AsyncConnection, run: HeldRun) -> None:
    """Keep the run until the end of the transaction; raises `RunLost` if this process no longer has it."""
    if await connection.scalar(_HOLD, run.values()) is None:
        raise RunLost


async def beat(connection: AsyncConnection, run: HeldRun, now: datetime) -> None:
    """Show that the process of the run lives."""
    await connection.execute(_BEAT, run.values(now=now))


async def note_progress(
    connection: AsyncConnection, run: HeldRun, now: datetime, *, step: str, done: int, total: int
) -> None:
    """Store what the run does now, and how many batteries of how many are done."""
    await connection.execute(_PROGRESS, run.values(now=now, step=step, done=done, total=total))


async def finish(
    connection: AsyncConnection,
    run: HeldRun,
    now: datetime,
    *,
    error: str | None,
    ml_state: str | None,
    twin_state: str | None,
    drift: dict[str, Any] | None = None,
) -> None:
    """End the run; an error makes it failed."""
    state = "succeeded" if error is None else "failed"
    values = run.values(now=now, state=state, error=error, ml_state=ml_state, twin_state=twin_state)
    await connection.execute(_FINISH, values | {"drift": None if drift is None else json.dumps(drift)})


async def interrupt_dead(connection: AsyncConnection, now: datetime) -> bool:
    """End the run whose process died, if there is one."""
    result = await connection.execute(_INTERRUPT, {"now": now, "dead_before": now - DEAD_AFTER})
    return result.rowcount > 0


async def find(connection: AsyncConnection, run: int) -> PredictionRunRow | None:
    """Return a run."""
    row = (await connection.execute(_OF_ID, {"run": run})).first()
    return None if row is None else PredictionRunRow(*row)


async def find_requested(connection: AsyncConnection, key: UUID) -> PredictionRunRow | None:
    """Return the run that a request started."""
    row = (await connection.execute(_OF_KEY, {"key": key})).first()
    return None if row is None else PredictionRunRow(*row)


async def find_newest(connection: AsyncConnection) -> PredictionRunRow | None:
    """Return the run that was started last."""
    row = (await connection.execute(_NEWEST)).first()
    return None if row is None else PredictionRunRow(*row)


async def find_newest_finished(connection: AsyncConnection) -> PredictionRunRow | None:
    """Return the run that came to its end last."""
    row = (await connection.execute(_FINISHED)).first()
    return None if row is None else PredictionRunRow(*row)


async def find_drift(connection: AsyncConnection, version: str) -> DriftRow | None:
    """Return the drift in the newest run that a version predicted in; None if there is none."""
    row = (await connection.execute(_DRIFT, {"version": version})).first()
    return None if row is None else DriftRow(*row)


async def find_running(connection: AsyncConnection) -> PredictionRunRow | None:
    """Return the run that is running."""
    row = (await connection.execute(_RUNNING)).first()
    return None if row is None else PredictionRunRow(*row)
