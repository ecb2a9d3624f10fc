"""A gateway of its own process, for what is asked over HTTP from outside."""

from dataclasses import dataclass
from datetime import UTC, datetime

import httpx

from battery_servicekit.testing.process import ServiceProcess


@dataclass(frozen=True, slots=True)
class Target:
    """A running gateway and the headers of its callers."""

    gateway: ServiceProcess
    headers: dict[str, dict[str, str]]

    def send(self, *, voltage_v: float) -> None:
        """Send a reading of the first battery, taken now."""
        reading = {
            "battery_id": "BAT-DC-CNX-01-UPS-01-STR-01-001",
            "time": datetime.now(UTC).isoformat(),
            "voltage_v": voltage_v,
        }
        answer = httpx.post(
            f"{self.gateway.url}/api/v1/telemetry",
            json={"readings": [reading]},
            headers=self.headers["telemetry:write"],
        )
        assert answer.json()["accepted"] == 1, answer.text
