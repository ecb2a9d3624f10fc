"""Live push from a real gateway process to real Socket.IO clients."""

import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import socketio

from battery_api.accounts.bootstrap import bootstrap
from battery_api.db.session import Database, create_database_engine
from battery_api.fleet.importer import import_catalogue
from battery_api.settings import GatewaySettings
from battery_contracts.ids import battery_id_at
from battery_servicekit.testing.process import ServiceProcess, running_service
from tests.fleet.test_importer import STRING, catalogue, line

KEY = "bk_a-key-for-the-live-tests-000000000001"
PASSWORD = "several unrelated words here"
LOCATION = "DC-KKN-01"
BATTERY = battery_id_at(STRING, 1)
BIN = Path(sys.executable).parent


@dataclass
class Listener:
    """A client that records what it receives."""

    client: socketio.AsyncClient = field(default_factory=lambda: socketio.AsyncClient(reconnection=False))
    events: asyncio.Queue[tuple[str, Any]] = field(default_factory=asyncio.Queue)

    def __post_init__(self) -> None:
        for event in ("connected", "subscribed", "telemetry_update", "alert", "battery_status_update", "pong", "error"):
            self.client.on(event, self._keeper(event))

    def _keeper(self, event: str) -> Any:
        async def keep(data: Any) -> None:
            await self.events.put((event, data))

        return keep

    async def next(self, event: str, *, within_s: float = 30.0) -> Any:
        async with asyncio.timeout(within_s):
            while True:
                name, data = await self.events.get()
                if name == event:
                    return data


@dataclass(frozen=True)
class Live:
    """A gateway with a small fleet, and how to reach it."""

    gateway: ServiceProcess
    http: httpx.AsyncClient
    token: str

    async def listener(self, token: str | None) -> Listener:
        listener = Listener()
        auth = None if token is None else {"token": token}
        await listener.client.connect(self.gateway.url, auth=auth, transports=["websocket"], wait_timeout=30)
        return listener

    async def post(self, voltage_v: float) -> None:
        reading = {"battery_id": BATTERY, "time": datetime.now(UTC).isoformat(), "voltage_v": voltage_v}
        answer = await self.http.post("/telemetry", json={"readings": [reading]}, headers={"X-API-Key": KEY})
        assert answer.json()["accepted"] == 1, answer.text


@pytest_asyncio.fixture(loop_scope="session")
async def live(database_url: str, tmp_path: Path) -> AsyncIterator[Live]:
    settings = GatewaySettings(
        database_url=database_url, simulator_api_key=KEY, battery_admin_password=PASSWORD, data_dir=tmp_path
    )
    database = Database(create_database_engine(database_url))
    async with database.begin() as connection:
        report = await import_catalogue(connection, catalogue(line(1), line(2)), dry_run=False)
        assert not report.error_count, report.errors
        await bootstrap(connection, settings)
    await database.close()
    environment = {"DATABASE_URL": database_url, "DATA_DIR": str(tmp_path), "RUN_JOBS": "false"}
    command = [str(BIN / "battery-api"), "serve"]
    with running_service(command, environment, log=tmp_path / "gateway.log") as gateway:
        await asyncio.to_thread(gateway.wait_until_alive)
        async with httpx.AsyncClient(base_url=f"{gateway.url}/api/v1", timeout=20) as http:
            yield Live(gateway, http, await _log_in(http, "admin", PASSWORD))


async def _log_in(http: httpx.AsyncClient, username: str, password: str) -> str:
    answer = await http.post("/auth/login", json={"username": username, "password": password})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


@pytest.mark.parametrize("token", [None, "", "not.a.token"])
async def test_nobody_listens_without_a_valid_token(live: Live, token: str | None) -> None:
    with pytest.raises(socketio.exceptions.ConnectionError):
        await live.listener(token)


async def test_updates_follow_the_subscription_without_a_gap_and_end_where_the_snapshot_is(live: Live) -> None:
    listener = await live.listener(live.token)
    assert (await listener.next("connected"))["username"] == "admin"
    await listener.client.emit("subscribe_location", {"location_id": LOCATION})
    subscribed = await listener.next("subscribed")
    assert subscribed["room"] == f"location:{LOCATION}"

    for number in range(1, 4):
        await live.post(13.5 + number / 100)
        update = await listener.next("telemetry_update")
        assert update["seq"] == subscribed["seq"] + number
        assert update["columns"]["battery_id"] == [BATTERY]
        assert update["columns"]["voltage_v"] == [pytest.approx(13.5 + number / 100)]
        # What was not measured has no column.
        assert "temperature_c" not in update["columns"]

    headers = {"Authorization": f"Bearer {live.token}"}
    snapshot = (await live.http.get("/telemetry/latest", params={"location_id": LOCATION}, headers=headers)).json()
    assert snapshot["locations"][LOCATION]["seq"] == subscribed["seq"] + 3
    await listener.client.disconnect()


async def test_a_room_of_one_battery_and_an_alert(live: Live) -> None:
    listener = await live.listener(live.token)
    await listener.client.emit("subscribe_battery", {"battery_id": BATTERY})
    await listener.next("subscribed")

    await live.post(0.0)

    update = await listener.next("telemetry_update")
    assert update["room"] == f"battery:{BATTERY}"
    alert = await listener.next("alert")
    assert (alert["event"], alert["alert"]["battery_id"], alert["alert"]["severity"]) == ("raised", BATTERY, "critical")
    await listener.client.disconnect()


async def test_what_a_client_may_not_see_or_does_not_exist_is_refused_alike(live: Live) -> None:
    headers = {"Authorization": f"Bearer {live.token}"}
    viewer = {"username": "viewer", "password": PASSWORD, "role": "viewer", "location_ids": []}
    created = await live.http.post("/auth/users", json=viewer, headers=headers)
    assert created.status_code == 201, created.text
    listener = await live.listener(await _log_in(live.http, "viewer", PASSWORD))

    for location_id in (LOCATION, "DC-ZZZ-99"):
        await listener.client.emit("subscribe_location", {"location_id": location_id})
        assert (await listener.next("error"))["code"] == "not_found"
    await listener.client.emit("subscribe_location", {"location_id": 7})
    assert (await listener.next("error"))["code"] == "invalid_event"
    await listener.client.emit("ping", {})
    await listener.next("pong")

    # A user who is switched off is cut off within five seconds.
    user_id = created.json()["user_id"]
    changed = await live.http.patch(f"/auth/users/{user_id}", json={"is_active": False}, headers=headers)
    assert changed.status_code == 200, changed.text
    async with asyncio.timeout(5):
        await listener.client.wait()
    assert not listener.client.connected
