"""Batteries that come and go in a real plant: what is written down about them fits together."""

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
import pytest

from battery_contracts.fleet import FleetRow
from battery_synth.engine.plant import Plant
from battery_synth.life.events import LifeEvent
from battery_synth.life.policy import PlannedMaintenance, Policy, RunToFailure, Unattended
from tests.life.population import DAY_S

SEED = 11
START_S = 16_000.0 * DAY_S
YEARS = 7
WIDTH = 24


def _plant(rows: Sequence[FleetRow], policy: Policy) -> Plant:
    installed = np.datetime64(int(START_S), "s").astype("datetime64[D]").item()
    new = [row.model_copy(update={"installed_on": installed}) for row in rows]
    return Plant(SEED, new, start_s=START_S, policy=policy)


def _lived(plant: Plant) -> list[LifeEvent]:
    events = plant.installations()
    plant.advance(START_S + YEARS * 365.25 // 1 * DAY_S)
    return [*events, *plant.take_events()]


@pytest.fixture(scope="module")
def run_to_failure(one_location: Sequence[FleetRow]) -> list[LifeEvent]:
    return _lived(_plant(one_location, RunToFailure(SEED)))


@pytest.fixture(scope="module")
def cared_for(one_location: Sequence[FleetRow]) -> list[LifeEvent]:
    return _lived(_plant(one_location, PlannedMaintenance(SEED)))


@pytest.fixture(params=["run_to_failure", "cared_for"])
def events(request: pytest.FixtureRequest) -> list[LifeEvent]:
    found: list[LifeEvent] = request.getfixturevalue(request.param)
    return found


def _by_battery(events: list[LifeEvent]) -> dict[tuple[str, int], list[LifeEvent]]:
    batteries: dict[tuple[str, int], list[LifeEvent]] = defaultdict(list)
    for event in events:
        batteries[event.battery_id, event.generation].append(event)
    return batteries


def test_every_battery_is_installed_then_perhaps_fails_then_perhaps_is_removed(events: list[LifeEvent]) -> None:
    orders = Counter(tuple(event.kind for event in history) for history in _by_battery(events).values())
    assert set(orders) <= {
        ("installed",),
        ("installed", "failed"),
        ("installed", "removed"),
        ("installed", "failed", "removed"),
    }
    assert orders["installed", "failed", "removed"] > 10
    for history in _by_battery(events).values():
        assert [event.at_s for event in history] == sorted(event.at_s for event in history)
        assert len({event.serial_number for event in history}) == 1


def test_a_position_is_never_empty_and_never_holds_two(events: list[LifeEvent]) -> None:
    batteries = _by_battery(events)
    for (battery, generation), history in batteries.items():
        if history[-1].kind == "removed":
            following = batteries[battery, generation + 1][0]
            assert (following.kind, following.at_s) == ("installed", history[-1].at_s)
        else:
            assert (battery, generation + 1) not in batteries


def test_no_two_batteries_have_one_serial_number(events: list[LifeEvent]) -> None:
    serials = [history[0].serial_number for history in _by_battery(events).values()]
    assert len(serials) == len(set(serials))


def test_run_to_failure_removes_what_failed_and_nothing_else(run_to_failure: list[LifeEvent]) -> None:
    for history in _by_battery(run_to_failure).values():
        if history[-1].kind == "removed":
            assert history[-1].reason == "failed"
            waited_days = (history[2].at_s - history[1].at_s) / DAY_S
            assert 3.0 <= waited_days <= 181.0
            assert waited_days >= 30.0 or history[1].reason == "open_circuit"


def test_caretaker_replaces_whole_strings_before_most_of_them_fail(cared_for: list[LifeEvent]) -> None:
    whole: dict[tuple[str, float], set[str]] = defaultdict(set)
    removed = [event for event in cared_for if event.kind == "removed"]
    for event in removed:
        whole[event.battery_id[:-4], event.at_s].add(event.battery_id)
    for event in removed:
        if event.reason == "string_replaced":
            assert len(whole[event.battery_id[:-4], event.at_s]) == WIDTH
    reasons = Counter(event.reason for event in removed)
    assert reasons["string_replaced"] > 4 * reasons["failed"]
    batteries = _by_battery(cared_for)
    stood_days = [
        (history[-1].at_s - history[0].at_s) / DAY_S
        for history in batteries.values()
        if history[-1].reason == "string_replaced" and history[-1].kind == "removed"
    ]
    assert 3.5 * 365.25 < np.median(stood_days) < 6.1 * 365.25


def test_caretaker_leaves_no_dead_battery_for_more_than_two_weeks(cared_for: list[LifeEvent]) -> None:
    dead = [
        history for history in _by_battery(cared_for).values() if history[-1].kind == "removed" and len(history) == 3
    ]
    dead = [history for history in dead if history[1].reason in {"open_circuit", "shorted_cell"}]
    assert dead
    assert max(history[2].at_s - history[1].at_s for history in dead) <= 15.0 * DAY_S


def test_unattended_batteries_fail_and_stay(one_location: Sequence[FleetRow]) -> None:
    events = _lived(_plant(one_location, Unattended()))
    assert {event.kind for event in events} == {"installed", "failed"}
    # Seven years in cool rooms bring many to their end; in open strings nothing flows, and their grids corrode less.
    assert sum(event.kind == "failed" for event in events) > 0.15 * len(one_location)


def test_a_string_that_comes_later_does_not_carry_the_wear_of_the_time_before(one_location: Sequence[FleetRow]) -> None:
    day = np.datetime64(int(START_S + 300.0 * DAY_S), "s").astype("datetime64[D]").item()
    rows = [row.model_copy(update={"installed_on": day}) if "REC" in row.system_id else row for row in one_location]
    came_later = Plant(SEED, rows, start_s=START_S, policy=Unattended())
    came_later.advance(START_S + 330.0 * DAY_S)
    wear = came_later.saved()["state"]["thermal_days"]
    late = np.array(["-REC-" in battery for battery in came_later.layout.battery_ids])
    assert late.any()
    assert (wear[late] < 50.0).all()
    assert (wear[late] > 12.0).all()
    assert (wear[~late] > 180.0).all()


def test_a_run_that_is_taken_up_again_writes_the_same_lives(one_location: Sequence[FleetRow]) -> None:
    half_s, end_s = START_S + 900.0 * DAY_S, START_S + 1_900.0 * DAY_S
    straight = _plant(one_location, PlannedMaintenance(SEED))
    straight.advance(half_s)
    straight.take_events()
    saved = straight.saved()
    straight.advance(end_s)
    again = Plant(SEED, one_location, start_s=half_s, policy=PlannedMaintenance(SEED), saved=saved)
    again.advance(end_s)
    events = straight.take_events()
    assert events == again.take_events()
    assert any(event.kind == "removed" for event in events)
    np.testing.assert_array_equal(straight.truth().health, again.truth().health)
