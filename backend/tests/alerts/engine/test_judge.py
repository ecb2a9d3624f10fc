import itertools
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from battery_api.alerts.engine.judge import Sample, Transition, Verdict, judge_type, step, verdict_of
from battery_api.alerts.engine.ladders import SECOND_US, Limits, Rule
from battery_api.alerts.engine.state import EMPTY, RuleRun, TypeState

from .samples import GAP_US, HOT, HOTTER, LOW, at, limits_of, streams


def run_all(rule: Rule, samples: list[Sample], limits: Limits | None = None) -> list[Verdict]:
    run: RuleRun | None = None
    verdicts = []
    for sample in samples:
        run = step(rule, limits or limits_of(rule), run, sample, max_gap_us=GAP_US)
        verdicts.append(verdict_of(run))
    return verdicts


def judge_all(
    samples: list[Sample], state: TypeState = EMPTY, rules: tuple[Rule, ...] = (HOT, HOTTER)
) -> tuple[TypeState, list[Transition]]:
    limits = {rule.rule_id: limits_of(rule) for rule in rules}
    transitions = []
    for sample in samples:
        state, transition = judge_type(
            rules, limits, state, {rule.rule_id: sample for rule in rules}, max_gap_us=GAP_US
        )
        if transition is not None:
            transitions.append(transition)
    return state, transitions


C, P, F = Verdict.CLEAR, Verdict.PENDING, Verdict.FIRING
NAN = math.nan


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        pytest.param([at(0, 34), at(60, 35), at(120, 34)], [C, C, C], id="on the raise value is not past it"),
        pytest.param([at(0, 36), at(60, 36), at(120, 36)], [P, P, F], id="fires when the hold is full"),
        pytest.param([at(0, 36), at(60, 32), at(120, 36), at(180, 36)], [P, C, P, P], id="calm clears a pending one"),
        pytest.param(
            [at(0, 36), at(60, 34), at(120, 36), at(180, 36), at(240, 36)], [P, P, P, P, F], id="band freezes the hold"
        ),
        pytest.param([at(0, 36), at(301, 36), at(361, 36), at(421, 36)], [P, P, P, F], id="gap freezes the hold"),
        pytest.param([at(0, 36), at(300, 36)], [P, F], id="a pause as long as allowed is observed"),
        pytest.param(
            [at(0, 36), at(60, 36, awake=False), at(120, 36), at(180, 36), at(240, 36)],
            [P, P, P, P, F],
            id="closed gate freezes the hold",
        ),
        pytest.param([at(0, 36), at(60, NAN), at(120, 36)], [P, P, F], id="a reading without the signal is no gap"),
        pytest.param(
            [at(0, 36), at(120, 36), at(180, 34), at(240, 33), at(300, 33)], [P, F, F, F, C], id="clears past the band"
        ),
        pytest.param(
            [at(0, 36), at(120, 36), at(180, 32), at(240, 34), at(300, 32), at(330, 32), at(360, 32)],
            [P, F, F, F, F, F, C],
            id="the clear hold starts anew after a reading in the band",
        ),
        pytest.param(
            [at(0, 36), at(120, 36), at(180, 32), at(600, 32), at(660, 32)],
            [P, F, F, F, C],
            id="gap freezes the clear hold",
        ),
        pytest.param(
            [at(0, 36), at(120, 36), at(180, 20, awake=False), at(9000, 20, awake=False)],
            [P, F, F, F],
            id="closed gate keeps a firing one",
        ),
    ],
)
def test_rule_over_a_stream(samples: list[Sample], expected: list[Verdict]) -> None:
    assert run_all(HOT, samples) == expected


def test_rule_below_mirrors_rule_above() -> None:
    assert run_all(LOW, [at(0, 11.9), at(120, 11.9), at(180, 12.4), at(240, 12.6), at(300, 12.6)]) == [P, F, F, F, C]


def test_zero_hold_fires_at_once() -> None:
    assert run_all(replace(HOT, hold_s=0.0), [at(0, 36)]) == [F]


