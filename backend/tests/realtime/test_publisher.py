"""What is published reaches the rooms of the location and of each watched battery, which hears of itself alone."""

import asyncio
import contextlib
from collections.abc import Container
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from battery_api.realtime.publisher import SocketPublisher
from battery_api.realtime.server import EveryBattery, RealtimeServer
from battery_contracts.enums import HealthStatus
from battery_contracts.events import BatteryStatusUpdate, StatusColumns, battery_room, location_room

LOCATION = "DC-BKK-01"
FIRST, SECOND = "BAT-DC-BKK-01-UPS-01-STR-01-001", "BAT-DC-BKK-01-UPS-01-STR-01-002"
UPDATE = BatteryStatusUpdate(
    location_id=LOCATION,
    columns=StatusColumns(
        battery_id=[FIRST, SECOND],
        status=[HealthStatus.CRITICAL, HealthStatus.NORMAL],
        open_critical=[1, 0],
        open_warning=[0, 0],
    ),
)


@dataclass
class RecordingServer:
    """Stands for the Socket.IO server: records what is emitted to which room."""

    watched: Container[str]
    emitted: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    @property
    def sio(self) -> "RecordingServer":
        return self

    def watched_batteries(self) -> Container[str]:
        return self.watched

    async def emit(self, _event: str, payload: dict[str, Any], *, room: str) -> None:
        self.emitted.append((room, payload))


async def published(watched: Container[str]) -> list[tuple[str, dict[str, Any]]]:
    server = RecordingServer(watched)
    publisher = SocketPublisher(cast("RealtimeServer", server))
    await publisher.publish_statuses([UPDATE])
    sending = asyncio.create_task(publisher.run())
    await asyncio.sleep(0.05)
    sending.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await sending
    return server.emitted


@pytest.mark.parametrize(
    ("watched", "rooms"),
    [
        (frozenset[str](), [location_room(LOCATION)]),
        (frozenset({FIRST}), [location_room(LOCATION), battery_room(FIRST)]),
        (EveryBattery(), [location_room(LOCATION), battery_room(FIRST), battery_room(SECOND)]),
    ],
)
async def test_a_status_reaches_the_room_of_its_location_and_of_each_watched_battery(
    watched: Container[str], rooms: list[str]
) -> None:
    assert [room for room, _ in await published(watched)] == rooms


async def test_the_room_of_a_battery_hears_of_that_battery_alone() -> None:
    (_, whole), (room, own) = await published(frozenset({FIRST}))
    assert room == battery_room(FIRST)
    assert whole["columns"]["battery_id"] == [FIRST, SECOND]
    assert own == {
        "location_id": LOCATION,
        "columns": {"battery_id": [FIRST], "status": ["critical"], "open_critical": [1], "open_warning": [0]},
    }
    BatteryStatusUpdate.model_validate(own)
