"""Questions about the synthetic fleet, wherever it runs; each takes a client whose user is logged in."""

from datetime import UTC, datetime, timedelta

import httpx

BATTERY_COUNT = 1944
BATTERY = "BAT-DC-CNX-01-UPS-01-STR-01-001"


def overview(client: httpx.Client) -> dict[str, object]:
    """Return the fleet at a glance."""
    answer: dict[str, object] = client.get("/fleet/overview").raise_for_status().json()
    return answer


def row_count(client: httpx.Client, days: int) -> int:
    """Return how many readings of one battery the last days hold."""
    start = datetime.now(UTC) - timedelta(days=days, hours=1)
    series = client.get(
        f"/batteries/{BATTERY}/telemetry",
        params={"start": start.isoformat(), "end": datetime.now(UTC).isoformat(), "resolution": "1h"},
    )
    counts = series.raise_for_status().json()["columns"]["count"]
    return int(sum(counts))


def is_fresh(client: httpx.Client, within_s: float = 30.0) -> bool:
    """Return whether a reading has come just now."""
    newest = overview(client)["newest_reading_at"]
    if not isinstance(newest, str):
        return False
    return datetime.now(UTC) - datetime.fromisoformat(newest) < timedelta(seconds=within_s)
