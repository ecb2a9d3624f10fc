"""Sending of a recording, batch after batch; a batch is sent again while the gateway is away."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_delay

from battery_api.cli.run_files import Recording, batches
from battery_contracts.clients.errors import ServiceError, ServiceRefused, ServiceUnavailable
from battery_contracts.clients.gateway import TelemetryClient
from battery_contracts.telemetry import IngestResult

_FIRST_WAIT_S: Final = 0.5
_LONGEST_WAIT_S: Final = 15.0
_BATCH_ROWS: Final = 1000


@dataclass(frozen=True, slots=True)
class GatewayAccess:
    """URL of the gateway, the key for it, and for how long it may be away in the middle of a run."""

    url: str
    api_key: str
    patience_s: float = 0.0


async def send_recording(
    recording: Recording,
    battery_id: str | None,
    start: datetime | None,
    gateway: GatewayAccess,
    *,
    speed: float = 1.0,
    console: Console | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
) -> IngestResult:
    """Send all batches and return the sum of the answers.

    The gateway keeps one value per battery, channel and instant, so a batch whose answer was lost may be sent again.

    Parameters
    ----------
    start
        Instant of ``time_s`` = 0; None to send each row at its own time, stamped with the current time.

    Raises
    ------
    ServiceError
        The gateway refuses a batch, or is away for longer than its patience.
    """
    console = console or Console(stderr=True)
    total = IngestResult(accepted=0, duplicates=0, late=0, rejected_count=0)
    live = start is None
    columns = (TextColumn("[bold]send"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    async with httpx.AsyncClient(transport=transport) as http:
        client = TelemetryClient(http, gateway.url, api_key=gateway.api_key)
        with Progress(*columns, console=console) as bar:
            task = bar.add_task("send", total=recording.row_count)
            origin = start or datetime.now(UTC)
            size, rate = (1, speed) if live else (_BATCH_ROWS, 1.0)
            for batch in batches(recording, battery_id, origin, speed=rate, size=size):
                if live:
                    await asyncio.sleep(max(0.0, (batch.last_time - datetime.now(UTC)).total_seconds()))
                result = await _post(client, batch.body, gateway.patience_s, bar.console.print)
                bar.advance(task, batch.row_count)
                total = _added(total, result, batch.first_row)
    return total


async def _post(client: TelemetryClient, body: bytes, patience_s: float, report: Callable[[str], None]) -> IngestResult:
    attempts = AsyncRetrying(
        retry=retry_if_exception(_may_pass),
        stop=stop_after_delay(patience_s),
        wait=_wait_s,
        before_sleep=lambda state: report(f"{_error(state)}; trying again."),
        reraise=True,
    )
    return await attempts(client.post_json, body)


def _may_pass(error: BaseException) -> bool:
    too_many = isinstance(error, ServiceRefused) and error.status == httpx.codes.TOO_MANY_REQUESTS
    return isinstance(error, ServiceUnavailable) or too_many


def _wait_s(state: RetryCallState) -> float:
    error = _error(state)
    asked_s = error.retry_after_s if isinstance(error, ServiceError) else None
    return asked_s or min(_FIRST_WAIT_S * 2 ** (state.attempt_number - 1), _LONGEST_WAIT_S)


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def _added(total: IngestResult, result: IngestResult, first_row: int) -> IngestResult:
    left_out = [item.model_copy(update={"index": item.index + first_row}) for item in result.left_out]
    rejected = [item.model_copy(update={"index": item.index + first_row}) for item in result.rejected]
    return IngestResult(
        accepted=total.accepted + result.accepted,
        merged=total.merged + result.merged,
        corrected=total.corrected + result.corrected,
        duplicates=total.duplicates + result.duplicates,
        late=total.late + result.late,
        rejected_count=total.rejected_count + result.rejected_count,
        rejected=[*total.rejected, *rejected][:1000],
        left_out_count=total.left_out_count + result.left_out_count,
        left_out=[*total.left_out, *left_out][:1000],
    )