def test_rule_that_ends_with_its_mode_clears_when_the_mode_ends() -> None:
    rule = replace(HOT, ends_with_mode=True)
    after = [at(180, 36, awake=False), at(240, 36, awake=False)]
    assert run_all(rule, [at(0, 36), at(120, 36), *after]) == [P, F, F, C]
    assert run_all(rule, [at(0, 36), *after]) == [P, C, C]


def test_disabled_rule_is_clear_and_closes_its_alert() -> None:
    state, _ = judge_all([at(0, 36), at(120, 36)])
    limits = {HOT.rule_id: replace(limits_of(HOT), enabled=False)}
    sample = at(180, 36)
    after, transition = judge_type((HOT,), limits, state, {HOT.rule_id: sample}, max_gap_us=GAP_US)
    assert (after.runs, after.alert) == ({}, None)
    assert transition is not None
    assert transition.kind == "cleared"


def held_by_hand(samples: list[Sample], limits: Limits) -> int:
    """Longest observed breach that no calm reading broke, by a second way of counting; none is firing yet."""
    total = best = 0
    measured = [sample for sample in samples if not math.isnan(sample.value)]
    for before, after in itertools.pairwise([None, *measured]):
        assert after is not None
        if after.gate_open and after.value <= limits.clear_value:
            total = 0
        both = before is not None and all(one.gate_open and one.value > limits.raise_value for one in (before, after))
        if both and before is not None and after.at_us - before.at_us <= GAP_US:
            total += after.at_us - before.at_us
        best = max(best, total)
    return best


@given(streams())
def test_fires_exactly_when_the_observed_breach_fills_the_hold(samples: list[Sample]) -> None:
    limits = limits_of(HOT)
    verdicts = run_all(HOT, samples)
    first = verdicts.index(F) if F in verdicts else None
    if first is None:
        assert held_by_hand(samples, limits) < limits.hold_us
    else:
        assert held_by_hand(samples[: first + 1], limits) >= limits.hold_us
        assert held_by_hand(samples[:first], limits) < limits.hold_us


@given(st.lists(st.tuples(st.floats(1, 400), st.floats(33.001, 35.0)), max_size=40))
def test_flapping_inside_the_band_never_raises(steps: list[tuple[float, float]]) -> None:
    seconds = itertools.accumulate(step for step, _ in steps)
    samples = [at(second, value) for second, (_, value) in zip(seconds, steps, strict=True)]
    assert set(run_all(HOT, samples)) <= {C}


@given(streams())
def test_alert_opens_and_closes_in_turn_and_only_worsens_between(samples: list[Sample]) -> None:
    state, transitions = judge_all(samples)
    is_open, urgency = False, (-1, -1)
    for transition in transitions:
        if transition.kind in {"raised", "reopened"}:
            assert not is_open
            is_open, urgency = True, transition.rule.urgency
        elif transition.kind == "escalated":
            assert is_open
            assert transition.rule.urgency > urgency
            urgency = transition.rule.urgency
        else:
            assert is_open
            is_open, urgency = False, (-1, -1)
    assert is_open is (state.alert is not None)
    assert [one.at_us for one in transitions] == sorted(one.at_us for one in transitions)


@given(streams())
def test_open_alert_always_has_a_firing_rule(samples: list[Sample]) -> None:
    state, _ = judge_all(samples)
    assert (state.alert is not None) is any(run.firing for run in state.runs.values())


def test_one_alert_escalates_and_keeps_its_worst_severity() -> None:
    climb = [at(0, 36), at(120, 37), at(180, 41), at(240, 41), at(300, 36), at(360, 36), at(420, 36)]
    state, transitions = judge_all(climb)
    assert [(one.kind, one.rule.rule_id) for one in transitions] == [
        ("raised", HOT.rule_id),
        ("escalated", HOTTER.rule_id),
    ]
    assert state.alert is not None
    assert state.alert.rule_id == HOTTER.rule_id
    assert state.alert.peak == 41
    _, cleared = judge_all([at(480, 30), at(540, 30), at(600, 30)], state)
    assert [(one.kind, one.at_us) for one in cleared] == [("cleared", 540 * SECOND_US)]
