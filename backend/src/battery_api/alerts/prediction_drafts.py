"""The alerts that are due for one battery from what is estimated of it, as changes of rows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from battery_api.alerts.alert_rows import AlertDraft, EventKind, SubjectKeys, TimelineEntry, reopened_draft
from battery_api.alerts.engine.ladders import Limits, Rule
from battery_api.alerts.engine.prediction_rules import RUL_CHANGE, RUL_LADDER, SOH_CRITICAL
from battery_api.alerts.engine.predictions import Fall, Health, rul_rule, soh_rule
from battery_api.alerts.engine.rules import RULE_BY_ID
from battery_api.alerts.prediction_repository import NewestPrediction, OpenEstimateAlert
from battery_contracts.enums import AlertType

OUTLASTS_AFTER: Final = timedelta(days=1)
"""How long a low state of health must outlast the resolution of its alert before it is raised again; EJ."""
_RUL_TYPES: Final = frozenset(rule.type for rule in RUL_LADDER)
Drafts = Iterator[AlertDraft]


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the predictions of a battery say.

    ``disagreement_pct`` is that of the two newest days, None until both are later than the alert about a fall.
    """

    newest: NewestPrediction
    fall: Fall | None
    disagreement_pct: float | None


@dataclass(frozen=True, slots=True)
class EstimatedSubject:
    """A battery with its limits by rule, what is known of it, and its open alerts about estimates."""

    keys: SubjectKeys
    limits: Mapping[str, Limits]
    outlook: Outlook | None
    health: Health | None
    opened: Sequence[OpenEstimateAlert]


class _Seen(NamedTuple):
    """What a rule saw, and the message about it."""

    rule: Rule
    value: float
    params: Mapping[str, Any]
    message_code: str


def drafts_of(subject: EstimatedSubject, now: datetime) -> Drafts:
    """Yield the alerts that are to be raised, changed and cleared; what is not known changes none."""
    if subject.outlook is not None:
        yield from _rul(subject, subject.outlook.newest, now)
        yield from _change(subject, subject.outlook, now)
    if subject.health is not None:
        yield from _soh(subject, subject.health, now)


def _rul(subject: EstimatedSubject, newest: NewestPrediction, now: datetime) -> Drafts:
    days = newest.days
    opened = {alert.rule_id: alert for alert in subject.opened if alert.type in _RUL_TYPES}
    raised_by = {rule_id: alert.predicted_at or alert.raised_at for rule_id, alert in opened.items()}
    due = rul_rule(days, now, subject.limits, raised_by)
    left_days = days.left_days(now)
    for rule_id, alert in opened.items():
        if due is None or rule_id != due.rule_id:
            data = {"value": left_days, "unit": RULE_BY_ID[rule_id].unit}
            yield _cleared(subject, alert, data | ({} if due is None else {"superseded_by": due.type.value}), now)
    if due is None:
        return
    before, limit_days = opened.get(due.rule_id), subject.limits[due.rule_id].raise_value
    if before is None:
        params = _prediction_params(newest) | {"since": days.as_of + timedelta(days=max(days.p10_days - limit_days, 0))}
        yield _raised(subject, _Seen(due, left_days, params, _code(due, newest)), now)
    elif before.resolved_at is not None and days.predicted_at > before.resolved_at and left_days < limit_days:
        yield _reopened(subject, before, now)


def _change(subject: EstimatedSubject, outlook: Outlook, now: datetime) -> Drafts:
    limits, fall = subject.limits[RUL_CHANGE.rule_id], outlook.fall
    opened = next((alert for alert in subject.opened if alert.type == RUL_CHANGE.type), None)
    if opened is not None:
        difference_pct = outlook.disagreement_pct
        if not limits.enabled or (difference_pct is not None and difference_pct <= limits.clear_value):
            yield _cleared(subject, opened, {"value": difference_pct, "unit": RUL_CHANGE.unit}, now)
    elif limits.enabled and fall is not None and fall.fall_pct > limits.raise_value:
        params = _prediction_params(outlook.newest) | {
            "since": outlook.newest.days.as_of,
            "before_days": fall.before_days,
            "compared_count": fall.compared_count,
        }
        yield _raised(subject, _Seen(RUL_CHANGE, fall.fall_pct, params, _code(RUL_CHANGE, outlook.newest)), now)


