"""A full disk: reads go on, writes are refused with the reason, and everything resumes when there is room."""

import asyncio
import shutil
from contextlib import suppress
from dataclasses import dataclass

import asyncpg
import pytest

from battery_api.app.jobs import JobRunner, PeriodicJob
from tests.alerts.world import FIRST, NOW, World, named, reading

MIB = 2**20


@dataclass
class Volume:
    """The volume of the data folder, with the free space that a test sets."""

    free: int = 100_000 * MIB


@pytest.fixture
def volume(monkeypatch: pytest.MonkeyPatch) -> Volume:
    made = Volume()
    monkeypatch.setattr(shutil, "disk_usage", lambda _: made)
    return made


async def test_readings_are_refused_with_the_reason_and_accepted_again(world: World, volume: Volume) -> None:
    body = {"readings": [reading(FIRST, NOW)]}
    volume.free = 20 * MIB
    refused = await world.client.post("telemetry", json=body, headers=named("feed"))
    assert (refused.status_code, refused.json()["code"], refused.headers["retry-after"]) == (503, "disk_full", "10")
    assert "can be read" in refused.json()["detail"]
    volume.free = 5_000 * MIB
    assert (await world.post(body))["accepted"] == 1


async def test_what_is_stored_can_be_read_and_an_alert_acknowledged(world: World, volume: Volume) -> None:
    await world.post({"readings": [reading(FIRST, NOW, voltage_v=0.3)]})
    volume.free = 20 * MIB
    (alert,) = await world.alerts(active="true")
    answer = await world.client.post(
        f"alerts/{alert['alert_id']}/acknowledge", json={"note": "on it"}, headers=named("somchai")
    )
    assert answer.status_code == 200
    assert (await world.client.get(f"batteries/{FIRST}", headers=named("mali"))).status_code == 200
    imported = await world.client.post("fleet/import", content=b"battery_id\n", headers=named("root"))
    assert (imported.status_code, imported.json()["code"]) == (503, "disk_full")


async def test_readiness_and_the_overview_show_it_and_warn_before(world: World, volume: Volume) -> None:
    found = []
    for free_mib in (100_000, 500, 20):
        volume.free = free_mib * MIB
        ready = (await world.client.get("http://test/health/ready")).json()
        disk = (await world.client.get("fleet/overview", headers=named("mali"))).json()["disk"]
        found.append(
            (ready["checks"]["disk"]["state"], ready["checks"]["disk"]["reason"], disk["state"], disk["free_mb"])
        )
        assert ready["status"] != "unavailable"
    assert found == [("up", None, "enough", 100_000), ("up", "disk_low", "low", 500), ("down", "disk_full", "full", 20)]


async def test_a_database_without_room_is_named_as_such(world: World, volume: Volume) -> None:
    async def write() -> None:
        raise asyncpg.DiskFullError("could not extend file: No space left on device")

    async def connect() -> None:
        raise OSError(111, "Connection refused")

    world.app.add_api_route("/write", write)
    world.app.add_api_route("/connect", connect)
    assert (await world.client.get("http://test/write")).json()["code"] == "disk_full"
    assert (await world.client.get("http://test/connect")).json()["code"] == "database_unavailable"
    volume.free = 0
    # The server may be away because it found no room for its log.
    assert (await world.client.get("http://test/connect")).json()["code"] == "disk_full"


async def test_no_job_takes_the_last_room(world: World, volume: Volume) -> None:
    runs: list[int] = []

    async def run_once() -> None:
        runs.append(volume.free)

    runner = JobRunner(world.app.state.parts.context, [PeriodicJob("test", 0.01, run_once)])
    volume.free = 0
    task = asyncio.create_task(runner.run())
    try:
        await asyncio.sleep(0.3)
        assert runs == []
        volume.free = 9_000 * MIB
        await asyncio.sleep(0.5)
        assert runs
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
