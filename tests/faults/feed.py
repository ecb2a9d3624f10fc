"""Who uses the platform while it is hurt: senders of numbered readings, and a visitor who looks around."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import asyncpg
import httpx

from tests.platform_process import RunningPlatform

Key = tuple[str, datetime]
_PAUSE_S = 0.25


@dataclass
class Timed:
    """Requests of one kind: when each ended, how long it took, and whether it was answered well."""

    ended_at_s: list[float] = field(default_factory=list)
    took_s: list[float] = field(default_factory=list)
    failed: list[str | None] = field(default_factory=list)

    def note(self, began_s: float, failure: str | None) -> None:
        """Add a request that has just ended."""
        ended_s = time.monotonic()
        self.ended_at_s.append(ended_s)
        self.took_s.append(ended_s - began_s)
        self.failed.append(failure)

    def since(self, instant_s: float) -> tuple[list[float], list[str]]:
        """Return the durations and the failures of what ended after an instant."""
        rows = [row for row in zip(self.ended_at_s, self.took_s, self.failed, strict=False) if row[0] >= instant_s]
        return [took for _, took, _ in rows], [failure for *_, failure in rows if failure is not None]


class Feed:
    """Senders, each with a battery of its own, that repeat a reading until it is acknowledged, then send the next."""

    def __init__(self, platform: RunningPlatform, batteries: Sequence[str]) -> None:
        self.posts = Timed()
        self._platform = platform
        self._acknowledged: dict[Key, float] = {}
        self._ending = threading.Event()
        self._started_at = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)
        self._threads = [threading.Thread(target=self._send, args=(battery,)) for battery in batteries]

    def start(self) -> None:
        """Begin to send."""
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Stop after the readings that are on their way."""
        self._ending.set()
        for thread in self._threads:
            thread.join(timeout=120)

    async def account(self) -> tuple[int, int, int]:
        """Return how many readings were acknowledged, and how many of them are lost or stored twice."""
        connection = await asyncpg.connect(self._platform.database_url)
        try:
            rows = await connection.fetch(
                "select b.code, t.time, t.voltage_v from telemetry t join battery b on b.id = t.battery_id "
                "where b.code = any($1) and t.time >= $2",
                sorted({battery for battery, _ in self._acknowledged}),
                self._started_at,
            )
        finally:
            await connection.close()
        stored = {(row["code"], row["time"]): row["voltage_v"] for row in rows}
        lost = sum(key not in stored or abs(stored[key] - value) > 1e-4 for key, value in self._acknowledged.items())
        return len(self._acknowledged), lost, len(rows) - len(stored)

    def _send(self, battery: str) -> None:
        number = 0
        with httpx.Client(headers={"X-API-Key": self._platform.simulator_key}, timeout=20) as client:
            while not self._ending.is_set():
                at = self._started_at + timedelta(seconds=number)
                value = 13.5 + number % 100 / 1000
                reading = {"battery_id": battery, "time": at.isoformat(), "voltage_v": value}
                if self._post(client, {"readings": [reading]}):
                    self._acknowledged[battery, at] = value
                    number += 1
                time.sleep(_PAUSE_S)

    def _post(self, client: httpx.Client, body: dict[str, object]) -> bool:
        began_s = time.monotonic()
        try:
            answer = client.post(f"{self._platform.url}/api/v1/telemetry", json=body)
        except httpx.HTTPError as error:
            self.posts.note(began_s, type(error).__name__)
            return False
        failure = None if answer.is_success else answer.json().get("code", str(answer.status_code))
        self.posts.note(began_s, failure)
        return failure is None


class Visitor:
    """A person who looks at lists all the time."""

    def __init__(self, platform: RunningPlatform) -> None:
        self.reads = Timed()
        self._platform = platform
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def end(self) -> None:
        """Leave."""
        self._ending.set()
        self._thread.join(timeout=60)

    def _look(self) -> None:
        with self._platform.login() as client:
            while not self._ending.is_set():
                began_s = time.monotonic()
                try:
                    answer = client.get("batteries", params={"limit": 50})
                except httpx.HTTPError as error:
                    self.reads.note(began_s, type(error).__name__)
                else:
                    self.reads.note(began_s, None if answer.is_success else str(answer.status_code))
                time.sleep(_PAUSE_S)
