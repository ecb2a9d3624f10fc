import itertools
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from battery_api.alerts.engine.batch import (
    COMMISSIONING_US,
    LimitTable,
    Observations,
    Outcome,
    find_candidates,
    judge_candidates,
)
from battery_api.alerts.engine.comparison import Moments, string_values
from battery_api.alerts.engine.flatline import FlatlineTracker
from battery_api.alerts.engine.judge import Sample
from battery_api.alerts.engine.ladders import SECOND_US, Gate, Rule, SubjectKind
from battery_api.alerts.engine.rules import RULES_OF
from battery_api.alerts.engine.signals import battery_signals
from battery_api.alerts.engine.state import BadRuleState, TypeState, type_states_from_json, type_states_to_json
from battery_contracts.enums import AlertType

from .samples import GAP_US, HOT, HOTTER, streams

States = dict[int, dict[AlertType, TypeState]]


def observations(streams_by_subject: list[list[Sample]], begin_us: float, end_us: float) -> Observations:
    rows = [
        (sample.at_us, subject, sample.value, sample.gate_open)
        for subject, samples in enumerate(streams_by_subject)
        for sample in samples
        if begin_us <= sample.at_us < end_us
    ]
    rows.sort(key=lambda row: row[0])
    values = np.array([row[2] for row in rows], np.float64)
    return Observations(
        subject=np.array([row[1] for row in rows], np.int64),
        time_us=np.array([row[0] for row in rows], np.int64),
        max_gap_us=np.full(len(rows), GAP_US),
        signals={"temperature_c": values},
        gates={Gate.FLOAT: np.array([row[3] for row in rows], np.bool_)},
    )


def judge(given_observations: Observations, states: States, rules: tuple[Rule, ...] = (HOT, HOTTER)) -> list[Outcome]:
    table = LimitTable({rule.rule_id: {0: rule.limits(), 1: rule.limits()} for rule in rules})
    candidates = find_candidates(given_observations, rules, table, states)
    return judge_candidates(
        given_observations,
        rules,
        table,
        states,
        candidates,
        installed_us={},
    )


def after(states: States, outcomes: list[Outcome]) -> States:
    """Store and read back, as a restart between two batches does."""
    for outcome in outcomes:
        states.setdefault(outcome.subject, {})[outcome.type] = outcome.after
    stored = {subject: json.dumps(type_states_to_json(by_type)) for subject, by_type in states.items()}
    return {subject: type_states_from_json(json.loads(text)) for subject, text in stored.items()}


def history(streams_by_subject: list[list[Sample]], cuts: list[float]) -> tuple[list[tuple[object, ...]], States]:
    states: States = {}
    transitions = []
    edges = [float("-inf"), *sorted(cuts), float("inf")]
    for begin, end in itertools.pairwise(edges):
        outcomes = judge(observations(streams_by_subject, begin, end), states)
        transitions += [
            (outcome.subject, one.kind, one.at_us, one.since_us, one.rule.rule_id, str(one.value))
            for outcome in outcomes
            for one in outcome.transitions
        ]
        states = after(states, outcomes)
    return sorted(transitions), states


@given(st.lists(streams(), min_size=2, max_size=2), st.lists(st.floats(0, 12_000 * SECOND_US), max_size=6))
def test_any_split_into_batches_with_restarts_between_gives_the_same(
    streams_by_subject: list[list[Sample]], cuts: list[float]
) -> None:
    whole, states = history(streams_by_subject, [])
    parts, states_of_parts = history(streams_by_subject, cuts)
    assert parts == whole
    assert states_of_parts == states


@given(streams(low=20.0, high=32.9))
def test_healthy_subject_leaves_no_state(samples: list[Sample]) -> None:
    calm = [replace(sample, value=min(sample.value, 32.0)) for sample in samples]
    assert judge(observations([calm], float("-inf"), float("inf")), {}) == []


