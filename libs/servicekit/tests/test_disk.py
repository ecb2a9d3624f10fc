"""Free space: enough, low, full, and for how long it lasts."""

import shutil
import time
from pathlib import Path

import pytest

from battery_servicekit.disk import MIB, DiskState, DiskWatch
from battery_servicekit.health import CheckState


class Volume:
    """A volume whose free space and time a test sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.free = 10_000 * MIB
        self.now_s = 0.0
        monkeypatch.setattr(shutil, "disk_usage", lambda _: self)
        monkeypatch.setattr(time, "monotonic", lambda: self.now_s)


@pytest.fixture
def volume(monkeypatch: pytest.MonkeyPatch) -> Volume:
    return Volume(monkeypatch)


@pytest.fixture
def watch(tmp_path: Path) -> DiskWatch:
    return DiskWatch(tmp_path, full_below_bytes=100 * MIB, low_below_bytes=1000 * MIB)


@pytest.mark.parametrize(
    ("free_mib", "state"),
    [(10_000, "enough"), (1000, "enough"), (999, "low"), (100, "low"), (99, "full"), (0, "full")],
)
def test_the_state_follows_the_free_space(volume: Volume, watch: DiskWatch, free_mib: int, state: str) -> None:
    volume.free = free_mib * MIB
    report = watch.report()
    assert (report.state, report.free_mib, report.days_left) == (state, free_mib, None)
    assert watch.is_full is (state == "full")


def test_a_disk_that_shrinks_fast_warns_days_before(volume: Volume, watch: DiskWatch) -> None:
    for minute in range(61):
        volume.now_s = minute * 60
        volume.free = (10_000 - minute) * MIB
        report = watch.report()
    # A megabyte a minute: 9,940 minutes are left.
    assert report.days_left == pytest.approx(9940 / 1440)
    assert report.state is DiskState.LOW


def test_a_disk_that_does_not_shrink_lasts(volume: Volume, watch: DiskWatch) -> None:
    for minute in range(600):
        volume.now_s = minute * 60
        volume.free = (10_000 + minute % 7) * MIB
        report = watch.report()
    assert report.state is DiskState.ENOUGH


def test_the_trend_is_that_of_the_last_hours(volume: Volume, watch: DiskWatch) -> None:
    for minute in range(24 * 60):
        volume.now_s = minute * 60
        volume.free -= 50 * MIB if minute < 10 else 0
        report = watch.report()
    assert report.days_left is None


async def test_readiness_names_a_full_disk_and_warns_of_a_low_one(volume: Volume, watch: DiskWatch) -> None:
    check = watch.check()
    assert not check.required
    found = []
    for free_mib in (10_000, 500, 10):
        volume.free = free_mib * MIB
        finding = await check.probe()
        found.append((finding.state, finding.reason))
    assert found == [(CheckState.UP, None), (CheckState.UP, "disk_low"), (CheckState.DOWN, "disk_full")]


def test_a_folder_that_does_not_exist_yet_is_measured_where_it_will_be(tmp_path: Path) -> None:
    made = DiskWatch(tmp_path / "not" / "yet", full_below_bytes=0, low_below_bytes=0)
    assert made.report().free_bytes == pytest.approx(shutil.disk_usage(tmp_path).free, rel=0.05)
