"""The real twin stopped and killed under a running platform: readings go on, pages say so, it comes back unaided."""

import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from battery_servicekit.testing.process import free_port
from tests.platform_process import RunningPlatform, running_platform

TWIN = "battery-twin-service"
# Fed by nobody else, so that every reading of it is one of this test.
BATTERY = "BAT-DC-CNX-01-UPS-01-STR-01-001"
FED_STRING = "DC-CNX-01-UPS-01-STR-02"


class Edge:
    """Posts readings of one battery and looks at what is shown of it."""

    def __init__(self, platform: RunningPlatform, client: httpx.Client) -> None:
        self.platform, self.client = platform, client
        self.accepted = 0

    def post(self) -> None:
        now = datetime.now(UTC).isoformat()
        values = {"voltage_v": 13.62, "current_a": 0.04, "temperature_c": 25.0}
        answer = httpx.post(
            f"{self.platform.url}/api/v1/telemetry",
            headers={"X-API-Key": self.platform.simulator_key},
            json={"readings": [{"battery_id": BATTERY, "time": now, **values}]},
            timeout=20,
        )
        result = answer.raise_for_status().json()
        assert result["accepted"] == 1, answer.text
        self.accepted += 1

    def charge(self) -> dict[str, Any]:
        """Return what is shown of the battery's charge after one more reading."""
        self.post()
        shown: dict[str, Any] = self.client.get(f"/batteries/{BATTERY}").raise_for_status().json()["live"]["soc"]
        return shown

    def twin_is_up(self) -> bool:
        return bool(self.readiness()["checks"]["twin"]["state"] == "up")

    def readiness(self) -> dict[str, Any]:
        answer = httpx.get(f"{self.platform.url}/health/ready", timeout=30)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body


def test_a_twin_that_hangs_and_one_that_dies_come_back_unaided(data_dir: Path, tmp_path: Path) -> None:
    settings = {"SIMULATOR_STRINGS": FED_STRING}
    with running_platform(data_dir, tmp_path / "out.txt", free_port(), **settings) as platform:
        platform.wait_until_up()
        with platform.login() as client:
            edge = Edge(platform, client)
            platform.wait_for(lambda: edge.charge()["value_pct"] is not None, "an estimate")
            before = edge.accepted
            twin = platform.program(TWIN)
            assert twin is not None
            twin.send_signal(signal.SIGSTOP)
            try:
                platform.wait_for(lambda: edge.charge()["reason"] == "twin_unavailable", "the reason on the page")
                assert edge.charge()["value_pct"] is None
                platform.wait_for(lambda: not edge.twin_is_up(), "readiness without it")
                assert edge.readiness()["status"] == "degraded"
                assert edge.accepted > before
            finally:
                twin.send_signal(signal.SIGCONT)
            platform.wait_for(lambda: edge.charge()["value_pct"] is not None, "an estimate after the pause")
            twin.kill()
            platform.wait_for(lambda: (again := platform.program(TWIN)) and again.pid != twin.pid, "another twin")
            platform.wait_for(lambda: edge.charge()["value_pct"] is not None, "an estimate by the other")
