import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from battery_api.alerts.engine.comparison import MIN_COMPARED, Moments, string_values
from battery_api.alerts.engine.signals import location_signals

MINUTE_US = 60_000_000


HOUR_US = 60 * MINUTE_US
NEVER = -(2**62)
Row = tuple[int, int, float]
"""Member, minute and value of a reading."""


def compared(
    members: int, rows: list[Row], before: list[tuple[int, float]] | None = None, **moments: int
) -> list[float]:
    """Return the reference of readings of one string, of whose members ``before`` gives minute and value."""
    peer_us, peer_value = zip(*(before or [(0, np.nan)] * members), strict=True)
    count = len(rows)
    shown = string_values(
        np.array([row[2] for row in rows], np.float64),
        Moments(
            member=np.array([row[0] for row in rows], np.int64),
            string=np.zeros(count, np.int64),
            time_us=np.array([row[1] * MINUTE_US for row in rows], np.int64),
            since_us=np.full(count, moments.get("since_us", NEVER)),
            valid_us=np.full(count, moments.get("valid_us", HOUR_US)),
        ),
        np.zeros(members, np.int64),
        np.array(peer_value, np.float64),
        np.array(peer_us, np.int64) * MINUTE_US,
    )
    return [float(value) for value in shown.reference]


def test_one_dead_battery_does_not_accuse_its_neighbours() -> None:
    reference = compared(24, [(member, 0, 0.0 if member == 5 else 13.65) for member in range(24)])
    assert reference == [13.65] * 24


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.integers(0, 20), st.one_of(st.floats(-5, 20), st.just(float("nan")))),
        max_size=40,
        unique_by=lambda row: row[:2],
    ),
    st.integers(1, 30),
)
def test_reference_is_the_median_of_the_newest_values_of_the_string(rows: list[Row], valid_min: int) -> None:
    rows.sort(key=lambda row: row[1])
    reference = compared(5, rows, valid_us=valid_min * MINUTE_US)
    for number, (_, minute, value) in enumerate(rows):
        newest: dict[int, tuple[int, float]] = {}
        for member, earlier, other in rows:
            if earlier <= minute and other == other:  # noqa: PLR0124  # NaN alone differs from itself
                newest[member] = (earlier, other)
        known = [other for earlier, other in newest.values() if minute - earlier <= valid_min]
        if np.isnan(value) or len(known) < MIN_COMPARED:
            assert np.isnan(reference[number])
        else:
            np.testing.assert_allclose(reference[number], np.median(known))


def test_a_battery_that_reports_alone_is_compared_with_what_is_known_of_the_others() -> None:
    assert compared(4, [(1, 3, 11.5)], [(1, 13.6), (0, 12.0), (2, 13.7), (2, 13.6)]) == [13.6]


def test_what_a_peer_measured_too_long_ago_or_in_another_mode_does_not_count() -> None:
    known = [(1, 13.6), (0, np.nan), (2, 13.7), (2, 13.6)]
    assert np.isnan(compared(4, [(1, 90, 12.1)], known)).all()
    assert np.isnan(compared(4, [(1, 3, 12.1)], known, since_us=3 * MINUTE_US)).all()


def test_of_two_batteries_that_differ_neither_is_accused() -> None:
    assert np.isnan(compared(2, [(0, 0, 13.6), (1, 0, 1.0)])).all()


def test_the_weak_one_of_three_that_answer_is_found() -> None:
    assert compared(4, [(0, 0, 13.8), (1, 0, 13.05), (2, 0, 13.8)]) == [13.8] * 3


def test_mains_and_room_of_a_location() -> None:
    signals = location_signals({"mains": np.array([1.0, 0.0, np.nan])}, 3, hvac_loss=np.array([0.0, 2.0, np.nan]))
    np.testing.assert_array_equal(signals["mains_lost"], [0.0, 1.0, np.nan])
    assert np.isnan(signals["room_c"]).all()