def _soh(subject: EstimatedSubject, health: Health, now: datetime) -> Drafts:
    opened = next((alert for alert in subject.opened if alert.type == AlertType.SOH_DEGRADED), None)
    due = soh_rule(health, subject.limits, None if opened is None else opened.rule_id)
    if due is None:
        if opened is not None:
            yield _cleared(subject, opened, {"value": health.soh_pct, "unit": "%"}, now)
        return
    upper_pct = health.upper_pct
    value = upper_pct if due is SOH_CRITICAL and upper_pct is not None else health.soh_pct
    params = {
        "since": now,
        "source": "twin",
        "soh_pct": health.soh_pct,
        "soh_sd_pct": health.sd_pct,
        "provenance": health.provenance,
    }
    seen = _Seen(due, value, params, due.message_code)
    if opened is None:
        yield _raised(subject, seen, now)
        return
    leading = RULE_BY_ID.get(opened.rule_id)
    if leading is None or due.urgency > leading.urgency:
        yield _changed("escalated", subject, seen, now, alert_id=opened.alert_id)
    elif (
        opened.resolved_at is not None
        and now - opened.resolved_at >= OUTLASTS_AFTER
        and value < subject.limits[due.rule_id].raise_value
    ):
        yield _reopened(subject, opened, now)


def _code(rule: Rule, newest: NewestPrediction) -> str:
    return f"{rule.message_code}_conflict" if newest.is_conflict else rule.message_code


def _prediction_params(newest: NewestPrediction) -> dict[str, Any]:
    days = newest.days
    return {
        "source": days.source,
        "as_of": days.as_of,
        "predicted_at": days.predicted_at,
        "model_version": days.model_version,
        "p10_days": days.p10_days,
        "p50_days": days.p50_days,
        "p90_days": days.p90_days,
        "is_conflict": newest.is_conflict,
        "ml_p50_days": newest.ml_p50_days,
        "twin_p50_days": newest.twin_p50_days,
        "conflict_advice": newest.conflict_advice,
    }


def _raised(subject: EstimatedSubject, seen: _Seen, now: datetime) -> AlertDraft:
    draft = _changed("raised", subject, seen, now)
    draft.raised_at = now
    return draft


def _changed(
    kind: EventKind, subject: EstimatedSubject, seen: _Seen, now: datetime, *, alert_id: int | None = None
) -> AlertDraft:
    rule, value = seen.rule, seen.value
    threshold = subject.limits[rule.rule_id].raise_value
    params = {"subject": subject.keys.code, "value": value, "threshold": threshold, "unit": rule.unit, **seen.params}
    data = {"rule_id": rule.rule_id, "severity": rule.severity, "respond_within": rule.respond_within, **params}
    return AlertDraft(
        subject.keys,
        rule.type,
        alert_id=alert_id,
        severity=rule.severity,
        respond_within=rule.respond_within,
        rule_id=rule.rule_id,
        value=value,
        threshold=threshold,
        unit=rule.unit,
        peak_value=value,
        message_code=seen.message_code,
        message_params=params,
        needs_new_acknowledgement=alert_id is not None,
        timeline=[TimelineEntry(kind, now, data)],
    )


def _cleared(subject: EstimatedSubject, alert: OpenEstimateAlert, data: Mapping[str, Any], now: datetime) -> AlertDraft:
    entry = TimelineEntry("cleared", now, data)
    alert_type = AlertType(alert.type)
    return AlertDraft(subject.keys, alert_type, alert_id=alert.alert_id, cleared_at=now, timeline=[entry])


def _reopened(subject: EstimatedSubject, alert: OpenEstimateAlert, now: datetime) -> AlertDraft:
    alert_type = AlertType(alert.type)
    return reopened_draft(subject.keys, alert_type, alert.alert_id, resolved_at=alert.resolved_at, now=now)
