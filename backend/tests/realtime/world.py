"""A real gateway process with a small fleet, and Socket.IO clients that record what they receive."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
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

    async def viewer(self, username: str) -> tuple[str, str]:
        """Create a user who may see everything; return the path of the user and an access token."""
        headers = {"Authorization": f"Bearer {self.token}"}
        user = {"username": username, "password": PASSWORD, "role": "viewer"}
        created = await self.http.post("/auth/users", json=user, headers=headers)
        assert created.status_code == 201, created.text
        return f"/auth/users/{created.json()['user_id']}", await log_in(self.http, username, PASSWORD)

    async def deactivate(self, user_path: str) -> None:
        headers = {"Authorization": f"Bearer {self.token}"}
        changed = await self.http.patch(user_path, json={"is_active": False}, headers=headers)
        assert changed.status_code == 200, changed.text


@asynccontextmanager
async def running_gateway(database_url: str, folder: Path, changes: Mapping[str, str]) -> AsyncIterator[Live]:
    """Run a gateway on an empty database for the duration of the block."""
    settings = GatewaySettings(
        database_url=database_url, simulator_api_key=KEY, battery_admin_password=PASSWORD, data_dir=folder
    )
    database = Database(create_database_engine(database_url))
    async with database.begin() as connection:
        report = await import_catalogue(connection, catalogue(line(1), line(2)), dry_run=False)
        assert not report.error_count, report.errors
        await bootstrap(connection, settings)
    await database.close()
    environment = {"DATABASE_URL": database_url, "DATA_DIR": str(folder), "RUN_JOBS": "false", **changes}
    command = [str(BIN / "battery-api"), "serve"]
    with running_service(command, environment, log=folder / "gateway.log") as gateway:
        await asyncio.to_thread(gateway.wait_until_alive)
        async with httpx.AsyncClient(base_url=f"{gateway.url}/api/v1", timeout=20) as http:
            yield Live(gateway, http, await log_in(http, "admin", PASSWORD))


async def log_in(http: httpx.AsyncClient, username: str, password: str) -> str:
    answer = await http.post("/auth/login", json={"username": username, "password": password})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])
