import itertools

from hypothesis import given
from hypothesis import strategies as st

from battery_api.alerts.engine.ladders import SubjectKind
from battery_api.alerts.engine.staleness import (
    BatteryFreshness,
    Freshness,
    SubjectRef,
    freshness_of,
    partly_back,
    stale_subjects,
)

FRESH, LATE, UNDECIDED, STALE = Freshness.FRESH, Freshness.LATE, Freshness.UNDECIDED, Freshness.STALE
LOCATION, STRING, BATTERY = SubjectKind.LOCATION, SubjectKind.STRING, SubjectKind.BATTERY
NONE: frozenset[SubjectRef] = frozenset()


def fleet(*strings: list[Freshness]) -> list[BatteryFreshness]:
    """One location (1) with strings 1.. of batteries 10, 11.. each."""
    return [
        BatteryFreshness(1, string, string * 10 + number, freshness)
        for string, batteries in enumerate(strings, start=1)
        for number, freshness in enumerate(batteries)
    ]


def test_freshness_needs_the_watch_to_be_as_old_as_the_staleness() -> None:
    assert freshness_of(100, 0, 300) is FRESH
    assert freshness_of(151, 0, 300) is LATE
    assert freshness_of(301, 299, 300) is UNDECIDED
    assert freshness_of(301, 301, 300) is STALE


def test_the_widest_stale_scope_gets_the_alert() -> None:
    assert stale_subjects(fleet([STALE, FRESH], [FRESH, FRESH]), NONE, NONE) == {(BATTERY, 10)}
    assert stale_subjects(fleet([STALE, STALE], [FRESH, FRESH]), NONE, NONE) == {(STRING, 1)}
    assert stale_subjects(fleet([STALE, STALE], [STALE, STALE]), NONE, NONE) == {(LOCATION, 1)}


def test_a_location_going_stale_string_by_string_raises_one_alert() -> None:
    assert stale_subjects(fleet([STALE, STALE], [LATE, LATE]), NONE, NONE) == set()
    assert stale_subjects(fleet([STALE, STALE], [STALE, STALE]), NONE, NONE) == {(LOCATION, 1)}


def test_wider_alert_replaces_narrower_ones() -> None:
    everything = fleet([STALE, STALE], [STALE, STALE])
    assert stale_subjects(everything, frozenset({(STRING, 1), (BATTERY, 20)}), NONE) == {(LOCATION, 1)}


def test_after_a_restart_open_alerts_neither_clear_nor_multiply() -> None:
    unsure = fleet([UNDECIDED, UNDECIDED], [UNDECIDED, UNDECIDED])
    for open_refs in (frozenset({(LOCATION, 1)}), frozenset({(STRING, 1)}), frozenset({(BATTERY, 10)}), NONE):
        assert stale_subjects(unsure, open_refs, NONE) == set(open_refs)


def test_partial_return_keeps_the_wide_alert_until_it_has_settled() -> None:
    half = fleet([FRESH, FRESH], [STALE, STALE])
    open_refs = frozenset({(LOCATION, 1)})
    assert stale_subjects(half, open_refs, NONE) == {(LOCATION, 1)}
    assert partly_back(half, open_refs) == {(LOCATION, 1)}
    assert stale_subjects(half, open_refs, open_refs) == {(STRING, 2)}


def test_full_return_clears_at_once() -> None:
    assert stale_subjects(fleet([FRESH, FRESH], [LATE, FRESH]), frozenset({(LOCATION, 1)}), NONE) == set()


def test_open_battery_alert_stays_while_its_string_goes_late() -> None:
    assert stale_subjects(fleet([STALE, LATE], [FRESH, FRESH]), frozenset({(BATTERY, 10)}), NONE) == {(BATTERY, 10)}


freshnesses = st.sampled_from([FRESH, LATE, UNDECIDED, STALE])


@given(
    st.lists(st.lists(freshnesses, min_size=1, max_size=3), min_size=1, max_size=3),
    st.sets(st.sampled_from([(LOCATION, 1), (STRING, 1), (STRING, 2), (BATTERY, 10), (BATTERY, 20)])),
    st.booleans(),
)
def test_never_two_alerts_for_one_battery_and_never_one_for_a_fresh_one(
    strings: list[list[Freshness]], opened: set[SubjectRef], settled: bool
) -> None:
    batteries = fleet(*strings)
    open_refs = frozenset(opened)
    stale = stale_subjects(batteries, open_refs, open_refs if settled else NONE)
    for item in batteries:
        covering = stale & {(LOCATION, item.location), (STRING, item.string), (BATTERY, item.battery)}
        assert len(covering) <= 1
        if item.freshness in {FRESH, LATE}:
            # A wide alert may wait for the rest to come back, but then something is still missing.
            assert (BATTERY, item.battery) not in covering
    if all(item.freshness in {FRESH, LATE} for item in batteries):
        assert stale == set()
    if all(item.freshness is STALE for item in batteries):
        assert stale == {(LOCATION, 1)}
    if any(item.freshness is FRESH for item in batteries) and settled:
        missed = [item for item in batteries if item.freshness is STALE]
        for item, _ in itertools.product(missed, [None]):
            string = [one.freshness for one in batteries if one.string == item.string]
            covered = {(LOCATION, 1), (STRING, item.string), (BATTERY, item.battery)} & stale
            assert covered or FRESH not in string
