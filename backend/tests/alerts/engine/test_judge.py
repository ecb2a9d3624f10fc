import itertools
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from battery_api.alerts.engine.judge import Sample, Transition, Verdict, judge_type, step, verdict_of
from battery_api.alerts.engine.ladders import SECOND_US, Limits, Rule
from battery_api.alerts.engine.state import EMPTY, RuleRun, TypeState, type_states_from_json, type_states_to_json

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
            [at(0, 36), at(60, 36), at(90, 32), at(120, 36), at(150, 36)],
            [P, P, P, P, F],
            id="a contrary reading costs its own time",
        ),
        pytest.param(
            [at(0, 36), at(60, 36), at(120, 32), at(180, 32), at(240, 36)],
            [P, P, P, C, P],
            id="as much calm as breach clears a pending one",
        ),
        pytest.param(
            [at(second, 32 if second % 60 == 40 else 36) for second in range(0, 281, 20)],
            [*[P] * 9, *[F] * 6],
            id="two readings of three decide",
        ),
        pytest.param(
            [at(0, 36), at(60, 34), at(120, 34), at(180, 36), at(240, 36)], [P, P, P, P, F], id="band freezes the hold"
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


def held_by_hand(samples: list[Sample], limits: Limits) -> list[float]:
    """Share of the hold that is filled after each sample, by a second way of counting; none is firing yet."""

    def side(sample: Sample) -> str:
        if not sample.gate_open:
            return "gated"
        return (
            "breach" if sample.value > limits.raise_value else "calm" if sample.value <= limits.clear_value else "band"
        )

    filled, breach, calm, before = [], 0.0, 0.0, None
    is_pending = False
    for sample in samples:
        if not math.isnan(sample.value):
            if before is not None and is_pending and sample.at_us - before.at_us <= GAP_US:
                halves = [side(before), side(sample)]
                if "gated" not in halves:
                    breach += halves.count("breach") * (sample.at_us - before.at_us) / 2
                    calm += halves.count("calm") * (sample.at_us - before.at_us) / 2
            is_pending = is_pending or side(sample) == "breach"
            if not is_pending or (side(sample) == "calm" and calm >= breach):
                is_pending, breach, calm = False, 0.0, 0.0
            before = sample
        filled.append(
            breach / limits.hold_us if is_pending and before is not None and side(before) == "breach" else 0.0
        )
    return filled


@given(streams())
def test_fires_exactly_when_the_observed_breach_fills_the_hold(samples: list[Sample]) -> None:
    limits = limits_of(HOT)
    verdicts = run_all(HOT, samples)
    filled = held_by_hand(samples, limits)
    first = verdicts.index(F) if F in verdicts else len(samples)
    assert all(share < 1 + 1e-6 for share in filled[:first])
    assert first == len(samples) or filled[first] > 1 - 1e-6


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


def resolved_at(second: float, state: TypeState) -> TypeState:
    return state.with_resolution(round(second * SECOND_US))


def test_a_resolved_alert_is_raised_again_after_the_hold_of_its_rule() -> None:
    state, _ = judge_all([at(0, 36), at(60, 36), at(120, 36)])
    state = resolved_at(150, state)
    state, transitions = judge_all([at(180, 36), at(240, 36), at(269, 36)], state)
    assert transitions == []
    assert state.alert is not None
    assert state.alert.resolved_us == 150 * SECOND_US
    # Between the limits nothing is breached, so nothing is raised, however long it takes.
    state, transitions = judge_all([at(400, 34)], state)
    assert transitions == []
    state, (again,) = judge_all([at(430, 36)], state)
    assert (again.kind, again.at_us, again.resolved_us) == ("reopened", 430 * SECOND_US, 150 * SECOND_US)
    assert state.alert is not None
    assert (state.alert.resolved_us, state.alert.episodes) == (None, 1)
    assert judge_all([at(460, 36), at(700, 36)], state)[1] == []


def test_readings_of_before_the_resolution_do_not_undo_it() -> None:
    state, _ = judge_all([at(0, 36), at(120, 36)])
    assert judge_all([at(180, 36), at(240, 36), at(500, 36)], resolved_at(500, state))[1] == []


def test_a_resolved_alert_that_gets_worse_is_no_longer_resolved() -> None:
    state, _ = judge_all([at(0, 36), at(120, 36)])
    state, (worse,) = judge_all([at(180, 41), at(240, 41)], resolved_at(150, state))
    assert (worse.kind, worse.resolved_us) == ("escalated", 150 * SECOND_US)
    assert state.alert is not None
    assert state.alert.resolved_us is None


def test_what_follows_a_resolved_alert_is_another_one() -> None:
    state, _ = judge_all([at(0, 36), at(120, 36)])
    state, (cleared,) = judge_all([at(180, 30), at(240, 30)], resolved_at(150, state))
    assert (cleared.kind, state.closed) == ("cleared", None)
    _, (raised,) = judge_all([at(300, 36), at(420, 36)], state)
    assert raised.kind == "raised"


def test_a_resolution_survives_its_storage() -> None:
    state, _ = judge_all([at(0, 36), at(120, 36)])
    for stored in (state, resolved_at(150, state)):
        assert type_states_from_json(type_states_to_json({HOT.type: stored})) == {HOT.type: stored}


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
