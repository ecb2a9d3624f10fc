"""A slow reference of the rule engine: what one subject's history of readings must have raised, and when.

It keeps every reading of a condition and adds up its times anew at each one, so that nothing is carried along that
could go wrong between two batches. It is written from the words of API_REFERENCE.md and of the engine, not its code.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import NamedTuple

from battery_api.alerts.engine.ladders import Direction, Gate, Limits, Rule

HOUR_US = 3_600_000_000
COMMISSIONING_US = 90 * 24 * HOUR_US


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of a subject: every signal (NaN: not carried), every gate, and the limits then in force."""

    at_us: int
    max_gap_us: int
    signals: Mapping[str, float]
    gates: Mapping[Gate, bool]
    limits: Mapping[str, Limits]


class Change(NamedTuple):
    """What the timeline must record; ``resolved_us`` is of the resolution that the change undoes."""

    kind: str
    at_us: int
    since_us: int
    rule_id: str
    value: float | None
    peak: float
    resolved_us: int | None


class Alert(NamedTuple):
    """The alert that is open after a reading."""

    rule: Rule
    raised_us: int
    peak: float
    episodes: int = 1
    resolved_us: int | None = None


class Side(Enum):
    """Where a reading lies for a rule."""

    BREACH = auto()
    BAND = auto()
    CLEARED = auto()
    ASLEEP = auto()


class Seen(NamedTuple):
    """A reading that carried the signal of a rule, with the longest pause before it that counts as observed."""

    at_us: int
    side: Side
    value: float
    max_gap_us: int


@dataclass
class Condition:
    """One rule: the readings since its condition began, none while it is clear."""

    rule: Rule
    seen: list[Seen] = field(default_factory=list)
    fires: bool = False
    came_back: bool = False
    """Whether the newest reading is a breach right after one beyond the clear value, of a rule that fired before."""

    def take(self, reading: Reading, limits: Limits, installed_us: int) -> None:
        """Judge one more reading."""
        self.came_back = False
        if not limits.enabled:
            self._end()
            return
        value = reading.signals[self.rule.signal]
        if math.isnan(value):
            return
        side = self._side(value, limits) if self._is_awake(reading, installed_us) else Side.ASLEEP
        if not self.seen and side is not Side.BREACH:
            return
        if side is Side.ASLEEP and self.rule.ends_with_mode:
            side = Side.CLEARED
            value = math.nan
            if not self.fires:
                self._end()
                return
        own_gap_us = 0 if self.rule.max_gap_s is None else int(self.rule.max_gap_s) * 1_000_000
        self.came_back = self.fires and self.seen[-1].side is Side.CLEARED and side is Side.BREACH
        self.seen.append(Seen(reading.at_us, side, value, max(reading.max_gap_us, own_gap_us)))
        if self.fires:
            self._look_for_clearance(limits)
        else:
            self._look_for_firing(limits)

    def _is_awake(self, reading: Reading, installed_us: int) -> bool:
        is_settling = self.rule.after_commissioning and reading.at_us < installed_us + COMMISSIONING_US
        return reading.gates[self.rule.gate] and not is_settling

    def _side(self, value: float, limits: Limits) -> Side:
        if self.rule.direction is Direction.ABOVE:
            is_breach, is_cleared = value > limits.raise_value, value <= limits.clear_value
        else:
            is_breach, is_cleared = value < limits.raise_value, value >= limits.clear_value
        return Side.BREACH if is_breach else Side.CLEARED if is_cleared else Side.BAND

    def _look_for_firing(self, limits: Limits) -> None:
        """Fire if the time in breach fills the hold; start again if the time beyond the clear value has reached it."""
        in_breach_us, cleared_us = self._time_on(Side.BREACH), self._time_on(Side.CLEARED)
        newest = self.seen[-1].side
        if newest is Side.CLEARED and cleared_us >= in_breach_us:
            self._end()
        elif newest is Side.BREACH and in_breach_us >= limits.hold_us:
            self.fires = True

    def _time_on(self, side: Side) -> float:
        """Return the observed time on a side since the condition began, half a step where its readings differ."""
        time_us = 0.0
        for one, other in itertools.pairwise(self.seen):
            step_us = other.at_us - one.at_us
            if step_us <= other.max_gap_us and Side.ASLEEP not in {one.side, other.side}:
                time_us += step_us * ((one.side is side) + (other.side is side)) / 2
        return time_us

    def _look_for_clearance(self, limits: Limits) -> None:
        """End if the last stretch beyond the clear value fills the clear hold; a closed gate does not break it."""
        if self.seen[-1].side is not Side.CLEARED:
            return
        stretch = list(itertools.takewhile(lambda one: one.side in {Side.CLEARED, Side.ASLEEP}, reversed(self.seen)))
        time_us = sum(
            later.at_us - earlier.at_us
            for later, earlier in itertools.pairwise(stretch)
            if later.side is earlier.side is Side.CLEARED and later.at_us - earlier.at_us <= later.max_gap_us
        )
        if time_us >= limits.clear_hold_us:
            self._end()

    def _end(self) -> None:
        self.seen, self.fires = [], False

    @property
    def since_us(self) -> int:
        """When the condition began."""
        return self.seen[0].at_us

    @property
    def peak(self) -> float:
        """The worst value since the condition began, while the gate was open."""
        values = [one.value for one in self.seen if one.side is not Side.ASLEEP and not math.isnan(one.value)]
        return max(values) if self.rule.direction is Direction.ABOVE else min(values)


