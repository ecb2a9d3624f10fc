"""Sulfate that comes with float and undercharge and goes after a full charge."""

import numpy as np
import pytest

from battery_synth.life.sulfate import FLOAT_DAYS, GROWTH_PER_DAY, MOST_SHARE, Sulfate
from battery_synth.life.traits import Traits
from battery_synth.state.arrays import PlantState
from tests.life.population import DAY_S, FloatArray, drawn

COUNT = 24


def _state() -> PlantState:
    return PlantState.settled_at(np.full(COUNT, 25.0), 1, tuple(np.zeros(COUNT) for _ in range(4)))


def _passed(
    days: int, *, undercharge_per_day: float = 0.0, share: float = 0.0, float_sulfate: float | None = None
) -> tuple[Sulfate, Traits, PlantState]:
    traits, state, sulfate = drawn(5, COUNT), _state(), Sulfate({}, COUNT)
    if float_sulfate is not None:
        traits.float_sulfate[:] = float_sulfate
    sulfate.share[:] = share
    sulfate.pass_day(traits, state, np.full(COUNT, 120.0))
    for _ in range(days):
        state.undercharge_days[:] += undercharge_per_day
        sulfate.pass_day(traits, state, np.full(COUNT, 120.0))
    return sulfate, traits, state


def test_long_float_brings_each_battery_to_its_usual_sulfate() -> None:
    sulfate, traits, _ = _passed(4_000)
    assert sulfate.share == pytest.approx(traits.float_sulfate, rel=0.01)
    young, traits, _ = _passed(400)
    assert young.share == pytest.approx(traits.float_sulfate * (1.0 - np.exp(-401.0 / FLOAT_DAYS)), rel=1e-6)


def test_a_catalogue_s_battery_has_floated_like_one_that_was_followed() -> None:
    traits = drawn(5, COUNT)
    followed, _, _ = _passed(899)
    assert Sulfate.after_float(traits, 900.0 * DAY_S).share == pytest.approx(followed.share, rel=1e-6)


def test_undercharge_covers_plates_up_to_a_limit() -> None:
    first, _, _ = _passed(1, undercharge_per_day=1.0, float_sulfate=0.0)
    assert first.share == pytest.approx(GROWTH_PER_DAY, rel=0.05)
    long, _, _ = _passed(2_000, undercharge_per_day=1.0, float_sulfate=0.0)
    assert 0.7 * MOST_SHARE < long.share.min() <= long.share.max() <= MOST_SHARE


def _after_discharge(depth: float, days_until_full: int) -> list[FloatArray]:
    sulfate, traits, state = _passed(0, share=0.04, float_sulfate=0.04)
    seen = [sulfate.share.copy()]
    state.cycle_share[:] += depth**traits.cycle_exponent / traits.full_cycles
    for day in range(days_until_full + 2):
        state.deficit_ah[:] = 0.0 if day >= days_until_full else 30.0
        sulfate.pass_day(traits, state, np.full(COUNT, 120.0))
        seen.append(sulfate.share.copy())
    return seen


def test_a_deep_discharge_dissolves_half_of_it_once_the_charge_is_full() -> None:
    seen = _after_discharge(0.6, days_until_full=3)
    assert seen[3] == pytest.approx(seen[0])
    assert seen[4] == pytest.approx(0.5 * seen[0])
    assert (seen[5] > seen[4]).all()


def test_a_shallow_discharge_dissolves_nothing() -> None:
    for share in _after_discharge(0.1, days_until_full=0):
        assert share == pytest.approx(0.04)


def test_what_was_saved_continues_exactly() -> None:
    sulfate, traits, state = _passed(30, undercharge_per_day=0.3)
    state.cycle_share[:] += 0.01
    state.deficit_ah[:] = 50.0
    sulfate.pass_day(traits, state, np.full(COUNT, 120.0))
    again = Sulfate(sulfate.saved(), COUNT)
    state.deficit_ah[:] = 0.0
    for each in (sulfate, again):
        each.pass_day(traits, state, np.full(COUNT, 120.0))
    np.testing.assert_array_equal(sulfate.share, again.share)


def test_an_older_checkpoint_does_not_count_its_whole_past_as_one_day() -> None:
    state = _state()
    state.undercharge_days[:], state.cycle_share[:] = 200.0, 0.5
    sulfate = Sulfate({}, COUNT)
    sulfate.pass_day(drawn(5, COUNT), state, np.full(COUNT, 120.0))
    assert sulfate.share.max() < 0.001


def test_a_new_battery_has_none() -> None:
    sulfate, _, _ = _passed(300)
    sulfate.renew(np.array([3]))
    assert sulfate.share[3] == 0.0
    assert (np.delete(sulfate.share, 3) > 0.0).all()
