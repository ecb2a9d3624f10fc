"""Delivery of the spool to the gateway: in order, oldest first, until each batch is acknowledged."""

import asyncio
import sys
from dataclasses import dataclass
from time import monotonic
from typing import Final

import httpx
import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential

from battery_contracts.clients.breaker import CircuitBreaker
from battery_contracts.clients.errors import InvalidServiceResponse, ServiceError, ServiceRefused, ServiceUnavailable
from battery_contracts.clients.gateway import TelemetryClient
from battery_contracts.telemetry import IngestResult
from battery_sim import metrics
from battery_sim.batch import merged
from battery_sim.spool import Spool, SpooledBatch, SpoolUnavailable
from battery_sim.work_thread import WorkThread

_log = structlog.get_logger(__name__)

MERGE_READINGS: Final = 5_000
"""Readings that one request may carry while a backlog drains."""
MERGE_BATCHES: Final = 300
MIN_PAUSE_S, MAX_PAUSE_S = 0.2, 5.0
UNKNOWN_SENDER_PAUSE_S: Final = 10.0
"""Pause while the gateway does not accept the key: a key may be added later, and frequent attempts trip its
throttle."""
MAX_RETRY_AFTER_S: Final = 300.0
WARN_EVERY_S: Final = 60.0
_UNKNOWN_SENDER: Final = frozenset({401, 403})
_UNRELATED_TO_THE_BATCH: Final = _UNKNOWN_SENDER | {404, 405, 407, 408, 421, 423, 425, 429}
"""Refusals caused by the sender, the address or the moment: the batch is kept."""


class _Kept(Exception):
    """The gateway did not accept the batches; they stay in the spool."""

    def __init__(self, cause: ServiceError) -> None:
        super().__init__(str(cause))
        self.cause = cause


@dataclass(slots=True)
class SenderStatus:
    """Counts of the sender since its start."""

    acknowledged_batches: int = 0
    accepted: int = 0
    amended: int = 0
    """Readings that completed or corrected a stored one of the same instant."""
    duplicates: int = 0
    late: int = 0
    rejected: int = 0
    last_error: str | None = None
    is_connected: bool = False