class Reference:
    """The alert of one type at one subject."""

    def __init__(self, rules: Sequence[Rule], installed_us: int) -> None:
        self.conditions = [Condition(rule) for rule in rules]
        self.alert: Alert | None = None
        self.last: tuple[Alert, int] | None = None
        """The alert that cleared last, and when, unless a person had resolved it."""
        self._installed_us = installed_us

    def take(self, reading: Reading) -> Change | None:
        """Judge one more reading and return what changes."""
        is_unstable = self.alert is not None and self.alert.episodes > 1
        for condition in self.conditions:
            limits = reading.limits[condition.rule.rule_id]
            if is_unstable:
                limits = replace(limits, clear_hold_us=max(limits.clear_hold_us, HOUR_US))
            condition.take(reading, limits, self._installed_us)
        firing = [condition for condition in self.conditions if condition.fires]
        if self.alert is None:
            return self._opened(firing, reading)
        if is_unstable and any(condition.came_back for condition in self.conditions):
            self.alert = self.alert._replace(episodes=self.alert.episodes + 1)
        return self._changed(self.alert, firing, reading) if firing else self._cleared(self.alert, reading)

    def resolve(self, at_us: int) -> None:
        """A person resolves the open alert; what it is about is followed on."""
        if self.alert is not None:
            self.alert = self.alert._replace(resolved_us=at_us)

    def _opened(self, firing: list[Condition], reading: Reading) -> Change | None:
        if not firing:
            return None
        worst = _most_urgent(firing)
        if self.last is not None and reading.at_us - self.last[1] <= HOUR_US:
            former = self.last[0]
            self.alert = self._led_by(former, worst)._replace(episodes=former.episodes + 1)
            kind = "reopened"
        else:
            self.alert = Alert(worst.rule, reading.at_us, worst.peak)
            kind = "raised"
        return _change(kind, worst, reading, self.alert)

    def _cleared(self, alert: Alert, reading: Reading) -> Change:
        self.alert, self.last = None, None if alert.resolved_us is not None else (alert, reading.at_us)
        value = reading.signals[alert.rule.signal]
        return Change(
            "cleared",
            reading.at_us,
            alert.raised_us,
            alert.rule.rule_id,
            None if math.isnan(value) else value,
            alert.peak,
            None,
        )

    def _changed(self, alert: Alert, firing: list[Condition], reading: Reading) -> Change | None:
        worst = _most_urgent(firing)
        kind = "escalated" if worst.rule.urgency > alert.rule.urgency else None
        lasting = [one for one in firing if _outlasts(one, alert.resolved_us, reading)]
        if kind is None and lasting:
            kind = "reopened"
            worst = max(lasting, key=lambda one: (one.rule.urgency, one.since_us))
        leading = next(one for one in self.conditions if one.rule is alert.rule)
        if kind is not None and worst.rule.urgency >= alert.rule.urgency:
            leading = worst  # otherwise the alert keeps its severity, which can only rise
        led = self._led_by(alert, leading) if leading.seen else alert
        self.alert = led
        if kind is None:
            return None
        self.alert = led._replace(resolved_us=None)
        return _change(kind, worst, reading, self.alert)._replace(resolved_us=alert.resolved_us)

    def _led_by(self, alert: Alert, leading: Condition) -> Alert:
        """Return the alert under a rule; its worst value so far is one of the signal that this rule judges."""
        peaks = [leading.peak]
        if (alert.rule.signal, alert.rule.direction) == (leading.rule.signal, leading.rule.direction):
            peaks.append(alert.peak)
        peak = max(peaks) if leading.rule.direction is Direction.ABOVE else min(peaks)
        return alert._replace(rule=leading.rule, peak=peak)


def _most_urgent(firing: list[Condition]) -> Condition:
    return max(firing, key=lambda one: one.rule.urgency)


def _outlasts(condition: Condition, resolved_us: int | None, reading: Reading) -> bool:
    """Return whether a condition has lasted its hold once more since its alert was resolved."""
    newest = condition.seen[-1]
    is_now = newest.at_us == reading.at_us and newest.side is Side.BREACH
    if resolved_us is None or not is_now or newest.at_us <= resolved_us:
        return False
    lasted_us = newest.at_us - max(resolved_us, condition.since_us)
    return lasted_us >= reading.limits[condition.rule.rule_id].hold_us


def _change(kind: str, condition: Condition, reading: Reading, alert: Alert) -> Change:
    rule = condition.rule
    value = reading.signals[rule.signal]
    return Change(kind, reading.at_us, condition.since_us, rule.rule_id, value, alert.peak, None)
