"""The life of a batch of readings: validation, estimates, one transaction, the answer, then the live events."""

from dataclasses import dataclass, replace
from time import perf_counter

import structlog
from sqlalchemy.exc import SQLAlchemyError
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random

from battery_api.accounts.principal import Principal
from battery_api.context import ProcessContext
from battery_api.db.failures import is_partition_missing, is_serialization_failure
from battery_api.db.timescale import maintain_partitions
from battery_api.fleet.catalogue import CatalogueCache
from battery_api.telemetry.ingest.checks import TimeWindow, ValidatedBatch, validate_batch
from battery_api.telemetry.ingest.estimation import BatchEstimates, EstimatesOutdated, prepare_twin_call
from battery_api.telemetry.ingest.locked_state import FleetOutdated
from battery_api.telemetry.ingest.publication import Publication
from battery_api.telemetry.ingest.readings import ParsedBatch
from battery_api.telemetry.ingest.transaction import BatchTransaction
from battery_api.telemetry.metrics import LEFT_OUT, RETRIES, ROWS, STAGE_SECONDS
from battery_api.telemetry.ports import DueAgain, Judge, Publisher
from battery_api.telemetry.store.fleet_index import FleetIndex
from battery_api.telemetry.store.outcomes import ReadingOutcome
from battery_contracts.telemetry import IngestResult

_log = structlog.get_logger(__name__)
_ATTEMPTS = 5
_SHOWN_REJECTIONS = 1000


@dataclass(frozen=True, slots=True)
class IngestOutcome:
    """A committed batch: the answer to its sender, and the events to publish."""

    result: IngestResult
    publication: Publication
    due_again: DueAgain


