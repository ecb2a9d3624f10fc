"""The engine agrees with its slow reference, however readings are cut into batches and processes restart between."""

import json
import math
import random
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest

from battery_api.alerts.engine.batch import LimitTable, Observations, Outcome, find_candidates, judge_candidates
from battery_api.alerts.engine.judge import Transition
from battery_api.alerts.engine.ladders import Gate, Rule, SubjectKind
from battery_api.alerts.engine.rules import RULE_BY_ID, RULES_OF
from battery_api.alerts.engine.state import OpenAlert, TypeState, type_states_from_json, type_states_to_json
from battery_api.alerts.limits import OverrideSet
from battery_contracts.enums import AlertType

from .reference import Alert, Change, Reading, Reference
from .traces import BATCHES, Trace, entry_of, limits_in_force, random_overrides, random_trace

States = dict[int, dict[AlertType, TypeState]]
TRACES_OF = {SubjectKind.BATTERY: 340, SubjectKind.STRING: 100, SubjectKind.LOCATION: 60}
SEEDS = range(20)


class Engine:
    """The engine as ingest runs it: batch by batch, its states stored and read back between them."""

    def __init__(self, traces: Sequence[Trace], rules: Sequence[Rule]) -> None:
        self._traces, self._rules = traces, rules
        self._states: States = {}

    def alert_of(self, subject: int) -> OpenAlert | None:
        state = self._states.get(subject, {}).get(self._traces[subject].type)
        return None if state is None else state.alert

    def resolve(self, subject: int, at_us: int) -> None:
        alert_type = self._traces[subject].type
        self._states[subject][alert_type] = self._states[subject][alert_type].with_resolution(at_us)

    def judge(self, number: int, limits: LimitTable) -> dict[int, list[Transition]]:
        """Judge one batch of all traces; return the transitions by subject."""
        given = observations([trace.batches[number] for trace in self._traces], self._rules)
        candidates = find_candidates(given, self._rules, limits, self._states)
        installed_us = {index: trace.installed_us for index, trace in enumerate(self._traces)}
        outcomes = judge_candidates(given, self._rules, limits, self._states, candidates, installed_us=installed_us)
        self._restart(outcomes)
        return {one.subject: list(one.transitions) for one in outcomes if one.type is self._traces[one.subject].type}

    def _restart(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            self._states.setdefault(outcome.subject, {})[outcome.type] = outcome.after
        stored = {index: json.dumps(type_states_to_json(states)) for index, states in self._states.items()}
        self._states = {index: type_states_from_json(json.loads(text)) for index, text in stored.items()}


def observations(batches: Sequence[Sequence[Reading]], rules: Sequence[Rule]) -> Observations:
    """Put the readings of many subjects together in order of time."""
    rows = [(reading, subject) for subject, readings in enumerate(batches) for reading in readings]
    rows.sort(key=lambda row: row[0].at_us)
    names = {rule.signal for rule in rules} | {part for rule in rules for part in rule.parts}
    return Observations(
        subject=np.array([subject for _, subject in rows], np.int64),
        time_us=np.array([reading.at_us for reading, _ in rows], np.int64),
        max_gap_us=np.array([reading.max_gap_us for reading, _ in rows], np.int64),
        signals={name: np.array([reading.signals.get(name, math.nan) for reading, _ in rows]) for name in names},
        gates={gate: np.array([reading.gates[gate] for reading, _ in rows], np.bool_) for gate in Gate},
    )


def as_change(one: Transition) -> Change:
    return Change(one.kind, one.at_us, one.since_us, one.rule.rule_id, one.value, one.peak, one.resolved_us)


def as_alert(alert: OpenAlert | None) -> Alert | None:
    if alert is None:
        return None
    return Alert(RULE_BY_ID[alert.rule_id], alert.raised_us, alert.peak, alert.episodes, alert.resolved_us)


def compared(kind: SubjectKind, rng: random.Random) -> Counter[str]:
    """Judge random traces by both; return how often each kind of change came."""
    entries = [entry_of(kind, number) for number in range(TRACES_OF[kind])]
    early, late = (random_overrides(rng, kind, entries) for _ in range(2))
    by_batch = [early] * 3 + [late] * (BATCHES - 3)
    types = sorted({rule.type for rule in RULES_OF[kind]})
    traces = []
    for entry in entries:
        alert_type = rng.choice(types)
        rules = [rule for rule in RULES_OF[kind] if rule.type is alert_type]
        first, last = ({rule.rule_id: limits_in_force(rule, entry, given) for rule in rules} for given in (early, late))
        traces.append(random_trace(rng, entry, rules, [first] * 3 + [last] * (BATCHES - 3)))
    engine = Engine(traces, RULES_OF[kind])
    references = [Reference(trace.rules, trace.installed_us) for trace in traces]
    counts: Counter[str] = Counter()
    for number, overrides in enumerate(by_batch):
        for subject, (trace, reference) in enumerate(zip(traces, references, strict=True)):
            at_us, alert = trace.resolves_us[number], engine.alert_of(subject)
            if at_us is not None and alert is not None and alert.resolved_us is None:
                engine.resolve(subject, at_us)
                reference.resolve(at_us)
                counts["resolved"] += 1
        found = engine.judge(number, OverrideSet(overrides).limit_table(RULES_OF[kind], entries))
        for subject, (trace, reference) in enumerate(zip(traces, references, strict=True)):
            expected = [change for reading in trace.batches[number] if (change := reference.take(reading)) is not None]
            changes = [as_change(one) for one in found.get(subject, [])]
            assert changes == expected, (subject, number, trace)
            assert as_alert(engine.alert_of(subject)) == reference.alert, (subject, number, trace)
            counts.update(change.kind for change in changes)
            counts["unstable"] += reference.alert is not None and reference.alert.episodes > 2
    return counts


@pytest.mark.parametrize("seed", SEEDS)
def test_the_engine_agrees_with_the_reference(seed: int) -> None:
    rng = random.Random(seed)  # repeatable traces, no secret
    counts: Counter[str] = Counter()
    for kind in SubjectKind:
        counts += compared(kind, rng)
    rare = [name for name in ("raised", "escalated", "reopened", "cleared", "resolved", "unstable") if counts[name] < 5]
    assert not rare, "traces in which this is rare compare nothing"
