from dataclasses import replace

import numpy as np
import pytest

from battery_synth.life.events import battery_name
from battery_synth.life.policy import Findings, PlannedMaintenance, RunToFailure, Unattended
from tests.life.population import DAY_S

WIDTH, STRINGS = 24, 3
COUNT = WIDTH * STRINGS
NOW_S = 20_000.0 * DAY_S
NEVER_S = 1e18
YEAR = 365


def _found(age_years: float = 1.0) -> Findings:
    """Return sound batteries of three strings."""
    return Findings(
        names=[battery_name(f"BAT-{row}", 0) for row in range(COUNT)],
        string_ids=[f"STR-{number}" for number in range(STRINGS)],
        age_days=np.full(COUNT, age_years * 365.25),
        failed_since_s=np.full(COUNT, NEVER_S),
        is_open=np.zeros(COUNT, bool),
        is_shorted=np.zeros(COUNT, bool),
        health=np.full(COUNT, 0.97),
        resistance_ratio=np.full(COUNT, 1.05),
    )


def _weakened(found: Findings, rows: list[int], health: float = 0.7) -> Findings:
    weak, since = found.health.copy(), found.failed_since_s.copy()
    weak[rows], since[rows] = health, NOW_S - 20.0 * DAY_S
    return replace(found, health=weak, failed_since_s=since)


def _over_a_year(policy: PlannedMaintenance, found: Findings) -> list[int]:
    """Return the rows that are due at some midnight of a year in which nothing else changes."""
    return sorted({int(row) for day in range(YEAR) for row in policy.swaps(NOW_S + day * DAY_S, found)})


def test_unattended_locations_replace_nothing() -> None:
    found = _weakened(_found(12.0), list(range(COUNT)), 0.1)
    assert len(Unattended().swaps(NOW_S, found)) == 0


def test_failed_batteries_are_used_on_for_one_to_six_months_when_run_to_failure() -> None:
    found = replace(_found(), failed_since_s=np.full(COUNT, NOW_S))
    policy = RunToFailure(3)
    due = np.array([len(policy.swaps(NOW_S + day * DAY_S, found)) for day in range(200)])
    assert due[29] == 0
    assert 0 < due[90] < COUNT
    assert due[180] == COUNT
    assert (np.diff(due) >= 0).all()


def test_an_open_battery_cannot_wait_when_run_to_failure() -> None:
    found = replace(_found(), failed_since_s=np.full(COUNT, NOW_S), is_open=np.arange(COUNT) == 7)
    policy = RunToFailure(3)
    assert len(policy.swaps(NOW_S + 2.0 * DAY_S, found)) == 0
    assert policy.swaps(NOW_S + 14.0 * DAY_S, found).tolist() == [7]


def test_sound_batteries_are_never_replaced_when_run_to_failure() -> None:
    assert len(RunToFailure(3).swaps(NOW_S, _found(20.0))) == 0


@pytest.mark.parametrize("policy", [RunToFailure, PlannedMaintenance])
def test_a_policy_that_went_away_decides_as_the_one_that_stayed(
    policy: type[RunToFailure | PlannedMaintenance],
) -> None:
    found = replace(_weakened(_found(2.5), [3, 40, 41]), is_shorted=np.arange(COUNT) == 3)
    stayed = policy(8)
    for day in range(YEAR):
        at_s = NOW_S + day * DAY_S
        np.testing.assert_array_equal(stayed.swaps(at_s, found), policy(8).swaps(at_s, found))


@pytest.mark.parametrize("flag", ["is_open", "is_shorted"])
def test_caretaker_swaps_dead_batteries_within_two_weeks(flag: str) -> None:
    since = np.full(COUNT, NEVER_S)
    since[[5, 30]] = NOW_S
    found = replace(_found(), failed_since_s=since)
    getattr(found, flag)[[5, 30]] = True
    # Reviews see sound capacities here: what is due is due for being dead.
    policy = PlannedMaintenance(3)
    assert len(policy.swaps(NOW_S + 2.0 * DAY_S, found)) == 0
    assert policy.swaps(NOW_S + 14.0 * DAY_S, found).tolist() == [5, 30]


def test_caretaker_reviews_every_string_once_a_year() -> None:
    policy, found = PlannedMaintenance(3), _found(6.0)
    days = [day for day in range(2 * YEAR) for _ in policy.swaps(NOW_S + day * DAY_S, found)]
    assert len(days) == 2 * COUNT
    assert len(set(days)) == 2 * STRINGS


def test_caretaker_leaves_sound_strings_alone_until_their_expected_life() -> None:
    assert _over_a_year(PlannedMaintenance(3), _found(4.9)) == []
    assert _over_a_year(PlannedMaintenance(3), _found(5.1)) == list(range(COUNT))


def test_caretaker_swaps_one_or_two_weak_batteries_of_a_young_string() -> None:
    assert _over_a_year(PlannedMaintenance(3), _weakened(_found(1.5), [2, 9])) == [2, 9]


def test_caretaker_swaps_only_the_worst_where_many_were_swapped_or_the_string_is_in_mid_life() -> None:
    weak = _weakened(_found(3.0), [2, 9])
    weak.health[9] = 0.6
    assert _over_a_year(PlannedMaintenance(3), weak) == [9]
    young = _weakened(_found(1.5), [2, 9])
    young.health[9], young.age_days[[11, 12]] = 0.6, 200.0
    assert _over_a_year(PlannedMaintenance(3), young) == [9]


@pytest.mark.parametrize(
    ("age_years", "weak"),
    [(3.6, [2]), (1.5, [0, 1, 2, 3, 4])],
    ids=["old", "many"],
)
def test_caretaker_replaces_the_string_where_a_swap_would_not_help(age_years: float, weak: list[int]) -> None:
    assert _over_a_year(PlannedMaintenance(3), _weakened(_found(age_years), weak)) == list(range(WIDTH))


def test_caretaker_replaces_a_string_without_its_capacity() -> None:
    found = _found(1.5)
    found.health[:WIDTH] = 0.77
    assert _over_a_year(PlannedMaintenance(3), found) == list(range(WIDTH))


def test_caretaker_acts_on_the_warranty_limit_of_resistance_and_not_on_an_alarm() -> None:
    found = _found(1.5)
    found.resistance_ratio[4], found.resistance_ratio[5] = 1.3, 1.6
    assert _over_a_year(PlannedMaintenance(3), found) == [5]
