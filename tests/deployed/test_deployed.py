"""A deployed platform with the demo's fleet answers as the documents say; nothing is written but a login."""

import asyncio
import os
import ssl
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import pytest
import socketio

from tests.e2e.fleet import BATTERY, BATTERY_COUNT, is_fresh, overview, row_count

LOCATION = "DC-CNX-01"
URL = os.environ.get("BATTERY_URL", "")
HISTORY_DAYS = int(os.environ.get("BATTERY_HISTORY_DAYS", "2"))
COMES_WITHIN_S = 240.0


@pytest.fixture(scope="session")
def trust() -> ssl.SSLContext:
    """Trust public authorities, or the one of BATTERY_CA_FILE."""
    return ssl.create_default_context(cafile=os.environ.get("BATTERY_CA_FILE") or None)


@pytest.fixture(scope="session")
def outside(trust: ssl.SSLContext) -> Iterator[httpx.Client]:
    assert URL, "Set BATTERY_URL to the address of the platform"
    with httpx.Client(base_url=URL, verify=trust, timeout=30) as client:
        yield client


@pytest.fixture(scope="session")
def login(outside: httpx.Client) -> httpx.Response:
    password = Path(os.environ["BATTERY_ADMIN_PASSWORD_FILE"]).read_text().strip()
    body = {"username": "admin", "password": password, "session": "cookie"}
    return outside.post("/api/v1/auth/login", json=body).raise_for_status()


@pytest.fixture(scope="session")
def api(login: httpx.Response, trust: ssl.SSLContext) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {login.json()['access_token']}"}
    with httpx.Client(base_url=f"{URL}/api/v1", headers=headers, verify=trust, timeout=60) as client:
        yield client


def comes(condition: Callable[[], Any]) -> Any:
    """Wait for what a young platform does not have yet."""
    deadline = time.monotonic() + COMES_WITHIN_S
    while not (answer := condition()) and time.monotonic() < deadline:
        time.sleep(1)
    return answer


def test_plain_http_leads_to_https(outside: httpx.Client) -> None:
    address = outside.base_url.copy_with(scheme="http", port=None)
    answer = httpx.get(address, follow_redirects=False, timeout=30)
    assert answer.status_code in {301, 308}
    assert answer.headers["Location"].startswith("https://")


def test_the_dashboard_is_there_and_its_assets_may_be_kept(outside: httpx.Client) -> None:
    page = outside.get("/")
    assert page.headers["Content-Type"].startswith("text/html")
    assert page.headers["Cache-Control"] == "no-cache"
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    # A page of the dashboard, by its own address.
    assert outside.get("/batteries/BAT-DC-CNX-01-UPS-01-STR-01-001").text == page.text
    script = page.text.split('<script type="module" crossorigin src="')[1].split('"')[0]
    asset = outside.get(script).raise_for_status()
    assert "immutable" in asset.headers["Cache-Control"]
    assert "javascript" in asset.headers["Content-Type"]
    assert outside.get("/assets/gone-12345678.js").status_code == 404


def test_what_is_inside_is_not_public(outside: httpx.Client) -> None:
    assert outside.get("/metrics").status_code == 404
    assert outside.get("/api/v1/fleet/overview").status_code == 401


def test_the_session_cookie_travels_only_encrypted(login: httpx.Response) -> None:
    # Names and attributes only: what fails is printed, and the values open a session.
    attributes = {
        name: {part.strip().split("=")[0] for part in rest.split(";")[1:]}
        for name, _, rest in (cookie.partition("=") for cookie in login.headers.get_list("Set-Cookie"))
        if name.startswith("battery_")
    }
    assert attributes
    assert {name: {"Secure", "HttpOnly"} <= given for name, given in attributes.items()} == dict.fromkeys(
        attributes, True
    )


def test_everything_is_ready(outside: httpx.Client) -> None:
    def checks() -> dict[str, str]:
        answer = outside.get("/health/ready").json()
        return {name: check["state"] for name, check in answer["checks"].items()}

    needed = {"database", "schema", "disk", "twin", "simulator"}
    found = comes(lambda: (states := checks()) and all(states.get(name) == "up" for name in needed) and states)
    assert found, checks()


def test_the_fleet_reports_live(api: httpx.Client) -> None:
    assert overview(api)["battery_count"] == BATTERY_COUNT
    # The feed posts each battery once a minute.
    assert comes(lambda: is_fresh(api, within_s=90))


def test_the_history_is_loaded_and_rolled_up(api: httpx.Client) -> None:
    assert comes(lambda: row_count(api, HISTORY_DAYS) >= HISTORY_DAYS * 24 - 2), row_count(api, HISTORY_DAYS)


def test_readings_are_estimated_by_the_twin(api: httpx.Client) -> None:
    def estimated() -> bool:
        columns = api.get("/telemetry/latest", params={"location_id": LOCATION}).raise_for_status().json()["columns"]
        return any(value is not None for value in columns["soc_pct"])

    assert comes(estimated)


def test_the_runtime_of_a_string_is_known(api: httpx.Client) -> None:
    def runtime() -> httpx.Response:
        return api.get("/strings/DC-CNX-01-UPS-01-STR-01/runtime", params={"power_w": 5000})

    assert comes(lambda: runtime().status_code == 200), runtime().text
    assert runtime().json()["simulation"]["runtime_p50_s"] > 0


@pytest.mark.parametrize("transport", ["polling", "websocket"])
async def test_live_messages_arrive(api: httpx.Client, trust: ssl.SSLContext, transport: str) -> None:
    token = str(api.headers["Authorization"]).removeprefix("Bearer ")
    received: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust)) as session:
        client = socketio.AsyncClient(reconnection=False, http_session=session)
        client.on("telemetry_update", received.put)
        await client.connect(URL, auth={"token": token}, transports=[transport], wait_timeout=30)
        await client.emit("subscribe_location", {"location_id": LOCATION})
        first = await asyncio.wait_for(received.get(), 180)
        second = await asyncio.wait_for(received.get(), 180)
        await client.disconnect()
    assert second["seq"] == first["seq"] + 1
    newest = [datetime.fromisoformat(value) for value in second["columns"]["time"]]
    assert datetime.now(UTC) - max(newest) < timedelta(minutes=3)


async def test_messages_of_one_battery_arrive_through_whichever_gateway(
    api: httpx.Client, trust: ssl.SSLContext
) -> None:
    """Each connection may be held by another gateway than the one that stores the reading."""
    token = str(api.headers["Authorization"]).removeprefix("Bearer ")

    async def first_message() -> dict[str, Any]:
        received: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust)) as session:
            client = socketio.AsyncClient(reconnection=False, http_session=session)
            client.on("telemetry_update", received.put)
            await client.connect(URL, auth={"token": token}, transports=["websocket"], wait_timeout=30)
            await client.emit("subscribe_battery", {"battery_id": BATTERY})
            message = await asyncio.wait_for(received.get(), 180)
            await client.disconnect()
        return message

    messages = await asyncio.gather(*(first_message() for _ in range(4)))
    assert [message["columns"]["battery_id"] for message in messages] == [[BATTERY]] * 4
