"""The life of a batch of readings: one transaction from its locks to its commit, then the answer, then the news."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from time import perf_counter

import structlog
from asyncpg import InterfaceError, PostgresError
from sqlalchemy.exc import SQLAlchemyError
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random

from battery_api.accounts.principal import Principal
from battery_api.context import ProcessContext
from battery_api.db.failures import is_away, is_clash, lacks_partition
from battery_api.db.timescale import keep_partitions
from battery_api.fleet.catalogue import CatalogueCache
from battery_api.telemetry.batch import BatchTransaction
from battery_api.telemetry.checks import CheckedBatch, Clock, check_batch
from battery_api.telemetry.errors import DatabaseUnavailable
from battery_api.telemetry.estimates import Estimates, EstimatesOutdated, ask_twin, is_reachable
from battery_api.telemetry.fleet_index import FleetIndex
from battery_api.telemetry.metrics import RETRIES, ROWS, STAGE_SECONDS
from battery_api.telemetry.ports import Judge, Publisher
from battery_api.telemetry.publication import Publication
from battery_api.telemetry.rows import ParsedBatch
from battery_contracts.telemetry import IngestResult

_log = structlog.get_logger(__name__)
_ATTEMPTS = 5
_SHOWN_REJECTIONS = 1000


@dataclass(frozen=True, slots=True)
class Taken:
    """A committed batch: what to answer and what to announce."""

    result: IngestResult
    publication: Publication


class Ingest:
    """Takes batches of readings; one for the process."""

    def __init__(self, context: ProcessContext, catalogue: CatalogueCache, judge: Judge, publisher: Publisher) -> None:
        self._context = context
        self._catalogue = catalogue
        self._judge = judge
        self._publisher = publisher
        self._index: FleetIndex | None = None

    async def take(self, batch: ParsedBatch, principal: Principal) -> Taken:
        """Check and store a batch; returns after the commit.

        Raises
        ------
        DatabaseUnavailable
            Nothing was stored, as far as the gateway knows; sending the batch again is safe in every case.
        """
        async with database_errors():
            fleet = await self._fleet()
            checked = self._check(batch, fleet, principal)
            taken = await self._store_estimated(checked, fleet, batch.reading_count)
        self._count(taken.result)
        return taken

    async def announce(self, taken: Taken) -> None:
        """Publish what a batch changed; best effort."""
        await taken.publication.send(self._publisher)

    async def _fleet(self) -> FleetIndex:
        async with self._context.database.begin() as connection:
            catalogue = await self._catalogue.get(connection, self._context.clock.now())
        if self._index is None or self._index.catalogue is not catalogue:
            self._index = FleetIndex.of(catalogue)
        return self._index

    def _check(self, batch: ParsedBatch, fleet: FleetIndex, principal: Principal) -> CheckedBatch:
        settings = self._context.settings
        clock = Clock.at(
            self._context.clock.now(),
            max_lead_s=settings.max_clock_lead_s,
            retention_days=settings.telemetry_retention_days,
        )
        with STAGE_SECONDS.labels("check").time():
            return check_batch(batch, fleet, principal, clock)

    async def _store_estimated(self, checked: CheckedBatch, fleet: FleetIndex, reading_count: int) -> Taken:
        # Estimates that another batch overtook are asked for once more, then the readings go in without.
        for _ in range(2):
            estimates = await self._estimate(checked, fleet)
            try:
                return await self._store(checked, fleet, reading_count, estimates)
            except EstimatesOutdated:
                RETRIES.labels("estimates_outdated").inc()
        return await self._store(checked, fleet, reading_count, None)

    async def _estimate(self, checked: CheckedBatch, fleet: FleetIndex) -> Estimates | None:
        twin = self._context.twin
        if twin is None or not is_reachable(twin) or not len(checked.batteries):
            return None
        with STAGE_SECONDS.labels("twin").time():
            async with self._context.database.begin() as connection:
                question = await ask_twin(
                    connection, twin, checked, fleet, budget_s=self._context.settings.twin_timeout_s
                )
            return await question.put()

    async def _store(
        self, checked: CheckedBatch, fleet: FleetIndex, reading_count: int, estimates: Estimates | None
    ) -> Taken:
        retrying = AsyncRetrying(
            retry=retry_if_exception(_may_begin_anew),
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_random(0.005, 0.05),
            reraise=True,
        )
        async for attempt in retrying:
            with attempt:
                try:
                    return await self._attempt(checked, fleet, reading_count, estimates)
                except SQLAlchemyError as error:
                    await self._make_way(error)
                    raise
        raise AssertionError("tenacity either returns or raises")

    async def _attempt(
        self, checked: CheckedBatch, fleet: FleetIndex, reading_count: int, estimates: Estimates | None
    ) -> Taken:
        began = perf_counter()
        async with self._context.database.begin() as connection:
            transaction = BatchTransaction(
                connection,
                fleet=fleet,
                engine=self._context.engine,
                judge=self._judge,
                received_at=self._context.clock.now(),
                listened=self._publisher.listened_batteries(),
                estimates=estimates,
            )
            stored = await transaction.run(checked)
            committing = perf_counter()
        STAGE_SECONDS.labels("commit").observe(perf_counter() - committing)
        STAGE_SECONDS.labels("transaction").observe(perf_counter() - began)
        result = IngestResult(
            accepted=stored.accepted,
            duplicates=stored.duplicates + checked.repeated_count,
            late=stored.late,
            rejected_count=len(checked.rejected),
            rejected=checked.rejected[:_SHOWN_REJECTIONS],
        )
        assert result.accepted + result.duplicates + result.rejected_count == reading_count
        return Taken(result, stored.publication)

    async def _make_way(self, error: SQLAlchemyError) -> None:
        """Remove the cause of an error where that is possible, before the batch begins anew."""
        if is_clash(error):
            RETRIES.labels("clash").inc()
        elif lacks_partition(error):
            RETRIES.labels("partition").inc()
            async with self._context.database.begin() as connection:
                await keep_partitions(
                    connection,
                    now=self._context.clock.now(),
                    retention_days=self._context.settings.telemetry_retention_days,
                )

    @staticmethod
    def _count(result: IngestResult) -> None:
        ROWS.labels("accepted").inc(result.accepted)
        ROWS.labels("duplicate").inc(result.duplicates)
        ROWS.labels("late").inc(result.late)
        for rejection in result.rejected:
            ROWS.labels(f"rejected_{rejection.code.value}").inc()
        hidden = result.rejected_count - len(result.rejected)
        if hidden:
            ROWS.labels("rejected_other").inc(hidden)


def _may_begin_anew(error: BaseException) -> bool:
    return is_clash(error) or lacks_partition(error)


@contextlib.asynccontextmanager
async def database_errors() -> AsyncIterator[None]:
    """Answer 503 while the database is away, instead of an unexpected error."""
    try:
        yield
    except (SQLAlchemyError, PostgresError, InterfaceError, OSError) as error:
        # The driver's own errors come through where no connection could be opened at all.
        if not (is_clash(error) or is_away(error)):
            raise
        _log.warning("database unavailable", error=type(error).__name__, detail=str(error)[:200])
        raise DatabaseUnavailable from error
