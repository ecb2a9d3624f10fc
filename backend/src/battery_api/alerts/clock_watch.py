"""Watches the clocks of senders: what arrives now and is dated at another time, steadily by the same amount."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Final, NamedTuple

from sqlalchemy import text

from battery_api.alerts.alert_rows import AlertDraft, SubjectKeys, TimelineEntry, reopened_draft, write_alerts
from battery_api.alerts.engine.rules import CLOCK_RULE
from battery_api.alerts.judge_batch import settle
from battery_api.alerts.subject_locks import lock_locations
from battery_api.context import ProcessContext
from battery_api.telemetry.ports import Publisher
from battery_contracts.enums import AlertType
from battery_contracts.events import AlertMessage

ARRIVED_WITHIN: Final = timedelta(seconds=120)
"""Only what arrived lately tells what the sender's clock shows now."""
STEADY_FOR: Final = timedelta(seconds=120)
"""A backlog that is drained catches up; a wrong clock stays wrong by the same amount."""
STEADY_WITHIN_S: Final = 30.0
CLEARED_BELOW_S: Final = 60.0
_ARRIVALS: Final = text(
    """
    select l.id, l.code, g.code, s.arrival_lag_s
    from battery b
    join battery_state s on s.battery_id = b.id
    join string g on g.id = b.string_id
    join location l on l.id = b.location_id
    where b.removed_at is null and b.retired_at is null and s.arrived_at > :since
    order by l.id, g.code
    """
)
_OPEN: Final = text(
    "select id, location_id, subject, resolved_at from alert "
    "where rule_id = :rule and cleared_at is null and withdrawn_at is null"
)


class _Arrival(NamedTuple):
    """The newest arrival of a battery: how long after its own time it came; negative, it came before."""

    location: int
    location_code: str
    string_code: str
    lag_s: float


class _OpenClockAlert(NamedTuple):
    alert_id: int
    location_code: str
    resolved_at: datetime | None


@dataclass(frozen=True, slots=True)
class _Lag:
    """How late the readings of a string come, and since when it is the same."""

    lag_s: float
    since: datetime


class ClockWatch:
    """Looks at the newest arrivals each time it runs.

    What it has seen of a string since it began is its only state; a restart merely waits once more.
    """

    def __init__(self, context: ProcessContext) -> None:
        self._context = context
        self._lags: dict[tuple[int, str], _Lag] = {}

    async def run_once(self, publisher: Publisher) -> list[AlertMessage]:
        """Raise and clear alerts about clocks, and publish the changes."""
        now = self._context.clock.now()
        async with self._context.database.begin() as connection:
            arrivals = [_Arrival(*row) for row in await connection.execute(_ARRIVALS, {"since": now - ARRIVED_WITHIN})]
            self._follow(arrivals, now)
            opened = {
                row.location_id: _OpenClockAlert(row.id, row.subject, row.resolved_at)
                for row in await connection.execute(_OPEN, {"rule": CLOCK_RULE.rule_id})
            }
            drafts = [
                *self._raised({one.location: one.location_code for one in arrivals}, opened, now),
                *_cleared(arrivals, opened, now),
            ]
            await lock_locations(connection, [draft.subject.location_key for draft in drafts])
            await write_alerts(connection, drafts)
            events = await settle(connection, drafts, now=now)
        await publisher.publish_alerts(events)
        return events

    def _follow(self, arrivals: Sequence[_Arrival], now: datetime) -> None:
        lags: dict[tuple[int, str], list[float]] = {}
        for one in arrivals:
            lags.setdefault((one.location, one.string_code), []).append(one.lag_s)
        followed = {}
        for string, values in lags.items():
            lag_s, before = median(values), self._lags.get(string)
            is_steady = before is not None and abs(before.lag_s - lag_s) <= STEADY_WITHIN_S
            followed[string] = before if before is not None and is_steady else _Lag(lag_s, now)
        self._lags = followed

    def _raised(
        self, locations: Mapping[int, str], opened: Mapping[int, _OpenClockAlert], now: datetime
    ) -> list[AlertDraft]:
        drafts = []
        for location, code in locations.items():
            wrong = {
                string: lag.lag_s
                for (owner, string), lag in self._lags.items()
                if owner == location and abs(lag.lag_s) > CLOCK_RULE.raise_value and now - lag.since >= STEADY_FOR
            }
            before = opened.get(location)
            if wrong and before is None:
                drafts.append(_draft(SubjectKeys(code, location), wrong, now))
            elif wrong and before is not None and _outlasts(before, now):
                drafts.append(
                    reopened_draft(
                        SubjectKeys(code, location),
                        AlertType.DATA_QUALITY,
                        before.alert_id,
                        resolved_at=before.resolved_at,
                        now=now,
                    )
                )
        return drafts


def _outlasts(alert: _OpenClockAlert, now: datetime) -> bool:
    return alert.resolved_at is not None and now - alert.resolved_at >= STEADY_FOR


def _cleared(arrivals: Sequence[_Arrival], opened: Mapping[int, _OpenClockAlert], now: datetime) -> list[AlertDraft]:
    worst: dict[int, float] = {}
    for one in arrivals:
        worst[one.location] = max(worst.get(one.location, 0.0), abs(one.lag_s))
    return [
        AlertDraft(
            SubjectKeys(alert.location_code, location),
            AlertType.DATA_QUALITY,
            alert_id=alert.alert_id,
            cleared_at=now,
            timeline=[TimelineEntry("cleared", now, {"value": worst[location], "unit": "s"})],
        )
        for location, alert in opened.items()
        if worst.get(location, CLEARED_BELOW_S) < CLEARED_BELOW_S
    ]


def _draft(subject: SubjectKeys, wrong: Mapping[str, float], now: datetime) -> AlertDraft:
    string, lag_s = max(wrong.items(), key=lambda item: abs(item[1]))
    rule = CLOCK_RULE
    params = {
        "subject": subject.code,
        "value": lag_s,
        "value_min": abs(lag_s) / 60.0,
        "threshold": rule.raise_value,
        "unit": rule.unit,
        "string_id": string,
        "string_count": len(wrong),
        "since": now,
    }
    data = {"rule_id": rule.rule_id, "severity": rule.severity, "respond_within": rule.respond_within, **params}
    return AlertDraft(
        subject,
        AlertType.DATA_QUALITY,
        severity=rule.severity,
        respond_within=rule.respond_within,
        rule_id=rule.rule_id,
        raised_at=now,
        value=lag_s,
        threshold=rule.raise_value,
        unit=rule.unit,
        peak_value=lag_s,
        message_code="clock_behind" if lag_s > 0 else "clock_ahead",
        message_params=params,
        timeline=[TimelineEntry("raised", now, data)],
    )
