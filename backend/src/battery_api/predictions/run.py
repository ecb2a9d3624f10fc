"""A run over the fleet: location by location, each in transactions of its own, none open while a service computes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import structlog
from prometheus_client import Counter
from sqlalchemy.exc import SQLAlchemyError

from battery_api.context import ProcessContext
from battery_api.predictions import evidence_repository, outcome_repository, run_repository, write_repository
from battery_api.predictions.answers import AnswerState, MlAnswer, ask_ml, ask_twin
from battery_api.predictions.combining import LocationAnswers, combine
from battery_api.predictions.drift import RunDrift
from battery_api.predictions.evidence_repository import LocationRow
from battery_api.predictions.fusion import SourceTrust, trust_of
from battery_api.predictions.outcome_repository import ErrorRow
from battery_api.predictions.physics import question_of
from battery_api.predictions.ports import HistoryReader
from battery_api.predictions.publication import update_of
from battery_api.predictions.run_repository import HeldRun, RunLost
from battery_api.telemetry.ports import Publisher

BEAT_S: Final = 10.0
SERVICES_AWAY: Final = "services_away"
"""Error of a run in which neither service ever answered."""
_WRITTEN: Final = Counter("rul_predictions_written_total", "Predictions of remaining life appended.", ("source",))
_log = structlog.get_logger(__name__)


class PredictionRunner:
    """Carries out the runs that this process holds."""

    def __init__(self, context: ProcessContext, histories: HistoryReader, publisher: Publisher) -> None:
        self._context = context
        self._publisher = publisher
        self._histories = histories

    async def carry_out(self, run: HeldRun) -> None:
        """Predict the whole fleet and end the run; one that was lost to another process just ends."""
        met = _Met()
        try:
            async with self._beating(run):
                await self._predict(run, met)
        except RunLost:
            _log.warning("prediction run lost", run=run.key)
            return
        except Exception as failure:
            await self._finish(run, met, type(failure).__name__)
            raise
        await self._finish(run, met, SERVICES_AWAY if met.are_both_away and not met.written else None)

    async def _predict(self, run: HeldRun, met: "_Met") -> None:
        async with self._context.database.begin() as connection:
            locations = await evidence_repository.list_locations(connection)
            trust = _trust(await outcome_repository.list_errors(connection))
        done, total = 0, sum(location.battery_count for location in locations)
        for location in locations:
            await self._note(run, location.code, done, total)
            answers = await self._ask(run, location, met)
            met.note(location, answers)
            if not answers.are_both_away:
                met.written += await self._append(run, location.code, answers, trust)
            done += location.battery_count
        await self._note(run, "finishing", done, total)

    async def _ask(self, run: HeldRun, location: LocationRow, met: "_Met") -> LocationAnswers:
        async with self._context.database.begin() as connection:
            evidence = await evidence_repository.list_evidence(connection, location.key, run.as_of)
            histories = await self._histories.read_histories(connection, location.key, run.as_of)
        question = question_of(evidence, histories, run.as_of)
        # A service without a model has none for the next location either, and its circuit breaker would hide why.
        has_no_model = met.ml is AnswerState.NO_CHAMPION
        ml = _answered_before(met.ml) if has_no_model else ask_ml(self._context.ml, histories)
        twin_answer, ml_answer = await asyncio.gather(ask_twin(self._context.twin_analysis, question.request), ml)
        return LocationAnswers(evidence, question.withheld, twin_answer, ml_answer)

    async def _append(self, run: HeldRun, location_code: str, answers: LocationAnswers, trust: SourceTrust) -> int:
        now = self._context.clock.now()
        rows = combine(answers, trust, now)
        async with self._context.database.begin() as connection:
            await run_repository.hold(connection, run)
            await write_repository.append(connection, run, rows, now)
        for row in rows:
            _WRITTEN.labels(row.source).inc()
        if rows:
            codes = {one.battery.key: one.battery.code for one in answers.evidence}
            await self._publisher.publish_predictions([update_of(location_code, run.as_of, now, codes, rows)])
        return len(rows)

    async def _note(self, run: HeldRun, step: str, done: int, total: int) -> None:
        async with self._context.database.begin() as connection:
            await run_repository.hold(connection, run)
            await run_repository.note_progress(
                connection, run, self._context.clock.now(), step=step, done=done, total=total
            )

    async def _finish(self, run: HeldRun, met: "_Met", error: str | None) -> None:
        async with self._context.database.begin() as connection:
            await run_repository.finish(
                connection,
                run,
                self._context.clock.now(),
                error=error,
                ml_state=met.ml.value,
                twin_state=met.twin.value,
                drift=met.drift.summary(),
            )

    @asynccontextmanager
    async def _beating(self, run: HeldRun) -> AsyncIterator[None]:
        """Show that the process lives while the body runs."""
        task = asyncio.create_task(self._beat(run), name="prediction-heartbeat")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _beat(self, run: HeldRun) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            # A database that restarts loses a beat or two, not the run.
            with suppress(SQLAlchemyError, OSError):
                async with self._context.database.begin() as connection:
                    await run_repository.beat(connection, run, self._context.clock.now())


@dataclass
class _Met:
    """How the services answered so far in a run, and how many predictions it has appended."""

    ml: AnswerState = AnswerState.ANSWERED
    twin: AnswerState = AnswerState.ANSWERED
    written: int = 0
    are_both_away: bool = False
    drift: RunDrift = field(default_factory=RunDrift)

    def note(self, location: LocationRow, answers: LocationAnswers) -> None:
        """Add the answers for a location."""
        self.ml = self.ml.joined(answers.ml.state)
        self.twin = self.twin.joined(answers.twin.state)
        self.drift.add(location.code, answers.ml)
        self.are_both_away |= answers.are_both_away


async def _answered_before(state: AnswerState) -> MlAnswer:
    return MlAnswer(state)


def _trust(errors: list[ErrorRow]) -> SourceTrust:
    table = np.log1p(np.array(errors, np.float64).reshape(-1, 3))
    return trust_of(table[:, 0] - table[:, 2], table[:, 1] - table[:, 2])
