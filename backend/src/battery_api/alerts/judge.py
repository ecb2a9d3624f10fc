"""The judge of ingest: the rules over what just came, and again over what came late."""

from collections.abc import Mapping
from typing import Any, Final

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.alerts.judge_batch import judge_batch, settle
from battery_api.alerts.limits import OverrideCache
from battery_api.alerts.replay.run import replay_location, replay_string
from battery_api.alerts.status_messages import statuses_of
from battery_api.context import ProcessContext
from battery_api.db.fetching import fetch_all
from battery_api.fleet.catalogue import CatalogueCache
from battery_api.telemetry.ports import AgainVerdict, BatchVerdict, DueAgain, JudgedBatch, Publisher
from battery_api.telemetry.store.fleet_index import FleetIndex

_log = structlog.get_logger(__name__)
_DUE: Final = (
    "select 'string' as kind, string_id as key from string_state where rejudge_from is not null "
    "union all select 'location', location_id from location_state where rejudge_from is not null"
)


class AlertJudge:
    """Judges batches; implements `telemetry.ports.Judge`."""

    def __init__(self, context: ProcessContext) -> None:
        self._context = context
        self._overrides = OverrideCache()

    def forget_overrides(self) -> None:
        """Read the overrides again with the next batch, after this process changed one."""
        self._overrides.forget()

    async def judge(self, connection: AsyncConnection, batch: JudgedBatch) -> BatchVerdict:
        """Apply the rules in event time, write alerts and their timeline, return the new rule state."""
        now = self._context.clock.now()
        return await judge_batch(connection, batch, await self._overrides.get(connection, now), now=now)

    async def judge_again(self, fleet: FleetIndex, due: DueAgain) -> AgainVerdict:
        """Judge strings and locations again from their first changed reading, each in a transaction of its own."""
        verdict = AgainVerdict()
        for key in due.strings:
            verdict = verdict.joined(await self._judge_again(fleet, replay_string, key))
        for key in due.locations:
            verdict = verdict.joined(await self._judge_again(fleet, replay_location, key))
        return verdict

    async def run_once(self, catalogue: CatalogueCache, publisher: Publisher) -> AgainVerdict:
        """Judge again what is still due, after a crash between the commit of a batch and its replay."""
        async with self._context.database.begin() as connection:
            rows = await fetch_all(connection, _DUE)
            if not rows:
                return AgainVerdict()
            fleet = FleetIndex.of(await catalogue.get(connection, self._context.clock.now()))
        by_kind: Mapping[str, tuple[int, ...]] = {
            kind: tuple(row.key for row in rows if row.kind == kind) for kind in ("string", "location")
        }
        verdict = await self.judge_again(fleet, DueAgain(by_kind["string"], by_kind["location"]))
        await publisher.publish_alerts(verdict.events)
        await publisher.publish_statuses(verdict.statuses)
        return verdict

    async def _judge_again(self, fleet: FleetIndex, replay: Any, key: int) -> AgainVerdict:
        now = self._context.clock.now()
        async with self._context.database.begin() as connection:
            overrides = await self._overrides.get(connection, now)
            drafts = await replay(connection, fleet, key, overrides, now)
            # An episode that was over before it became known alarms nobody.
            announced = [draft for draft in drafts if draft.cleared_at is None or not draft.was_unknown]
            events = await settle(connection, drafts, now=now, announced=announced)
            return AgainVerdict(events, await statuses_of(connection, drafts, now))