def test_empty_state_is_stored_as_nothing() -> None:
    assert type_states_to_json({AlertType.TEMPERATURE_HIGH: TypeState({})}) is None
    assert type_states_from_json(None) == {}


def test_state_of_a_rule_that_no_longer_exists_is_left_out() -> None:
    _, states = history([[Sample(0, 36.0, True), Sample(120 * SECOND_US, 36.0, True)]], [])
    stored = json.loads(json.dumps(type_states_to_json(states[0])).replace(HOT.rule_id, "temperature_high.gone"))
    state = type_states_from_json(stored)[AlertType.TEMPERATURE_HIGH]
    assert not state.runs
    cool = observations([[Sample(180 * SECOND_US, 20.0, True)]], float("-inf"), float("inf"))
    (outcome,) = judge(cool, {0: {AlertType.TEMPERATURE_HIGH: state}})
    assert [one.kind for one in outcome.transitions] == ["cleared"]


@pytest.mark.parametrize("stored", [{"temperature_high": []}, {"no_such_type": {"runs": {}}}, {"voltage_low": {}}])
def test_unreadable_state_is_named(stored: dict[str, object]) -> None:
    with pytest.raises(BadRuleState):
        type_states_from_json(stored)


def test_rule_sleeps_during_commissioning() -> None:
    rule = replace(HOT, after_commissioning=True, hold_s=0.0)
    young = observations([[Sample(1, 36.0, True)]], float("-inf"), float("inf"))
    table = LimitTable()
    for installed_us, expected in ((0, []), (1 - COMMISSIONING_US, ["raised"])):
        outcomes = judge_candidates(
            young,
            (rule,),
            LimitTable({rule.rule_id: {0: rule.limits()}}),
            {},
            find_candidates(young, (rule,), table, {}),
            installed_us={0: installed_us},
        )
        assert [one.kind for outcome in outcomes for one in outcome.transitions] == expected


def test_override_moves_one_subject_only() -> None:
    warm = observations([[Sample(0, 34.5, True)], [Sample(0, 34.5, True)]], float("-inf"), float("inf"))
    table = LimitTable({HOT.rule_id: {1: replace(HOT.limits(), raise_value=34.0)}})
    assert set(find_candidates(warm, (HOT,), table, {})) == {1}
    hot = observations([[Sample(0, 36.0, True)], [Sample(0, 36.0, True)]], float("-inf"), float("inf"))
    off = LimitTable({HOT.rule_id: {0: replace(HOT.limits(), enabled=False)}})
    assert set(find_candidates(hot, (HOT,), off, {})) == {1}


def test_a_healthy_fleet_has_no_candidates() -> None:
    count = 1944
    generator = np.random.default_rng(7)
    values = {
        "voltage_v": 13.65 + generator.normal(0, 0.035, count),
        "temperature_c": 24.5 + generator.normal(0, 0.5, count),
    }
    string, key = np.repeat(np.arange(81), 24), np.arange(count)
    time_us = np.full(count, 1_700_000_000 * SECOND_US) + string * SECOND_US // 2
    gates = {
        Gate.FLOAT: np.ones(count, np.bool_),
        Gate.CHARGING: np.ones(count, np.bool_),
        Gate.DISCHARGE: np.zeros(count, np.bool_),
    }
    never, unknown, valid_us = np.full(count, -(2**62)), np.full(count, np.nan), np.full(count, 300 * SECOND_US)
    moments = Moments(key, string, time_us, never, valid_us)
    signals = battery_signals(
        values,
        reference={
            channel: string_values(value, moments, string, unknown, never).reference
            for channel, value in values.items()
        },
        flat_s=FlatlineTracker([None] * 81, key, string).follow(key, time_us, values, valid_us),
        room_c=np.full(count, 24.0),
        drift_pct=unknown,
        over_nominal_pct=unknown,
        age_s={},
    )
    batch = Observations(key, time_us, valid_us, signals, gates)
    assert find_candidates(batch, RULES_OF[SubjectKind.BATTERY], LimitTable(), {}) == {}