class Sender:
    """A task that empties the spool."""

    def __init__(self, spool: Spool, client: TelemetryClient, work: WorkThread) -> None:
        self._spool = spool
        self._client = client
        self._work = work
        self._stored = asyncio.Event()
        self._max_batches = MERGE_BATCHES
        self._warned_at_s = -WARN_EVERY_S
        self._backoff = wait_exponential(multiplier=MIN_PAUSE_S, max=MAX_PAUSE_S)
        self.status = SenderStatus()

    def notify(self) -> None:
        """Wake the sender: a batch was stored."""
        self._stored.set()

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            self._stored.clear()
            batches = await self._oldest()
            if batches:
                await self._deliver(batches)
            else:
                await self._stored.wait()

    async def _oldest(self) -> list[SpooledBatch]:
        try:
            return await self._work.run(self._spool.peek, max_batches=self._max_batches, max_readings=MERGE_READINGS)
        except SpoolUnavailable as error:
            await self._on_spool_failure(error)
            return []

    async def _deliver(self, batches: list[SpooledBatch]) -> None:
        try:
            result = await self._post_until_accepted(batches)
        except ServiceRefused as error:
            await self._on_refusal(batches, error)
            return
        self._count(batches, result)
        await self._settle(batches, None)
        self._max_batches = min(self._max_batches * 2, MERGE_BATCHES)

    async def _post_until_accepted(self, batches: list[SpooledBatch]) -> IngestResult:
        """Post the same body until the gateway accepts it; raise `ServiceRefused` if it is refused permanently."""
        body = batches[0].body if len(batches) == 1 else merged(batch.body for batch in batches)
        attempts = AsyncRetrying(
            retry=retry_if_exception_type(_Kept), wait=self._pause_s, before_sleep=self._on_kept, sleep=asyncio.sleep
        )
        return await attempts(self._post, body)

    async def _post(self, body: bytes) -> IngestResult:
        try:
            return await self._client.post_json(body)
        except (ServiceUnavailable, InvalidServiceResponse) as error:
            raise _Kept(error) from error
        except ServiceRefused as error:
            if error.status in _UNRELATED_TO_THE_BATCH:
                raise _Kept(error) from error
            raise

    def _pause_s(self, attempt: RetryCallState) -> float:
        cause = _cause(attempt)
        if cause.retry_after_s is not None:
            return min(cause.retry_after_s, MAX_RETRY_AFTER_S)
        if isinstance(cause, ServiceRefused) and cause.status in _UNKNOWN_SENDER:
            return UNKNOWN_SENDER_PAUSE_S
        return self._backoff(attempt)

    def _on_kept(self, attempt: RetryCallState) -> None:
        reason = str(_cause(attempt))
        if self.status.is_connected or self.status.last_error != reason:
            _log.warning("gateway does not accept readings; keeping them", reason=reason, waiting=self._spool.count)
        self.status.is_connected, self.status.last_error = False, reason
        metrics.SEND_FAILURES.inc()

    async def _on_refusal(self, batches: list[SpooledBatch], error: ServiceRefused) -> None:
        self.status.is_connected = True
        self.status.last_error = str(error)
        if len(batches) > 1:
            # One bad batch must not block the others: halve until it is alone.
            self._max_batches = len(batches) // 2
            return
        _log.error("batch refused permanently; set aside", batch=batches[0].id, reason=str(error))
        metrics.BATCHES_REFUSED.inc()
        await self._settle(batches, str(error))

    async def _settle(self, batches: list[SpooledBatch], refusal: str | None) -> None:
        """Remove decided batches from the queue, however long the disk takes: they must not be sent again."""
        while True:
            try:
                if refusal is None:
                    await self._work.run(self._spool.remove, batches)
                else:
                    await self._work.run(self._spool.set_aside, batches[0], refusal)
            except SpoolUnavailable as error:
                await self._on_spool_failure(error)
            else:
                return

    async def _on_spool_failure(self, error: SpoolUnavailable) -> None:
        self.status.last_error = f"spool: {error}"
        if self._may_warn():
            _log.error("spool cannot be used now", reason=str(error))
        await asyncio.sleep(1.0)

    def _count(self, batches: list[SpooledBatch], result: IngestResult) -> None:
        status = self.status
        if not status.is_connected:
            _log.info("gateway accepts readings", waiting=self._spool.count)
        status.is_connected, status.last_error = True, None
        status.acknowledged_batches += len(batches)
        status.accepted += result.accepted
        status.amended += result.merged + result.corrected
        status.duplicates += result.duplicates
        status.late += result.late
        status.rejected += result.rejected_count
        metrics.READINGS.labels("accepted").inc(result.accepted)
        metrics.READINGS.labels("amended").inc(result.merged + result.corrected)
        metrics.READINGS.labels("duplicate").inc(result.duplicates)
        metrics.READINGS.labels("rejected").inc(result.rejected_count)
        if result.rejected_count and self._may_warn():
            codes = sorted({rejection.code.value for rejection in result.rejected})
            _log.warning("readings refused", count=result.rejected_count, codes=codes, first=str(result.rejected[:1]))

    def _may_warn(self) -> bool:
        """Return whether to log a failure that may recur every second."""
        now_s = monotonic()
        if now_s - self._warned_at_s < WARN_EVERY_S:
            return False
        self._warned_at_s = now_s
        return True


def _cause(attempt: RetryCallState) -> ServiceError:
    assert attempt.outcome is not None
    error = attempt.outcome.exception()
    assert isinstance(error, _Kept)
    return error.cause


def telemetry_client(http: httpx.AsyncClient, gateway_url: str, api_key: str) -> TelemetryClient:
    """Return the client; its circuit breaker never opens, since the sender has its own retries."""
    client = TelemetryClient(http, gateway_url, api_key=api_key)
    client.breaker = CircuitBreaker(threshold=sys.maxsize)
    return client
