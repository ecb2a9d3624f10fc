"""Drain the spool into the gateway: in order, oldest first, until each batch is acknowledged."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import orjson
import structlog

from battery_contracts.clients.errors import ServiceNonsense, ServiceRefused, ServiceUnavailable
from battery_contracts.clients.gateway import TelemetryClient
from battery_sim.spool import Spool, SpooledBatch

_log = structlog.get_logger(__name__)

MERGE_READINGS: Final = 5_000
"""Readings that one request may carry while a backlog drains."""
MERGE_BATCHES: Final = 300
_PAUSES_S: Final = (0.2, 0.5, 1.0, 2.0, 5.0)
_KEEP_TRYING: Final = frozenset({401, 403, 408, 413, 429})
"""Refusals that say nothing against the batch itself: a key may come later, a limit passes."""


@dataclass(slots=True)
class SenderStatus:
    """What the sender has done so far."""

    sent_readings: int = 0
    acknowledged_batches: int = 0
    duplicates: int = 0
    rejected: int = 0
    last_error: str | None = None
    is_connected: bool = False
    _failures: int = field(default=0, repr=False)


class Sender:
    """One task that empties the spool."""

    def __init__(self, spool: Spool, client: TelemetryClient, wake: asyncio.Event) -> None:
        self._spool = spool
        self._client = client
        self._wake = wake
        self.status = SenderStatus()

    async def run(self) -> None:
        """Send for as long as the process lives."""
        while True:
            batches = self._spool.peek(MERGE_BATCHES)
            if not batches:
                self._wake.clear()
                await self._wake.wait()
                continue
            await self._send(_fitting(batches))

    async def _send(self, batches: list[SpooledBatch]) -> None:
        try:
            result = await self._client.post_json(merged(batches))
        except (ServiceUnavailable, ServiceNonsense) as error:
            await self._pause(str(error))
            return
        except ServiceRefused as error:
            await self._on_refusal(batches, error)
            return
        self._spool.remove(batches)
        status = self.status
        if not status.is_connected:
            _log.info("gateway takes readings", waiting=self._spool.count)
        status.is_connected, status.last_error, status._failures = True, None, 0  # noqa: SLF001  # own record
        status.acknowledged_batches += len(batches)
        status.sent_readings += result.accepted
        status.duplicates += result.duplicates
        status.rejected += result.rejected_count
        if result.rejected_count:
            _log.warning("readings refused", count=result.rejected_count, first=result.rejected[:1])

    async def _on_refusal(self, batches: list[SpooledBatch], error: ServiceRefused) -> None:
        if error.status in _KEEP_TRYING:
            await self._pause(str(error))
        elif len(batches) > 1:
            # One bad batch must not take the others with it: find it alone.
            await self._send(batches[:1])
        else:
            _log.error("batch refused for good; set aside", reason=str(error))
            self._spool.set_aside(batches[0], str(error))
            self.status.last_error = str(error)

    async def _pause(self, reason: str) -> None:
        status = self.status
        if status.is_connected or status.last_error is None:
            _log.warning("gateway does not take readings; keeping them", reason=reason)
        status.is_connected, status.last_error = False, reason
        pause_s = _PAUSES_S[min(status._failures, len(_PAUSES_S) - 1)]  # noqa: SLF001  # own record
        status._failures += 1  # noqa: SLF001  # own record
        await asyncio.sleep(pause_s)


def merged(batches: list[SpooledBatch]) -> bytes:
    """Return one body for several batches, readings in their order."""
    if len(batches) == 1:
        return batches[0].body
    columns: dict[str, list[Any]] = {}
    lists: dict[str, list[Any]] = {}
    rows = 0
    for batch in batches:
        content: dict[str, Any] = orjson.loads(batch.body)
        given: dict[str, list[Any]] = content.pop("columns", {})
        count = len(given.get("battery_id", ()))
        for name in columns.keys() | given.keys():
            # A column that only some batches have is null in the others.
            columns.setdefault(name, [None] * rows).extend(given.get(name) or [None] * count)
        rows += count
        for name, items in content.items():
            lists.setdefault(name, []).extend(items)
    return orjson.dumps({**({"columns": columns} if columns else {}), **lists})


def _fitting(batches: list[SpooledBatch]) -> list[SpooledBatch]:
    # About 75 bytes a reading; exact counting would mean parsing what may not be sent.
    taken: list[SpooledBatch] = []
    size = 0
    for batch in batches:
        size += len(batch.body)
        if taken and size > MERGE_READINGS * 75:
            break
        taken.append(batch)
    return taken


def telemetry_client(http: httpx.AsyncClient, gateway_url: str, api_key: str) -> TelemetryClient:
    """Return the client; the sender has its own rhythm of retries, so the breaker stays out of the way."""
    client = TelemetryClient(http, gateway_url, api_key=api_key)
    client.breaker.threshold = 1_000_000
    return client
