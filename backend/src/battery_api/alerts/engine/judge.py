"""Judge one subject at event time: three-valued rules with hold times, and the alert that rules of a type share."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final, Literal

from battery_api.alerts.engine.ladders import SECOND_US, Direction, Limits, Rule
from battery_api.alerts.engine.rules import RULE_BY_ID
from battery_api.alerts.engine.state import ClosedAlert, OpenAlert, RuleCondition, RuleRun, TypeState

FLAP_US: Final = 3600 * SECOND_US
"""A condition that comes back within an hour is the same trouble: one unstable alert instead of many (EJ)."""


class Verdict(StrEnum):
    """Verdict of a rule at an instant."""

    CLEAR = "clear"
    PENDING = "pending"
    FIRING = "firing"


@dataclass(frozen=True, slots=True)
class Sample:
    """One reading as a rule sees it; ``value`` is NaN where the reading does not carry the signal."""

    at_us: int
    value: float
    gate_open: bool
    parts: Mapping[str, float] = field(default_factory=dict)
    """Values of the parts that the rule names, where they are known."""


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of an alert, as the timeline records it.

    ``rule`` is the one that fired, or for ``cleared`` the one that had given the alert its severity. ``peak`` is the
    worst value of the alert so far, of the signal that the rule of its severity judges. ``resolved_us`` is set if a
    person had resolved the alert: the change shows that it is not over. ``leads`` is false if a milder rule shows that;
    then the alert keeps its rule and severity.
    """

    kind: Literal["raised", "reopened", "escalated", "cleared"]
    at_us: int
    since_us: int
    rule: Rule
    limits: Limits
    value: float | None
    peak: float
    resolved_us: int | None = None
    parts: Mapping[str, float] = field(default_factory=dict)
    leads: bool = True


def verdict_of(run: RuleRun | None) -> Verdict:
    """Return the verdict of a run."""
    if run is None:
        return Verdict.CLEAR
    return Verdict.FIRING if run.firing else Verdict.PENDING


def step(rule: Rule, limits: Limits, run: RuleRun | None, sample: Sample, *, max_gap_us: int) -> RuleRun | None:
    """Advance a rule by one reading that is newer than the last; None means clear.

    A pending rule fires when the time in breach fills its hold, and ends when the time beyond the clear value has
    reached the time in breach: a contrary reading costs its own time, not the whole hold. Time counts only between
    two readings no further apart than ``max_gap_us``, half of it for each where they differ. A data gap or a closed
    gate freezes a rule, it neither clears nor advances it.
    """
    if not limits.enabled:
        return None
    if math.isnan(sample.value):  # the reading does not carry this signal
        return run
    if not sample.gate_open:
        return _gated(rule, limits, run, sample, max_gap_us)
    condition = classify(rule.direction, limits, sample.value)
    if run is None:
        is_breach = condition is RuleCondition.BREACH
        started = RuleRun(sample.at_us, sample.at_us, 0, 0, limits.hold_us == 0, condition, sample.value)
        return started if is_breach else None
    peak = _worse(rule.direction, run.peak, sample.value)
    if run.firing:
        observed_us = _observed_us(run, condition, sample.at_us, max_gap_us)
        return _advance_firing(limits, run, sample.at_us, condition, peak, observed_us=observed_us)
    return _advance_pending(limits, run, sample.at_us, condition, peak, max_gap_us=max_gap_us)


def classify(direction: Direction, limits: Limits, value: float) -> RuleCondition:
    """Return on which side of its limits a value is."""
    sign = 1.0 if direction is Direction.ABOVE else -1.0
    if sign * value > sign * limits.raise_value:
        return RuleCondition.BREACH
    return RuleCondition.CLEARED if sign * value <= sign * limits.clear_value else RuleCondition.BAND


