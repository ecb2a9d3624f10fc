"""One command brings the fleet to life, again in seconds, and leaves nothing behind."""

import signal
from pathlib import Path

import httpx

from battery_servicekit.testing.process import free_port
from tests.e2e.fleet import BATTERY_COUNT, is_fresh, overview, row_count
from tests.platform_process import RunningPlatform, running_platform

HISTORY_DAYS = 2


def _ready(platform: RunningPlatform) -> bool:
    return httpx.get(f"{platform.url}/health/ready", timeout=30).json()["status"] in {"ready", "degraded"}


def test_first_and_second_run(data_dir: Path, tmp_path: Path) -> None:
    port = free_port()
    days = str(HISTORY_DAYS)
    with running_platform(data_dir, tmp_path / "first.txt", port, BATTERY_HISTORY_DAYS=days) as first:
        first.wait_until_up()
        assert first.admin_password in first.text()
        with first.login() as client:
            assert overview(client)["battery_count"] == BATTERY_COUNT
            first.wait_for(lambda: is_fresh(client), "live readings")
            first.wait_for(lambda: "history loaded" in first.text(), "the history", timeout_s=240)
            hours = first.wait_for(
                lambda: row_count(client, HISTORY_DAYS) >= HISTORY_DAYS * 24 - 2 and row_count(client, HISTORY_DAYS),
                "roll-ups",
            )
        first.stop()
        assert first.family() == []

    with running_platform(data_dir, tmp_path / "second.txt", port, BATTERY_HISTORY_DAYS=days) as second:
        second.wait_until_up()
        second.wait_for(lambda: _ready(second), "readiness")
        assert second.admin_password not in second.text()
        assert "history" not in second.text().replace(str(data_dir), "")
        with second.login() as client:
            second.wait_for(lambda: is_fresh(client), "live readings again")
            # Nothing was seeded twice: only the few live readings of the second run came on top.
            assert hours <= row_count(client, HISTORY_DAYS) <= hours + 10
        second.stop(signal.SIGTERM)
        assert second.family() == []