class IngestPipeline:
    """Stores batches of readings; one instance per process."""

    def __init__(self, context: ProcessContext, catalogue: CatalogueCache, judge: Judge, publisher: Publisher) -> None:
        self._context = context
        self._catalogue = catalogue
        self._judge = judge
        self._publisher = publisher
        self._index: FleetIndex | None = None

    async def ingest(self, batch: ParsedBatch, principal: Principal) -> IngestOutcome:
        """Validate and store a batch; returns after the commit.

        When the database fails, nothing was stored as far as the gateway knows; sending the batch again is always safe.
        """
        for _ in range(_ATTEMPTS - 1):
            try:
                return await self._ingest(batch, principal)
            except FleetOutdated:
                RETRIES.labels("fleet_outdated").inc()
                self._catalogue.forget()
        return await self._ingest(batch, principal)

    async def publish(self, outcome: IngestOutcome) -> None:
        """Publish what a batch changed; best effort."""
        await outcome.publication.send(self._publisher)

    async def _ingest(self, batch: ParsedBatch, principal: Principal) -> IngestOutcome:
        fleet = await self._fleet_index()
        validated = self._validate(batch, fleet, principal)
        outcome = await self._store_with_estimates(validated, fleet, batch.reading_count)
        _count_rows(outcome.result)
        if not outcome.due_again:
            return outcome
        try:
            with STAGE_SECONDS.labels("judge_again").time():
                again = await self._judge.judge_again(fleet, outcome.due_again)
        except Exception as error:  # noqa: BLE001  # the readings are committed: their sender must not repeat them
            _log.warning("judging again failed; the job repeats it", error=repr(error))
            return outcome
        further = Publication(statuses=again.statuses, alerts=again.events)
        return replace(outcome, publication=outcome.publication.followed_by(further))

    async def _fleet_index(self) -> FleetIndex:
        async with self._context.database.begin() as connection:
            catalogue = await self._catalogue.get(connection, self._context.clock.now())
        if self._index is None or self._index.catalogue is not catalogue:
            self._index = FleetIndex.of(catalogue)
        return self._index

    def _validate(self, batch: ParsedBatch, fleet: FleetIndex, principal: Principal) -> ValidatedBatch:
        settings = self._context.settings
        window = TimeWindow.around(
            self._context.clock.now(),
            max_lead_s=settings.max_clock_lead_s,
            retention_days=settings.telemetry_retention_days,
        )
        with STAGE_SECONDS.labels("check").time():
            return validate_batch(batch, fleet, principal, window)

    async def _store_with_estimates(
        self, batch: ValidatedBatch, fleet: FleetIndex, reading_count: int
    ) -> IngestOutcome:
        # Estimates that another batch made outdated are requested once more, then the readings are stored without.
        for _ in range(2):
            estimates = await self._estimate(batch, fleet)
            try:
                return await self._store(batch, fleet, reading_count, estimates)
            except EstimatesOutdated:
                RETRIES.labels("estimates_outdated").inc()
        return await self._store(batch, fleet, reading_count, None)

    async def _estimate(self, batch: ValidatedBatch, fleet: FleetIndex) -> BatchEstimates | None:
        twin = self._context.twin
        if twin is None or not twin.is_reachable or not len(batch.batteries):
            return None
        with STAGE_SECONDS.labels("twin").time():
            async with self._context.database.begin() as connection:
                call = await prepare_twin_call(
                    connection, twin, batch, fleet, timeout_s=self._context.settings.twin_timeout_s
                )
            return await call.run()

    async def _store(
        self, batch: ValidatedBatch, fleet: FleetIndex, reading_count: int, estimates: BatchEstimates | None
    ) -> IngestOutcome:
        retrying = AsyncRetrying(
            retry=retry_if_exception(_is_retryable),
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_random(0.005, 0.05),
            reraise=True,
        )
        async for attempt in retrying:
            with attempt:
                try:
                    return await self._attempt(batch, fleet, reading_count, estimates)
                except SQLAlchemyError as error:
                    await self._resolve_conflict(error)
                    raise
        raise AssertionError("tenacity either returns or raises")

    async def _attempt(
        self, batch: ValidatedBatch, fleet: FleetIndex, reading_count: int, estimates: BatchEstimates | None
    ) -> IngestOutcome:
        began = perf_counter()
        async with self._context.database.begin() as connection:
            transaction = BatchTransaction(
                connection,
                fleet=fleet,
                judge=self._judge,
                received_at=self._context.clock.now(),
                watched=self._publisher.watched_batteries(),
                estimates=estimates,
                has_twin=self._context.twin is not None,
            )
            stored = await transaction.run(batch)
            committing = perf_counter()
        STAGE_SECONDS.labels("commit").observe(perf_counter() - committing)
        STAGE_SECONDS.labels("transaction").observe(perf_counter() - began)
        result = IngestResult(
            accepted=stored.outcomes[ReadingOutcome.NEW],
            merged=stored.outcomes[ReadingOutcome.MERGED],
            corrected=stored.outcomes[ReadingOutcome.CORRECTED],
            duplicates=stored.outcomes[ReadingOutcome.DUPLICATE] + batch.repeated_count,
            late=stored.late,
            rejected_count=len(batch.rejected),
            rejected=batch.rejected[:_SHOWN_REJECTIONS],
            left_out_count=len(batch.left_out),
            left_out=batch.left_out[:_SHOWN_REJECTIONS],
        )
        stored_count = result.accepted + result.merged + result.corrected + result.duplicates
        assert stored_count + result.rejected_count == reading_count
        return IngestOutcome(result, stored.publication, stored.due_again)

    async def _resolve_conflict(self, error: SQLAlchemyError) -> None:
        """Remove the cause of an error where that is possible, before the transaction is retried."""
        if is_serialization_failure(error):
            RETRIES.labels("serialization_failure").inc()
        elif is_partition_missing(error):
            RETRIES.labels("partition_missing").inc()
            async with self._context.database.begin() as connection:
                await maintain_partitions(
                    connection,
                    now=self._context.clock.now(),
                    retention_days=self._context.settings.telemetry_retention_days,
                )


def _count_rows(result: IngestResult) -> None:
    ROWS.labels("accepted").inc(result.accepted)
    ROWS.labels("merged").inc(result.merged)
    ROWS.labels("corrected").inc(result.corrected)
    ROWS.labels("duplicate").inc(result.duplicates)
    ROWS.labels("late").inc(result.late)
    LEFT_OUT.inc(result.left_out_count)
    for rejection in result.rejected:
        ROWS.labels(f"rejected_{rejection.code.value}").inc()
    hidden = result.rejected_count - len(result.rejected)
    if hidden:
        ROWS.labels("rejected_other").inc(hidden)


def _is_retryable(error: BaseException) -> bool:
    return is_serialization_failure(error) or is_partition_missing(error)