def judge_type(
    rules: Sequence[Rule],
    limits: Mapping[str, Limits],
    state: TypeState,
    samples: Mapping[str, Sample],
    *,
    max_gap_us: int,
) -> tuple[TypeState, Transition | None]:
    """Advance the rules of one type by one reading; return the change of their common alert.

    Parameters
    ----------
    rules
        At least those with a run and those that may start one.
    samples
        The reading by signal.
    """
    runs = dict(state.runs)
    is_unstable = state.alert is not None and state.alert.episodes > 1
    came_back = False
    for rule in rules:
        gap_us = max_gap_us if rule.max_gap_s is None else max(max_gap_us, round(rule.max_gap_s * 1e6))
        in_force = _steadied(limits[rule.rule_id]) if is_unstable else limits[rule.rule_id]
        before = runs.get(rule.rule_id)
        run = step(rule, in_force, before, samples[rule.rule_id], max_gap_us=gap_us)
        if run is None:
            runs.pop(rule.rule_id, None)
        else:
            runs[rule.rule_id] = run
            came_back |= (
                before is not None
                and before.firing
                and before.last is RuleCondition.CLEARED
                and run.last is RuleCondition.BREACH
            )
    alert = state.alert
    if alert is not None and is_unstable and came_back:
        alert = replace(alert, episodes=alert.episodes + 1)
    closed = state.closed
    if closed is not None and max(sample.at_us for sample in samples.values()) - closed.cleared_us > FLAP_US:
        closed = None
    return _update_alert(rules, limits, TypeState(runs, alert, closed), samples)


def _update_alert(
    rules: Sequence[Rule], limits: Mapping[str, Limits], state: TypeState, samples: Mapping[str, Sample]
) -> tuple[TypeState, Transition | None]:
    firing = [rule for rule in rules if rule.rule_id in state.runs and state.runs[rule.rule_id].firing]
    worst = max(firing, key=lambda rule: rule.urgency, default=None)
    alert = state.alert
    if worst is None:
        if alert is None:
            return state, None
        rule = RULE_BY_ID.get(alert.rule_id, rules[0])
        at_us = max(sample.at_us for sample in samples.values())
        sample = samples.get(rule.rule_id)
        value = None if sample is None or math.isnan(sample.value) else sample.value
        cleared = Transition(
            "cleared", at_us, alert.raised_us, rule, limits.get(rule.rule_id, rule.limits()), value, alert.peak
        )
        # After a resolved alert, what comes next is another one.
        closed = ClosedAlert(alert, at_us) if alert.resolved_us is None else None
        return TypeState(state.runs, closed=closed), cleared
    if alert is None:
        opened = _opened(state.closed, worst, state.runs[worst.rule_id])
        kind: Literal["raised", "reopened"] = "raised" if state.closed is None else "reopened"
        return TypeState(state.runs, opened), _transition(kind, worst, limits, state.runs, samples, peak=opened.peak)
    leading = RULE_BY_ID.get(alert.rule_id)
    outlasting = _outlasting(alert, firing, state.runs, limits, samples)
    if leading is None or worst.urgency > leading.urgency:
        led = _led_by(alert, worst, state.runs[worst.rule_id])
        change = _transition("escalated", worst, limits, state.runs, samples, peak=led.peak)
    elif outlasting is not None:
        # What is still open keeps its severity: a milder rule undoes the resolution, and no more.
        leads = outlasting.urgency >= leading.urgency
        rule = outlasting if leads else leading
        led = _led_by(alert, rule, state.runs.get(rule.rule_id))
        change = _transition("reopened", outlasting, limits, state.runs, samples, peak=led.peak)
        change = replace(change, leads=leads)
    else:
        led = _led_by(alert, leading, state.runs.get(leading.rule_id))
        return (state if led == alert else replace(state, alert=led)), None
    undone = replace(state, alert=replace(led, resolved_us=None))
    return undone, replace(change, resolved_us=alert.resolved_us)


def _led_by(alert: OpenAlert, rule: Rule, run: RuleRun | None) -> OpenAlert:
    """Return an alert under a rule; its worst value so far is one of the signal that this rule judges."""
    leading = RULE_BY_ID.get(alert.rule_id)
    if run is None:
        return alert
    is_same_signal = leading is not None and (leading.signal, leading.direction) == (rule.signal, rule.direction)
    peak = _worse(rule.direction, alert.peak, run.peak) if is_same_signal else run.peak
    return replace(alert, rule_id=rule.rule_id, peak=peak)


