"""Judge what is estimated of a battery: its remaining life, the fall of it, and its state of health."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from statistics import median
from typing import Final, NamedTuple

from battery_api.alerts.engine.ladders import Limits, Rule
from battery_api.alerts.engine.prediction_rules import (
    LEAST_FALL_DAYS,
    RUL_LADDER,
    SOH_CRITICAL,
    SOH_LADDER,
    SOH_WARNING,
)

COMPARED: Final = timedelta(days=30)
"""Predictions before the newest with which it is compared."""
UPPER_SD: Final = 1.28
"""Standard deviations from a mean to the P90 of a normal distribution."""
_DAY: Final = timedelta(days=1)


class LifeDays(NamedTuple):
    """The days of a prediction, counted from ``as_of``; from ``longer_than_days`` on they are lower bounds."""

    as_of: datetime
    predicted_at: datetime
    p10_days: float
    p50_days: float
    p90_days: float
    longer_than_days: float | None
    source: str
    model_version: str | None

    def left_days(self, now: datetime) -> float:
        """Return what is left of the P10 at an instant."""
        return self.p10_days - (now - self.as_of) / _DAY

    def p50_days_at(self, instant: datetime) -> float:
        """Return the P50 as it counts from another instant."""
        return self.p50_days - (instant - self.as_of) / _DAY

    def is_beyond(self, days: float) -> bool:
        """Return whether days of this prediction are a lower bound."""
        return self.longer_than_days is not None and days >= self.longer_than_days


class Fall(NamedTuple):
    """How far the P50 fell against the median of the days before."""

    fall_pct: float
    before_days: float
    compared_count: int


class Health(NamedTuple):
    """A state of health that rests on capacity evidence; ``sd_pct`` is None where it is not known."""

    soh_pct: float
    sd_pct: float | None
    provenance: str

    @property
    def upper_pct(self) -> float | None:
        """The upper end of its 80 % interval."""
        return None if self.sd_pct is None else self.soh_pct + UPPER_SD * self.sd_pct


def rul_rule(
    days: LifeDays, now: datetime, limits: Mapping[str, Limits], opened: Mapping[str, datetime]
) -> Rule | None:
    """Return the rule of the P10 whose alert is due, None if there is none.

    Time alone raises an alert, since the days of a prediction run down, and only a newer prediction clears one.

    Parameters
    ----------
    opened
        Time of the prediction that raised each open alert, by rule.
    """
    left_days, is_bound = days.left_days(now), days.is_beyond(days.p10_days)
    for rule in RUL_LADDER:
        limit = limits[rule.rule_id]
        if not limit.enabled:
            continue
        if left_days < limit.raise_value and not is_bound:
            return rule
        raised_by = opened.get(rule.rule_id)
        if raised_by is not None and (days.predicted_at <= raised_by or left_days < limit.clear_value):
            return rule
    return None


def fall_of(daily: Sequence[LifeDays], since: datetime | None) -> Fall | None:
    """Return the fall of the newest prediction, None without an earlier one that it can be compared with.

    It is compared with predictions of the same model version and source alone: another model or the absence of one
    changes the days, not the battery. All count from the day of the newest, so that the passing of time is no fall.

    Parameters
    ----------
    daily
        One prediction per day, newest first.
    since
        Day of the last prediction that raised such an alert: what was before that day is known to have fallen.
    """
    newest = daily[0]
    earliest = newest.as_of - COMPARED if since is None else max(since, newest.as_of - COMPARED)
    alike = [
        one.p50_days_at(newest.as_of)
        for one in daily[1:]
        if one.as_of >= earliest and (one.model_version, one.source) == (newest.model_version, newest.source)
    ]
    if not alike or newest.is_beyond(newest.p50_days) or newest.as_of == since:
        return None
    before_days = median(alike)
    fallen_days = before_days - newest.p50_days
    if fallen_days <= LEAST_FALL_DAYS:
        return None
    return Fall(100.0 * fallen_days / before_days, before_days, len(alike))


def disagreement_pct(daily: Sequence[LifeDays], since: datetime) -> float | None:
    """Return by how much of the larger the two newest days differ, None unless both are later than ``since``.

    Parameters
    ----------
    daily
        One prediction per day, newest first.
    """
    later = [one for one in daily[:2] if one.as_of > since]
    if len(later) < 2:
        return None
    ends = [one.p50_days_at(later[0].as_of) for one in later]
    larger = max(ends)
    return 100.0 * (larger - min(ends)) / larger if larger > 0 else 0.0


def soh_rule(health: Health, limits: Mapping[str, Limits], opened: str | None) -> Rule | None:
    """Return the worst rule of the state of health whose condition holds, None if none does.

    Parameters
    ----------
    opened
        The rule of the open alert.
    """
    values = {SOH_CRITICAL.rule_id: health.upper_pct, SOH_WARNING.rule_id: health.soh_pct}
    for rule in SOH_LADDER:
        limit, value = limits[rule.rule_id], values[rule.rule_id]
        if not limit.enabled:
            continue
        if value is not None and value < limit.raise_value:
            return rule
        # The interval widens with the age of its evidence: that alone ends no alert, so the mean must have risen.
        if rule.rule_id in _reached(opened) and health.soh_pct < limit.clear_value:
            return rule
    return None


def _reached(opened: str | None) -> Collection[str]:
    if opened is None:
        return ()
    return (SOH_CRITICAL.rule_id, SOH_WARNING.rule_id) if opened == SOH_CRITICAL.rule_id else (opened,)
