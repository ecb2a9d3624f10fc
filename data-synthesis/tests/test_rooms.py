from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from battery_contracts.enums import HvacState
from battery_synth.rooms import Room, step_room_c
from battery_synth.sites import SITE_BY_CODE, SITES, Site

YEAR = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("site", SITES, ids=lambda site: site.code)
def test_cooled_rooms_are_held_between_22_and_27_degrees(site: Site) -> None:
    room = Room(2, site)
    hours = [YEAR + timedelta(hours=h) for h in range(0, 8760, 7)]
    held = [room.target_c(at)[0] for at in hours if room.fault_at(at) is None]
    assert min(held) > 21.5
    assert max(held) < 27.0


def test_poorly_kept_rooms_fail_and_drift_more_often() -> None:
    def faulty_hours(code: str) -> float:
        rooms = [Room(seed, SITE_BY_CODE[code]) for seed in range(25)]
        return float(
            np.mean([room.fault_at(YEAR + timedelta(days=d)) is not None for room in rooms for d in range(365)])
        )

    assert faulty_hours("DC-SRC-01") > 1.5 * faulty_hours("DC-CNX-01") > 0


def test_failed_cooling_goes_above_the_outdoor_air_and_is_reported() -> None:
    room, at = _room_with_fault(failed=True)
    target, tau_s = room.target_c(at)
    assert target == pytest.approx(max(room.climate.outdoor_c(at) + 5.0, room.set_point_c))
    assert tau_s > 3600
    fault = room.fault_at(at)
    assert fault is not None
    assert fault.state is HvacState.FAILED
    assert timedelta(hours=2) <= fault.end - fault.start <= timedelta(hours=24)


def test_drift_that_begins_in_december_reaches_into_january() -> None:
    crossing = 0
    for seed in range(60):
        room = Room(seed, SITE_BY_CODE["DC-SRC-01"])
        before, after = (room.fault_at(YEAR + step) for step in (-timedelta(seconds=1), timedelta(seconds=1)))
        if before is not None and before.end > YEAR + timedelta(seconds=1):
            crossing += 1
            assert after is not None
    assert crossing > 0


def test_room_approaches_its_target_the_same_however_the_step_is_cut() -> None:
    whole = step_room_c(np.array([23.0]), np.array([35.0]), np.array([10_800.0]), 3600.0)
    cut = np.array([23.0])
    for _ in range(60):
        cut = step_room_c(cut, np.array([35.0]), np.array([10_800.0]), 60.0)
    assert cut == pytest.approx(whole, rel=1e-12)
    assert 1.0 < whole[0] - 23.0 < 5.0


def _room_with_fault(*, failed: bool) -> tuple[Room, datetime]:
    for seed in range(50):
        room = Room(seed, SITE_BY_CODE["DC-PKT-01"])
        for hour in range(8760):
            fault = room.fault_at(YEAR + timedelta(hours=hour))
            if fault is not None and fault.failed is failed:
                return room, YEAR + timedelta(hours=hour)
    raise AssertionError("no such fault in fifty site-years")
