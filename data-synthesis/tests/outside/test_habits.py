"""Habits: each has its share of the locations in every world, and belongs to its location."""

from collections import Counter

import pytest

from battery_synth.outside.climate import year_start_s
from battery_synth.outside.habits import Habits
from battery_synth.outside.locations import LOCATIONS

CODES = [each.code for each in LOCATIONS]


@pytest.mark.parametrize("seed", range(5))
def test_a_third_never_tests_a_third_tests_fully_and_a_third_partly(seed: int) -> None:
    assert Counter(Habits.of(seed, code).testing for code in CODES) == {"never": 3, "full": 3, "partial": 3}


def test_two_thirds_retorque_and_full_tests_come_every_second_or_third_year() -> None:
    habits = [Habits.of(seed, code) for seed in range(30) for code in CODES]
    assert sum(each.retorques for each in habits) == 6 * 30
    assert 0.4 < sum(each.full_test_years == 2 for each in habits) / len(habits) < 0.6
    assert {each.full_test_years for each in habits} == {2, 3}


def test_habits_differ_between_worlds_and_not_within_one() -> None:
    assert len({tuple(Habits.of(seed, code).testing for code in CODES) for seed in range(10)}) > 5
    assert Habits.of(3, CODES[0]) == Habits.of(3, CODES[0])


def test_the_last_retorque_lies_within_thirteen_months_and_never_in_the_future() -> None:
    habits = next(each for each in (Habits.of(1, code) for code in CODES) if each.retorques)
    for day in range(0, 1500, 7):
        at_s = year_start_s(2021) + day * 86_400.0
        assert 0.0 <= at_s - habits.last_retorque_s(at_s) <= 400 * 86_400.0
    idle = next(each for each in (Habits.of(1, code) for code in CODES) if not each.retorques)
    assert idle.last_retorque_s(year_start_s(2025)) == float("-inf")
