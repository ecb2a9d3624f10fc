import itertools

from hypothesis import given
from hypothesis import strategies as st

from battery_api.alerts.engine.rules import SubjectKind
from battery_api.alerts.engine.silence import Heard, Hearing, SubjectRef, hearing_of, partly_back, silent_subjects

FRESH, LATE, UNDECIDED, SILENT = Hearing.FRESH, Hearing.LATE, Hearing.UNDECIDED, Hearing.SILENT
LOCATION, STRING, BATTERY = SubjectKind.LOCATION, SubjectKind.STRING, SubjectKind.BATTERY
NONE: frozenset[SubjectRef] = frozenset()


def fleet(*strings: list[Hearing]) -> list[Heard]:
    """One location (1) with strings 1.. of blocks 10, 11.. each."""
    return [
        Heard(1, string, string * 10 + place, hearing)
        for string, blocks in enumerate(strings, start=1)
        for place, hearing in enumerate(blocks)
    ]


def test_hearing_needs_the_watch_to_be_as_old_as_the_silence() -> None:
    assert hearing_of(100, 0, 300) is FRESH
    assert hearing_of(151, 0, 300) is LATE
    assert hearing_of(301, 299, 300) is UNDECIDED
    assert hearing_of(301, 301, 300) is SILENT


def test_widest_silent_scope() -> None:
    assert silent_subjects(fleet([SILENT, FRESH], [FRESH, FRESH]), NONE, NONE) == {(BATTERY, 10)}
    assert silent_subjects(fleet([SILENT, SILENT], [FRESH, FRESH]), NONE, NONE) == {(STRING, 1)}
    assert silent_subjects(fleet([SILENT, SILENT], [SILENT, SILENT]), NONE, NONE) == {(LOCATION, 1)}


def test_a_location_falling_silent_string_by_string_raises_one_alert() -> None:
    assert silent_subjects(fleet([SILENT, SILENT], [LATE, LATE]), NONE, NONE) == set()
    assert silent_subjects(fleet([SILENT, SILENT], [SILENT, SILENT]), NONE, NONE) == {(LOCATION, 1)}


def test_wider_alert_replaces_narrower_ones() -> None:
    everything = fleet([SILENT, SILENT], [SILENT, SILENT])
    assert silent_subjects(everything, frozenset({(STRING, 1), (BATTERY, 20)}), NONE) == {(LOCATION, 1)}


def test_after_a_restart_open_alerts_neither_clear_nor_multiply() -> None:
    unsure = fleet([UNDECIDED, UNDECIDED], [UNDECIDED, UNDECIDED])
    for is_open in (frozenset({(LOCATION, 1)}), frozenset({(STRING, 1)}), frozenset({(BATTERY, 10)}), NONE):
        assert silent_subjects(unsure, is_open, NONE) == set(is_open)


def test_partial_return_keeps_the_wide_alert_until_it_has_settled() -> None:
    half = fleet([FRESH, FRESH], [SILENT, SILENT])
    is_open = frozenset({(LOCATION, 1)})
    assert silent_subjects(half, is_open, NONE) == {(LOCATION, 1)}
    assert partly_back(half, is_open) == {(LOCATION, 1)}
    assert silent_subjects(half, is_open, is_open) == {(STRING, 2)}


def test_full_return_clears_at_once() -> None:
    assert silent_subjects(fleet([FRESH, FRESH], [LATE, FRESH]), frozenset({(LOCATION, 1)}), NONE) == set()


def test_open_battery_alert_stands_while_its_string_goes_late() -> None:
    assert silent_subjects(fleet([SILENT, LATE], [FRESH, FRESH]), frozenset({(BATTERY, 10)}), NONE) == {(BATTERY, 10)}


hearings = st.sampled_from([FRESH, LATE, UNDECIDED, SILENT])


@given(
    st.lists(st.lists(hearings, min_size=1, max_size=3), min_size=1, max_size=3),
    st.sets(st.sampled_from([(LOCATION, 1), (STRING, 1), (STRING, 2), (BATTERY, 10), (BATTERY, 20)])),
    st.booleans(),
)
def test_never_two_alerts_for_one_battery_and_never_one_for_a_heard_one(
    strings: list[list[Hearing]], opened: set[SubjectRef], settled: bool
) -> None:
    heard = fleet(*strings)
    is_open = frozenset(opened)
    wanted = silent_subjects(heard, is_open, is_open if settled else NONE)
    for item in heard:
        covering = wanted & {(LOCATION, item.location), (STRING, item.string), (BATTERY, item.battery)}
        assert len(covering) <= 1
        if item.hearing in {FRESH, LATE}:
            # A wide alert may wait for the rest to come back, but then something is still missing.
            assert (BATTERY, item.battery) not in covering
    if all(item.hearing in {FRESH, LATE} for item in heard):
        assert wanted == set()
    if all(item.hearing is SILENT for item in heard):
        assert wanted == {(LOCATION, 1)}
    if any(item.hearing is FRESH for item in heard) and settled:
        missed = [item for item in heard if item.hearing is SILENT]
        for item, _ in itertools.product(missed, [None]):
            string = [one.hearing for one in heard if one.string == item.string]
            covered = {(LOCATION, 1), (STRING, item.string), (BATTERY, item.battery)} & wanted
            assert covered or FRESH not in string