def _outlasting(
    alert: OpenAlert,
    firing: Sequence[Rule],
    runs: Mapping[str, RuleRun],
    limits: Mapping[str, Limits],
    samples: Mapping[str, Sample],
) -> Rule | None:
    """Return the rule that this reading breaches and whose condition has filled its hold since the alert was resolved.

    A rule that only began to breach after that does so when it fires.
    """
    if alert.resolved_us is None:
        return None
    outlasting = []
    for rule in firing:
        run = runs[rule.rule_id]
        lasted_us = run.at_us - max(alert.resolved_us, run.since_us)
        # A resolution by a clock that is behind lies before what is judged: a reading without the signal shows nothing.
        is_later = run.at_us > alert.resolved_us and not math.isnan(samples[rule.rule_id].value)
        if run.last is RuleCondition.BREACH and is_later and lasted_us >= limits[rule.rule_id].hold_us:
            outlasting.append(rule)
    return max(outlasting, key=lambda rule: (rule.urgency, runs[rule.rule_id].since_us), default=None)


def _opened(closed: ClosedAlert | None, rule: Rule, run: RuleRun) -> OpenAlert:
    if closed is None:
        return OpenAlert(rule.rule_id, run.at_us, run.peak)
    return replace(_led_by(closed.alert, rule, run), episodes=closed.alert.episodes + 1)


def _steadied(limits: Limits) -> Limits:
    """Return the limits of an unstable alert, which clears only after an hour without the condition."""
    return replace(limits, clear_hold_us=max(limits.clear_hold_us, FLAP_US))


def _transition(
    kind: Literal["raised", "reopened", "escalated"],
    rule: Rule,
    limits: Mapping[str, Limits],
    runs: Mapping[str, RuleRun],
    samples: Mapping[str, Sample],
    *,
    peak: float,
) -> Transition:
    sample, run = samples[rule.rule_id], runs[rule.rule_id]
    return Transition(kind, run.at_us, run.since_us, rule, limits[rule.rule_id], sample.value, peak, parts=sample.parts)


def _gated(rule: Rule, limits: Limits, run: RuleRun | None, sample: Sample, max_gap_us: int) -> RuleRun | None:
    if run is None:
        return None
    if not rule.ends_with_mode:
        return RuleRun(
            run.since_us, sample.at_us, run.held_us, run.cleared_for_us, run.firing, RuleCondition.GATED, run.peak
        )
    if not run.firing:
        return None
    observed_us = _observed_us(run, RuleCondition.CLEARED, sample.at_us, max_gap_us)
    return _advance_firing(limits, run, sample.at_us, RuleCondition.CLEARED, run.peak, observed_us=observed_us)


def _observed_us(run: RuleRun, last: RuleCondition, at_us: int, max_gap_us: int) -> int:
    passed_us = at_us - run.at_us
    return passed_us if last is run.last and passed_us <= max_gap_us else 0


def _advance_pending(
    limits: Limits, run: RuleRun, at_us: int, last: RuleCondition, peak: float, *, max_gap_us: int
) -> RuleRun | None:
    passed_us = at_us - run.at_us
    ends = (run.last, last)
    half_us = 0 if passed_us > max_gap_us or RuleCondition.GATED in ends else passed_us // 2
    held_us = run.held_us + half_us * ends.count(RuleCondition.BREACH)
    cleared_us = run.cleared_for_us + half_us * ends.count(RuleCondition.CLEARED)
    if last is RuleCondition.CLEARED and cleared_us >= held_us:
        return None
    fires = last is RuleCondition.BREACH and held_us >= limits.hold_us
    return RuleRun(run.since_us, at_us, held_us, 0 if fires else cleared_us, fires, last, peak)


def _advance_firing(
    limits: Limits, run: RuleRun, at_us: int, last: RuleCondition, peak: float, *, observed_us: int
) -> RuleRun | None:
    cleared_for_us = run.cleared_for_us + observed_us if last is RuleCondition.CLEARED else 0
    if last is RuleCondition.CLEARED and cleared_for_us >= limits.clear_hold_us:
        return None
    return RuleRun(run.since_us, at_us, run.held_us, cleared_for_us, True, last, peak)


def _worse(direction: Direction, one: float, other: float) -> float:
    return max(one, other) if direction is Direction.ABOVE else min(one, other)
