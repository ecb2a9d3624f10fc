"""Clients of the live connection that send, open or hold more than they may, against a real gateway process."""

import asyncio
import base64
import json
import os
import socket
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack
from statistics import median

import httpx
import psutil
import pytest
import pytest_asyncio

from battery_api.realtime.allowance import MAX_REFUSED, Allowance
from battery_servicekit.testing.postgres import new_database
from tests.realtime.world import BATTERY, LOCATION, Listener, Live, running_gateway

LOGIN_TIMEOUT_S = 1.0
CUT_WITHIN_S = LOGIN_TIMEOUT_S + 5.0
ENGINE = "/socket.io/?EIO=4&transport="


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def strict(
    postgres_url: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Live]:
    changes = {"REALTIME_LOGIN_TIMEOUT_S": str(LOGIN_TIMEOUT_S), "HEAD_TIMEOUT_S": "60"}
    async with (
        new_database(postgres_url, template=migrated_template) as url,
        running_gateway(url, tmp_path_factory.mktemp("gateway"), changes) as live,
    ):
        yield live


def connect(live: Live) -> socket.socket:
    host, port = live.gateway.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=CUT_WITHIN_S)


def upgraded(live: Live, address: str) -> socket.socket:
    """Open a websocket by hand: unlike a client of a library it need not answer a close."""
    connection = connect(live)
    key = base64.b64encode(os.urandom(16)).decode()
    connection.sendall(
        f"GET {address} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
    )
    head = b""
    while b"\r\n\r\n" not in head:
        head += connection.recv(1)
    assert head.startswith(b"HTTP/1.1 101"), head
    return connection


def text_frame(text: str) -> bytes:
    data = text.encode()
    assert len(data) < 126
    return bytes([0x81, 0x80 | len(data)]) + bytes(4) + data


def closes(connection: socket.socket, *, sending: bytes = b"", within_s: float = CUT_WITHIN_S) -> bool:
    """Return whether the server ends the connection in time, while the client keeps sending."""
    connection.settimeout(0.2)
    began = time.monotonic()
    while time.monotonic() - began < within_s:
        try:
            if sending:
                connection.sendall(sending)
            if not connection.recv(65536):
                return True
        except TimeoutError:
            continue
        except (ConnectionResetError, BrokenPipeError):
            return True
    return False


async def test_names_that_the_server_keeps_for_itself_are_refused_and_change_nothing(strict: Live) -> None:
    user_path, token = await strict.viewer("watcher")
    listener = await strict.listener(token)
    await listener.client.emit("subscribe_location", {"location_id": LOCATION})
    await listener.next("subscribed")
    for event in ("disconnect", "connect", "connect_error", "*", "subscribe_everything", "__disconnect_final"):
        await listener.client.emit(event, ({}, {"token": token}))
        assert (await listener.next("error"))["code"] == "unknown_event"
    await listener.client.emit("ping", ({}, {}))
    assert (await listener.next("error"))["code"] == "invalid_event"
    await strict.post(13.6)
    await listener.next("telemetry_update")

    began = time.monotonic()
    await strict.deactivate(user_path)
    async with asyncio.timeout(5):
        while listener.client.connected:
            await listener.client.emit("disconnect", {})
            await asyncio.sleep(0.05)
    assert time.monotonic() - began < 5
    while not listener.events.empty():
        listener.events.get_nowait()
    await strict.post(13.7)
    await asyncio.sleep(0.5)
    assert listener.events.empty()


@pytest.mark.parametrize("sending", ["", "3", "2probe", '40{"token":"no"}', '42["ping",{}]', "41"])
async def test_a_websocket_that_never_logs_in_is_closed(strict: Live, sending: str) -> None:
    with upgraded(strict, ENGINE + "websocket") as connection:
        frame = text_frame(sending) if sending else b""
        assert await asyncio.to_thread(closes, connection, sending=frame)


async def test_a_polling_connection_that_never_logs_in_and_its_websocket_are_closed(strict: Live) -> None:
    async with httpx.AsyncClient(base_url=strict.gateway.url, timeout=20) as http:
        opened = await http.get(ENGINE + "polling")
        sid = json.loads(opened.text[1:])["sid"]
        with upgraded(strict, f"{ENGINE}websocket&sid={sid}") as connection:
            assert await asyncio.to_thread(closes, connection)
        assert (await http.get(f"{ENGINE}polling&sid={sid}")).status_code == 400


