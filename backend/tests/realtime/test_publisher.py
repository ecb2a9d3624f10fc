"""What is published reaches the rooms of the location and of each watched battery, which hears of itself alone."""

import asyncio
import contextlib
from collections.abc import Container
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from battery_api.realtime.publisher import SocketPublisher
from battery_api.realtime.server import EveryBattery, RealtimeServer
from battery_contracts.enums import HealthStatus
from battery_contracts.events import (
    BatteryStatusUpdate,
    PredictionColumns,
    PredictionUpdate,
    StatusColumns,
    battery_room,
    location_room,
)

LOCATION = "DC-BKK-01"
AS_OF = datetime(2026, 11, 19, 17, tzinfo=UTC)
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


PREDICTED = PredictionUpdate(
    location_id=LOCATION,
    as_of=AS_OF,
    columns=PredictionColumns(
        battery_id=[FIRST, SECOND],
        p10_days=[80.0, None],
        p50_days=[120.0, None],
        p90_days=[200.0, None],
        longer_than_days=[None, None],
        source=["fused", "none"],
        withheld_reason=[None, "no_history"],
        predicted_at=[AS_OF, AS_OF],
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


async def published(
    watched: Container[str], update: BatteryStatusUpdate | PredictionUpdate = UPDATE
) -> list[tuple[str, dict[str, Any]]]:
    server = RecordingServer(watched)
    publisher = SocketPublisher(cast("RealtimeServer", server))
    if isinstance(update, PredictionUpdate):
        await publisher.publish_predictions([update])
    else:
        await publisher.publish_statuses([update])
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
async def test_an_update_reaches_the_room_of_its_location_and_of_each_watched_battery(
    watched: Container[str], rooms: list[str]
) -> None:
    for update in (UPDATE, PREDICTED):
        assert [room for room, _ in await published(watched, update)] == rooms


async def test_the_room_of_a_battery_hears_of_that_battery_alone() -> None:
    (_, whole), (room, own) = await published(frozenset({FIRST}))
    assert room == battery_room(FIRST)
    assert whole["columns"]["battery_id"] == [FIRST, SECOND]
    assert own == {
        "location_id": LOCATION,
        "columns": {"battery_id": [FIRST], "status": ["critical"], "open_critical": [1], "open_warning": [0]},
    }
    BatteryStatusUpdate.model_validate(own)


async def test_the_room_of_a_battery_hears_of_its_prediction_alone() -> None:
    (_, whole), (_, own) = await published(frozenset({SECOND}), PREDICTED)
    assert PredictionUpdate.model_validate(whole) == PREDICTED
    columns = PredictionUpdate.model_validate(own).columns
    assert (columns.battery_id, columns.p50_days, columns.withheld_reason) == ([SECOND], [None], ["no_history"])
