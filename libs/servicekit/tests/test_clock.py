from datetime import UTC, datetime, timedelta, timezone

import pytest

from battery_servicekit.clock import Clock, FixedClock, SystemClock

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def test_the_system_clock_is_in_utc_and_between_two_readings_of_the_machine() -> None:
    before = datetime.now(UTC)
    now = SystemClock().now()
    assert before <= now <= datetime.now(UTC)
    assert now.utcoffset() == timedelta(0)


def test_a_fixed_clock_moves_only_when_it_is_moved() -> None:
    clock = FixedClock(NOON)
    assert clock.now() == clock.now() == NOON
    assert clock.advance(timedelta(minutes=5)) == NOON + timedelta(minutes=5)
    assert clock.now() == NOON + timedelta(minutes=5)
    clock.set(NOON - timedelta(days=1))
    assert clock.now() == NOON - timedelta(days=1)


def test_other_zones_are_converted_to_utc() -> None:
    bangkok = timezone(timedelta(hours=7))
    clock = FixedClock(datetime(2026, 1, 31, 19, tzinfo=bangkok))
    assert clock.now().isoformat() == "2026-01-31T12:00:00+00:00"
    clock.set(datetime(2026, 1, 31, 20, tzinfo=bangkok))
    assert clock.now().isoformat() == "2026-01-31T13:00:00+00:00"


def test_an_instant_without_a_zone_is_rejected() -> None:
    naive = NOON.replace(tzinfo=None)
    with pytest.raises(ValueError, match="time zone"):
        FixedClock(naive)
    with pytest.raises(ValueError, match="time zone"):
        FixedClock(NOON).set(naive)


@pytest.mark.parametrize("clock", [SystemClock(), FixedClock(NOON)])
def test_both_clocks_serve_where_a_clock_is_expected(clock: Clock) -> None:
    assert clock.now().tzinfo is UTC
