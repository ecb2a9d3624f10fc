"""When runs happen: once a day after the last whole day (Asia/Bangkok), on request, when a service has returned."""

import os
import socket
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from battery_api.context import ProcessContext
from battery_api.db.bangkok import day_start
from battery_api.predictions import outcome_repository, run_repository
from battery_api.predictions.answers import AnswerState
from battery_api.predictions.ports import HistoryReader
from battery_api.predictions.run import SERVICES_AWAY, PredictionRunner
from battery_api.predictions.run_repository import PredictionRunRow
from battery_api.telemetry.ports import Publisher
from battery_contracts.clients.service import ServiceClient

SETTLING: Final = timedelta(hours=1)
"""After midnight until a day counts as whole: late readings and the daily figures take their time; EJ."""
RETRY_AFTER: Final = timedelta(seconds=30)
"""Between runs while a service returns, so that fused predictions are back within a minute."""
FAULT_AFTER: Final = timedelta(minutes=15)
"""Before a run that failed for another cause is tried again; EJ."""
GROWN_DAYS: Final = 100
"""Past days of strings computed since a run began that make another one due, as when a history is loaded; EJ: more than
late readings of a day touch, less than two days of the fleet."""
_RETRIED: Final = frozenset(
    {AnswerState.UNAVAILABLE.value, AnswerState.NO_CHAMPION.value, AnswerState.INVALID_RESPONSE.value}
)


def last_whole_day_end(now: datetime) -> datetime:
    """Return the midnight in Asia/Bangkok up to which days are whole and settled."""
    return day_start(now - SETTLING)


class PredictionJob:
    """Starts and carries out runs; any replica may, and only one does at a time."""

    def __init__(self, context: ProcessContext, histories: HistoryReader, publisher: Publisher) -> None:
        self._context = context
        self._histories = histories
        self._runner = PredictionRunner(context, histories, publisher)
        self._holder = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"

    async def run_once(self) -> bool:
        """Carry out the run that waits or is due; return whether there was one."""
        now = self._context.clock.now()
        async with self._context.database.begin() as connection:
            await run_repository.interrupt_dead(connection, now)
            newest = await run_repository.find_newest(connection)
        if await self._is_due(newest, now):
            async with self._context.database.begin() as connection:
                await run_repository.start(connection, "schedule", last_whole_day_end(now), now)
        async with self._context.database.begin() as connection:
            past_day_count, _ = await self._histories.progress(connection, now)
            run = await run_repository.claim(connection, self._holder, now, past_day_count)
        if run is None:
            return False
        await self._runner.carry_out(run)
        return True

    async def _is_due(self, newest: PredictionRunRow | None, now: datetime) -> bool:
        if newest is None:
            return True
        if newest.state == "running":
            return False
        if newest.as_of < last_whole_day_end(now) or newest.state == "interrupted":
            return True
        waited = now - (newest.finished_at or newest.started_at)
        if newest.state == "failed" and newest.error != SERVICES_AWAY:
            return waited >= FAULT_AFTER
        if waited < RETRY_AFTER:
            return False
        return await self._has_returned(newest) or await self._have_histories_grown(newest, now)

    async def _has_returned(self, newest: PredictionRunRow) -> bool:
        """Return whether a service that was away in the newest run is ready again."""
        clients: list[tuple[str | None, ServiceClient | None]] = [
            (newest.ml_state, self._context.ml),
            (newest.twin_state, self._context.twin_analysis),
        ]
        for state, client in clients:
            if state not in _RETRIED or client is None or not client.is_reachable:
                continue
            if await client.is_ready():
                return True
        return False

    async def _have_histories_grown(self, newest: PredictionRunRow, now: datetime) -> bool:
        """Return whether many past days were computed since the newest run began, and none waits any more."""
        async with self._context.database.begin() as connection:
            past_day_count, is_waiting = await self._histories.progress(connection, now)
        return not is_waiting and past_day_count - (newest.past_day_count or 0) >= GROWN_DAYS


async def record_outcomes(context: ProcessContext) -> int:
    """Record what became of batteries; return how many outcomes were added."""
    async with context.database.begin() as connection:
        return await outcome_repository.record_outcomes(connection, context.clock.now())
