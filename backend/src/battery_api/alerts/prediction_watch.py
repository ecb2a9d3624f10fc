"""The prediction watch: raises and clears the alerts about remaining life and state of health."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.alerts import prediction_repository as repository
from battery_api.alerts.alert_rows import AlertDraft, SubjectKeys, open_counts, write_alerts
from battery_api.alerts.engine.batch import LimitTable
from battery_api.alerts.engine.ladders import Limits
from battery_api.alerts.engine.prediction_rules import PREDICTION_RULES
from battery_api.alerts.engine.predictions import disagreement_pct, fall_of
from battery_api.alerts.judge_batch import settle
from battery_api.alerts.limits import load_overrides
from battery_api.alerts.prediction_drafts import EstimatedSubject, Outlook, drafts_of
from battery_api.alerts.prediction_repository import EstimatedBattery, OpenEstimateAlert
from battery_api.alerts.status_messages import statuses_of
from battery_api.alerts.subject_locks import lock_batteries, lock_locations
from battery_api.context import ProcessContext
from battery_api.fleet.catalogue import CatalogueCache
from battery_api.telemetry.ports import Publisher
from battery_api.telemetry.store.statements import write_open_counts
from battery_contracts.events import AlertMessage

_DEFAULTS = {rule.rule_id: rule.limits() for rule in PREDICTION_RULES}


class _Remembered(NamedTuple):
    """What was read of a battery's predictions when the newest was of ``predicted_at``; None without any days."""

    predicted_at: datetime
    outlook: Outlook | None


class PredictionWatch:
    """Judges the newest estimates of every battery in service each time it runs.

    The open alerts in the database are its only state. What it remembers of predictions saves reading them again
    before there is a newer one; losing it costs one reading.
    """

    def __init__(self, context: ProcessContext, catalogue: CatalogueCache) -> None:
        self._context = context
        self._catalogue = catalogue
        self._remembered: dict[int, _Remembered] = {}

    async def run_once(self, publisher: Publisher) -> list[AlertMessage]:
        """Raise, escalate and clear alerts, and publish the changes."""
        now = self._context.clock.now()
        async with self._context.database.begin() as connection:
            due = await self._drafts(connection, now)
            if not due:
                return []
            locations = {draft.subject.location_key for draft in due}
            batteries = {draft.subject.battery_key for draft in due if draft.subject.battery_key is not None}
            await lock_locations(connection, locations)
            await lock_batteries(connection, batteries)
            # Another replica, a swap or a run may have come between the look and the locks.
            drafts = [one for one in await self._drafts(connection, now) if one.subject.battery_key in batteries]
            await write_alerts(connection, drafts)
            await write_open_counts(connection, await open_counts(connection, sorted(batteries)))
            events = await settle(connection, drafts, now=now)
            statuses = await statuses_of(connection, drafts, now)
        # With what a fall is compared changes with the alert about it.
        for battery in batteries:
            self._remembered.pop(battery, None)
        await publisher.publish_alerts(events)
        await publisher.publish_statuses(statuses)
        return events

    async def _drafts(self, connection: AsyncConnection, now: datetime) -> list[AlertDraft]:
        batteries = await repository.list_batteries(connection)
        await self._follow(connection, batteries)
        opened: dict[int, list[OpenEstimateAlert]] = {}
        for alert in await repository.list_open(connection):
            opened.setdefault(alert.battery, []).append(alert)
        entries = (await self._catalogue.get(connection, now)).battery_by_key
        overrides = await load_overrides(connection, now)
        # One that was installed since the catalogue was read has its turn the next time.
        judged = [one for one in batteries if one.battery in entries]
        table = overrides.limit_table(PREDICTION_RULES, [entries[one.battery] for one in judged])
        drafts: list[AlertDraft] = []
        for index, one in enumerate(judged):
            remembered = self._remembered.get(one.battery)
            subject = EstimatedSubject(
                SubjectKeys(one.code, one.location, one.system, one.string, one.battery),
                _limits_of(table, index),
                None if remembered is None else remembered.outlook,
                one.health,
                opened.get(one.battery, ()),
            )
            drafts += drafts_of(subject, now)
        return drafts

    async def _follow(self, connection: AsyncConnection, batteries: Sequence[EstimatedBattery]) -> None:
        """Read the predictions of batteries that have a newer one than is remembered."""
        predicted = {one.battery: one.rul_predicted_at for one in batteries if one.rul_predicted_at is not None}
        self._remembered = {
            battery: known
            for battery, known in self._remembered.items()
            if predicted.get(battery) == known.predicted_at
        }
        fresh = [battery for battery in predicted if battery not in self._remembered]
        if not fresh:
            return
        outlooks = await _read_outlooks(connection, fresh)
        for battery in fresh:
            self._remembered[battery] = _Remembered(predicted[battery], outlooks.get(battery))


async def _read_outlooks(connection: AsyncConnection, batteries: Sequence[int]) -> dict[int, Outlook]:
    newest = await repository.read_newest(connection, batteries)
    daily = await repository.read_daily(connection, newest)
    changed = await repository.read_last_changes(connection, batteries)
    outlooks = {}
    for battery, one in newest.items():
        since = changed.get(battery)
        disagreement = None if since is None else disagreement_pct(daily[battery], since)
        outlooks[battery] = Outlook(one, fall_of(daily[battery], since), disagreement)
    return outlooks


def _limits_of(table: LimitTable, index: int) -> Mapping[str, Limits]:
    return {rule.rule_id: table.of(rule, index) for rule in PREDICTION_RULES} if table.overridden else _DEFAULTS