async def test_who_logs_out_but_stays_connected_is_closed(strict: Live) -> None:
    with upgraded(strict, ENGINE + "websocket") as connection:
        login = f'40{{"token":"{strict.token}"}}'.encode()
        connection.sendall(bytes([0x81, 0x80 | 126]) + len(login).to_bytes(2, "big") + bytes(4) + login)
        await asyncio.sleep(LOGIN_TIMEOUT_S + 2)
        assert not await asyncio.to_thread(closes, connection, within_s=1)
        connection.sendall(text_frame("41"))
        assert await asyncio.to_thread(closes, connection, sending=text_frame("3"))


async def test_a_large_or_endless_message_is_refused_before_it_is_kept(strict: Live) -> None:
    process = psutil.Process(strict.gateway.process.pid)
    before = process.memory_info().rss
    with ExitStack() as stack:
        for opcode, piece in ((0x81, bytes(15_000_000)), (0x01, bytes(60_000))):
            for _ in range(4):
                connection = stack.enter_context(upgraded(strict, ENGINE + "websocket"))
                head = bytes([opcode, 0x80 | 127]) + len(piece).to_bytes(8, "big") + bytes(4)
                follow = bytes([0x00, 0x80 | 127]) + len(piece).to_bytes(8, "big") + bytes(4)
                try:
                    connection.sendall(head + piece[:200_000])
                    assert await asyncio.to_thread(closes, connection, sending=follow + piece[:60_000], within_s=2)
                except (ConnectionResetError, BrokenPipeError):
                    pass
        connection = stack.enter_context(upgraded(strict, ENGINE + "websocket"))
        connection.sendall(bytes([0x01, 0x80]) + bytes(4))
        assert await asyncio.to_thread(closes, connection, sending=(bytes([0x00, 0x80]) + bytes(4)) * 100, within_s=0.9)
    assert process.memory_info().rss - before < 10_000_000


async def test_every_event_of_a_flood_is_answered_and_senders_are_not_held_up(strict: Live) -> None:
    _, token = await strict.viewer("flooder")
    listeners = [await strict.listener(token) for _ in range(10)]
    count = 300

    async def flood(listener: Listener) -> None:
        for _ in range(count):
            await listener.client.emit("subscribe_battery", {"battery_id": BATTERY})

    floods = asyncio.gather(*map(flood, listeners))
    seconds: list[float] = []
    for number in range(20):
        began = time.monotonic()
        await strict.post(13.5 + number / 1000)
        seconds.append(time.monotonic() - began)
    await floods
    assert max(seconds) < 3.0
    assert median(seconds) < 1.0
    for listener in listeners:
        subscribed, refused = 0, 0
        while subscribed + refused < count:
            name, data = await asyncio.wait_for(listener.events.get(), 20)
            subscribed += name == "subscribed"
            refused += name == "error" and data["code"] == "too_many_events"
        assert subscribed >= 128
        assert refused > 0
        await listener.client.disconnect()


def test_who_ignores_the_refusals_is_not_served_for_ever() -> None:
    allowance = Allowance.full(burst=2, per_s=1.0, now_s=0.0)
    assert [allowance.take(0.0) for _ in range(3)] == [True, True, False]
    assert allowance.take(1.0)
    for _ in range(MAX_REFUSED - 1):
        assert not allowance.take(1.0)
    found = [allowance.is_abused]
    assert not allowance.take(1.5)
    found.append(allowance.is_abused)
    assert allowance.take(60.0)
    found.append(allowance.is_abused)
    assert found == [False, True, False]


async def test_idle_connections_above_the_descriptors_do_not_keep_a_sender_out(strict: Live) -> None:
    psutil.Process(strict.gateway.process.pid).rlimit(psutil.RLIMIT_NOFILE, (1024, 1024))
    listener = await strict.listener(strict.token)
    with ExitStack() as stack:
        for _ in range(1_300):
            stack.enter_context(connect(strict))
        for number in range(10):
            assert (await strict.http.get(f"{strict.gateway.url}/health/ready")).status_code == 200
            await strict.post(13.5 + number / 1000)
        await listener.client.emit("ping", {})
        await listener.next("pong")
    await listener.client.disconnect()


async def test_the_log_has_one_object_per_line_and_no_query_of_a_websocket(strict: Live) -> None:
    async with httpx.AsyncClient(base_url=strict.gateway.url, timeout=20) as http:
        for address in ("/socket.io/?EIO=2&transport=polling", "/socket.io/?transport=carrier-pigeon&token=swordfish"):
            assert (await http.get(address)).status_code == 400
    upgraded(strict, ENGINE + "websocket&token=swordfish").close()
    await asyncio.sleep(0.5)
    lines = [json.loads(text) for text in strict.gateway.log.read_text().splitlines()]
    events = [str(line["event"]) for line in lines]
    assert any('"WebSocket /socket.io/" [accepted]' in event for event in events)
    assert not any("swordfish" in event for event in events)
