"""kill -9 of gateway, database and simulator at random under a live feed.

Every acknowledged reading is there once, the feed catches up without a hole, no alert is lost or doubled.
"""

import asyncio
import itertools
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import httpx
import psutil

from battery_servicekit.testing.process import free_port
from tests.platform_process import RunningPlatform, is_alive, running_platform

KILLS_EACH = 10
GATEWAY, DATABASE, SIMULATOR = "battery-api", "postgres", "battery-sim-service"
POSTED_STRING = "DC-CNX-01-UPS-01-STR-01"
FED_STRINGS = [f"DC-CNX-01-UPS-01-STR-0{number}" for number in (2, 3)]
POSTED_BATTERIES = [f"BAT-{POSTED_STRING}-{position:03d}" for position in range(1, 25)]
FED_INTERVAL_S = 5.0
STEP = timedelta(seconds=20)
# Three hot readings raise at once; six cool ones, 120 s, outlast the minute after which the alert clears. The batteries
# take turns, so that each is hot again only after 72 minutes: a new alert, not an unstable one that comes back.
HOT_STEPS, CYCLE_STEPS = 3, 9

Key = tuple[str, datetime]


@dataclass
class Sender:
    """An edge gateway: posts a batch until it is acknowledged, then the next."""

    platform: RunningPlatform
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0) - timedelta(hours=8))
    acknowledged: dict[Key, float] = field(default_factory=dict)
    steps: int = 0
    retries: int = 0
    stopping: threading.Event = field(default_factory=threading.Event)
    refused: list[object] = field(default_factory=list)

    def run(self) -> None:
        with httpx.Client(headers={"X-API-Key": self.platform.simulator_key}, timeout=10) as client:
            while not (self.stopping.is_set() and self.steps % CYCLE_STEPS == 0):
                batch = self._batch()
                while not self._post(client, batch):
                    self.retries += 1
                    time.sleep(0.2)
                self.acknowledged.update(batch)
                self.steps += 1
                time.sleep(0.05)

    def _batch(self) -> dict[Key, float]:
        at = self.started_at + self.steps * STEP
        return {(battery, at): 13.5 + 0.01 * (self.steps % 10) for battery in POSTED_BATTERIES}

    def _post(self, client: httpx.Client, batch: dict[Key, float]) -> bool:
        is_hot = self.steps % CYCLE_STEPS < HOT_STEPS
        hot_battery = _hot_battery(self.steps // CYCLE_STEPS)
        columns = {
            "battery_id": [battery for battery, _ in batch],
            "time": [at.isoformat() for _, at in batch],
            "voltage_v": list(batch.values()),
            "temperature_c": [70.0 if is_hot and battery == hot_battery else 25.0 for battery, _ in batch],
        }
        try:
            answer = client.post(f"{self.platform.url}/api/v1/telemetry", json={"columns": columns})
        except httpx.HTTPError:
            return False
        if not answer.is_success:
            return False
        body = answer.json()
        self.refused += body["rejected"]
        return True


def _hot_battery(cycle: int) -> str:
    return POSTED_BATTERIES[cycle % len(POSTED_BATTERIES)]


def _kill_at_random(platform: RunningPlatform, chance: random.Random, commands: list[str]) -> None:
    order = [command for command in commands for _ in range(KILLS_EACH)]
    chance.shuffle(order)
    for command in order:
        while not _kill_once(platform, command, after_s=chance.uniform(0.2, 6.0)):
            pass


def _kill_once(platform: RunningPlatform, command: str, *, after_s: float) -> bool:
    """Kill a program some time after it was seen; from just after its start to the middle of its work."""
    victim: psutil.Process = platform.wait_for(lambda: platform.program(command), f"{command} to be up")
    time.sleep(after_s)
    if not is_alive(victim):
        # It ended with the database meanwhile: the next one is killed in its place.
        return False
    victim.kill()
    victim.wait(timeout=60)
    return True


def _status(platform: RunningPlatform) -> bool:
    ready = httpx.get(f"{platform.url}/health/ready", timeout=30).json()
    return bool(ready["checks"]["database"]["state"] == "up")


def test_acknowledged_readings_survive_thirty_kills(data_dir: Path, tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(10**6)
    settings = {"SIMULATOR_STRINGS": ",".join(FED_STRINGS), "SIMULATOR_INTERVAL_S": str(FED_INTERVAL_S)}
    with running_platform(data_dir, tmp_path / "output.txt", free_port(), **settings) as platform:
        platform.wait_until_up()
        sender = Sender(platform)
        thread = threading.Thread(target=sender.run)
        thread.start()
        platform.wait_for(lambda: sender.steps > CYCLE_STEPS, "the first acknowledged readings")
        chance = random.Random(seed)
        # First without the simulator, so that its feed must have no hole at all.
        fed_from = datetime.now(UTC)
        _kill_at_random(platform, chance, [GATEWAY, DATABASE])
        fed_until = datetime.now(UTC)
        _kill_at_random(platform, chance, [SIMULATOR])
        platform.wait_for(lambda: platform.program(SIMULATOR), "the simulator")
        sender.stopping.set()
        thread.join(timeout=120)
        assert not thread.is_alive()
        platform.wait_for(lambda: _status(platform), "readiness")
        caught_up_at = datetime.now(UTC)
        asyncio.run(_check_fed(platform, fed_from, fed_until, caught_up_at))
        asyncio.run(_check_posted(platform, sender))
    assert sender.retries > 0, f"seed {seed}: no kill met a batch on its way; the test proved nothing"


async def _check_posted(platform: RunningPlatform, sender: Sender) -> None:
    assert sender.refused == []
    connection = await asyncpg.connect(platform.database_url)
    try:
        rows = await connection.fetch(
            "select b.code, t.time, t.voltage_v from telemetry t join battery b on b.id = t.battery_id "
            "join string s on s.id = b.string_id where s.code = $1",
            POSTED_STRING,
        )
        stored = {(row["code"], row["time"]): row["voltage_v"] for row in rows}
        missing = sender.acknowledged.keys() - stored.keys()
        assert not missing, f"{len(missing)} of {len(sender.acknowledged)} acknowledged readings are lost"
        assert len(stored) == len(rows) == len(sender.acknowledged)
        assert all(abs(stored[key] - value) < 1e-4 for key, value in sender.acknowledged.items())

        alerts = await connection.fetch(
            "select a.id, a.subject, a.raised_at, a.cleared_at from alert a "
            "where a.subject = any($1) and a.type = 'temperature_high' order by a.raised_at",
            POSTED_BATTERIES,
        )
        cycles = range(sender.steps // CYCLE_STEPS)
        expected = [(_hot_battery(cycle), sender.started_at + cycle * CYCLE_STEPS * STEP) for cycle in cycles]
        assert [(row["subject"], row["raised_at"]) for row in alerts] == expected
        assert all(row["cleared_at"] is not None for row in alerts)
        events = await connection.fetch(
            "select alert_id, kind from alert_event where alert_id = any($1)", [row["id"] for row in alerts]
        )
        kinds = Counter((row["alert_id"], row["kind"]) for row in events)
        assert all(kinds[(row["id"], kind)] == 1 for row in alerts for kind in ("raised", "cleared"))
    finally:
        await connection.close()


async def _check_fed(
    platform: RunningPlatform, fed_from: datetime, fed_until: datetime, caught_up_at: datetime
) -> None:
    connection = await asyncpg.connect(platform.database_url)
    try:
        deadline = time.monotonic() + 240
        while not await _is_caught_up(connection, caught_up_at):
            assert time.monotonic() < deadline, "the feed did not catch up within 240 s"
            await asyncio.sleep(1)
        for string in FED_STRINGS:
            rows = await connection.fetch(
                "select distinct t.time from telemetry t join battery b on b.id = t.battery_id join string s "
                "on s.id = b.string_id where s.code = $1 and t.time between $2 and $3 order by 1",
                string,
                fed_from,
                fed_until,
            )
            times = [row["time"] for row in rows]
            assert len(times) > 5
            holes = [(a, b) for a, b in itertools.pairwise(times) if (b - a).total_seconds() > 2.5 * FED_INTERVAL_S]
            assert not holes, f"{string} has holes though its simulator was never killed: {holes[:3]}"
    finally:
        await connection.close()


async def _is_caught_up(connection: asyncpg.Connection, since: datetime) -> bool:
    newest = await connection.fetch(
        "select s.code, max(t.time) as newest from telemetry t join battery b on b.id = t.battery_id "
        "join string s on s.id = b.string_id where s.code = any($1) group by 1",
        FED_STRINGS,
    )
    return len(newest) == len(FED_STRINGS) and all(row["newest"] >= since for row in newest)
