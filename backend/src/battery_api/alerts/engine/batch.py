"""Judge a batch: a vectorised search for the few subjects that matter, then the state machine for these alone.

For a healthy fleet the search is all: nothing breached, nothing stored, nothing to do.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from battery_api.alerts.engine.comparison import BoolArray, FloatArray, IntArray
from battery_api.alerts.engine.judge import Sample, Transition, judge_type
from battery_api.alerts.engine.ladders import Direction, Gate, Limits, Rule
from battery_api.alerts.engine.rules import DEFAULT_LIMITS
from battery_api.alerts.engine.state import EMPTY, TypeState
from battery_contracts.enums import AlertType

COMMISSIONING_US = 90 * 86_400 * 1_000_000


@dataclass(frozen=True, slots=True)
class Observations:
    """``m`` readings of subjects of one kind, sorted by time, with the signals (m,) and gates (m,) of their rules.

    ``max_gap_us`` (m,) is the longest pause before each reading that still counts as observed. A missing gate is always
    open.
    """

    subject: IntArray
    time_us: IntArray
    max_gap_us: IntArray
    signals: Mapping[str, FloatArray]
    gates: Mapping[Gate, BoolArray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.subject)


@dataclass(frozen=True, slots=True)
class LimitTable:
    """Limits of each rule: the defaults, and by subject where overrides change them."""

    overridden: Mapping[str, Mapping[int, Limits]] = field(default_factory=dict)

    def of(self, rule: Rule, subject: int) -> Limits:
        """Return the limits in force for a subject."""
        special = self.overridden.get(rule.rule_id)
        if special is not None and subject in special:
            return special[subject]
        return DEFAULT_LIMITS.get(rule.rule_id) or rule.limits()

    def raise_values(self, rule: Rule, subject: IntArray) -> float | FloatArray:
        """Return the raise value of each reading; one number where no subject differs."""
        special = self.overridden.get(rule.rule_id)
        if not special or not len(subject):
            return rule.raise_value
        values = np.full(int(subject.max()) + 1, rule.raise_value)
        never = np.inf if rule.direction is Direction.ABOVE else -np.inf
        for index, limits in special.items():
            if index < len(values):
                values[index] = limits.raise_value if limits.enabled else never
        per_reading: FloatArray = values[subject]
        return per_reading


@dataclass(frozen=True, slots=True)
class Outcome:
    """Effect of a batch on one alert type of one subject."""

    subject: int
    type: AlertType
    before: TypeState
    after: TypeState
    transitions: Sequence[Transition]


def find_candidates(
    observations: Observations,
    rules: Sequence[Rule],
    limits: LimitTable,
    states: Mapping[int, Mapping[AlertType, TypeState]],
) -> dict[int, dict[AlertType, set[str]]]:
    """Return, by subject and type, the rules that need the state machine: breached now, or with a stored run."""
    candidates: dict[int, dict[AlertType, set[str]]] = {}
    for rule in rules:
        breached = _breached(observations, rule, limits)
        if breached.any():
            for subject in np.unique(observations.subject[breached]).tolist():
                candidates.setdefault(subject, {}).setdefault(rule.type, set()).add(rule.rule_id)
    reporting = set(observations.subject.tolist()) if states else set()
    for subject, by_type in states.items():
        if subject in reporting:
            for alert_type, state in by_type.items():
                # The rule that gave the alert its severity tells the value with which it clears.
                leading = () if state.alert is None else (state.alert.rule_id,)
                candidates.setdefault(subject, {}).setdefault(alert_type, set()).update(state.runs, leading)
    return candidates


def judge_candidates(
    observations: Observations,
    rules: Sequence[Rule],
    limits: LimitTable,
    states: Mapping[int, Mapping[AlertType, TypeState]],
    candidates: Mapping[int, Mapping[AlertType, set[str]]],
    *,
    installed_us: Mapping[int, int],
) -> list[Outcome]:
    """Run the state machine of the candidates over their readings in time order.

    Parameters
    ----------
    installed_us
        By subject, when it came into service; for rules that are off during commissioning.
    """
    if not candidates:
        return []
    order = np.argsort(observations.subject, kind="stable")
    ordered = observations.subject[order]
    outcomes = []
    for subject, by_type in candidates.items():
        low, high = np.searchsorted(ordered, [subject, subject + 1])
        readings = order[low:high]
        gap_us = observations.max_gap_us[readings].tolist()
        for alert_type, rule_ids in by_type.items():
            of_type = [rule for rule in rules if rule.type is alert_type]
            chosen = [rule for rule in of_type if rule.rule_id in rule_ids] or of_type
            if not chosen:
                continue
            in_force = {rule.rule_id: limits.of(rule, subject) for rule in chosen}
            columns = _columns(observations, chosen, readings, installed_us.get(subject))
            parts = _parts(observations, chosen, readings)
            before = states.get(subject, {}).get(alert_type, EMPTY)
            time_us = observations.time_us[readings].tolist()
            after, transitions = _judge_readings(
                chosen, in_force, before, time_us, columns, parts=parts, max_gap_us=gap_us
            )
            outcomes.append(Outcome(subject, alert_type, before, after, transitions))
    return outcomes


def _judge_readings(
    rules: Sequence[Rule],
    limits: Mapping[str, Limits],
    state: TypeState,
    time_us: Sequence[int],
    columns: Mapping[str, tuple[Sequence[float], Sequence[bool]]],
    *,
    parts: Mapping[str, Sequence[Mapping[str, float]]],
    max_gap_us: Sequence[int],
) -> tuple[TypeState, list[Transition]]:
    transitions = []
    for row, at_us in enumerate(time_us):
        samples = {
            rule_id: Sample(at_us, value[row], is_open[row], parts[rule_id][row] if rule_id in parts else {})
            for rule_id, (value, is_open) in columns.items()
        }
        state, transition = judge_type(rules, limits, state, samples, max_gap_us=max_gap_us[row])
        if transition is not None:
            transitions.append(transition)
    return state, transitions


def _columns(
    observations: Observations, rules: Sequence[Rule], readings: IntArray, installed_us: int | None
) -> dict[str, tuple[list[float], list[bool]]]:
    columns = {}
    for rule in rules:
        is_open = np.ones(len(readings), np.bool_)
        if rule.gate in observations.gates:
            is_open = observations.gates[rule.gate][readings]
        if rule.after_commissioning and installed_us is not None:
            is_open = is_open & (observations.time_us[readings] - installed_us >= COMMISSIONING_US)
        columns[rule.rule_id] = (observations.signals[rule.signal][readings].tolist(), is_open.tolist())
    return columns


def _parts(observations: Observations, rules: Sequence[Rule], readings: IntArray) -> dict[str, list[dict[str, float]]]:
    """Return by rule with parts the known ones of each reading."""
    found = {}
    for rule in rules:
        if rule.parts:
            values = [observations.signals[part][readings].tolist() for part in rule.parts]
            of_readings = [dict(zip(rule.parts, row, strict=True)) for row in zip(*values, strict=True)]
            found[rule.rule_id] = [
                {name: value for name, value in row.items() if not math.isnan(value)} for row in of_readings
            ]
    return found


def _breached(observations: Observations, rule: Rule, limits: LimitTable) -> BoolArray:
    signal = observations.signals[rule.signal]
    threshold = limits.raise_values(rule, observations.subject)
    breached: BoolArray = signal > threshold if rule.direction is Direction.ABOVE else signal < threshold
    gate = observations.gates.get(rule.gate)
    return breached if gate is None else breached & gate
