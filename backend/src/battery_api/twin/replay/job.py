"""The job that estimates what waits for the digital twin."""

from datetime import timedelta
from time import monotonic
from typing import Final

import structlog
from prometheus_client import Counter, Gauge

from battery_api.context import ProcessContext
from battery_api.db.fetching import fetch_all
from battery_api.fleet.catalogue import CatalogueCache
from battery_api.telemetry.store.fleet_index import FleetIndex
from battery_api.twin.replay.run import Progress, StringReplay
from battery_api.twin.replay.snapshots import thin_snapshots
from battery_contracts.clients.errors import ServiceError

_log = structlog.get_logger(__name__)
_SPANS: Final = Counter("twin_replayed_spans_total", "Spans of readings that the digital twin estimated later.")
_WAITING_STRINGS: Final = Gauge("twin_waiting_strings", "Strings with readings that wait for the digital twin.")
# Those with the least to do come first: a backlog of months must not delay a reading that came a minute late.
_WAITING: Final = (
    "select string_id from string_state where reestimate_from is not null and rejudge_from is null "
    "order by reestimate_from desc, string_id"
)
# Within the lease of the job.
_BUSY_FOR_S: Final = 20.0


async def run_once(context: ProcessContext, catalogue: CatalogueCache) -> int:
    """Estimate what waits, a span of each string in turn; return the number of spans. Stops while the twin is away."""
    twin = context.twin
    if twin is None:
        return 0
    async with context.database.begin() as connection:
        keys = [row[0] for row in await fetch_all(connection, _WAITING)]
        fleet = FleetIndex.of(await catalogue.get(connection, context.clock.now())) if keys else None
    _WAITING_STRINGS.set(len(keys))
    if fleet is None:
        return 0
    known = set(fleet.strings.keys.tolist())
    waiting = [StringReplay(context, twin, fleet, key) for key in keys if key in known]
    spans, until = 0, monotonic() + _BUSY_FOR_S
    while waiting and monotonic() < until and twin.is_reachable:
        rest = []
        for replay in waiting:
            try:
                if await replay.step() is Progress.MORE:
                    rest.append(replay)
            except ServiceError as error:
                _log.info("readings wait on for the twin", reason=type(error).__name__, detail=error.detail)
                return spans
            spans += 1
            _SPANS.inc()
        waiting = rest
    return spans


async def thin_once(context: ProcessContext) -> None:
    """Delete snapshots that no reading can need any more."""
    retention = timedelta(days=context.settings.telemetry_retention_days)
    async with context.database.begin() as connection:
        await thin_snapshots(connection, context.clock.now(), retention)
